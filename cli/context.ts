/** What every command is given, and what every command's help ends with. */
import type { ExitCode } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Where a command writes, and whom it tells its exit code. */
export type Context = { readonly terminal: Terminal; end(code: ExitCode): void };

/** The end of a command's help. */
export const example = (line: string): string => `\nExample:\n  ${line}`;
