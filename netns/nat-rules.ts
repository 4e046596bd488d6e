/**
 * The nftables rules of one NAT (RFC 4787): three mappings by three filterings, port policies, hairpinning and lifetimes, for UDP over IPv4. Translation is
 * stateless: each packet is rewritten by what the maps hold when it passes, as `sim` does it, and not by a conntrack binding made when its flow began. So one
 * transaction that replaces the table rebinds every flow at once, a lifetime ends when the maps say so, and no flow keeps an old port. Conntrack serves as a
 * notebook alone: `ct original` is the packet's header as it came in, which still names the inside endpoint after the source is rewritten.
 *
 *   bound   inside endpoint [+ remote address [+ remote port]], by the mapping behaviour -> external port
 *   cone_a, cone_p   external port -> inside address, inside port
 *   held    external ports in use; dead: ports that a rebind retired for good
 *   allow   external port + remote address [+ remote port], by the filtering behaviour: keyed by the EXTERNAL mapping, or a port-restricted and a
 *           symmetric NAT would wrongly punch through to each other
 *   own     external port + the remote it was mapped for, where the filter lets in others too
 *
 * Left out on purpose: ICMP errors about UDP (the sim's silence), port parity and contiguity (REQ-4), address pools (REQ-2).
 */
import type { NatBehaviour, NatModel } from "../scenarios/expanded.ts";
import { refusalChains, refuse } from "./refusals.ts";

/** The devices of a NAT's namespace. */
export const LAN = "lan";
export const WAN = "wan";
/** The table that a change replaces. */
export const TABLE = "midcall";

/** A mapping to put into a new table. */
export type Carried = {
  readonly insideHost: string;
  readonly insidePort: number;
  /** "" (any), a host, or `host:port`, by the mapping behaviour. */
  readonly remote: string;
  readonly port: number;
  /** Milliseconds until it expires, 1 or more. */
  readonly left: number;
};

/** External ports to hand out to inside hosts, in this order and around again; none twice. Empty: they get none. */
export type Pool = { readonly hosts: readonly string[] | "all"; readonly ports: readonly number[] };

export type RuleSetup = {
  readonly model: NatModel;
  /** External address. */
  readonly host: string;
  readonly pools: readonly Pool[];
  readonly dead: Iterable<number>;
  readonly carried: readonly Carried[];
  /** Whom the filter goes on letting in; none: nobody until the inside sends. */
  readonly openings?: readonly { readonly key: string; readonly left: number }[];
};

/** What the rules count, packets. */
export const COUNTERS = ["out", "in", "filtered", "unmapped", "made", "exhausted", "unhairpinned"] as const;
export type Counter = (typeof COUNTERS)[number];

/** Tries at a free port of everybody's pool before a packet is dropped. chosen: passes seven ports in a row that inside hosts chose themselves. */
const DRAWS = 8;
/** Rules that a chain calls another by, where every port of a block is tried: a thousand tries are four chains. */
const FAN = 8;
/** Most entries of a map. Deleted ones count until they are swept, about a second later, so it is as much as there are ports. */
const SIZE = 65_535;

/** How many parts of a remote address a behaviour distinguishes. */
export const BREADTH: Readonly<Record<NatBehaviour, number>> = {
  "endpoint-independent": 0,
  "address-dependent": 1,
  "address-and-port-dependent": 2,
};

/** Joins the first parts of a key as far as a behaviour distinguishes remotes. */
const key = (base: string, behaviour: NatBehaviour, host: string, port: string): string =>
  [base, host, port].slice(0, 1 + BREADTH[behaviour]).join(" . ");

