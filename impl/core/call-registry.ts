/**
 * The calls a relay knows, found by a party and the call's id. Ids are chosen by callers, so an id alone names nothing: two calls may
 * share one as long as they share no party, and whoever learns the id of a call between others gains nothing by using it.
 */
import type { Address } from "../base/address.ts";
import { invariant } from "../base/invariant.ts";
import type { Instant } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import type { SessionId } from "./session.ts";

/** 0: the caller, 1: the callee. */
export type Side = 0 | 1;

/** Fingerprints of caller and callee. */
export type Parties = readonly [caller: string, callee: string];

/** Addresses a side advertised, in the words of `CallSetup` to the other side. */
export type AdvertisedAddresses = {
  readonly peer_direct_addr?: Address;
  readonly peer_local_addrs?: Address[];
  readonly peer_mapped_addr?: Address;
};

export type Call = {
  readonly id: string;
  readonly parties: Parties;
  stage: "offered" | "set-up";
  /** Both parties are known to be in it: the relay saw offer and answer, or a `CallResume` proved it. */
  isProven: boolean;
  /** The callee answered in privacy mode, so nothing of its whereabouts is passed on. After a restart its `CallResume` says so. */
  isPrivate: boolean;
  /** Number of the call in media headers, the same on both sessions; -1 before the call is set up. */
  channel: number;
  /** The sessions that carry it; undefined while a party is away. */
  readonly sessions: [SessionId | undefined, SessionId | undefined];
  readonly addresses: [AdvertisedAddresses, AdvertisedAddresses];
  /** When this relay came to know it. */
  readonly since: Instant;
  /** The last `CallResume` that proved it, and its sender's side: shown to the other party when that registers. */
  resumption: { readonly side: Side; readonly message: SignalMessage } | undefined;
  /** The least `attempt` of each side's `CallResume` that another relay may still tell: what the party said here itself has to be surpassed. */
  readonly nextAttempts: [number, number];
  /** Since when a party has been away; undefined while both are here. */
  orphanedAt: Instant | undefined;
};

/** Things about calls by party and id; in the order they were added. */
export class CallRegistry<C extends { readonly id: string; readonly parties: Parties }> {
  readonly #all = new Set<C>();
  readonly #byParty = new Map<string, Map<string, C>>();

  get size(): number {
    return this.#all.size;
  }
  /** The call with this id that `party` is in. */
  find(id: string, party: string): C | undefined {
    return this.#byParty.get(party)?.get(id);
  }
  /** In the order of addition; what is removed meanwhile is left out. */
  all(): Iterable<C> {
    return this.#all;
  }
  of(party: string): Iterable<C> {
    return this.#byParty.get(party)?.values() ?? [];
  }
  /** Neither party may have a call with this id already. */
  add(call: C): void {
    this.#all.add(call);
    for (const party of call.parties) {
      const calls = this.#byParty.get(party) ?? new Map<string, C>();
      invariant(!calls.has(call.id), `call ${call.id} of ${party} is registered once`);
      this.#byParty.set(party, calls.set(call.id, call));
    }
  }
  remove(call: C): void {
    this.#all.delete(call);
    for (const party of call.parties) {
      const calls = this.#byParty.get(party);
      calls?.delete(call.id);
      if (calls?.size === 0) this.#byParty.delete(party);
    }
  }
}
