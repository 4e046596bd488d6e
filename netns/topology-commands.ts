/**
 * The commands that turn a plan into namespaces, devices, addresses and routes: plain text, so that a test can read it. Neighbours are all known from the start, so
 * no address is ever asked for on an impaired link. IPv6 is off unless the plan has any (topology-v6.ts).
 */
import type { NamespaceScript } from "./command.ts";
import { LAN, ROUTER_RULES, WAN } from "./nat-rules.ts";
import { internetRules, partyRules } from "./silence-rules.ts";
import type { NatPlan, PartyPort, TopologyPlan } from "./topology-plan.ts";

const IPV6_OFF = [
  ["ipv6/conf/all/disable_ipv6?", 1],
  ["ipv6/conf/default/disable_ipv6?", 1],
] as const;

/** Routers forward; they refuse sources that do not live where the packet comes from, or a socket bound to a dead address would go on working. */
const ROUTER_SETTINGS = [
  ...IPV6_OFF,
  ["ipv4/ip_forward", 1],
  ["ipv4/conf/all/rp_filter", 1],
  ["ipv4/conf/default/rp_filter", 1],
  // A middlebox that answers what it refuses answers all of it.
  ["ipv4/icmp_ratelimit", 0],
  ["ipv4/conf/all/send_redirects", 0],
  ["ipv4/conf/default/send_redirects", 0],
] as const;

/** Bridged packets must not pass the rules; a damaged packet is the receiver's to refuse. */
const LATE_ROUTER_SETTINGS = [
  ["bridge/bridge-nf-call-iptables?", 0],
  ["bridge/bridge-nf-call-ip6tables?", 0],
  ["bridge/bridge-nf-call-arptables?", 0],
  ["netfilter/nf_conntrack_checksum?", 0],
] as const;

/**
 * Device numbers that no other device gets by itself. The kernel tells of a cable pulled at once only when the two ends have different numbers
 * (linkwatch_urgent_event in net/core/link_watch.c), which in namespaces of their own they often would not: then up to a second later.
 */
const WIRE_INDEX = 10_000;

/** One batch for `ip` outside: all namespaces and all cables. `adopt`: process ids in whose namespaces parties live already. */
export function creation(plan: TopologyPlan, adopt: ReadonlyMap<string, number>): readonly string[] {
  const adopted = new Map([...adopt].map(([party, pid]) => [plan.namespaceOf(party), pid]));
  const lines = plan.namespaces.map((name) => {
    const pid = adopted.get(name);
    return pid === undefined ? `netns add ${name}` : `netns attach ${name} ${pid}`;
  });
  plan.ports.forEach(({ device, mac, namespace, inner, outer, far }, k) => {
    const [near, away] = [WIRE_INDEX + 2 * k, WIRE_INDEX + 2 * k + 1];
    lines.push(
      `link add ${inner} netns ${plan.wires} index ${near} type veth peer name ${device} address ${mac} netns ${namespace}`,
    );
    lines.push(
      `link add ${outer} netns ${plan.wires} index ${away} type veth peer name ${far.device} address ${far.mac} netns ${far.namespace}`,
    );
  });
  for (const { number, namespace, wanMac, far } of plan.nats.values()) {
    const peer = `peer name ${far.device} address ${far.mac} netns ${far.namespace}`;
    lines.push(`link add ${WAN} address ${wanMac} netns ${namespace} index ${WIRE_INDEX + number} type veth ${peer}`);
  }
  return lines;
}

/** What to set inside each namespace; `natRules` gives the rules a NAT starts with. */
export function interiors(plan: TopologyPlan, natRules: (nat: NatPlan) => string): readonly NamespaceScript[] {
  const parties = new Map<string, PartyPort[]>();
  for (const port of plan.ports) parties.set(port.namespace, [...(parties.get(port.namespace) ?? []), port]);
  return [
    internet(plan),
    {
      namespace: plan.wires,
      settings: IPV6_OFF,
      ip: plan.ports.flatMap(({ inner, outer }) => [`link set ${inner} up`, `link set ${outer} up`]),
    },
    ...[...plan.nats.values()].map((nat) => router(plan, nat, natRules(nat))),
    ...[...parties].map(([namespace, ports]) => party(plan, namespace, ports)),
  ];
}

function party(plan: TopologyPlan, namespace: string, ports: readonly PartyPort[]): NamespaceScript {
  return {
    namespace,
    settings: [
      ...IPV6_OFF,
      // A party hears on every interface, whichever it prefers; the strictness is the routers'.
      ["ipv4/conf/all/rp_filter", 0],
      ["ipv4/conf/default/rp_filter", 0],
      // Every packet to a closed port is answered, by an answer that never leaves: that is how it is counted.
      ["ipv4/icmp_ratelimit", 0],
      ...ports.flatMap(({ device }) => [
        [`ipv4/conf/${device}/rp_filter`, 0] as const,
        // A route over a cable that was pulled is none: the next interface takes over, and addresses stay where they are.
        [`ipv4/conf/${device}/ignore_routes_with_linkdown`, 1] as const,
      ]),
    ],
    ip: [
      "link set lo up",
      ...ports.flatMap((port) => [
        // QUIC stacks send batches: a link must lose packets, not tens of them at a time.
        `link set ${port.device} gso_max_segs 1 up`,
        neighbour(port.device, port.gateway),
        ...plan.ports.filter((other) => isNeighbour(port, other)).map((other) => neighbour(port.device, other)),
        ...(port.families.includes("v4") ? arrival(port, FIRST_METRIC + port.preference) : []),
      ]),
    ],
    nft: partyRules("ip"),
  };
}

