/** The calls a relay knows: who is in them, on which channel their media travel, and which sessions carry them right now. */
import type { Address } from "../base/address.ts";
import { invariant } from "../base/invariant.ts";
import type { Instant } from "../base/units.ts";
import type { SessionId } from "./session.ts";

/** 0: the caller, 1: the callee. */
export type Side = 0 | 1;

/** Addresses a side advertised, in the words of `CallSetup` to the other side. */
export type AdvertisedAddresses = {
  readonly peer_direct_addr?: Address;
  readonly peer_local_addrs?: Address[];
  readonly peer_mapped_addr?: Address;
};

export type Call = {
  readonly id: string;
  /** Fingerprints of caller and callee. */
  readonly parties: readonly [string, string];
  stage: "offered" | "set-up";
  /** Number of the call in media headers, the same on both sessions; -1 before the call is set up. */
  channel: number;
  /** The sessions that carry it; undefined while a party is away. */
  readonly sessions: [SessionId | undefined, SessionId | undefined];
  readonly addresses: [AdvertisedAddresses, AdvertisedAddresses];
  /** When this relay came to know it. */
  readonly since: Instant;
  /** Since when a party has been away; undefined while both are here. */
  orphanedAt: Instant | undefined;
};

export class CallRegistry {
  readonly #calls = new Map<string, Call>();

  get size(): number {
    return this.#calls.size;
  }
  find(id: string): Call | undefined {
    return this.#calls.get(id);
  }
  all(): Iterable<Call> {
    return this.#calls.values();
  }
  add(call: Call): void {
    invariant(!this.#calls.has(call.id), `call ${call.id} is registered once`);
    this.#calls.set(call.id, call);
  }
  remove(id: string): void {
    this.#calls.delete(id);
  }
}
