/** The network of a real-time run as the lab and its faults see it: namespaces and NATs of the topology, links of whatever driver the kernel allows. */
import type { Address } from "../impl/base/address.ts";
import type { DropRecord, StallRecord } from "../impl/base/record.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import { onePerFamily } from "../scenarios/address-family.ts";
import type { LinkModel, Scenario } from "../scenarios/expanded.ts";
import type { FamilyChange } from "./families.ts";
import type { FaultyNetwork } from "./faults.ts";
import { remember } from "./leftovers.ts";
import { attachLinks } from "./link/attach.ts";
import { deviceFolder } from "./link/emulator.ts";
import type { DriverName, Links } from "./link/links.ts";
import { type Refusal, watchRefusals } from "./refusals.ts";
import { buildTopology, type Topology } from "./topology.ts";

export type RealNetwork = FaultyNetwork & {
  /** The link driver; `none` before `ready`. */
  readonly driver: string;
  /** Network namespace of a party, as `ip netns` knows it. */
  namespaceOf(party: string): string;
  /** Where a party is reached, one address a family, the preferred one first. */
  addressesOf(party: string, port: number): readonly Address[];
  /** Resolves when packets pass. */
  ready(): Promise<void>;
  /** The run has begun at `epoch`, a CLOCK_MONOTONIC microsecond: every drop from now on is told with its instant in the run, and when the link driver could not run. */
  begin(epoch: number, say: (t: number, saying: DropRecord | StallRecord) => void): void;
  /** Resolves when every drop until now has been told and `touched` is up to date. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

export type NetworkOptions = {
  /** The run's name, 4 to 12 hexadecimal digits. */
  readonly run: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly driver: "auto" | DriverName;
  /** Parties that have a network namespace already: a process id in each. */
  readonly adopt: ReadonlyMap<string, number> | undefined;
  /** Folder for captures; undefined: none. */
  readonly capture: string | undefined;
  /** Called when a link driver fails while the run goes on. */
  readonly failed: (error: unknown) => void;
  /** The run's working folder: removed by the next run's start, should this process die before it removes it itself. */
  readonly work: string;
};

/** An accident of a NAT and how many packets it had touched by its counter when it happened, and when the next one did. */
type Accident = {
  readonly fault: number;
  readonly nat: string;
  readonly counts: "out" | "made";
  readonly from: number;
  to: number | undefined;
};

/** A party's interface that is down, and what its other interfaces had sent when it went down and when it came up. */
type Detour = {
  readonly fault: number;
  readonly party: string;
  readonly name: string;
  readonly from: number;
  to: number | undefined;
};

