/** No end without a word: a process with nothing left to wait for ends although its work is not done, and Node.js calls that a warning. */
import { EXIT } from "./exit.ts";
import { crashed } from "./program.ts";

/** From now until the function returned is called, an end that nobody asked for is a crash and is told as one. */
export function tellUnfinished(): () => void {
  let isFinished = false;
  let wasDry = false;
  // Not when somebody exits on purpose: `beforeExit` is told when the event loop has run dry, and then only.
  process.on("beforeExit", () => {
    if (isFinished) return;
    if (!wasDry) {
      // Who waits for something that may never come (scenario-choice.ts) is told of it by the same event, and has one more turn to say so.
      wasDry = true;
      setImmediate(() => undefined);
      return;
    }
    console.error(crashed(new Error("the event loop had nothing left to wait for, and the command had not ended")));
    process.exit(EXIT.crashed);
  });
  return () => {
    isFinished = true;
  };
}
