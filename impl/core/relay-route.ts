/**
 * Which of a relay's addresses a client dials, and in which order: only those of a family that its own network has (RFC 6724 section 6 rule 1: avoid unusable destinations).
 * Which of them serves is found out by dialling (address-race.ts). A QUIC session cannot move from one address of a server to another (RFC 9000 section 9), so where the
 * family of a session is gone another session has to take over.
 */
import type { Address } from "../base/address.ts";
import type { HostNetwork } from "./effect.ts";
import { canReach } from "./ice/reach.ts";
import type { RelayTarget } from "./supervisor.ts";

/** A relay's addresses, the preferred one first. */
export const addressesOf = ({ address, also = [] }: RelayTarget): readonly Address[] => [address, ...also];

/** Those of a family that the network has; all, where that would be none. */
export function reachable(relay: RelayTarget, network: HostNetwork | undefined): readonly Address[] {
  const all = addressesOf(relay);
  const found = all.filter((one) => canReach(network, one));
  return found.length > 0 ? found : all;
}

/**
 * In which order an attempt dials them: those that have answered since the relay was lost (`alive`), the one that this client was last registered by on this network
 * (`used`; RFC 8305 section 4), then as the relay's user prefers them.
 */
export function waysTo(ways: readonly Address[], alive: ReadonlySet<Address>, used: Address | undefined): readonly Address[] {
  const rank = (one: Address): number => (alive.has(one) ? 0 : one === used ? 1 : 2);
  return [...ways].sort((a, b) => rank(a) - rank(b));
}
