/**
 * Finds out what a NAT really is, in RFC 4787's terms (by the method of RFC 5780 section 4), and refuses one that is not what was declared. Its probe has two hosts inside
 * each NAT and two outside, on cables of its own that no link driver touches, and is gone afterwards.
 * Left out on purpose: lifetimes, which take as long as they are.
 */
import { extname, join } from "node:path";
import type { NatBehaviour, NatModel } from "../scenarios/expanded.ts";
import { portsOf } from "../scenarios/port-block.ts";
import type { Observation, Target } from "./classifier-probe.ts";
import { type Ends, hardware6, insideEnds6, nearEnds6, outsideEnds6, rules6, SETTINGS6 } from "./classifier-v6.ts";
import { configure, ipBatch, run } from "./command.ts";
import { deleteNamespaces } from "./leftovers.ts";
import type { NatBox } from "./nat.ts";
import { NetnsError } from "./netns-error.ts";
import type { NatPlan, TopologyPlan } from "./topology-plan.ts";

/** What a NAT turned out to be; `inconsistent` when what was seen fits no behaviour. */
export type Kind = {
  readonly mapping: NatBehaviour | "inconsistent";
  readonly filtering: NatBehaviour | "inconsistent";
  readonly hairpin: NatModel["hairpin"];
  readonly ports: NatModel["ports"];
  /** Two inside hosts with the same port both have a mapping of their own (RFC 4787 REQ-1 and REQ-3). */
  readonly twins: boolean;
  /** Of a NAT that gives out blocks: ports that one inside host got before it was refused; undefined: it was not, or got others than its own. */
  readonly block?: number | undefined;
  /** What it is for IPv6: how its firewall filters (RFC 6092), or that it is none; absent where there is no IPv6. */
  readonly firewall?: NatBehaviour | "inconsistent" | "open" | "translating";
};

/** Device names of the probe, by the NAT's number: inside and outside, and the far ends of their cables in the routers. */
const INSIDE = "a";
const OUTSIDE = "b";
const FAR = "probe";

/**
 * Device numbers that differ from those at the other end, which the kernel deals out from 1: it then tells of the cable at once and not up to a second later
 * (linkwatch_urgent_event in net/core/link_watch.c), and the bridge passes packets as soon.
 */
const PROBE_INDEX = 20_000;

const PROBE = join(import.meta.dirname, `classifier-probe${extname(import.meta.filename)}`);

/** Classifies NATs of a topology: for each its kind. It leaves mappings in them; the run's probe namespace is made and removed. */
export async function classifyAll(plan: TopologyPlan, boxes: readonly NatBox[]): Promise<ReadonlyMap<string, Kind>> {
  if (boxes.length === 0) return new Map();
  try {
    await ipBatch([`netns add ${plan.probe}`, ...boxes.flatMap((box) => cables(plan, box.plan))]);
    const far = new Map<string, string[]>();
    for (const box of boxes) {
      for (const [namespace, lines] of farEnds(box, plan.hasV6)) far.set(namespace, [...(far.get(namespace) ?? []), ...lines]);
    }
    await Promise.all([
      configure({
        namespace: plan.probe,
        settings: [
          ...(plan.hasV6 ? SETTINGS6 : [["ipv6/conf/all/disable_ipv6?", 1] as const]),
          ["ipv4/conf/all/rp_filter", 0],
          ["ipv4/conf/default/rp_filter", 0],
          ...boxes.flatMap(({ plan: { number } }) =>
            [INSIDE, OUTSIDE].flatMap((side) => [
              [`ipv4/conf/${side}${number}/rp_filter`, 0] as const,
              // both ends of every path are hosts of this namespace
              [`ipv4/conf/${side}${number}/accept_local`, 1] as const,
            ]),
          ),
        ],
        ip: plan.hasV6
          ? [
              ...boxes.flatMap((box) => hardware6(box.plan, endsOf(box))),
              ...nearEnds(boxes),
              ...boxes.flatMap((box) => nearEnds6(box.plan, endsOf(box), macOf(box.plan.number))),
            ]
          : nearEnds(boxes),
        ip6: plan.hasV6 ? rules6(boxes.map((box) => box.plan)) : [],
      }),
      ...[...far].map(([namespace, ip]) => configure({ namespace, ip })),
    ]);
    const targets = boxes.map(({ host, plan: { name, probe, model } }): Target => {
      const block = model.ports === "block" ? portsOf(model, 0) : undefined;
      const six = plan.hasV6 ? { six: { inside: probe.inside6, outside: probe.outside6 } } : {};
      return { nat: name, host, ...probe, ...six, ...(block === undefined ? {} : { block }) };
    });
    const said = await run("ip", ["netns", "exec", plan.probe, process.execPath, PROBE, JSON.stringify(targets)]);
    const observations = JSON.parse(said) as readonly Observation[];
    return new Map(observations.map((seen) => [seen.nat, kindOf(seen)]));
  } finally {
    await deleteNamespaces([plan.probe]);
  }
}

