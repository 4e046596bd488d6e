/**
 * How often somebody may do something: the generic cell rate algorithm (ITU-T I.371), one instant of memory for each who does. Who was idle for
 * long enough is as good as new and forgotten, so memory is bounded by what can happen within one burst's time.
 */
import type { Instant } from "../base/units.ts";

/** `perSecond` in the long run, `burst` at once. */
export type Rate = { readonly perSecond: number; readonly burst: number };

export class RateLimit<Who> {
  readonly #interval: number;
  readonly #tolerance: number;
  readonly #most: number;
  /** The instant at which each would have used up nothing. */
  readonly #due = new Map<Who, number>();

  /** `most`: who are remembered at once; beyond them whoever came first makes room. */
  constructor({ perSecond, burst }: Rate, most: number) {
    this.#interval = 1e6 / perSecond;
    this.#tolerance = (burst - 1) * this.#interval;
    this.#most = most;
  }

  get size(): number {
    return this.#due.size;
  }

  /** Whether `who` may, now; it counts as done then. */
  take(who: Who, now: Instant): boolean {
    const due = Math.max(this.#due.get(who) ?? now, now);
    if (due - now > this.#tolerance) return false;
    if (this.#due.size >= this.#most && !this.#due.has(who)) this.#makeRoom(now);
    this.#due.set(who, due + this.#interval);
    return true;
  }

  forget(who: Who): void {
    this.#due.delete(who);
  }

  /** Forgets who is as good as new. */
  forgetIdle(now: Instant): void {
    for (const [who, due] of this.#due) if (due <= now) this.#due.delete(who);
  }

  #makeRoom(now: Instant): void {
    this.forgetIdle(now);
    for (const who of this.#due.keys()) {
      if (this.#due.size < this.#most) return;
      this.#due.delete(who); // the one that came first
    }
  }
}
