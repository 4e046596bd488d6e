/**
 * The network of a run on the real kernel: a namespace for every party, one router for every NAT, one for the internet, and one in which every party
 * interface's cable is cut open for a link driver to join. Until one does, nothing passes.
 */

import { readlink } from "node:fs/promises";
import type { AddressFamily } from "../impl/base/address.ts";
import type { Direction, Fault, Scenario } from "../scenarios/expanded.ts";
import type { Middlebox } from "../scenarios/middlebox.ts";
import { blockRules, unblockRules } from "./block-rules.ts";
import { classifyAll, type Kind, refuseOthers } from "./classifier.ts";
import { configure, ipBatch, ipLines, loadingRules, requireMachine } from "./command.ts";
import { cutRules, uncutRules } from "./cut-rules.ts";
import { type FamilyChange, PortFamilies } from "./families.ts";
import { FORGET_FLOWS } from "./firewall-rules.ts";
import { claim, deleteNamespaces, removeLeftovers } from "./leftovers.ts";
import { type NatBox, natBox } from "./nat.ts";
import type { MappingView, NatCounters } from "./nat-state.ts";
import { NetnsError } from "./netns-error.ts";
import { NFT_FAMILY, nftFamilies } from "./nft-family.ts";
import { openShells, type Shells } from "./shell.ts";
import { creation, defaultRoute, FIRST_METRIC, interiors, relocation } from "./topology-commands.ts";
import { type PartyPort, planTopology, type TopologyPlan } from "./topology-plan.ts";
import { defaultRoute6, withV6 } from "./topology-v6.ts";

/** One party interface's cable, cut open: two devices of the run's wire namespace. */
export type Wire = {
  readonly party: string;
  readonly interface: string;
  readonly namespace: string;
  /** Device towards the party. */
  readonly inner: string;
  /** Device towards the router or the internet. */
  readonly outer: string;
};

export type TopologyOptions = {
  /** 4 to 12 hexadecimal digits that no other run has. */
  readonly run: string;
  readonly nats: Scenario["nats"];
  readonly parties: Scenario["parties"];
  /** Decides the order of random external ports. */
  readonly seed: number;
  /** Interfaces that have no IPv6 now may get it. */
  readonly willHaveV6?: boolean;
  /** Parties that have a network namespace already: a process id in it. */
  readonly adopt?: ReadonlyMap<string, number>;
};

export type Topology = {
  readonly plan: TopologyPlan;
  readonly boxes: ReadonlyMap<string, NatBox>;
  /** What each NAT turned out to be when the lab started. */
  readonly kinds: ReadonlyMap<string, Kind>;
  /** A folder of this run for what must be found again after a crash; empty at first, gone after `close`. */
  readonly folder: string;
  /** One per party interface, in order of declaration. */
  readonly wires: readonly Wire[];
  /** As `ip netns` knows it. RangeError for an unknown party. */
  namespaceOf(party: string): string;
  /** IPv4 address of the first interface that is up; of the first one when none is. */
  addressOf(party: string): string;
  /** Hosts of its interfaces as declared, in order of preference. */
  hostsOf(party: string): readonly string[];
  /** The device in the party's namespace that stands for an interface. */
  deviceOf(party: string, name: string): string;
  /** Hosts and prefixes that an interface reaches without leaving its NAT's inside, the NAT's external address among them; none without a NAT. */
  near(party: string, name: string): readonly string[];
  /** Has a shell wait wherever one of these faults will need one: to start it takes longest when the machine is busiest. */
  standBy(faults: readonly Fault[]): Promise<void>;
  /** Pulls an interface's cable, or plugs it in; resolves when the party's kernel has noticed. Addresses and sockets stay. */
  setInterface(party: string, name: string, up: boolean): Promise<void>;
  /** Has an interface have addresses of these families. */
  setFamilies(party: string, name: string, families: readonly AddressFamily[], fault: number): Promise<FamilyChange>;
  /** Traffic leaves by the interface while its cable is in, whatever the order of preference; the returned function ends that. */
  prefer(party: string, name: string): Promise<() => Promise<void>>;
  /** New external ports for every mapping of the NAT, or those for flows to `other`, the old ones dead for good; returns the new mappings, longest unused first. */
  rebind(nat: string, other?: string): Promise<readonly MappingView[]>;
  /** Another external address for the NAT, its mappings lost, the old address a dead end; returns the new one. */
  renumber(nat: string): Promise<string>;
  /** The NAT forgets its mappings and filters. */
  expire(nat: string): Promise<void>;
  /** Puts a middlebox at the NAT, and tells what it refuses as the fault's; the returned function ends that. */
  block(nat: string, box: Middlebox, fault: number): Promise<() => Promise<void>>;
  /**
   * Lets nothing pass between two parties, or nothing of one family, or only in one direction: `up` is what goes to `other`; the returned function ends that. Who shares a NAT with either is
   * cut off too.
   */
  partition(
    party: string,
    other: string,
    direction: Direction,
    fault: number,
    family?: AddressFamily,
  ): Promise<() => Promise<void>>;
  mappings(nat: string): Promise<readonly MappingView[]>;
  /** Packets that the NAT translated and refused since the start. */
  counters(nat: string): Promise<NatCounters>;
  /** Removes all that was made; safe to call twice. */
  close(): Promise<void>;
};

