/**
 * Loss, drop lists and Gilbert-Elliott bursts as nftables rules in the netdev family: each direction of a wire has its rules on the ingress of
 * the device it comes from, before the bridge. What is dropped is counted by fault, in a chain of its own that outlives every change of rules (a
 * counter object would do the same where the kernel has nft_objref). Draws are the kernel's own, unseeded.
 */
import type { InForce } from "../../scenarios/impairment/link.ts";

type Burst = NonNullable<InForce["losers"][number]["burst"]>;
type Way = "up" | "down";

/** Resolution of the kernel's draws: `numgen` compares whole numbers below this. */
const PARTS = 1_000_000;
/** `numgen inc` counts to this and starts over; a drop list has numbers far below. */
const LONGEST = 4_294_967_295;

const share = (of: number): string =>
  of >= 1 ? "" : `numgen random mod ${PARTS} < ${Math.min(PARTS - 1, Math.round(of * PARTS))} `;
const never = (of: number): boolean => Math.round(of * PARTS) === 0;

/** Name of the chain that counts, and drops, packets lost to `fault`. */
export const lostCounter = (way: Way, fault: number | undefined): string => `${way}_lost_${fault ?? "base"}`;
export const severedCounter = (way: Way, fault: number | undefined): string => `${way}_severed_${fault ?? "base"}`;
export const packetsCounter = (way: Way): string => `${way}_packets_seen`;
export const othersCounter = (way: Way): string => `${way}_others_seen`;

/** The table with its hooks, everything passing. */
export const skeleton = (table: string, devices: { readonly [way in Way]: string }): string => `table netdev ${table} {
${(["up", "down"] as const)
  .map(
    (way) => `
  chain ${packetsCounter(way)} { counter; }
  chain ${othersCounter(way)} { counter; }
  chain ${way}_others { }
  chain ${way}_rules { }
  chain ${way} {
    type filter hook ingress device "${devices[way]}" priority 0; policy accept;
    meta pkttype { broadcast, multicast } goto ${way}_others
    meta protocol != { ip, ip6 } goto ${way}_others
    meta l4proto != udp goto ${way}_others
    jump ${packetsCounter(way)}
    jump ${way}_rules
  }`,
  )
  .join("\n")}
}
`;

export type Rules = {
  /** Commands that put `inForce` in force in one transaction; lists and chains that stay keep their counts. */
  update(inForce: InForce, severedBy: { readonly fault: number | undefined } | undefined): string;
};

export function rules(table: string, way: Way): Rules {
  const layers = new Map<string, string>();
  const counters = new Set<string>();
  let made = 0;
  const at = `netdev ${table}`;

  return {
    update(inForce, severedBy) {
      const out: string[] = [`flush chain ${at} ${way}_rules`, `flush chain ${at} ${way}_others`];
      const losing = (name: string): string => {
        if (!counters.has(name)) out.unshift(`add chain ${at} ${name}`, `add rule ${at} ${name} counter drop`);
        counters.add(name);
        return `goto ${name}`;
      };
      const stop = severedBy !== undefined || inForce.model.loss >= 1;
      out.push(`add rule ${at} ${way}_others jump ${othersCounter(way)}`);
      if (stop) out.push(`add rule ${at} ${way}_others drop`);
      const rule = (text: string): void => {
        out.push(`add rule ${at} ${way}_rules ${text}`);
      };
      if (severedBy !== undefined) rule(losing(severedCounter(way, severedBy.fault)));
      const wanted = new Set<string>();
      for (const { fault, drop, burst } of inForce.losers) {
        const lost = losing(lostCounter(way, fault));
        if (drop.length > 0) {
          const key = `drop ${fault} ${drop.join()}`;
          wanted.add(key);
          const chain = layers.get(key) ?? `${way}_list${made++}`;
          if (!layers.has(key)) out.push(...listRules(at, chain, drop, lost));
          layers.set(key, chain);
          rule(`jump ${chain}`);
        }
        if (burst !== null) {
          const key = `burst ${fault} ${JSON.stringify(burst)}`;
          wanted.add(key);
          const chain = layers.get(key) ?? `${way}_burst${made++}`;
          if (!layers.has(key)) out.push(...burstRules(at, chain, burst, lost));
          layers.set(key, chain);
          rule(`jump ${chain}`);
        }
      }
      const { loss } = inForce.model;
      if (!never(loss)) rule(`${share(loss)}${losing(lostCounter(way, inForce.by.loss))}`);
      for (const [key, chain] of layers) {
        if (wanted.has(key)) continue;
        layers.delete(key);
        out.push(...(key.startsWith("drop") ? listEnd(at, chain) : burstEnd(at, chain)));
      }
      return `${out.join("\n")}\n`;
    },
  };
}

const listRules = (at: string, chain: string, drop: readonly number[], lost: string): string[] => [
  `add chain ${at} ${chain}`,
  `add rule ${at} ${chain} numgen inc mod ${LONGEST} vmap { ${[...new Set(drop)].map((n) => `${n - 1} : ${lost}`).join(", ")} }`,
];
const listEnd = (at: string, chain: string): string[] => [`flush chain ${at} ${chain}`, `delete chain ${at} ${chain}`];

/** The chain steps once a packet, and then the state it is in decides the loss; membership of the device in the set is the bad state. */
function burstRules(at: string, chain: string, { p, r, lossGood, lossBad }: Burst, lost: string): string[] {
  const bad = `@${chain}_state`;
  const inBad = `iifname ${bad} goto ${chain}_lose`;
  const inGood = never(lossGood) ? [] : [`${share(lossGood)}${lost}`];
  const toBad = never(p) ? [] : [`${share(p)}add ${bad} { iifname }`];
  const toGood = never(r) ? [] : [`${share(r)}delete ${bad} { iifname }`];
  const add = (to: string, all: readonly string[]): string[] => [
    `add chain ${at} ${to}`,
    ...all.map((one) => `add rule ${at} ${to} ${one}`),
  ];
  return [
    `add set ${at} ${chain}_state { type ifname; flags dynamic; size 65535; }`,
    ...add(`${chain}_lose`, never(lossBad) ? [] : [`${share(lossBad)}${lost}`]),
    ...add(`${chain}_bad`, [...toGood, inBad, ...inGood]),
    ...add(chain, [`iifname ${bad} goto ${chain}_bad`, ...toBad, inBad, ...inGood]),
  ];
}
const burstEnd = (at: string, chain: string): string[] => [
  ...[chain, `${chain}_bad`, `${chain}_lose`].map((one) => `flush chain ${at} ${one}`),
  ...[chain, `${chain}_bad`, `${chain}_lose`].map((one) => `delete chain ${at} ${one}`),
  `delete set ${at} ${chain}_state`,
];

export type Counted = { readonly packets: number; readonly bytes: number };

type Listed = {
  readonly rule?: { readonly chain: string; readonly expr: readonly { readonly counter?: Counted | null }[] };
};

/** Counts by chain, from `nft -j list table`. */
export function countsOf(json: string): ReadonlyMap<string, Counted> {
  const { nftables }: { readonly nftables: readonly Listed[] } = JSON.parse(json);
  const counts = new Map<string, Counted>();
  for (const { rule } of nftables)
    for (const { counter } of rule?.expr ?? []) if (rule !== undefined && counter) counts.set(rule.chain, counter);
  return counts;
}
