/**
 * Middleboxes that let no UDP, or no QUIC, across a NAT: a table of its own for each fault, beside the NAT's rules. It stands in the way of what is forwarded, so
 * that nothing outbound opens or refreshes a mapping, and what comes in has passed the NAT's filter before: the order of `sim`.
 * Left out on purpose: refusals with an ICMP error. The parties' sockets are not connected, and Linux tells such a socket of none (ip(7), IP_RECVERR).
 */
import { LAN, WAN } from "./nat-rules.ts";
import { refusalChains, refuse } from "./refusals.ts";

const tableOf = (fault: number): string => `midcall_block_${fault}`;

/**
 * RFC 9000 section 17.2 and 17.3: the second bit of every QUIC packet is 1 (the fixed bit; transport header 64 bits, then bit 1). STUN's first two are 0
 * (RFC 8489 section 5), which is how RFC 9443 tells them apart.
 */
const QUIC = "@th,65,1 1";

/** A script for `nft -f` in the NAT's namespace: refuses, as `fault`. */
export const blockRules = (what: "udp" | "quic", fault: number): string =>
  [
    `table ip ${tableOf(fault)} {`,
    ...refusalChains(["blocked"], fault),
    " chain forward { type filter hook forward priority filter; policy accept;",
    ...[
      [LAN, WAN],
      [WAN, LAN],
    ].map(
      ([from, to]) =>
        `  iifname ${from} oifname ${to} meta l4proto udp ${what === "quic" ? `${QUIC} ` : ""}${refuse("blocked", fault)}`,
    ),
    " }",
    "}",
  ].join("\n");

/** The script that ends it. */
export const unblockRules = (fault: number): string => `delete table ip ${tableOf(fault)}`;
