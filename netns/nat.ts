/**
 * One NAT as it runs: its external address, the ports it has left to give, and the accidents that happen to it. Every accident replaces the
 * table of rules in one transaction: a packet meets all of the old state or all of the new.
 */
import { randomness } from "../impl/base/random.ts";
import { FIRST_PORT, LARGEST_BLOCK, PORTS, type PortRange, portsOf } from "../scenarios/port-block.ts";
import { loadingRules } from "./command.ts";
import { type Carried, COUNTERS, natRules, ownerRules, type Pool, TABLE } from "./nat-rules.ts";
import { type MappingView, type NatCounters, type NatState, parseState } from "./nat-state.ts";
import type { Shell } from "./shell.ts";
import type { NatPlan } from "./topology-plan.ts";

export type NatBox = {
  readonly plan: NatPlan;
  /** The external address now. */
  readonly host: string;
  /** The rules to classify it with, to load with the rest of the namespace; `restart` loads those it runs with, whose mappings may live for less. */
  readonly initialRules: string;
  /**
   * New external ports for every live mapping, or those for these remote hosts, the old ones dead for good, the filters of what moves closed until the inside sends.
   * Returns the new mappings.
   */
  rebind(remotes?: ReadonlySet<string>): Promise<readonly MappingView[]>;
  /** Forgets everything and translates to `host` from now on; the routes are the caller's. */
  renumber(host: string): Promise<void>;
  /** Forgets all mappings and filters; `preserve` may give the same ports again. */
  expire(): Promise<void>;
  /** Everything as at the start, but at the address of now, with the lifetimes of the model: what a classification has opened and counted never was. */
  restart(): Promise<void>;
  /** An inside host has another address: where ports come in blocks, it keeps its own. */
  admit(host: string, instead: string): Promise<void>;
  mappings(): Promise<readonly MappingView[]>;
  /** Whether an external address, `a.b.c.d:port`, led inside until an accident took it away. */
  wasLost(external: string): boolean;
  counters(): Promise<NatCounters>;
};

/** First port of the sequential policy; as in sim. */
const SEQUENTIAL_FROM = 50_000;
/** Ports ready to be given; given out, they come around again as far as they are free. chosen: loads in about 10 ms and is far above what a call needs. */
const POOL = 1_024;

/** Ports of a host of the classification that opens many. chosen: several times what it opens. */
const PROBED = 64;
/** Least lifetime while a NAT is classified, microseconds. chosen: on the busiest machine no mapping ends between two of the classifier's steps. */
const CLASSIFICATION = 60_000_000;

