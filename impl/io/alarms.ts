/**
 * One timer for many connections, each with a deadline that nearly always moves back: a connection is noted once, at the earliest deadline it had, looked at then, and put off
 * when it is not due. Asking all of them at every ring was a tenth of what a relay with a thousand clients did.
 */
import { TimeHeap } from "../base/heap.ts";
import { Instant } from "../base/units.ts";

/** `deadline`: when it is due; undefined: never. `watch` is the alarms' own. */
export type Watched = { readonly deadline: Instant | undefined; watch: Watch | undefined };
/** A note to look at `of`; at nothing when that was forgotten, or is looked at sooner. */
export type Watch = { readonly at: Instant; of: Watched | undefined };

export class Alarms<One extends Watched> {
  readonly #now: () => Instant;
  readonly #due: (all: readonly One[]) => void;
  readonly #notes = new TimeHeap<Watch>();
  #alarm: { readonly at: Instant; readonly timer: NodeJS.Timeout } | undefined;
  #ringing: NodeJS.Immediate | undefined;

  /** `due` is told those whose deadline has passed, in the event loop's next phase: the system has been asked by then what arrived while this process was busy. */
  constructor(now: () => Instant, due: (all: readonly One[]) => void) {
    this.#now = now;
    this.#due = due;
  }

  /** Notes its deadline as it stands. */
  watch(one: One): void {
    const at = one.deadline;
    if (at === undefined || (one.watch !== undefined && one.watch.at <= at)) return;
    this.forget(one);
    one.watch = { at, of: one };
    this.#notes.push(at, one.watch);
  }

  forget(one: One): void {
    if (one.watch !== undefined) one.watch.of = undefined;
    one.watch = undefined;
  }

  /** Sees to it that the earliest note is looked at. To be called when all are noted. */
  set(): void {
    const at = this.#notes.peek();
    if (at === undefined || (this.#alarm !== undefined && this.#alarm.at <= at)) return;
    if (this.#alarm !== undefined) clearTimeout(this.#alarm.timer);
    const rings = (): void => {
      this.#ringing = setImmediate(() => this.#ring());
    };
    const timer = setTimeout(rings, Math.ceil(Instant.between(this.#now(), Instant(at)) / 1_000));
    this.#alarm = { at: Instant(at), timer };
  }

  close(): void {
    if (this.#alarm !== undefined) clearTimeout(this.#alarm.timer);
    if (this.#ringing !== undefined) clearImmediate(this.#ringing);
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = this.#now();
    const due: One[] = [];
    while ((this.#notes.peek() ?? Number.POSITIVE_INFINITY) <= now) {
      const one = this.#notes.pop().of as One | undefined;
      if (one === undefined) continue;
      one.watch = undefined;
      if (one.deadline !== undefined && one.deadline <= now) due.push(one);
      else this.watch(one);
    }
    this.#due(due);
    this.set();
  }
}
