/** Entry of the `midcall` process: runs the program on the real terminal and exits with its code. */
import { EXIT } from "./exit.ts";
import { endWithParent } from "./parent.ts";
import { crashed, program } from "./program.ts";
import { processTerminal } from "./terminal.ts";
import { tellUnfinished } from "./unfinished.ts";

// A reader that went away (`midcall list | head -1`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  console.error(`midcall: the output cannot be written (${error.message}); want a place with room for it`);
  process.exit(EXIT.lacking);
});
// What arrives here was thrown by a timer or a socket of ours; exit code 1 would call it a broken promise of a scenario.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    console.error(crashed(error));
    process.exit(EXIT.crashed);
  });
}
endWithParent(EXIT.interrupted);
const finished = tellUnfinished();

const code = await program(process.argv.slice(2), processTerminal());
finished();
// The exit is explicit because signal listeners and idle workers are still open; the write callback lets a pipe drain first, and an
// error of it is told before the next turn.
process.stdout.write("", () => setImmediate(() => process.exit(code)));