/** `seed` decides the order of random ports; `shell` waits in the NAT's namespace. */
export function natBox(plan: NatPlan, seed: number, shell: () => Shell): NatBox {
  const { model } = plan;
  const randomPorts = randomness(seed);
  let { host } = plan;
  /** Tables made so far: each draws other random ports. */
  let generation = 0;
  let nextSequential = SEQUENTIAL_FROM;
  const dead = new Set<number>();
  const lost = new Set<string>();
  /** Inside hosts and their numbers. */
  const subscribers = new Map(plan.subscribers.map((one, number) => [one, number]));
  let past = noneCounted();
  /** One change after the other. */
  let work: Promise<unknown> = Promise.resolve();

  /** `count` ports by the policy, none of which is dead; all of them go to new mappings or the pool. */
  const ports = (count: number): readonly number[] => {
    const chosen = new Set<number>();
    const draws = randomPorts.stream(`nat ${plan.name}/ports/${generation}`);
    for (let tries = 0; chosen.size < count && tries < PORTS; tries++) {
      const one = model.ports === "sequential" ? after(nextSequential, tries) : FIRST_PORT + draws.nextBelow(PORTS);
      if (!dead.has(one)) chosen.add(one);
    }
    return [...chosen];
  };
  /** Pools with `count` ports for everybody, or with each subscriber's own; no port is dead. */
  const pools = (count: number): readonly Pool[] =>
    model.ports === "block" ? blocks(subscribers) : [{ hosts: "all", ports: ports(count) }];
  const blocks = (of: ReadonlyMap<string, number>): readonly Pool[] =>
    [...new Set(of.values())].map((number) => ({
      hosts: [...of].flatMap(([one, its]) => (its === number ? [one] : [])),
      ports: shuffled(portsOf(model, number), `${generation}/${number}`),
    }));
  /** The range's ports in random order, without the dead ones. */
  const shuffled = (range: PortRange | undefined, which: string): readonly number[] => {
    const all = Array.from({ length: range?.size ?? 0 }, (_, k) => (range?.first ?? 0) + k);
    const draws = randomPorts.stream(`nat ${plan.name}/block/${which}`);
    const order = new Map(all.map((port) => [port, draws.nextBelow(2 ** 32)]));
    return all.filter((port) => !dead.has(port)).sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  };
  /** For the classification: its `narrow` host has what a first subscriber would have; the two that open more than a block may hold have more, elsewhere. */
  const probed = (): readonly Pool[] =>
    model.ports === "block"
      ? [
          ...blocks(new Map([[plan.probe.narrow, 0]])),
          ...plan.probe.inside.map((one, k) => ({
            hosts: [one],
            ports: shuffled({ first: FIRST_PORT + LARGEST_BLOCK + k * PROBED, size: PROBED }, `probe/${k}`),
          })),
        ]
      : pools(POOL);
  const rules = (carried: readonly Carried[], pools: readonly Pool[]): string => natRules({ model, host, pools, dead, carried });
  const patient = { ...model, lifetime: Math.max(model.lifetime, CLASSIFICATION) };
  const initialRules = natRules({ model: patient, host, pools: probed(), dead, carried: [] });

  const look = async (): Promise<NatState> => parseState(await shell()(`nft list table ip ${TABLE}`), model, host);
  const load = (script: string): Promise<string> => shell()(loadingRules(script));
  /** Counters die with their table. */
  const leave = ({ counters, mappings }: NatState): void => {
    for (const { external } of mappings) lost.add(external);
    past = sum(past, counters);
    nextSequential = after(nextSequential, counters.made);
    generation++;
  };
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const mine = work.then(action, action);
    work = mine.catch(() => undefined);
    return mine;
  };

  return {
    plan,
    initialRules,
    get host() {
      return host;
    },
    rebind: (remotes) =>
      inTurn(async () => {
        const state = await look();
        // Longest unused first; the kernel does not tell which was made first.
        const all = state.mappings.toSorted((a, b) => b.idle - a.idle);
        const moving = remotes === undefined ? all : all.filter(({ remote }) => remotes.has(remote.split(":")[0] ?? ""));
        leave({ ...state, mappings: moving });
        for (const { external } of moving) dead.add(portOf(external));
        const fresh = pools(moving.length + POOL);
        nextSequential = after(nextSequential, moving.length);
        const kept = all.filter((one) => !moving.includes(one));
        const taken = new Set(kept.map(({ external }) => portOf(external)));
        const { moved, left } = dealt(moving, fresh, taken, host);
        const mappings = [...kept, ...moved].map((one) => carried(one, model.lifetime));
        const openings = state.openings.filter(({ port }) => taken.has(port));
        await load(natRules({ model, host, pools: left, dead, carried: mappings, openings }));
        return moved;
      }),
    renumber: (next) =>
      inTurn(async () => {
        leave(await look());
        host = next;
        dead.clear(); // dead were the ports of the old address
        await load(rules([], pools(POOL)));
      }),
    expire: () =>
      inTurn(async () => {
        leave(await look());
        await load(rules([], pools(POOL)));
      }),
    restart: () =>
      inTurn(async () => {
        generation = 0;
        nextSequential = SEQUENTIAL_FROM;
        dead.clear();
        lost.clear();
        past = noneCounted();
        await load(rules([], pools(POOL)));
      }),
    admit: (next, instead) =>
      inTurn(async () => {
        const number = subscribers.get(instead);
        if (number === undefined || model.ports !== "block") return;
        subscribers.set(next, number);
        await load(ownerRules(next, [...new Set(subscribers.values())].indexOf(number)));
      }),
    wasLost: (external) => lost.has(external),
    mappings: () => inTurn(async () => (await look()).mappings),
    counters: () => inTurn(async () => sum(past, (await look()).counters)),
  };
}

/** Gives each mapping the next port of its pool that is not taken, as far as there are any; those that get none are gone. Ports of a block come around again. */
function dealt(
  moving: readonly MappingView[],
  pools: readonly Pool[],
  taken: ReadonlySet<number>,
  host: string,
): { readonly moved: readonly MappingView[]; readonly left: readonly Pool[] } {
  const given = new Map<Pool, number[]>();
  const free = new Map(pools.map((pool) => [pool, pool.ports.filter((port) => !taken.has(port))]));
  const moved = moving.flatMap((one) => {
    const pool = pools.find(({ hosts }) => hosts === "all" || hosts.includes(hostOf(one.internal)));
    const port = pool === undefined ? undefined : free.get(pool)?.shift();
    if (pool === undefined || port === undefined) return [];
    given.set(pool, [...(given.get(pool) ?? []), port]);
    return [{ ...one, external: `${host}:${port}` }];
  });
  const left = pools.map((pool): Pool => {
    const used = given.get(pool) ?? [];
    return { ...pool, ports: [...pool.ports.filter((port) => !used.includes(port)), ...(pool.hosts === "all" ? [] : used)] };
  });
  return { moved, left };
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(":"));
const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));
const after = (port: number, count: number): number => FIRST_PORT + ((port - FIRST_PORT + count) % PORTS);

const carried = ({ internal, remote, external, idle }: MappingView, lifetime: number): Carried => ({
  insideHost: hostOf(internal),
  insidePort: portOf(internal),
  remote,
  port: portOf(external),
  left: Math.max(1, Math.round((lifetime - idle) / 1_000)),
});

const noneCounted = (): NatCounters => Object.fromEntries(COUNTERS.map((name) => [name, 0])) as NatCounters;
const sum = (a: NatCounters, b: NatCounters): NatCounters =>
  Object.fromEntries(COUNTERS.map((name) => [name, a[name] + b[name]])) as NatCounters;