/** A script for `nft -f` that makes the table, or replaces it in one transaction. */
export function natRules({ model, host, pools, dead, carried, openings = [] }: RuleSetup): string {
  const { mapping, filtering, hairpin, inboundRefresh } = model;
  const lifetime = Math.max(1, Math.round(model.lifetime / 1_000));
  const life = `timeout ${lifetime}ms`;
  const filters = filtering !== "endpoint-independent";
  /** The filter lets in remotes other than the one a mapping was made for: those must not pass for it. */
  const wide = BREADTH[filtering] < BREADTH[mapping];

  const type = (base: string, behaviour: NatBehaviour): string => key(base, behaviour, "ipv4_addr", "inet_service");
  const store = (kind: "map" | "set", name: string, of: string, elements: readonly string[] = []): string => {
    const filled = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} };`;
    return ` ${kind} ${name} { type ${of}; flags dynamic,timeout; ${life}; size ${SIZE};${filled} }`;
  };
  const from = (one: Carried): string => key(`${one.insideHost} . ${one.insidePort}`, mapping, ...splitRemote(one.remote));
  const left = (one: { readonly left: number }): string => `${life} expires ${Math.min(one.left, lifetime)}ms`;

  // `meta l4proto udp`: without it nft does not know the type of a conntrack port in a concatenation
  const inside = "ct original ip saddr . ct original proto-src";
  const bound = key(inside, mapping, "ct original ip daddr", "ct original proto-dst");
  const sent = (behaviour: NatBehaviour): string => key("udp sport", behaviour, "ct original ip daddr", "ct original proto-dst");
  const came = (behaviour: NatBehaviour): string => key("ct original proto-dst", behaviour, "ip saddr", "udp sport");
  const reverse = key("ip daddr . udp dport", mapping, "ip saddr", "udp sport");
  const free = "udp sport != @held udp sport != @dead goto fresh";
  const deadPorts = [...dead];

  return [
    `table ip ${TABLE}`,
    `delete table ip ${TABLE}`,
    `table ip ${TABLE} {`,
    ...COUNTERS.map((name) => ` counter ${name} { }`),
    store(
      "map",
      "bound",
      `${type("ipv4_addr . inet_service", mapping)} : inet_service`,
      carried.map((one) => `${from(one)} ${left(one)} : ${one.port}`),
    ),
    store(
      "map",
      "cone_a",
      "inet_service : ipv4_addr",
      carried.map((one) => `${one.port} ${left(one)} : ${one.insideHost}`),
    ),
    store(
      "map",
      "cone_p",
      "inet_service : inet_service",
      carried.map((one) => `${one.port} ${left(one)} : ${one.insidePort}`),
    ),
    store(
      "set",
      "held",
      "inet_service",
      carried.map((one) => `${one.port} ${left(one)}`),
    ),
    ` set dead { type inet_service;${deadPorts.length === 0 ? "" : ` elements = { ${deadPorts.join(", ")} };`} }`,
    ...(filters
      ? [
          store(
            "set",
            "allow",
            type("inet_service", filtering),
            openings.map((one) => `${one.key} ${left(one)}`),
          ),
        ]
      : []),
    ...(wide && inboundRefresh
      ? [
          store(
            "set",
            "own",
            type("inet_service", mapping),
            carried.map((one) => `${key(`${one.port}`, mapping, ...splitRemote(one.remote))} ${left(one)}`),
          ),
        ]
      : []),

    ...refusalChains(["nat-filtering", "nat-no-mapping", "nat-exhausted", "no-route"]),
    // The source port is free and this packet's. `add` keeps what is there: of two first packets of one mapping that race, both get the winner's port.
    " chain fresh {",
    "  counter name made",
    `  meta l4proto udp add @bound { ${bound} ${life} : udp sport }`,
    `  meta l4proto udp udp sport set ${bound} map @bound`,
    "  goto sent",
    " }",
    // `bound` last: it then never expires before what it leads to.
    " chain sent {",
    `  meta l4proto udp update @cone_a { udp sport ${life} : ct original ip saddr }`,
    `  meta l4proto udp update @cone_p { udp sport ${life} : ct original proto-src }`,
    `  update @held { udp sport ${life} }`,
    ...(filters ? [`  meta l4proto udp update @allow { ${sent(filtering)} ${life} }`] : []),
    ...(wide && inboundRefresh ? [`  meta l4proto udp update @own { ${sent(mapping)} ${life} }`] : []),
    `  meta l4proto udp update @bound { ${bound} ${life} : udp sport }`,
    `  ip saddr set ${host}`,
    "  counter name out accept",
    " }",
    ...pools.flatMap((pool, index) => drawing(index, pool, free)),
    ` map pools { type ipv4_addr : verdict;${owners(pools)} }`,
    " chain out {",
    `  meta l4proto udp udp sport set ${bound} map @bound goto sent`,
    ...(model.ports === "preserve" ? [`  ${free}`] : []),
    pools.some((pool) => pool.hosts === "all") ? "  goto pool_0" : "  ip saddr vmap @pools",
    `  counter name exhausted ${refuse("nat-exhausted")}`,
    " }",
    " chain post { type filter hook postrouting priority srcnat; policy accept;",
    `  iifname ${LAN} oifname ${WAN} meta l4proto udp goto out`,
    ...(hairpin === "external-source"
      ? [`  iifname ${LAN} oifname ${LAN} meta l4proto udp ct original ip daddr ${host} goto out`]
      : []),
    " }",

    " chain turn {",
    "  ip daddr set udp dport map @cone_a",
    "  udp dport set udp dport map @cone_p",
    " }",
    " chain inward {",
    `  udp dport != @held counter name unmapped ${refuse("nat-no-mapping")}`,
    ...(filters
      ? [`  ${key("udp dport", filtering, "ip saddr", "udp sport")} != @allow counter name filtered ${refuse("nat-filtering")}`]
      : []),
    "  counter name in",
    "  jump turn",
    ...(inboundRefresh
      ? [
          `  meta l4proto udp update @cone_a { ct original proto-dst ${life} : ip daddr }`,
          `  meta l4proto udp update @cone_p { ct original proto-dst ${life} : udp dport }`,
          `  meta l4proto udp update @held { ct original proto-dst ${life} }`,
          ...(filters ? [`  meta l4proto udp update @allow { ${came(filtering)} ${life} }`] : []),
          ...(wide
            ? [
                `  meta l4proto udp ${came(mapping)} != @own accept`,
                `  meta l4proto udp update @own { ${came(mapping)} ${life} }`,
              ]
            : []),
          `  meta l4proto udp update @bound { ${reverse} ${life} : ct original proto-dst }`,
        ]
      : []),
    "  accept",
    " }",
    " chain hairpin {",
    ...(hairpin === "off"
      ? [`  counter name unhairpinned ${refuse("no-route")}`]
      : [`  udp dport != @held counter name unmapped ${refuse("nat-no-mapping")}`, "  jump turn", "  accept"]),
    " }",
    " chain pre { type filter hook prerouting priority dstnat; policy accept;",
    `  iifname ${WAN} ip daddr ${host} meta l4proto udp goto inward`,
    `  iifname ${LAN} ip daddr ${host} meta l4proto udp goto hairpin`,
    " }",
    "}",
  ].join("\n");
}

/**
 * The rules beside the NAT's, which no change touches: what is not UDP is masqueraded and let in only as an answer, the box itself takes nothing from outside (its
 * "port unreachable" would tell peers of ports that are closed for them alone), and a closed port is silence, as through most NATs.
 */
export const ROUTER_RULES: string = [
  "table ip midcall_router {",
  " chain others { type nat hook postrouting priority srcnat; policy accept;",
  `  oifname ${WAN} meta l4proto != udp masquerade`,
  " }",
  " chain input { type filter hook input priority filter; policy accept;",
  `  iifname ${WAN} meta l4proto { tcp, udp } drop`,
  " }",
  " chain forward { type filter hook forward priority filter; policy accept;",
  "  icmp type destination-unreachable icmp code != frag-needed drop",
  `  iifname ${WAN} meta l4proto != udp ct state new drop`,
  " }",
  "}",
].join("\n");

/** Chains that end with a free port of the pool, or a refusal. `draw` is one rule, so that `numgen inc` counts on whoever asks. */
function drawing(index: number, { hosts, ports }: Pool, free: string): readonly string[] {
  const exhausted = `  counter name exhausted ${refuse("nat-exhausted")}`;
  if (ports.length === 0) return [` chain pool_${index} {`, exhausted, " }"];
  const lines = [
    ` chain draw_${index}_0 {`,
    `  udp sport set numgen inc mod ${ports.length} map { ${ports.map((port, k) => `${k} : ${port}`).join(", ")} }`,
    `  ${free}`,
    " }",
  ];
  let [depth, tries] = [0, 1];
  for (const wanted = hosts === "all" ? DRAWS : ports.length; tries < wanted; tries *= FAN) {
    depth++;
    lines.push(
      ` chain draw_${index}_${depth} {`,
      ...Array.from({ length: FAN }, () => `  jump draw_${index}_${depth - 1}`),
      " }",
    );
  }
  return [...lines, ` chain pool_${index} {`, `  jump draw_${index}_${depth}`, exhausted, " }"];
}

const owners = (pools: readonly Pool[]): string => {
  const all = pools.flatMap(({ hosts }, index) => (hosts === "all" ? [] : hosts.map((one) => `${one} : goto pool_${index}`)));
  return all.length === 0 ? "" : ` elements = { ${all.join(", ")} };`;
};

/** A script that gives an inside host the ports of another's pool. */
export const ownerRules = (host: string, pool: number): string => `add element ip ${TABLE} pools { ${host} : goto pool_${pool} }`;

const splitRemote = (remote: string): readonly [string, string] => {
  const [host = "", port = ""] = remote.split(":");
  return [host, port];
};
