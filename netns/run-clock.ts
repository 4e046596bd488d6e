/** The clock of a real-time run: microseconds of CLOCK_MONOTONIC since all parties were told to begin, and timers in that count. */

import { Instant } from "../impl/base/units.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";

export type RunClock = {
  /** Starts counting; gives the epoch that parties are told. */
  begin(): number;
  /** 0 until it has begun. */
  now(): Instant;
  /** Runs `action` at `at` or as soon after as the machine can, never before. Nothing runs once the clock has stopped. */
  at(at: number, action: () => void): void;
  /** Resolves at `at`; never, when the clock is stopped first. */
  reached(at: number): Promise<void>;
  stop(): void;
};

export function runClock(): RunClock {
  let clock: ReturnType<typeof monotonicClock> | undefined;
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;
  const now = (): Instant => clock?.now() ?? Instant(0);
  const at = (due: number, action: () => void): void => {
    if (isStopped) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        // A timer counts whole milliseconds of another clock and may be early.
        if (clock === undefined || now() < due) at(due, action);
        else action();
      },
      Math.max(0, due - now()) / 1_000,
    );
    timers.add(timer);
  };
  return {
    begin: () => {
      clock = monotonicClock();
      return clock.epoch;
    },
    now,
    at,
    reached: (due) => new Promise((resolve) => at(due, resolve)),
    stop: () => {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