/** Classifies one NAT of a topology as it is now. Not during a call: it leaves mappings of its own in the NAT. RangeError for an unknown NAT. */
export async function classify(
  topology: { readonly plan: TopologyPlan; readonly boxes: ReadonlyMap<string, NatBox> },
  nat: string,
): Promise<Kind> {
  const box = topology.boxes.get(nat);
  if (box === undefined) throw new RangeError(`nat: none is named ${nat}`);
  await cutCables(box.plan);
  const kind = (await classifyAll(topology.plan, [box])).get(nat);
  if (kind === undefined) throw new NetnsError("nat-differs", `nat ${nat}: the classifier saw nothing of it`);
  return kind;
}

/** Throws NetnsError `nat-differs` naming every way in which a NAT is not what its model declares. */
export function refuseOthers(plan: TopologyPlan, kinds: ReadonlyMap<string, Kind>): void {
  const wrong = [...plan.nats.values()].flatMap(({ name, model }) => {
    const kind = kinds.get(name);
    if (kind === undefined) return [`nat ${name}: not seen`];
    const differing = (["mapping", "filtering", "hairpin", "ports"] as const).filter((aspect) => kind[aspect] !== model[aspect]);
    const told = differing.map((aspect) => `nat ${name}: ${aspect} declared ${model[aspect]}, found ${kind[aspect]}`);
    if (!kind.twins) told.push(`nat ${name}: two inside hosts with the same port share a mapping`);
    if (plan.hasV6 && kind.firewall !== model.filtering)
      told.push(`nat ${name}: filtering of IPv6 declared ${model.filtering}, found ${kind.firewall}`);
    if (model.ports === "block" && kind.ports === "block" && kind.block !== model.portBlock?.size)
      told.push(`nat ${name}: blocks declared to have ${model.portBlock?.size} ports, found ${kind.block}`);
    return told;
  });
  if (wrong.length > 0) throw new NetnsError("nat-differs", wrong.join("; "));
}

/** What an observation says of a NAT. */
export function kindOf(observation: Observation): Kind {
  const { lets, hairpin, internal, ports, twins, block, six } = observation;
  const [first, otherPort, otherHost] = observation.external;
  const sameForPort = first === otherPort;
  const sameForHost = first === otherHost;
  const inside = internal.slice(0, internal.lastIndexOf(":"));
  return {
    mapping: sameForHost
      ? sameForPort
        ? "endpoint-independent"
        : "inconsistent"
      : sameForPort
        ? "address-dependent"
        : otherPort === otherHost
          ? "inconsistent"
          : "address-and-port-dependent",
    filtering: filteringOf(lets),
    hairpin:
      hairpin === undefined ? "off" : networkOf(hairpin) === networkOf(`${inside}:0`) ? "internal-source" : "external-source",
    ports: policyOf(ports, block),
    twins,
    ...(six === undefined
      ? {}
      : { firewall: six.isTranslated ? "translating" : six.lets.unasked ? "open" : filteringOf(six.lets) }),
    ...(block === undefined ? {} : { block: block.isRefused ? block.ports.length : undefined }),
  };
}

const filteringOf = ({ otherPort, otherHost }: Observation["lets"]): Kind["filtering"] => {
  if (otherHost) return otherPort ? "endpoint-independent" : "inconsistent";
  return otherPort ? "address-dependent" : "address-and-port-dependent";
};