/** Metric of the route by a party's first interface. */
export const FIRST_METRIC = 100;

/** The way out by one interface; of several the one with the lowest metric whose cable is in is taken. */
export const defaultRoute = ({ gateway, device, address }: PartyPort, metric: number): string =>
  `default via ${gateway.address} dev ${device} onlink src ${address} metric ${metric}`;

/** Lines for `ip -batch` that give an interface its IPv4, and those that take it. */
export const arrival = (port: PartyPort, metric: number): readonly string[] => [
  `addr add ${port.address}/${port.nat === null ? 32 : 24} dev ${port.device}`,
  `route add ${defaultRoute(port, metric)}`,
];
export const departure = (port: PartyPort, metric: number): readonly string[] => [
  `route del ${defaultRoute(port, metric)}`,
  `addr del ${port.address}/${port.nat === null ? 32 : 24} dev ${port.device}`,
];

const isNeighbour = (port: PartyPort, other: PartyPort): boolean => port.nat !== null && other.nat === port.nat && other !== port;

function router(plan: TopologyPlan, nat: NatPlan, rules: string): NamespaceScript {
  const ports = plan.ports.filter((port) => port.nat === nat.name);
  const inner = [...plan.nats.values()].filter(({ model }) => model.behind === nat.name);
  return {
    namespace: nat.namespace,
    settings: [...ROUTER_SETTINGS],
    ip: [
      `link add ${LAN} address ${nat.bridgeMac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      ...[...ports, ...inner].flatMap(({ far }) => [`link set ${far.device} master ${LAN} up`]),
      `addr add ${nat.inside}.1/24 dev ${LAN}`,
      ...(inner.length === 0 ? [] : [`addr add ${nat.carrier}.1/24 dev ${LAN}`]),
      `link set ${LAN} up`,
      ...ports.map((port) => neighbour(LAN, port)),
      ...inner.map((other) => neighbour(LAN, { address: other.host, mac: other.wanMac })),
      `link set ${WAN} up`,
      `addr add ${nat.host}/32 dev ${WAN}`,
      neighbour(WAN, nat.gateway),
      `route add default via ${nat.gateway.address} dev ${WAN} onlink`,
    ],
    nft: `${ROUTER_RULES}\n${rules}`,
    lateSettings: LATE_ROUTER_SETTINGS,
  };
}

/** The internet routes to every public host and NAT by a route of its own, and loses the rest without a word. */
function internet(plan: TopologyPlan): NamespaceScript {
  const open = plan.ports.filter((port) => port.nat === null);
  const facing = [...plan.nats.values()].filter(({ model }) => model.behind === null);
  return {
    namespace: plan.internet,
    settings: [...ROUTER_SETTINGS],
    ip: [
      "link set lo up",
      "route add blackhole default",
      ...open.flatMap((port) => route(port.far.device, port)),
      ...facing.flatMap((nat) => route(nat.far.device, { address: nat.host, mac: nat.wanMac })),
    ],
    nft: internetRules("ip"),
  };
}

type Station = { readonly address: string; readonly mac: string };

const neighbour = (device: string, { address, mac }: Station): string =>
  `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`;

const route = (device: string, to: Station): readonly string[] => [
  `link set ${device} up`,
  `route add ${to.address}/32 dev ${device}`,
  neighbour(device, to),
];

/** The same NAT at another address: what its own namespace and the one outside it have to be told, the old address last. */
export function relocation(
  nat: NatPlan,
  from: string,
  to: string,
): { readonly before: readonly NamespaceScript[]; readonly after: readonly NamespaceScript[] } {
  const station = { address: to, mac: nat.wanMac };
  const device = nat.model.behind === null ? nat.far.device : LAN;
  const routed = nat.model.behind === null;
  return {
    before: [
      { namespace: nat.namespace, ip: [`addr add ${to}/32 dev ${WAN}`] },
      {
        namespace: nat.far.namespace,
        ip: [...(routed ? [`route replace ${to}/32 dev ${device}`] : []), neighbour(device, station)],
      },
    ],
    after: [
      { namespace: nat.namespace, ip: [`addr del ${from}/32 dev ${WAN}`] },
      {
        namespace: nat.far.namespace,
        ip: [...(routed ? [`route del ${from}/32 dev ${device}`] : []), `neigh del ${from} dev ${device}`],
      },
    ],
  };
}
