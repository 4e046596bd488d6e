/**
 * Notices when this thread ran nothing for a while: it could not look at the clock when it meant to. What it computed meanwhile is told beside, for the rest
 * is time in which a machine that is too busy gave it no processor.
 */
import type { StallRecord } from "../base/record.ts";

/** Milliseconds between looks at the clock. chosen: a frame; fifty looks a second cost some 0.1 % of a processor. */
const EVERY = 20;
/** Milliseconds from which a stall is told. chosen: two frames and a half, which a jitter buffer on a good path does not cover. */
export const LEAST_STALL_MS = 50;

export type Clocks = {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Microseconds of processor this thread used so far. */
  readonly used: () => number;
};

const CLOCKS: Clocks = {
  now: () => performance.now(),
  used: () => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  },
};

/** Tells each stall when it is over; the function returned ends the watch. It keeps no process alive. */
export function watchStalls(tell: (stall: StallRecord) => void, { now, used }: Clocks = CLOCKS): () => void {
  let [at, computed] = [now(), used()];
  const timer = setInterval(() => {
    const [nowAt, nowComputed] = [now(), used()];
    const micros = Math.round((nowAt - at - EVERY) * 1_000);
    const cpuMicros = Math.min(micros, Math.round(nowComputed - computed));
    [at, computed] = [nowAt, nowComputed];
    if (micros >= LEAST_STALL_MS * 1_000) tell({ ev: "stall", micros, cpuMicros });
  }, EVERY);
  timer.unref();
  return () => clearInterval(timer);
}