/** Builds the topology and begins to attach the links, which `ready` waits for. Rejects with NetnsError; nothing is left behind then. */
export async function openNetwork(options: NetworkOptions): Promise<RealNetwork> {
  const { run, scenario, seed, adopt } = options;
  const { nats, parties } = scenario;
  const willHaveV6 = scenario.faults.some((fault) => fault.kind === "families" && fault.families.includes("v6"));
  const topology = await buildTopology({ run, nats, parties, seed, willHaveV6, ...(adopt === undefined ? {} : { adopt }) });
  const devices = deviceFolder(run);
  const remembering = remember(topology.folder, options.work).then(() => remember(topology.folder, devices));
  await remembering.catch(async (error: unknown) => {
    await topology.close();
    throw error;
  });
  let told: ((t: number, saying: DropRecord | StallRecord) => void) | undefined;
  let links: Links | undefined;
  const attaching = attachLinks({
    wires: topology.wires,
    models: (party, name) => {
      const model = parties[party]?.interfaces[name];
      if (model === undefined) throw new RangeError(`interface: ${party} has none named ${name}`);
      return model;
    },
    seed,
    epoch: monotonicClock().epoch,
    say: (at, drop) => told?.(at, drop),
    driver: options.driver,
    deviceFolder: devices,
    overlays: (party, name) => overlaysOf(scenario, party, name),
    near: (party, name) => topology.near(party, name),
    failed: options.failed,
    ...(options.capture === undefined ? {} : { capture: options.capture }),
  }).then((made) => {
    links = made;
    return made;
  });
  attaching.catch(() => undefined); // told by `ready`
  const accidents: Accident[] = [];
  const detours: Detour[] = [];
  /** Faults that gave interfaces addresses, and the packets sent from those. */
  const given: { readonly fault: number; readonly change: FamilyChange; packets: number }[] = [];
  /** The latest accident of each NAT, from before it takes effect. */
  const latest = new Map<string, number>();
  const deadBy = new Map<string, number>();
  /** What an accident touches: packets that leave otherwise than they would have; of a NAT that forgot, those that open a mapping anew. */
  const befell = async (nat: string, counts: Accident["counts"], fault: number): Promise<void> => {
    const now = await topology.counters(nat);
    for (const one of accidents) if (one.nat === nat) one.to ??= now[one.counts];
    accidents.push({ fault, nat, counts, from: now[counts], to: undefined });
  };
  /** Packets that the party's interfaces other than `name` have sent, as of the links' last settling. */
  const sentElsewhere = (made: Links, party: string, name: string): number =>
    topology.wires.reduce(
      (sum, wire) =>
        wire.party === party && wire.interface !== name ? sum + made.counters(party, wire.interface).up.packets : sum,
      0,
    );
  const clock = { epoch: 0 };
  const refused = (
    where: string,
    nat: string | undefined,
    party: string | undefined,
    { cause, from, to, bytes, fault: named }: Refusal,
  ): void => {
    const dead = party === undefined ? undefined : deadBy.get(party);
    const fault = named ?? dead ?? blame(latest, topology, nat, from, to);
    told?.(monotonicClock(clock.epoch).now(), {
      ev: "drop",
      where,
      cause: dead === undefined || named !== undefined ? cause : "process-down",
      bytes,
      ...(fault === undefined ? {} : { fault }),
    });
  };
  const monitors = [
    ...[...topology.boxes.values()].map(({ plan: { name, namespace } }) =>
      watchRefusals(namespace, (refusal) => refused(`nat ${name}`, name, undefined, refusal)),
    ),
    ...Object.keys(parties).map((party) =>
      watchRefusals(topology.namespaceOf(party), (refusal) => refused(party, undefined, party, refusal)),
    ),
    watchRefusals(topology.plan.internet, (refusal) => refused("internet", undefined, undefined, refusal)),
  ];
  const severed = new Map<string, () => void>();
  return {
    get driver() {
      return links?.driver ?? "none";
    },
    namespaceOf: topology.namespaceOf,
    addressesOf: (party, port) => onePerFamily(topology.hostsOf(party), port),
    ready: async () => {
      await Promise.all([attaching, topology.standBy(scenario.faults), ...monitors.map(({ up }) => up)]);
    },
    begin: (epoch, say) => {
      links?.begin(epoch);
      clock.epoch = epoch;
      told = say;
    },
    rebind: async (nat, fault, other) => {
      latest.set(nat, fault);
      await topology.rebind(nat, other);
      await befell(nat, "out", fault);
    },
    renumber: async (nat, fault) => {
      latest.set(nat, fault);
      await topology.renumber(nat);
      await befell(nat, "out", fault);
      const made = await attaching;
      for (const { party, interface: name } of topology.wires) made.setNear(party, name, topology.near(party, name));
    },
    expire: async (nat, fault) => {
      latest.set(nat, fault);
      await befell(nat, "made", fault);
      await topology.expire(nat);
    },
    block: (nat, box, fault) => topology.block(nat, box, fault),
    partition: (party, other, direction, fault, family) => topology.partition(party, other, direction, fault, family),
    setProcess: (party, fault) => {
      if (fault === undefined) deadBy.delete(party);
      else deadBy.set(party, fault);
    },
    setInterface: async (party, name, up, fault) => {
      const key = `${party}/${name}`;
      const made = await attaching;
      // Severed as well, so that what is under way to it is told as dropped, with the fault. It carries again before the host sees it up, which sends by it at once.
      if (!up) severed.set(key, made.sever(party, name, fault));
      else {
        severed.get(key)?.();
        severed.delete(key);
        await made.settled();
      }
      await topology.setInterface(party, name, up);
      await made.settled();
      const elsewhere = sentElsewhere(made, party, name);
      for (const one of detours) if (one.party === party && one.name === name) one.to ??= elsewhere;
      if (!up) detours.push({ fault, party, name, from: elsewhere, to: undefined });
    },
    setFamilies: async (party, name, families, fault) => {
      const change = await topology.setFamilies(party, name, families, fault);
      given.push({ fault, change, packets: 0 });
      return change.undo;
    },
    prefer: async (party, name, from, fault) => {
      const made = await attaching;
      await made.settled();
      const detour: Detour = { fault, party, name: from, from: sentElsewhere(made, party, from), to: undefined };
      detours.push(detour);
      const undo = await topology.prefer(party, name);
      return async () => {
        await undo();
        await made.settled();
        detour.to ??= sentElsewhere(made, party, from);
      };
    },
    lay: (party, name, direction, overlay, fault) => {
      if (links === undefined) throw new TypeError("lay: the links are not ready");
      return links.lay(party, name, direction, overlay, fault);
    },
    settled: async () => {
      await links?.settled();
      for (const one of accidents) one.to ??= (await topology.counters(one.nat))[one.counts];
      const made = await attaching;
      for (const one of detours) one.to ??= sentElsewhere(made, one.party, one.name);
      for (const one of given) one.packets = await one.change.given();
    },
    touched: (fault) =>
      [...accidents, ...detours].reduce(
        (sum, one) => sum + (one.fault === fault ? Math.max(0, (one.to ?? one.from) - one.from) : 0),
        (links?.touched(fault) ?? 0) + given.reduce((sum, one) => sum + (one.fault === fault ? one.packets : 0), 0),
      ),
    close: async () => {
      await Promise.all(monitors.map((monitor) => monitor.close()));
      await closeBoth(attaching, topology);
    },
  };
}

/**
 * The fault to blame for a refused packet, as in `sim`: the accident that took away the address it was for or, where a filter or another NAT refuses it, the
 * one that gave its sender another address.
 */
function blame(
  latest: ReadonlyMap<string, number>,
  topology: Topology,
  nat: string | undefined,
  from: string,
  to: string,
): number | undefined {
  const boxes = [...topology.boxes.values()];
  const lost = boxes.find((box) => (nat === undefined || box.plan.name === nat) && box.wasLost(to));
  if (lost !== undefined) return latest.get(lost.plan.name);
  const sender = boxes.find((box) => from.startsWith(`${box.host}:`));
  return latest.get(nat ?? "") ?? latest.get(sender?.plan.name ?? "");
}

async function closeBoth(attaching: Promise<Links>, topology: Topology): Promise<void> {
  try {
    await attaching.then(
      (links) => links.close(),
      () => undefined, // it left nothing behind
    );
  } finally {
    await topology.close();
  }
}

/** What the scenario's faults may lay on an interface. */
const overlaysOf = (scenario: Scenario, party: string, name: string): Partial<LinkModel>[] =>
  scenario.faults.flatMap((fault) => {
    if (fault.kind !== "impair" && fault.kind !== "blackout") return [];
    if (fault.target !== party || fault.interface !== name) return [];
    return [fault.kind === "impair" ? fault.link : { loss: 1 }];
  });
