/**
 * Which of a relay's addresses a client dials: only one of a family that its own network has (RFC 6724 section 6 rule 1: avoid unusable destinations), of
 * those one that has just shown a sign of life (what the race of RFC 8305 would find out), else another with every attempt. A QUIC session cannot move from
 * one address of a server to another (RFC 9000 section 9), so where the family of a session is gone another session has to take over.
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

/** What attempt `number`, from 1, dials; `alive`: addresses that have answered since the relay was lost. */
export function routeTo(ways: readonly Address[], alive: ReadonlySet<Address>, number: number): Address {
  const [first = ""] = ways;
  return ways.find((one) => alive.has(one)) ?? ways[(number - 1) % ways.length] ?? first;
}
