/**
 * The event log of a real process, written by pino: one JSON record a line, `t` and `who` stamped here, `level` added by pino
 * (40 for refusals). Synchronous, so that a killed process loses nothing it has said.
 */
import { closeSync, openSync } from "node:fs";
import { pino } from "pino";
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";

export type EventLog = { say(saying: Saying): void; close(): void };

/** Appends to `file`; undefined: nothing is written. */
export function openEventLog(file: string | undefined, who: string, now: () => Instant): EventLog {
  if (file === undefined) return { say: () => {}, close: () => {} };
  const descriptor = openSync(file, "a");
  const logger = pino(
    { base: null, timestamp: false, mixin: () => ({ t: now() as number, who }) },
    pino.destination({ fd: descriptor, sync: true }),
  );
  return {
    say: (saying) => (saying.ev === "refused" ? logger.warn(saying) : logger.info(saying)),
    close: () => closeSync(descriptor),
  };
}
