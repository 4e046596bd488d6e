/** One deadline in memory that two threads share: who has it sets it, who sleeps is woken for every change of it. */

/** `change`: one number, counted up with each change; `due`: microseconds of CLOCK_MONOTONIC, infinite when there is none. */
export type SharedDeadline = { readonly change: Int32Array; readonly due: Float64Array };

export const sharedDeadline = (): SharedDeadline => ({
  change: new Int32Array(new SharedArrayBuffer(4)),
  due: new Float64Array(new SharedArrayBuffer(8)).fill(Number.POSITIVE_INFINITY),
});

/** Replaces the deadline and wakes who sleeps. */
export function setDeadline({ change, due }: SharedDeadline, at: number): void {
  due[0] = at;
  // In this order: who reads the count first and then the deadline never sleeps for one that is gone.
  Atomics.add(change, 0, 1);
  Atomics.notify(change, 0);
}

/**
 * Blocks its thread until a deadline has passed by `now`, microseconds of CLOCK_MONOTONIC, and returns its count, to be given as `met` the next time: none is met again.
 * The first time `met` is undefined.
 */
export function sleepUntilDue({ change, due }: SharedDeadline, now: () => number, met: number | undefined): number {
  for (;;) {
    const seen = Atomics.load(change, 0);
    const left = seen === met ? Number.POSITIVE_INFINITY : (due[0] as number) - now();
    if (left <= 0) return seen;
    Atomics.wait(change, 0, seen, left / 1_000); // at once where there is another by now
  }
}
