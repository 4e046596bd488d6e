/**
 * The IPv6 side of a router (RFC 6092): forwards what its inside sends as it is, and lets in only what an inside endpoint has asked for, as far as the filtering
 * behaviour tells remotes apart. A table beside the NAT's, with the same hooks: what comes in has passed it before a middlebox sees it, what goes out opens it
 * after. Flows are kept as the NAT keeps its mappings, and not by conntrack, so that a lifetime and `inboundRefresh` are what the scenario says.
 * Left out on purpose: holes made on request (PCP), ICMPv6 errors of others about UDP.
 */
import type { NatModel } from "../scenarios/expanded.ts";
import { BREADTH, LAN, WAN } from "./nat-rules.ts";
import { refusalChains, refuse } from "./refusals.ts";

export const FIREWALL = "midcall_firewall";

/** Most flows. chosen: as the NAT's maps. */
const SIZE = 65_535;

const joined = (filtering: NatModel["filtering"], inside: string, host: string, port: string): string =>
  [inside, host, port].slice(0, 1 + BREADTH[filtering]).join(" . ");

/** A script for `nft -f`. */
export function firewallRules({ filtering, lifetime, inboundRefresh }: NatModel): string {
  const life = `timeout ${Math.max(1, Math.round(lifetime / 1_000))}ms`;
  const out = joined(filtering, "ip6 saddr . udp sport", "ip6 daddr", "udp dport");
  const into = joined(filtering, "ip6 daddr . udp dport", "ip6 saddr", "udp sport");
  const type = joined(filtering, "ipv6_addr . inet_service", "ipv6_addr", "inet_service");
  return [
    `table ip6 ${FIREWALL} {`,
    ` set flows { type ${type}; flags dynamic,timeout; ${life}; size ${SIZE}; }`,
    ...refusalChains(["nat-filtering"]),
    " chain pre { type filter hook prerouting priority dstnat; policy accept;",
    `  iifname ${WAN} meta l4proto udp ${into} != @flows ${refuse("nat-filtering")}`,
    ...(inboundRefresh ? [`  iifname ${WAN} meta l4proto udp update @flows { ${into} ${life} }`] : []),
    " }",
    " chain post { type filter hook postrouting priority srcnat; policy accept;",
    `  iifname ${LAN} oifname ${WAN} meta l4proto udp update @flows { ${out} ${life} }`,
    " }",
    " chain input { type filter hook input priority filter; policy accept;",
    `  iifname ${WAN} meta l4proto { tcp, udp } drop`,
    " }",
    " chain forward { type filter hook forward priority filter; policy accept;",
    "  icmpv6 type destination-unreachable drop",
    " }",
    "}",
  ].join("\n");
}

/** Forgets all flows. */
export const FORGET_FLOWS: string = `flush set ip6 ${FIREWALL} flows`;
