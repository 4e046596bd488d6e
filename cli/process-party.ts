/** What `midcall relay` and `midcall client` share: waiting, and trouble with the machine told as such. */

import { Option } from "commander";
import { IoError } from "../impl/io/io-error.ts";
import { CliError } from "./exit.ts";
import { wholeArgument } from "./seed.ts";

/** Logs of several processes are merged by time when all count from the same instant. */
export const epochOption = (): Option =>
  new Option("--epoch <us>", "CLOCK_MONOTONIC microsecond that the log's `t` counts from (default: the start)").argParser(
    wholeArgument(0),
  );

/** Resolves when the user interrupts, or after `ms` when given. */
export const untilInterrupted = (signal: AbortSignal, ms?: number): Promise<void> =>
  new Promise((resolve) => {
    // A timer holds the process open while a socket may not; about 24 days is as long as one can be.
    const timer = setTimeout(resolve, ms ?? 2 ** 31 - 1);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });

/** Runs `start`; what the machine refuses (a port in use, a file that cannot be written) becomes exit code 5. */
export async function machineTrouble<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const system = error instanceof Error && "code" in error && "syscall" in error;
    if (error instanceof IoError || system) throw new CliError("lacking", (error as Error).message, error);
    throw error;
  }
}