function policyOf(ports: Observation["ports"], block: Observation["block"]): NatModel["ports"] {
  if (ports.every(([own, mapped]) => own === mapped)) return "preserve";
  if (ports.every(([, mapped], index) => index === 0 || mapped === (ports[index - 1]?.[1] ?? 0) + 1)) return "sequential";
  return block?.isRefused === true && block.ports.every((port) => port >= block.first && port < block.first + block.size)
    ? "block"
    : "random";
}

/** The /24 of `a.b.c.d:port`. */
const networkOf = (address: string): string => address.slice(0, address.lastIndexOf("."));

const cables = (plan: TopologyPlan, { number, namespace, far }: NatPlan): readonly string[] => [
  `link add ${INSIDE}${number} netns ${plan.probe} index ${PROBE_INDEX + 2 * number} type veth peer name ${FAR}${INSIDE}${number} netns ${namespace}`,
  `link add ${OUTSIDE}${number} netns ${plan.probe} index ${PROBE_INDEX + 2 * number + 1} type veth peer name ${FAR}${OUTSIDE}${number} netns ${far.namespace}`,
];

/** The kernel takes down a namespace's devices some time after it is deleted: what the probe before has left in the routers, if anything, is gone afterwards. */
async function cutCables({ number, namespace, far }: NatPlan): Promise<void> {
  const ends = [
    [namespace, `${FAR}${INSIDE}${number}`],
    [far.namespace, `${FAR}${OUTSIDE}${number}`],
  ] as const;
  // Where there is none, as mostly, that is what was wanted.
  await Promise.all(ends.map(([where, device]) => run("ip", ["-n", where, "link", "del", device]).catch(() => undefined)));
}

/** In the NAT: the inside cable is one more port of its bridge. Outside of it: the outside hosts hang on a device of their own. */
const farEnds = ({ plan }: NatBox, hasV6: boolean): readonly (readonly [string, readonly string[]])[] => {
  const { number, namespace, far, probe } = plan;
  const inner = [`link set ${FAR}${INSIDE}${number} master lan up`, ...(hasV6 ? insideEnds6(plan) : [])];
  return [
    [namespace, inner],
    [
      far.namespace,
      [
        `link set ${FAR}${OUTSIDE}${number} address ${macOf(number)} up`,
        ...probe.outside.map((host) => `route add ${host}/32 dev ${FAR}${OUTSIDE}${number}`),
        ...(hasV6 ? outsideEnds6(plan, `${FAR}${OUTSIDE}${number}`) : []),
      ],
    ],
  ];
};

const endsOf = ({ plan: { number } }: NatBox): Ends => ({ inside: `${INSIDE}${number}`, outside: `${OUTSIDE}${number}` });

/** Chosen: locally administered, and none of the topology's. */
const macOf = (number: number): string => `02:00:00:0a:00:${number.toString(16).padStart(2, "0")}`;

/**
 * Every path leaves the namespace that both its ends live in: what a host sends follows that host's own table, asked before the local one; what comes in is
 * for the local one.
 */
const nearEnds = (boxes: readonly NatBox[]): readonly string[] => [
  "link set lo up",
  ...boxes.flatMap(({ plan: { number, inside, bridgeMac, probe } }) => {
    const [insideTable, outsideTable] = [1_000 + 2 * number, 1_001 + 2 * number];
    return [
      `link set ${INSIDE}${number} up`,
      `link set ${OUTSIDE}${number} up`,
      ...[...probe.inside, probe.narrow].map((host) => `addr add ${host}/32 dev ${INSIDE}${number}`),
      ...probe.outside.map((host) => `addr add ${host}/32 dev ${OUTSIDE}${number}`),
      `neigh replace ${inside}.1 lladdr ${bridgeMac} dev ${INSIDE}${number} nud permanent`,
      `neigh replace 169.254.0.1 lladdr ${macOf(number)} dev ${OUTSIDE}${number} nud permanent`,
      `route add default via ${inside}.1 dev ${INSIDE}${number} onlink table ${insideTable}`,
      `route add default via 169.254.0.1 dev ${OUTSIDE}${number} onlink table ${outsideTable}`,
      ...[...probe.inside, probe.narrow].map((host) => `rule add pref 10 from ${host} iif lo lookup ${insideTable}`),
      ...probe.outside.map((host) => `rule add pref 10 from ${host} iif lo lookup ${outsideTable}`),
    ];
  }),
  "rule add pref 100 lookup local",
  "rule del pref 0",
];
