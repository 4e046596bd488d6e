/**
 * Middleboxes that let no UDP, or no QUIC, across a NAT, or flows for a while: a table of its own for each fault, beside the NAT's rules. It stands in the way of what is
 * forwarded, so that nothing outbound opens or refreshes a mapping, and what comes in has passed the NAT's filter before: the order of `sim`. Where it answers, it answers
 * the inside alone; the parties' sockets are not connected, and Linux tells such a socket nothing of ICMP errors (ip(7), IP_RECVERR).
 */
import type { Middlebox } from "../scenarios/middlebox.ts";
import { LAN, WAN } from "./nat-rules.ts";
import { hostsIn, type NftFamily } from "./nft-family.ts";
import { refusalChains, refuse } from "./refusals.ts";

const tableOf = (fault: number): string => `midcall_block_${fault}`;

/**
 * RFC 9000 section 17.2 and 17.3: the second bit of every QUIC packet is 1 (the fixed bit; transport header 64 bits, then bit 1). STUN's first two are 0
 * (RFC 8489 section 5), which is how RFC 9443 tells them apart.
 */
const QUIC = "@th,65,1 1";

/** Most flows that a box which lets them live remembers. chosen: far more than parties have. */
const FLOWS = 65_535;

/** Of a packet on its way out, and in: the inside endpoint and the remote one, as they are where packets are forwarded. */
const flowOf = (family: NftFamily) =>
  ({
    out: `${family} saddr . udp sport . ${family} daddr . udp dport`,
    in: `${family} daddr . udp dport . ${family} saddr . udp sport`,
  }) as const;

/** A script for `nft -f` in the NAT's namespace: refuses, as `fault`; `remotes`: only what comes from or goes to these hosts. */
export const blockRules = (
  box: Middlebox,
  remotes: ReadonlySet<string> | undefined,
  fault: number,
  families: readonly NftFamily[],
): string => families.map((family) => familyRules(family, box, remotes, fault)).join("\n");

function familyRules(
  family: NftFamily,
  { what, answer, lives }: Middlebox,
  all: ReadonlySet<string> | undefined,
  fault: number,
): string {
  const remotes = all === undefined ? undefined : hostsIn(family, all);
  const at = (side: "saddr" | "daddr"): string => (remotes === undefined ? "" : `${family} ${side} { ${remotes.join(", ")} } `);
  const kind = `meta l4proto udp ${what === "quic" ? `${QUIC} ` : ""}`;
  const addr = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const flow = flowOf(family);
  const flows = (name: string, more: string): string =>
    ` set ${name} { type ${addr} . inet_service . ${addr} . inet_service; flags dynamic${more}; size ${FLOWS}; }`;
  /** `alive` ends by itself what `known` remembers: `add` refreshes nothing. */
  const judging = (way: "in" | "out"): readonly string[] => [
    ` chain ${way}ward {`,
    `  ${flow[way]} @alive accept`,
    `  ${flow[way]} @known ${refuse("blocked", fault)}`,
    `  add @known { ${flow[way]} }`,
    `  add @alive { ${flow[way]} }`,
    " }",
  ];
  const [out, into] =
    lives === undefined ? [refuse("blocked", fault, answer), refuse("blocked", fault)] : ["goto outward", "goto inward"];
  return [
    `table ${family} ${tableOf(fault)} {`,
    ...refusalChains(["blocked"], fault),
    ...(answer === undefined ? [] : refusalChains(["blocked"], fault, answer, family)),
    ...(lives === undefined
      ? []
      : [
          flows("alive", `,timeout; timeout ${Math.max(1, Math.round(lives / 1_000))}ms`),
          flows("known", ""),
          ...judging("out"),
          ...judging("in"),
        ]),
    " chain forward { type filter hook forward priority filter; policy accept;",
    ...(remotes?.length === 0
      ? []
      : [
          `  iifname ${LAN} oifname ${WAN} ${at("daddr")}${kind}${out}`,
          `  iifname ${WAN} oifname ${LAN} ${at("saddr")}${kind}${into}`,
        ]),
    " }",
    "}",
  ].join("\n");
}

/** The script that ends it. */
export const unblockRules = (fault: number, families: readonly NftFamily[]): string =>
  families.map((family) => `delete table ${family} ${tableOf(fault)}`).join("\n");
