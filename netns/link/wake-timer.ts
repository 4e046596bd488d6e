/**
 * Wakes its owner within a tenth of a millisecond of a deadline, where `setTimeout` is a whole one off: a thread of its own sleeps until then and sends word. Nothing
 * spins, so that a link costs no more of a processor than its packets do.
 */
import { Worker } from "node:worker_threads";
import type { Instant } from "../../impl/base/units.ts";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";
import { setDeadline, sharedDeadline } from "./shared-deadline.ts";

export type WakeTimer = {
  /** The one deadline to keep, replacing the last one; undefined: none. */
  set(due: Instant | undefined): void;
  /** Ends the thread. */
  close(): Promise<void>;
};

/** `wake` is called once per deadline that passes by `now`; it may set the next one. No process waits for it. */
export function wakeTimer(now: () => Instant, wake: () => void): WakeTimer {
  const shared = sharedDeadline();
  const machine = monotonicClock(0);
  let due: Instant | undefined;
  const arm = (): void => setDeadline(shared, due === undefined ? Number.POSITIVE_INFINITY : machine.now() + (due - now()));
  const thread = new Worker(new URL("./wake-thread.ts", import.meta.url), { workerData: shared });
  thread.unref();
  thread.on("message", () => {
    if (due === undefined) return;
    // It was told of one that has been replaced since, or the owner's clock has started over.
    if (due > now()) return arm();
    due = undefined;
    wake();
  });
  return {
    set(at) {
      if (at === due) return;
      due = at;
      arm();
    },
    close: async () => void (await thread.terminate()),
  };
}
