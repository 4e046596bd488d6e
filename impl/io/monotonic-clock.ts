/** The real clock: microseconds of CLOCK_MONOTONIC since an epoch that all processes of a run share. */
import { Instant } from "../base/units.ts";

const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);

/** `epoch`: the CLOCK_MONOTONIC microsecond at which the run began; undefined: now. */
export function monotonicClock(epoch?: number): { readonly epoch: number; now(): Instant } {
  const began = epoch ?? monotonic();
  return { epoch: began, now: () => Instant(Math.max(0, monotonic() - began)) };
}
