/** What one client or one address may ask of a relay: sessions, new sessions a second, messages and packets a second. */

import type { Address } from "../base/address.ts";
import { parseAddress } from "../base/address.ts";
import type { Instant } from "../base/units.ts";
import { type Rate, RateLimit } from "./rate-limit.ts";
import type { SessionId } from "./session.ts";

export type ClientLimits = {
  /** Sessions of one IP address at once; more are closed with a reason. */
  readonly maxSessionsPerAddress: number;
  /** New sessions of one IP address. */
  readonly sessionRate: Rate;
  /** Signalling messages of one session; what is beyond is not looked at. */
  readonly messageRate: Rate;
  /** Media packets of one session. */
  readonly packetRate: Rate;
};

/**
 * chosen: a carrier's NAT has some hundred subscribers behind an address, who come back together after a restart; a call is set up with ten messages; twenty
 * calls of a gateway are 1,000 packets a second, or 2,000 with repair in packets of its own.
 */
export const DEFAULT_LIMITS: ClientLimits = {
  maxSessionsPerAddress: 512,
  sessionRate: { perSecond: 100, burst: 512 },
  messageRate: { perSecond: 50, burst: 500 },
  packetRate: { perSecond: 2_000, burst: 2_000 },
};

/** Addresses whose rate is remembered. chosen: some 10 MB at most. */
const MOST_ADDRESSES = 65_536;

export class RelayLimits {
  readonly #limits: ClientLimits;
  readonly #sessions = new Map<string, number>();
  readonly #hosts = new Map<SessionId, string>();
  readonly #opened: RateLimit<string>;
  readonly #messages: RateLimit<SessionId>;
  readonly #packets: RateLimit<SessionId>;

  /** `maxSessions`: of the relay. */
  constructor(limits: ClientLimits, maxSessions: number) {
    this.#limits = limits;
    this.#opened = new RateLimit(limits.sessionRate, MOST_ADDRESSES);
    this.#messages = new RateLimit(limits.messageRate, maxSessions);
    this.#packets = new RateLimit(limits.packetRate, maxSessions);
  }

  /** Why a session from `remote` is not accepted; undefined: it is, and counts until it closes. */
  accept(session: SessionId, remote: Address, now: Instant): string | undefined {
    const host = parseAddress(remote)?.host ?? remote;
    const count = this.#sessions.get(host) ?? 0;
    if (count >= this.#limits.maxSessionsPerAddress) return "too many sessions from this address";
    if (!this.#opened.take(host, now)) return "too many new sessions from this address";
    this.#sessions.set(host, count + 1);
    this.#hosts.set(session, host);
    return undefined;
  }

  /** Sessions and addresses of which something is remembered. */
  get remembered(): number {
    return this.#hosts.size + this.#sessions.size + this.#opened.size + this.#messages.size + this.#packets.size;
  }

  /** Forgets addresses that may do all again; false: none is left to be forgotten later. */
  forgetIdle(now: Instant): boolean {
    this.#opened.forgetIdle(now);
    return this.#opened.size > 0;
  }

  closed(session: SessionId): void {
    this.#messages.forget(session);
    this.#packets.forget(session);
    const host = this.#hosts.get(session);
    if (host === undefined || !this.#hosts.delete(session)) return;
    const count = (this.#sessions.get(host) ?? 1) - 1;
    if (count === 0) this.#sessions.delete(host);
    else this.#sessions.set(host, count);
  }

  message(session: SessionId, now: Instant): boolean {
    return this.#messages.take(session, now);
  }
  packet(session: SessionId, now: Instant): boolean {
    return this.#packets.take(session, now);
  }
}
