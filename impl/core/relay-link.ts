/** A client's session with a relay, from the attempt to its last word. */
import type { Address } from "../base/address.ts";
import { Instant, Micros, millis } from "../base/units.ts";
import type { View } from "../base/view.ts";
import { DEFAULT_SESSION, type SessionId } from "./session.ts";
import type { RelayTarget } from "./supervisor.ts";

export type Link = {
  readonly id: SessionId;
  readonly relay: RelayTarget;
  /** The one of its addresses that was dialled. */
  readonly remote: Address;
  /** When its handshake began; anew where the relay wanted the address proved first. */
  dialledAt: Instant;
  isConnected: boolean;
  /** Nothing has been heard on it for so long that it is in doubt. */
  isSilent: boolean;
  /** The relay knows the call on this session: media may leave on it. */
  hasCallChannel: boolean;
  /** The call's channel on this session, asked for or granted. */
  channel: number | undefined;
  /** The relay was asked to take the call up on this session. */
  isTakenUp: boolean;
  /** When the relay was asked for the registration. */
  enrolledAt: Instant | undefined;
  /** The shortest round trip seen: who stood still during the handshake took that for a long one. */
  rtt: Micros;
};

/** How long a session given up on purpose stays open, so that a hang-up sent last is retransmitted when lost. chosen: one loss recovery at 100 ms RTT. */
const LINGER: Micros = millis(300);
/** And that many round trips more. chosen: on a slow link two losses in a row are repaired by then (RFC 9002 section 6.2: one, then two probe timeouts). */
const LINGER_ROUND_TRIPS = 4;
/** A handshake that takes longer is given up (session.ts), so no round trip does: whoever measured more stood still meanwhile. */
const LONGEST_ROUND_TRIP: Micros = DEFAULT_SESSION.handshakeTimeout;

export const startLink = (id: SessionId, relay: RelayTarget, remote: Address, now: Instant): Link => ({
  id,
  relay,
  remote,
  dialledAt: now,
  isConnected: false,
  isSilent: false,
  hasCallChannel: false,
  channel: undefined,
  isTakenUp: false,
  enrolledAt: undefined,
  rtt: millis(0),
});

/** When a link given up now is closed: what was said last still has to arrive. */
export const lingersUntil = (link: Link, now: Instant): Instant =>
  Instant.after(now, Micros(LINGER + LINGER_ROUND_TRIPS * Math.min(link.rtt, LONGEST_ROUND_TRIP)));

/** Where it stands; the relay's token is not shown. */
export const viewOf = (link: Link | undefined): View =>
  link === undefined
    ? null
    : { session: link.id, relay: link.relay.address, isConnected: link.isConnected, hasCallChannel: link.hasCallChannel };
