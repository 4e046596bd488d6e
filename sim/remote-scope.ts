/** What a NAT or a firewall tells apart of a remote address (RFC 4787 sections 4 and 5). */
import type { Address } from "../impl/base/address.ts";
import type { NatBehaviour } from "../scenarios/expanded.ts";

/** Host part of `a.b.c.d:port`, or of `[v6]:port` with its brackets. */
export const hostOf = (of: Address): string => of.slice(0, of.lastIndexOf(":"));

/** The part of a remote address that `behaviour` distinguishes. */
export const scope = (behaviour: NatBehaviour, remote: Address): string => {
  if (behaviour === "endpoint-independent") return "";
  return behaviour === "address-dependent" ? hostOf(remote) : remote;
};