/**
 * Removes what dead runs left, builds the network, and makes sure that every NAT is what the scenario declares. Rejects with NetnsError or RangeError, and
 * then leaves nothing behind.
 */
export async function buildTopology(options: TopologyOptions): Promise<Topology> {
  const { run, nats, parties, seed, adopt = new Map<string, number>() } = options;
  const plan = planTopology(run, nats, parties, options.willHaveV6);
  requireMachine();
  await refuseOwnNamespace(adopt);
  await removeLeftovers();
  const claimed = await claim(run);
  const shells = openShells();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= shells
      .close()
      .then(() => deleteNamespaces([...plan.namespaces, plan.probe]))
      .then(claimed.release);
    return closing;
  };
  try {
    const boxes = new Map([...plan.nats].map(([name, nat]) => [name, natBox(nat, seed, () => shells.in(nat.namespace))]));
    await ipBatch(creation(plan, adopt));
    const scripts = interiors(plan, (nat) => boxes.get(nat.name)?.initialRules ?? "").map((one) =>
      plan.hasV6 ? withV6(plan, one) : one,
    );
    await settleAll(scripts.map(configure));
    const kinds = await classifyAll(plan, [...boxes.values()]);
    refuseOthers(plan, kinds);
    await settleAll([...boxes.values()].map((box) => box.restart().then(() => forgetFlows(plan, shells, box))));
    return { plan, boxes, kinds, folder: claimed.folder, close, ...controls(plan, boxes, shells) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A firewall's flows are forgotten beside the NAT's mappings. */
const forgetFlows = async (plan: TopologyPlan, shells: Shells, box: NatBox): Promise<void> => {
  if (plan.hasV6) await shells.in(box.plan.namespace)(loadingRules(FORGET_FLOWS));
};

/** Joins every wire by a bridge, without any impairment. Ends with the topology. */
export async function joinPlainly(wires: readonly Wire[]): Promise<void> {
  const [first] = wires;
  if (first === undefined) return;
  const ip = wires.flatMap(({ inner, outer }, index) => [
    `link add b${index} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${inner} master b${index}`,
    `link set ${outer} master b${index}`,
    `link set b${index} up`,
  ]);
  const lateSettings = ["iptables", "ip6tables", "arptables"].map((which) => [`bridge/bridge-nf-call-${which}?`, 0] as const);
  await configure({ namespace: first.namespace, ip, lateSettings });
}

type Controls = Omit<Topology, "plan" | "boxes" | "kinds" | "folder" | "close">;

function controls(plan: TopologyPlan, boxes: ReadonlyMap<string, NatBox>, shells: Shells): Controls {
  const cables = shells.in(plan.wires);
  const tables = nftFamilies(plan);
  const down = new Set<PartyPort>();
  const families = new Map<PartyPort, PortFamilies>();
  /** Lay the partitions in force anew. */
  const partitions = new Set<() => Promise<void>>();
  let wish = FIRST_METRIC;
  const portsOf = (party: string): readonly PartyPort[] => {
    const own = plan.ports.filter((port) => port.party === party);
    if (own.length === 0) throw new RangeError(`party: none is named ${party}`);
    return own;
  };
  const portOf = (party: string, name: string): PartyPort => {
    const found = portsOf(party).find((port) => port.interface === name);
    if (found === undefined) throw new RangeError(`interface: ${party} has none named ${name}`);
    return found;
  };
  const box = (nat: string): NatBox => {
    const found = boxes.get(nat);
    if (found === undefined) throw new RangeError(`nat: none is named ${nat}`);
    return found;
  };
  /** What a party is known by to others: its own addresses and those of the NATs it is behind. */
  const hostsOf = (party: string): ReadonlySet<string> => {
    const behind = (nat: string | null): readonly string[] =>
      nat === null ? [] : [box(nat).host, ...behind(box(nat).plan.model.behind)];
    return new Set(portsOf(party).flatMap(({ address, address6, nat }) => [address, address6, ...behind(nat)]));
  };
  return {
    wires: plan.ports.map(({ party, interface: name, inner, outer }) => ({
      party,
      interface: name,
      namespace: plan.wires,
      inner,
      outer,
    })),
    namespaceOf: plan.namespaceOf,
    addressOf(party) {
      const own = portsOf(party);
      return (own.find((port) => !down.has(port)) ?? own[0])?.address ?? "";
    },
    hostsOf: (party) =>
      portsOf(party).flatMap(({ address, address6, families: own }) => [
        ...(own.includes("v6") ? [address6] : []),
        ...(own.includes("v4") ? [address] : []),
      ]),
    deviceOf: (party, name) => portOf(party, name).device,
    near(party, name) {
      const { nat } = portOf(party, name);
      const behind = nat === null ? undefined : box(nat);
      return behind === undefined
        ? []
        : [
            ...[`${behind.plan.inside}.0/24`, `${behind.plan.carrier}.0/24`, behind.host],
            ...(plan.hasV6 ? [`${behind.plan.prefix6}/64`] : []),
          ];
    },
    async standBy(faults) {
      const where = faults.flatMap((fault) => {
        const { kind, target } = fault;
        if (fault.kind === "partition")
          return [fault.target, fault.other].flatMap((name) => portsOf(name).map(({ far }) => far.namespace));
        const nat = boxes.get(target);
        if (nat !== undefined) return [nat.plan.namespace];
        return kind === "roam" || kind === "interface-down" || kind === "families"
          ? portsOf(target).map((port) => port.namespace)
          : [];
      });
      await settleAll([...new Set([plan.wires, ...where])].map((namespace) => shells.in(namespace)(":")));
    },
    async setInterface(party, name, up) {
      const port = portOf(party, name);
      if (up) down.delete(port);
      else down.add(port);
      // Both ends notice by themselves; the party's is what its routes follow, a bridge of a link driver waits for the other.
      await Promise.all([
        cables(`ip link set ${port.inner} ${up ? "up" : "down"}\n${untilCarrier(port.inner, up)}`),
        shells.in(port.namespace)(untilCarrier(port.device, up)),
      ]);
    },
    async setFamilies(party, name, wanted, fault) {
      const port = portOf(party, name);
      const own = families.get(port) ?? new PortFamilies(shells.in(port.namespace), port);
      families.set(port, own);
      return own.wish(wanted, fault);
    },
    async prefer(party, name) {
      const port = portOf(party, name);
      const shell = shells.in(port.namespace);
      // each wish has a metric of its own, the latest the lowest
      wish--;
      const own = families.get(port)?.now ?? port.families;
      const ways = own.map((family) => (family === "v4" ? defaultRoute : defaultRoute6)(port, wish));
      await shell(ipLines(ways.map((way) => `route add ${way}`)));
      return async () => {
        await shell(ipLines(ways.map((way) => `route del ${way}`)));
      };
    },
    rebind: (nat, other) => box(nat).rebind(other === undefined ? undefined : hostsOf(other)),
    async renumber(nat) {
      const one = box(nat);
      const [from, to] = [one.host, one.plan.outsideAddresses()];
      const { before, after } = relocation(one.plan, from, to);
      await settleAll(before.map(configure));
      await one.renumber(to);
      const { behind } = one.plan.model;
      if (behind !== null) await box(behind).admit(to, from);
      for (const lay of partitions) await lay();
      await settleAll(after.map(configure));
      return to;
    },
    async expire(nat) {
      await box(nat).expire();
      await forgetFlows(plan, shells, box(nat));
    },
    async block(nat, middlebox, fault) {
      const shell = shells.in(box(nat).plan.namespace);
      const hosts = middlebox.other === undefined ? undefined : hostsOf(middlebox.other);
      await shell(loadingRules(blockRules(middlebox, hosts, fault, tables)));
      return async () => {
        await shell(loadingRules(unblockRules(fault, tables)));
      };
    },
    async partition(party, other, direction, fault, family) {
      const cut = family === undefined ? tables : tables.filter((one) => one === NFT_FAMILY[family]);
      const ways: [from: string, to: string][] = [];
      if (direction !== "down") ways.push([party, other]);
      if (direction !== "up") ways.push([other, party]);
      const routers = new Set(ways.flatMap(([, to]) => portsOf(to).map(({ far }) => far.namespace)));
      const lay = (): Promise<void> =>
        settleAll(
          [...routers].map((namespace) => {
            const cuts = ways.flatMap(([from, to]) =>
              portsOf(to).flatMap(({ far, address, address6 }) =>
                far.namespace === namespace ? [address, address6].map((to) => ({ from: hostsOf(from), to })) : [],
              ),
            );
            return shells.in(namespace)(loadingRules(cutRules(cuts, fault, cut)));
          }),
        );
      await lay();
      partitions.add(lay);
      return async () => {
        partitions.delete(lay);
        await settleAll([...routers].map((namespace) => shells.in(namespace)(loadingRules(uncutRules(fault, cut)))));
      };
    },
    mappings: (nat) => box(nat).mappings(),
    counters: (nat) => box(nat).counters(),
  };
}

/** Seconds between looks at a carrier, and how many. chosen: the kernel tells at once; its work queue may be late on a loaded machine. */
const LOOK_EVERY = 0.002;
const LOOKS = 1_000;

/** The kernel hands a change of carrier to a work queue: a script that ends when it has been through, which is when routes follow. */
const untilCarrier = (device: string, up: boolean): string => `n=0
until read -r state </sys/class/net/${device}/operstate && [ "$state" ${up ? "=" : "!="} up ]; do
  n=$((n + 1)); [ $n -lt ${LOOKS} ] || { echo "${device}: the kernel did not notice that its cable is ${up ? "plugged in" : "pulled"}" >&2; exit 1; }
  sleep ${LOOK_EVERY}
done`;

async function settleAll(all: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(all)).find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** A party in the harness's own network namespace would have its devices and routes set there. */
async function refuseOwnNamespace(adopt: ReadonlyMap<string, number>): Promise<void> {
  const own = await readlink("/proc/self/ns/net");
  for (const [party, pid] of adopt) {
    const theirs = await readlink(`/proc/${pid}/ns/net`).catch((cause: unknown) => {
      throw new NetnsError("command-failed", `${party}: process ${pid} has no network namespace to adopt`, cause);
    });
    if (theirs === own)
      throw new RangeError(`adopt: ${party}'s process ${pid} is in the network namespace of the laboratory itself`);
  }
}
