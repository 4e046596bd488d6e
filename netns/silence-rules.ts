/**
 * What parties and the internet between them keep to themselves: whom nobody answers hears nothing, as behind most firewalls, and only the laboratory is told.
 * The same rules for each family.
 */
import type { NftFamily } from "./nft-family.ts";
import { refusalChains, refuse } from "./refusals.ts";

/** "Destination unreachable" in the words of nft(8). What it says of packets that are too large must pass, or a path's MTU would never be found; ICMPv6 has another type for that. */
const UNREACHABLE = { ip: "icmp type destination-unreachable", ip6: "icmpv6 type destination-unreachable" } as const;
const TOLD: Readonly<Record<NftFamily, string>> = { ip: `${UNREACHABLE.ip} icmp code != frag-needed`, ip6: UNREACHABLE.ip6 };
const CLOSED: Readonly<Record<NftFamily, string>> = {
  ip: `${UNREACHABLE.ip} icmp code port-unreachable`,
  ip6: `${UNREACHABLE.ip6} icmpv6 code port-unreachable`,
};

/** The internet's own: it tells nobody of closed ports, and of addresses that nobody has any more only the laboratory. */
export const internetRules = (family: NftFamily): string =>
  [
    `table ${family} midcall_internet {`,
    ...refusalChains(["no-route"]),
    " chain pre { type filter hook prerouting priority filter; policy accept;",
    `  meta l4proto udp fib daddr oif missing ${refuse("no-route")}`,
    " }",
    " chain forward { type filter hook forward priority filter; policy accept;",
    `  ${TOLD[family]} drop`,
    " }",
    "}",
  ].join("\n");

/** A party's own: a closed port is silence, and the laboratory hears of it. */
export const partyRules = (family: NftFamily): string =>
  [
    `table ${family} midcall_party {`,
    ...refusalChains(["port-closed"]),
    " chain out { type filter hook output priority filter; policy accept;",
    `  ${CLOSED[family]} ${refuse("port-closed")}`,
    " }",
    "}",
  ].join("\n");
