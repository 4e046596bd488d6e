/** The IPv6 side of the classifier's cables: as those of IPv4, with every neighbour known, since nothing is searched for on these links. */
import { LAN } from "./nat-rules.ts";
import type { NatPlan } from "./topology-plan.ts";

/** What `classifier.ts` names its devices. */
export type Ends = { readonly inside: string; readonly outside: string };

export const SETTINGS6 = [
  ["ipv6/conf/all/disable_ipv6", 0],
  ["ipv6/conf/all/addr_gen_mode", 1],
] as const;

/** Chosen: locally administered, and none of the topology's. */
const mac = (kind: "0b" | "0c", number: number): string => `02:00:00:${kind}:00:${number.toString(16).padStart(2, "0")}`;
const GATEWAY = "fe80::1";

const neighbour = (device: string, address: string, lladdr: string): string =>
  `neigh replace ${address} lladdr ${lladdr} dev ${device} nud permanent`;

/** In the NAT. */
export const insideEnds6 = ({ number, probe }: NatPlan): readonly string[] => [neighbour(LAN, probe.inside6, mac("0b", number))];

/** Outside of it, on the far end of the outer cable. */
export const outsideEnds6 = ({ number, probe }: NatPlan, device: string): readonly string[] =>
  probe.outside6.flatMap((host) => [`route add ${host}/128 dev ${device}`, neighbour(device, host, mac("0c", number))]);

const tables = (number: number): readonly [inside: number, outside: number] => [1_000 + 2 * number, 1_001 + 2 * number];

/** In the probe, before its devices are up. */
export const hardware6 = ({ number }: NatPlan, { inside, outside }: Ends): readonly string[] => [
  `link set ${inside} address ${mac("0b", number)}`,
  `link set ${outside} address ${mac("0c", number)}`,
];

/** And once they are; `outer`: hardware address of the outer cable's far end. */
export const nearEnds6 = (
  { number, prefix6, bridgeMac, probe }: NatPlan,
  { inside, outside }: Ends,
  outer: string,
): readonly string[] => {
  const [insideTable, outsideTable] = tables(number);
  return [
    `addr add ${probe.inside6}/128 dev ${inside} nodad`,
    ...probe.outside6.map((host) => `addr add ${host}/128 dev ${outside} nodad`),
    neighbour(inside, `${prefix6}1`, bridgeMac),
    neighbour(outside, GATEWAY, outer),
    `route add default via ${prefix6}1 dev ${inside} onlink table ${insideTable}`,
    `route add default via ${GATEWAY} dev ${outside} onlink table ${outsideTable}`,
  ];
};

/** What each host sends follows its own table, asked before the local one. */
export const rules6 = (all: readonly NatPlan[]): readonly string[] => [
  ...all.flatMap(({ number, probe }) => {
    const [insideTable, outsideTable] = tables(number);
    return [
      `rule add pref 10 from ${probe.inside6} iif lo lookup ${insideTable}`,
      ...probe.outside6.map((host) => `rule add pref 10 from ${host} iif lo lookup ${outsideTable}`),
    ];
  }),
  "rule add pref 100 lookup local",
  "rule del pref 0",
];
