/**
 * How fast a relay registers clients when many come at once, as after its restart: at a steady rate, in the order they came, those who take up a call
 * before all others. Whoever waits keeps its session and is told nothing; what it says meanwhile is kept for its turn, so nobody has to come again.
 * The rate is metered by the generic cell rate algorithm (ITU-T I.371).
 */
import { Instant, Micros } from "../base/units.ts";

export type Config = {
  /** Registrations a second. */
  readonly perSecond: number;
  /** Registrations at one instant that need not wait. */
  readonly burst: number;
};

/**
 * chosen: to check a registration and to finish the handshake before it costs a core about a millisecond, so media keep three quarters of it; a
 * relay of a few dozen clients never makes anybody wait.
 */
export const DEFAULT_ADMISSION: Config = { perSecond: 250, burst: 50 };

/** Messages kept for a client that waits. chosen: a client says two at once, its registration and its call's resumption. */
const MOST_KEPT = 8;

type Waiting<Message> = { readonly kept: Message[]; isUrgent: boolean };

export class Admission<Key, Message> {
  readonly #interval: number;
  readonly #tolerance: number;
  /** When the next one would be due at the steady rate. */
  #due = Instant(0);
  readonly #waiting = new Map<Key, Waiting<Message>>();

  constructor({ perSecond, burst }: Config) {
    this.#interval = 1_000_000 / perSecond;
    this.#tolerance = this.#interval * (burst - 1);
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(key: Key): boolean {
    return this.#waiting.has(key);
  }

  /** Whether a registration may be looked at now; counts it. */
  take(now: Instant): boolean {
    if (now < this.#due - this.#tolerance) return false;
    this.#due = Instant(Math.round(Math.max(this.#due, now) + this.#interval));
    return true;
  }

  /** Keeps a message of somebody who waits, or begins to. False: there are too many already. `isUrgent`: it takes up a call. */
  keep(key: Key, message: Message, isUrgent: boolean): boolean {
    const waiting = this.#waiting.get(key) ?? { kept: [], isUrgent: false };
    if (waiting.kept.length === MOST_KEPT) return false;
    waiting.kept.push(message);
    waiting.isUrgent ||= isUrgent;
    this.#waiting.set(key, waiting);
    return true;
  }

  /** Whose turn it is, with all it has said; undefined when it is nobody's. */
  next(now: Instant): { readonly key: Key; readonly kept: readonly Message[] } | undefined {
    const [first] = this.#waiting.keys();
    if (first === undefined || !this.take(now)) return undefined;
    const key = [...this.#waiting].find(([, one]) => one.isUrgent)?.[0] ?? first;
    const kept = this.#waiting.get(key)?.kept ?? [];
    this.#waiting.delete(key);
    return { key, kept };
  }

  forget(key: Key): void {
    this.#waiting.delete(key);
  }

  clear(): void {
    this.#waiting.clear();
  }

  deadline(): Instant | undefined {
    return this.#waiting.size === 0
      ? undefined
      : Instant.after(Instant(0), Micros(Math.max(0, Math.ceil(this.#due - this.#tolerance))));
  }
}
