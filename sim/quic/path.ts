/**
 * Where a connection's peer is: the anti-amplification limit before an address is validated (RFC 9000 section 8) and the
 * validation of a new address after a NAT rebinding (sections 8.2 and 9.3). Left out on purpose: migration by the client's own wish,
 * preferred addresses, and the probing of the old path (section 9.3.3).
 */
import type { Address } from "../../impl/base/address.ts";
import { MAX_UDP_PAYLOAD } from "./packet.ts";

/** An unvalidated address gets at most three times what came from it (section 8). */
const AMPLIFICATION = 3;
const NEVER = Number.POSITIVE_INFINITY;

export type Path = {
  remote: Address;
  validated: boolean;
  /** UDP payload octets from and to `remote` while it is not validated. */
  received: number;
  sent: number;
  /** The last validated address, to go back to when validation fails (section 9.3.2). */
  previous: Address | undefined;
  /** Data of the PATH_CHALLENGE in the air, its next repetition, how long between repetitions, and when to give up. */
  challenge: number;
  challengeDue: number;
  interval: number;
  giveUpAt: number;
};

export const startPath = (remote: Address, validated: boolean): Path => ({
  remote,
  validated,
  received: 0,
  sent: 0,
  previous: undefined,
  challenge: 0,
  challengeDue: NEVER,
  interval: 0,
  giveUpAt: NEVER,
});

/** UDP payload octets that may be sent now in one datagram. */
export function allowance(p: Path): number {
  if (p.validated) return MAX_UDP_PAYLOAD;
  return Math.min(MAX_UDP_PAYLOAD, AMPLIFICATION * p.received - p.sent);
}

/** The peer now sends from `from`: talk to it there at once, and challenge it unless the address was validated before. */
export function move(p: Path, from: Address, now: number, challenge: number, probeTimeout: number): void {
  const known = from === p.previous;
  if (p.validated) p.previous = p.remote;
  p.remote = from;
  p.received = 0;
  p.sent = 0;
  if (known) {
    settle(p);
    return;
  }
  p.validated = false;
  p.challenge = challenge;
  p.challengeDue = now;
  p.interval = probeTimeout;
  p.giveUpAt = now + 3 * probeTimeout; // section 8.2.4
}

/** Whether the PATH_RESPONSE completes the validation of `remote`. */
export function respond(p: Path, data: number): boolean {
  if (p.validated || data !== p.challenge) return false;
  settle(p);
  return true;
}

/** When the path next wants to send or give up. */
export const pathDeadline = (p: Path): number => Math.min(p.challengeDue, p.giveUpAt);

/** Whether a challenge is to be sent now. Giving up goes back to the previous address. */
export function pathTimer(p: Path, now: number): boolean {
  if (now >= p.giveUpAt) {
    if (p.previous !== undefined) p.remote = p.previous;
    settle(p);
    return false;
  }
  if (now < p.challengeDue) return false;
  p.challengeDue = now + p.interval;
  p.interval *= 2;
  return true;
}

function settle(p: Path): void {
  p.validated = true;
  p.previous = undefined;
  p.challengeDue = NEVER;
  p.giveUpAt = NEVER;
}
