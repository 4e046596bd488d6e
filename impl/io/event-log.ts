/**
 * The event log of a real process, written by pino: one JSON record a line, `t` and `who` stamped here, `level` added by pino
 * (40 for refusals). Synchronous, so that a killed process loses nothing it has said.
 */
import { closeSync, openSync } from "node:fs";
import { pino } from "pino";
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";
import { IoError } from "./io-error.ts";

export type EventLog = { say(saying: Saying): void; close(): void };

/**
 * Appends to `file`; undefined: nothing is written. IoError `event-log` when it cannot be opened. When it can no longer be written (a full disk),
 * `failed` is told once and nothing more is written.
 */
export function openEventLog(
  file: string | undefined,
  who: string,
  now: () => Instant,
  failed: (error: IoError) => void,
): EventLog {
  if (file === undefined) return { say: () => {}, close: () => {} };
  const descriptor = open(file);
  const destination = pino.destination({ fd: descriptor, sync: true });
  let works = true;
  destination.on("error", (cause: Error) => {
    if (!works) return;
    works = false;
    failed(new IoError("event-log", `cannot write the log ${file} (${cause.message}): make room, or name another file`, cause));
  });
  const logger = pino({ base: null, timestamp: false, mixin: () => ({ t: now() as number, who }) }, destination);
  return {
    say: (saying) => {
      if (works) logger[saying.ev === "refused" ? "warn" : "info"](saying);
    },
    close: () => closeSync(descriptor),
  };
}

function open(file: string): number {
  try {
    return openSync(file, "a");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new IoError("event-log", `cannot open the log ${file} (${why}): name a file in a folder that can be written`, cause);
  }
}
