/**
 * Virtual time: one clock, one queue, actions run in order of (instant, order of scheduling). Nothing here waits for the
 * machine's clock, so an hour passes as fast as its actions compute.
 * Source: the discrete-event loop of any network simulator (ns-3, turmoil); left out on purpose: promises and threads, whose order is not ours.
 */
import { TimeHeap } from "../impl/base/heap.ts";
import { InvariantError, invariant } from "../impl/base/invariant.ts";
import { Instant, type Micros } from "../impl/base/units.ts";

/** A scheduled action that can be called off. Cancelling twice, or after it ran, does nothing. */
export type Timer = { cancel(): void };

/** Actions at one instant before it counts as a loop without end. chosen: a thousand times what the busiest instant of a run has. */
const ENDLESS = 1_000_000;

class Alarm implements Timer {
  action: (() => void) | undefined;
  constructor(action: () => void) {
    this.action = action;
  }
  cancel(): void {
    this.action = undefined; // the heap entry stays until its instant; only the closure is freed
  }
}

export class Kernel {
  readonly #queue: TimeHeap<(() => void) | Alarm> = new TimeHeap();
  #now: Instant = Instant(0);
  #executed = 0;
  /** Actions run in the present instant. */
  #here = 0;
  #running = false;
  #stopped = false;

  /** Microseconds since the run began; moves only inside `run`. */
  get now(): Instant {
    return this.#now;
  }
  /** Actions run so far; cancelled ones do not count. */
  get executed(): number {
    return this.#executed;
  }

  /** Runs `action` at `time`, after everything already scheduled for that instant. InvariantError when `time` is in the past or not whole. */
  at(time: Instant, action: () => void): Timer {
    const alarm = new Alarm(action);
    this.#schedule(time, alarm);
    return alarm;
  }
  /** Runs `action` after `length`; 0 means this instant, after what is already scheduled for it. */
  after(length: Micros, action: () => void): Timer {
    return this.at(Instant.after(this.#now, length), action);
  }
  /** As `at` for actions that are never called off, which spares the Timer: one per packet and hop. */
  post(time: Instant, action: () => void): void {
    this.#schedule(time, action);
  }

  /**
   * Runs every action due at or before `until`, then leaves the clock at `until`. Actions may schedule more, also for the present instant.
   * RangeError when `until` is in the past; InvariantError when called from inside an action, and when actions keep scheduling more for
   * one instant so that time stands still. An exception of an action passes through.
   */
  run(until: Instant): void {
    if (!(until >= this.#now)) throw new RangeError(`Kernel.run: until ${until} lies before now ${this.#now}`);
    invariant(!this.#running, "Kernel.run is called from inside an action");
    this.#running = true;
    this.#stopped = false;
    try {
      while (!this.#stopped) {
        if (this.#next(until)) continue;
        this.#now = until;
        return;
      }
    } finally {
      this.#running = false;
    }
  }
  /**
   * Runs the one action that is next and leaves the clock at its instant; false, and nothing else, when none is due at or before `until`.
   * InvariantError when called from inside an action.
   */
  step(until: Instant): boolean {
    invariant(!this.#running, "Kernel.step is called from inside an action");
    this.#running = true;
    try {
      return this.#next(until);
    } finally {
      this.#running = false;
    }
  }
  /** Ends the `run` in progress after the current action; the clock stays there and a later `run` goes on. */
  stop(): void {
    this.#stopped = true;
  }

  #next(until: Instant): boolean {
    for (;;) {
      const time = this.#queue.peek();
      if (time === undefined || time > until) return false;
      const entry = this.#queue.pop();
      const action = typeof entry === "function" ? entry : entry.action;
      if (action === undefined) continue;
      if (typeof entry !== "function") entry.action = undefined;
      if (time > this.#now) this.#here = 0;
      else if (++this.#here > ENDLESS)
        throw new InvariantError(`time stands still at ${time}: ${ENDLESS} actions in one instant`);
      this.#now = time as Instant;
      this.#executed++;
      action();
      return true;
    }
  }

  #schedule(time: Instant, entry: (() => void) | Alarm): void {
    // not `invariant`: its message would be built for every packet
    if (!(time >= this.#now && Number.isInteger(time))) throw new InvariantError(`scheduled at ${time}, now is ${this.#now}`);
    this.#queue.push(time, entry);
  }
}
