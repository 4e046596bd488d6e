/**
 * NAT boxes of the world by name, in RFC 4787's terms: how external ports are mapped, who may send in, how long a mapping
 * lives. Each number has its source in `evidence`. Real boxes vary: these are the kinds worth telling apart.
 */
import type { NatModel } from "./expanded.ts";

/** A NAT preset. `behind` is always null here: a scenario places it. */
export type NatPreset = {
  readonly name: string;
  readonly is: string;
  readonly model: NatModel;
  readonly evidence: readonly string[];
};

const minutes = (value: number): number => value * 60_000_000;
const seconds = (value: number): number => value * 1_000_000;

const LINUX: NatModel = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "preserve",
  hairpin: "off",
  lifetime: seconds(120),
  inboundRefresh: true,
  behind: null,
};
const LINUX_TIMES = "lifetime: Linux nf_conntrack_udp_timeout_stream, 120 s; packets of both directions refresh it";

const PRESET_LIST: readonly NatPreset[] = [
  {
    name: "home",
    is: "The Linux-based router of most homes: keeps the port, lets in only who was written to.",
    model: LINUX,
    evidence: [
      "mapping, filtering, ports: plain `masquerade` of Linux netfilter; the same kind as tailscale natlab's `easy` and patchbay's Home",
      LINUX_TIMES,
      "hairpin off: masquerade rewrites only what leaves by the outside interface",
    ],
  },
  {
    name: "full-cone",
    is: "A mapping once open takes packets from anyone.",
    model: { ...LINUX, filtering: "endpoint-independent", hairpin: "external-source", lifetime: minutes(5) },
    evidence: [
      "RFC 3489 section 5 (full cone), RFC 4787 section 5",
      "lifetime: 5 min, RFC 4787 REQ-5 (recommended default)",
      "hairpin: RFC 4787 REQ-9a, external source",
    ],
  },
  {
    name: "restricted-cone",
    is: "A mapping takes packets from any port of an address that was written to.",
    model: { ...LINUX, filtering: "address-dependent", lifetime: minutes(5) },
    evidence: ["RFC 3489 section 5 (restricted cone); tailscale natlab's `easyaf`", "lifetime: 5 min, RFC 4787 REQ-5"],
  },
  {
    name: "port-restricted",
    is: "As home, but the external port is chosen anew for each mapping.",
    model: { ...LINUX, ports: "random", lifetime: minutes(5) },
    evidence: ["RFC 3489 section 5 (port restricted cone); random ports: RFC 6056", "lifetime: 5 min, RFC 4787 REQ-5"],
  },
  {
    name: "symmetric",
    is: "A new external port for every destination: no address learnt from one peer serves another.",
    model: { ...LINUX, mapping: "address-and-port-dependent", ports: "random" },
    evidence: ["RFC 3489 section 5 (symmetric); Linux `masquerade fully-random`; tailscale natlab's `hard`", LINUX_TIMES],
  },
  {
    name: "symmetric-sequential",
    is: "Symmetric, but the next port is the last one plus one: port prediction works.",
    model: { ...LINUX, mapping: "address-and-port-dependent", ports: "sequential" },
    evidence: ["RFC 5128 (port prediction)", LINUX_TIMES],
  },
  {
    name: "corporate",
    is: "A company firewall: symmetric, forgets after two minutes, refreshed only from inside.",
    model: { ...LINUX, mapping: "address-and-port-dependent", ports: "random", inboundRefresh: false },
    evidence: [
      "mapping, filtering, 120 s: patchbay's Corporate",
      "inboundRefresh off: RFC 4787 REQ-6 allows it for security. chosen",
    ],
  },
  {
    name: "cloud",
    is: "The NAT gateway of a cloud network.",
    model: { ...LINUX, mapping: "address-and-port-dependent", ports: "random", lifetime: seconds(350) },
    evidence: ["mapping, filtering, 350 s: patchbay's CloudNat, after the idle timeout Amazon documents for its NAT gateway"],
  },
  {
    name: "cgnat",
    is: "A carrier's shared NAT as the standard wants it: ports from a pool, open to anyone once mapped.",
    model: {
      ...LINUX,
      filtering: "endpoint-independent",
      ports: "random",
      hairpin: "external-source",
      lifetime: minutes(2),
      inboundRefresh: false,
    },
    evidence: [
      "RFC 6888 REQ-1 (follows RFC 4787: endpoint-independent mapping, hairpinning) and REQ-7 (endpoint-independent filtering recommended)",
      "chosen: lifetime 2 min, the least RFC 4787 REQ-5 permits, refreshed from inside only",
    ],
  },
  {
    name: "cgnat-block",
    is: "A carrier's shared NAT that gives each subscriber a block of ports and, when that is used up, nothing.",
    model: {
      ...LINUX,
      filtering: "endpoint-independent",
      ports: "block",
      portBlock: { size: 512 },
      hairpin: "external-source",
      lifetime: minutes(2),
      inboundRefresh: false,
    },
    evidence: [
      "as cgnat; blocks by subscriber: RFC 7422 (deterministic); ports limited by subscriber: RFC 6888 REQ-4",
      "chosen: 512 ports, so that 126 subscribers share an address",
    ],
  },
];

/** Every preset by name. */
export const NAT_PRESETS: ReadonlyMap<string, NatPreset> = new Map(PRESET_LIST.map((preset) => [preset.name, preset]));
