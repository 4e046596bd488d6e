/**
 * Calls that are over, as a relay remembers them for a while: how each ended, and which party has not yet acknowledged to have heard of it. So a
 * party that was away learns it when it comes back, and neither a late offer nor a late `CallResume` opens the call again.
 */
import { Instant, type Micros } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { CallRegistry, type Parties } from "./call-registry.ts";

type EndedCall = {
  readonly id: string;
  readonly parties: Parties;
  /** `Hangup`, or the answer that rejected the call. */
  readonly word: SignalMessage;
  /** Fingerprints of those who still have to be told. */
  readonly owed: Set<string>;
  readonly since: Instant;
};

export class EndedCalls {
  readonly #calls = new CallRegistry<EndedCall>();
  readonly #most: number;

  /** Remembers `most` calls; the oldest is forgotten first. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#calls.size;
  }

  remember(now: Instant, id: string, parties: Parties, word: SignalMessage, owed: readonly string[]): void {
    for (const party of parties) {
      const before = this.#calls.find(id, party);
      if (before !== undefined) this.#calls.remove(before);
    }
    this.#calls.add({ id, parties, word, owed: new Set(owed), since: now });
    for (const oldest of this.#calls.all()) {
      if (this.#calls.size <= this.#most) break;
      this.#calls.remove(oldest);
    }
  }

  /** How the call of `party` with this id ended. */
  lastWord(id: string, party: string): SignalMessage | undefined {
    return this.#calls.find(id, party)?.word;
  }

  /** The other party of the call of `party` with this id. */
  peerOf(id: string, party: string): string | undefined {
    return this.#calls.find(id, party)?.parties.find((one) => one !== party);
  }

  acknowledged(id: string, party: string): void {
    this.#calls.find(id, party)?.owed.delete(party);
  }

  /** What `party` has not acknowledged yet. */
  owedTo(party: string): readonly SignalMessage[] {
    return [...this.#calls.of(party)].filter((call) => call.owed.has(party)).map((call) => call.word);
  }

  /** Forgets what is older than `age`. */
  expire(now: Instant, age: Micros): void {
    for (const oldest of this.#calls.all()) {
      if (Instant.between(oldest.since, now) < age) return;
      this.#calls.remove(oldest);
    }
  }
}
