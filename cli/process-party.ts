/** What `midcall relay` and `midcall client` share: waiting, and trouble with the machine told as such. */

import { Option } from "commander";
import { IoError } from "../impl/io/io-error.ts";
import { WavError } from "../impl/io/wav.ts";
import { CliError, usage } from "./exit.ts";
import { wholeArgument } from "./seed.ts";
import { hostPortArgument } from "./socket-address.ts";

/** Logs of several processes are merged by time when all count from the same instant. */
export const epochOption = (): Option =>
  new Option("--epoch <us>", "CLOCK_MONOTONIC microsecond that the log's `t` counts from (default: the start)").argParser(
    wholeArgument(0),
  );

/** Nothing listens unless it is asked to, and where it is asked to. */
export const metricsOption = (): Option =>
  new Option("--metrics <host:port>", "serve Prometheus metrics at http://HOST:PORT/metrics; port 0: any free one").argParser(
    hostPortArgument,
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
    throw troubleOf(error);
  }
}

/** What a command ends with for an error of the machine: exit code 5; 2 for a recording that cannot be used; any other error as it is. */
export function troubleOf(error: unknown): unknown {
  if (error instanceof WavError) {
    return error.code === "wav-unwritable"
      ? new CliError("lacking", `${error.message}; want a file in a folder that can be written, with room for it`, error)
      : usage(error.message, "want a WAV file of PCM audio");
  }
  const system = error instanceof Error && "code" in error && "syscall" in error;
  return error instanceof IoError || system ? new CliError("lacking", (error as Error).message, error) : error;
}
