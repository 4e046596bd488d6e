/** A process that tells its terminal everything a terminal is told, in the words of a hostile run; for tests that look at the screen. */
import { HOSTILE } from "./hostile-run.fixture.ts";
import { processTerminal } from "./terminal.ts";

const terminal = processTerminal();
terminal.progress({ stage: HOSTILE, detail: HOSTILE, share: 0.5 });
terminal.notice([`  5.000 s  ⚡ kill ${HOSTILE}`, "  6.000 s  end of the notices"]);
terminal.progress({ stage: HOSTILE, detail: "wait", share: 0.75 });
if (process.argv[2] === "stay") await new Promise((resolve) => process.stdin.once("data", resolve));
terminal.quiet();
terminal.err(`midcall: ${HOSTILE}; want another`);
terminal.out(`${terminal.paint("held", "held")}  ${HOSTILE}`);
process.exit();
