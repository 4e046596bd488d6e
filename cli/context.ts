/** What every command is given, and what every command's help ends with. */
import type { ExitCode } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Where a command writes, whom it tells its exit code, and the command line as it was typed, without `midcall`. */
export type Context = { readonly terminal: Terminal; end(code: ExitCode): void; readonly line: readonly string[] };

/** The end of a command's help. */
export const example = (line: string): string => `\nExample:\n  ${line}`;
