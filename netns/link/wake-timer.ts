/**
 * Wakes its owner within tens of microseconds of a deadline, where `setTimeout` alone is a millisecond off: it sleeps for the whole
 * milliseconds that are left and spins through the event loop for the rest, so that arriving packets are still read. Spinning is rationed: where
 * deadlines come so thick that it would never sleep, some wakes are up to a millisecond late in place of a processor taken whole.
 */
import type { Instant } from "../../impl/base/units.ts";

/**
 * Microseconds of spinning per microsecond that passes. chosen: half a processor; a call's few hundred packets a second use a tenth, and
 * a real-time process that never sleeps is stopped by the kernel for 50 ms of every second (sched(7), sched_rt_runtime_us).
 */
const RATION = 0.5;
/** Microseconds of spinning that may be saved up. chosen: twenty deadlines in a row. */
const SAVED = 20_000;

export type WakeTimer = {
  /** The one deadline to keep, replacing the last one; undefined: none. */
  set(due: Instant | undefined): void;
};

/** `wake` is called once per deadline that passes; it may set the next one. */
export function wakeTimer(now: () => Instant, wake: () => void): WakeTimer {
  let due: Instant | undefined;
  let sleep: NodeJS.Timeout | undefined;
  let spinning = false;
  let ration = SAVED;
  let counted = now();

  const approach = (): void => {
    const at = now();
    // The clock starts over once, when the run begins.
    ration = Math.min(SAVED, ration + Math.max(0, at - counted) * (spinning ? RATION - 1 : RATION));
    counted = at;
    spinning = false;
    clearTimeout(sleep);
    sleep = undefined;
    if (due === undefined) return;
    const left = due - at;
    if (left <= 0) {
      due = undefined;
      wake();
    } else if (left >= 1_000 || ration <= 0) sleep = setTimeout(approach, Math.max(1, Math.floor(left / 1_000)));
    else {
      spinning = true;
      setImmediate(approach);
    }
  };
  return {
    set(at) {
      const sooner = at !== undefined && (due === undefined || at < due);
      due = at;
      if (!spinning && (sooner || at === undefined)) approach();
    },
  };
}
