/** Entry of the `midcall` process: runs the program on the real terminal and exits with its code. */
import { program } from "./program.ts";
import { processTerminal } from "./terminal.ts";

// A reader that went away (`midcall list | head -1`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const code = await program(process.argv.slice(2), processTerminal());
// The exit is explicit because signal listeners and idle workers are still open; the write callback lets a pipe drain first.
process.stdout.write("", () => process.exit(code));
