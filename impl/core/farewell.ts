/**
 * Calls that are over, as a client remembers them: what it said last, so that a repeated offer is answered with that and does not ring
 * again, and which hang-ups nobody has acknowledged yet, so that one lost with its relay is said again. Bounded in number and time.
 */
import { Instant, Micros, seconds } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";

/** Calls remembered; the oldest is forgotten first. chosen: an hour of calls a minute; each is one short message. */
const REMEMBERED = 64;
/** An unacknowledged hang-up is said again after this, then after twice as long, and so on. chosen: a long round trip. */
const SAY_AGAIN: Micros = seconds(1);
const LONGEST_WAIT: Micros = seconds(8);
/** After this it is moot. chosen: by then a relay has ended a call that nobody resumed. */
const MOOT_AFTER: Micros = seconds(60);

type Over = {
  /** `Hangup`, or the answer that rejected the call. */
  readonly word: SignalMessage;
  /** What makes a relay know the call that has never heard of it, so that it can pass the hang-up on. */
  readonly opening: SignalMessage | undefined;
  readonly since: Instant;
  /** When it is due again, if it is a hang-up that is owed. */
  dueAt: Instant;
  wait: Micros;
};

export class Farewells {
  readonly #over = new Map<string, Over>();
  readonly #owed = new Set<Over>();

  /** The call is over. `isOwed`: `word` is a hang-up of ours that its receiver has to acknowledge. */
  remember(now: Instant, id: string, word: SignalMessage, isOwed: boolean, opening?: SignalMessage): void {
    this.#forget(id);
    const over: Over = { word, opening, since: now, dueAt: Instant.after(now, SAY_AGAIN), wait: SAY_AGAIN };
    this.#over.set(id, over);
    if (isOwed) this.#owed.add(over);
    const oldest = this.#over.size > REMEMBERED ? this.#over.keys().next().value : undefined;
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** What was said last about a call that is over; undefined for a call nobody remembers. */
  lastWord(id: string): SignalMessage | undefined {
    return this.#over.get(id)?.word;
  }

  acknowledged(id: string): void {
    const over = this.#over.get(id);
    if (over !== undefined) this.#owed.delete(over);
  }

  /** Nothing is owed any more: the client leaves. */
  forgive(): void {
    this.#owed.clear();
  }

  /** When `due` has something to say. */
  deadline(): Instant | undefined {
    let first: Instant | undefined;
    for (const { dueAt } of this.#owed) first = Instant.earliest(first, dueAt);
    return first;
  }

  /** The hang-ups to be said again now. */
  due(now: Instant): readonly SignalMessage[] {
    return this.#again(
      now,
      [...this.#owed].filter((over) => now >= over.dueAt),
    ).map((over) => over.word);
  }

  /** All that is owed, for a relay that may know nothing of it: each hang-up behind what opens its call. */
  reopened(now: Instant): readonly SignalMessage[] {
    return this.#again(now, [...this.#owed]).flatMap(({ opening, word }) => (opening === undefined ? [word] : [opening, word]));
  }

  #again(now: Instant, some: readonly Over[]): readonly Over[] {
    return some.filter((over) => {
      if (Instant.between(over.since, now) >= MOOT_AFTER) return !this.#owed.delete(over);
      over.wait = Micros(Math.min(over.wait * 2, LONGEST_WAIT));
      over.dueAt = Instant.after(now, over.wait);
      return true;
    });
  }

  #forget(id: string): void {
    const over = this.#over.get(id);
    if (over === undefined) return;
    this.#over.delete(id);
    this.#owed.delete(over);
  }
}
