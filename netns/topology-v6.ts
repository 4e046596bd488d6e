/**
 * What IPv6 adds to a topology's namespaces: addresses without a search for duplicates, neighbours known from the start, routes to the prefix behind each box,
 * firewalls. Nothing is announced (RFC 4861) and no link-local address is made, so there is nothing on a link that no scenario asked for.
 */
import type { NamespaceScript } from "./command.ts";
import { firewallRules } from "./firewall-rules.ts";
import { LAN, WAN } from "./nat-rules.ts";
import { internetRules, partyRules } from "./silence-rules.ts";
import { FIRST_METRIC } from "./topology-commands.ts";
import type { Gateway, NatPlan, PartyPort, TopologyPlan } from "./topology-plan.ts";

/** RFC 4862 in the kernel: neither duplicate address detection nor addresses of its own making. */
const ON = [
  ["ipv6/conf/all/disable_ipv6", 0],
  ["ipv6/conf/default/disable_ipv6", 0],
  ["ipv6/conf/all/addr_gen_mode", 1],
  ["ipv6/conf/default/addr_gen_mode", 1],
  ["ipv6/icmp/ratelimit", 0],
] as const;

const neighbour = (device: string, { address, mac }: Gateway): string =>
  `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`;

/** Adds IPv6 to a namespace's script, whatever the namespace is. */
export function withV6(plan: TopologyPlan, script: NamespaceScript): NamespaceScript {
  const own = plan.ports.filter((port) => port.namespace === script.namespace);
  const nat = [...plan.nats.values()].find((one) => one.namespace === script.namespace);
  if (script.namespace === plan.wires) return script;
  const [settings, ip, nft] =
    nat !== undefined
      ? router(plan, nat)
      : own.length > 0
        ? party(plan, own)
        : [FORWARDING, internet(plan), internetRules("ip6")];
  return {
    ...script,
    settings: [...(script.settings ?? []).filter(([path]) => !path.startsWith("ipv6/")), ...ON, ...settings],
    ip: [...(script.ip ?? []), ...ip],
    nft: `${script.nft ?? ""}\n${nft}`,
  };
}

type Parts = readonly [NonNullable<NamespaceScript["settings"]>, readonly string[], string];

const FORWARDING = [["ipv6/conf/all/forwarding", 1]] as const;

function party(plan: TopologyPlan, ports: readonly PartyPort[]): Parts {
  const settings = ports.map(({ device }) => [`ipv6/conf/${device}/ignore_routes_with_linkdown`, 1] as const);
  const ip = ports.flatMap((port) => [
    neighbour(port.device, port.gateway6),
    ...plan.ports
      .filter((other) => port.nat !== null && other.nat === port.nat && other !== port)
      .map((other) => neighbour(port.device, { address: other.address6, mac: other.mac })),
    ...(port.families.includes("v6") ? arrival6(port, FIRST_METRIC + port.preference) : []),
  ]);
  return [settings, ip, partyRules("ip6")];
}

/** The way out by one interface; as `defaultRoute`. */
export const defaultRoute6 = ({ gateway6, device, address6 }: PartyPort, metric: number): string =>
  `default via ${gateway6.address} dev ${device} onlink src ${address6} metric ${metric}`;

/** Lines for `ip -batch` that give an interface its IPv6. */
export const arrival6 = (port: PartyPort, metric: number): readonly string[] => [
  `addr add ${port.address6}/${port.nat === null ? 128 : 64} dev ${port.device} nodad`,
  `route add ${defaultRoute6(port, metric)}`,
];

/** And those that take it. */
export const departure6 = (port: PartyPort, metric: number): readonly string[] => [
  `route del ${defaultRoute6(port, metric)}`,
  `addr del ${port.address6}/${port.nat === null ? 128 : 64} dev ${port.device}`,
];

function router(plan: TopologyPlan, nat: NatPlan): Parts {
  const ports = plan.ports.filter((port) => port.nat === nat.name);
  const ip = [
    `addr add ${nat.prefix6}1/64 dev ${LAN} nodad`,
    ...ports.map((port) => neighbour(LAN, { address: port.address6, mac: port.mac })),
    neighbour(WAN, nat.gateway6),
    `route add default via ${nat.gateway6.address} dev ${WAN} onlink`,
    ...behind(plan, nat.name),
  ];
  return [FORWARDING, ip, firewallRules(nat.model)];
}

/** Routes to what is behind the boxes that face `outer` (null: the internet), each box being known there by a link-local address of its own. */
function behind(plan: TopologyPlan, outer: string | null): readonly string[] {
  const all = [...plan.nats.values()];
  const within = (nat: NatPlan): readonly NatPlan[] => [
    nat,
    ...all.filter((one) => one.model.behind === nat.name).flatMap(within),
  ];
  return all
    .filter((one) => one.model.behind === outer)
    .flatMap((nat) => {
      const hop = { address: `fe80::1:${nat.number.toString(16)}`, mac: nat.wanMac };
      const device = outer === null ? nat.far.device : LAN;
      return [
        neighbour(device, hop),
        ...within(nat).map(({ prefix6 }) => `route add ${prefix6}/64 via ${hop.address} dev ${device} onlink`),
      ];
    });
}

const internet = (plan: TopologyPlan): readonly string[] => [
  ...plan.ports
    .filter((port) => port.nat === null)
    .flatMap(({ far, address6, mac }) => [
      `route add ${address6}/128 dev ${far.device}`,
      neighbour(far.device, { address: address6, mac }),
    ]),
  ...behind(plan, null),
];
