/** The network of a real-time run as the lab and its faults see it: namespaces and NATs of the topology, links of whatever driver the kernel allows. */
import type { DropRecord } from "../impl/base/record.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import type { LinkModel, Scenario } from "../scenarios/expanded.ts";
import type { FaultyNetwork } from "./faults.ts";
import { remember } from "./leftovers.ts";
import { attachLinks } from "./link/attach.ts";
import { deviceFolder } from "./link/emulator.ts";
import type { DriverName, Links } from "./link/links.ts";
import { buildTopology, type Topology } from "./topology.ts";

export type RealNetwork = FaultyNetwork & {
  /** The link driver; `none` before `ready`. */
  readonly driver: string;
  /** Network namespace of a party, as `ip netns` knows it. */
  namespaceOf(party: string): string;
  /** IPv4 address of a party's first interface that is up. */
  addressOf(party: string): string;
  /** Resolves when packets pass. */
  ready(): Promise<void>;
  /** The run has begun at `epoch`, a CLOCK_MONOTONIC microsecond: every drop from now on is told with its instant in the run. */
  begin(epoch: number, drop: (t: number, drop: DropRecord) => void): void;
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
  /** Called when a link driver fails while the run goes on. */
  readonly failed: (error: unknown) => void;
  /** The run's working folder: removed by the next run's start, should this process die before it removes it itself. */
  readonly work: string;
};

/** An accident of a NAT and how many packets it had sent out when it happened, and when the next one did. */
type Accident = { readonly fault: number; readonly nat: string; readonly from: number; to: number | undefined };

/** Builds the topology and begins to attach the links, which `ready` waits for. Rejects with NetnsError; nothing is left behind then. */
export async function openNetwork(options: NetworkOptions): Promise<RealNetwork> {
  const { run, scenario, seed, adopt } = options;
  const { nats, parties } = scenario;
  const topology = await buildTopology({ run, nats, parties, seed, ...(adopt === undefined ? {} : { adopt }) });
  const devices = deviceFolder(run);
  const remembering = remember(topology.folder, options.work).then(() => remember(topology.folder, devices));
  await remembering.catch(async (error: unknown) => {
    await topology.close();
    throw error;
  });
  const attached = monotonicClock();
  let begun: { readonly epoch: number; readonly drop: (t: number, drop: DropRecord) => void } | undefined;
  let links: Links | undefined;
  const attaching = attachLinks({
    wires: topology.wires,
    models: (party, name) => {
      const model = parties[party]?.interfaces[name];
      if (model === undefined) throw new RangeError(`interface: ${party} has none named ${name}`);
      return model;
    },
    seed,
    epoch: attached.epoch,
    say: (at, drop) => begun?.drop(Math.max(0, at + attached.epoch - begun.epoch), drop),
    driver: options.driver,
    deviceFolder: devices,
    overlays: (party, name) => overlaysOf(scenario, party, name),
    near: (party, name) => topology.near(party, name),
    failed: options.failed,
  }).then((made) => {
    links = made;
    return made;
  });
  attaching.catch(() => undefined); // told by `ready`
  const accidents: Accident[] = [];
  const sent = async (nat: string): Promise<number> => (await topology.counters(nat)).out;
  /** Packets that leave from now on leave otherwise than they would have: that is what this accident has touched. */
  const befell = async (nat: string, fault: number): Promise<void> => {
    const from = await sent(nat);
    for (const one of accidents) if (one.nat === nat) one.to ??= from;
    accidents.push({ fault, nat, from, to: undefined });
  };
  const severed = new Map<string, () => void>();
  return {
    get driver() {
      return links?.driver ?? "none";
    },
    namespaceOf: topology.namespaceOf,
    addressOf: topology.addressOf,
    ready: async () => {
      await attaching;
    },
    begin: (epoch, drop) => {
      begun = { epoch, drop };
    },
    rebind: async (nat, fault) => {
      await topology.rebind(nat);
      await befell(nat, fault);
    },
    renumber: async (nat, fault) => {
      await topology.renumber(nat);
      await befell(nat, fault);
      const made = await attaching;
      for (const { party, interface: name } of topology.wires) made.setNear(party, name, topology.near(party, name));
    },
    expire: async (nat, fault) => {
      await topology.expire(nat);
      await befell(nat, fault);
    },
    setInterface: async (party, name, up, fault) => {
      const key = `${party}/${name}`;
      // Severed as well, so that what is under way to it is told as dropped, with the fault.
      if (!up) severed.set(key, (await attaching).sever(party, name, fault));
      await topology.setInterface(party, name, up);
      if (!up) return;
      severed.get(key)?.();
      severed.delete(key);
    },
    lay: (party, name, direction, overlay, fault) => {
      if (links === undefined) throw new TypeError("lay: the links are not ready");
      return links.lay(party, name, direction, overlay, fault);
    },
    settled: async () => {
      await links?.settled();
      for (const one of accidents) one.to ??= await sent(one.nat);
    },
    touched: (fault) =>
      accidents.reduce((sum, one) => sum + (one.fault === fault ? Math.max(0, (one.to ?? one.from) - one.from) : 0), 0) +
      (links?.touched(fault) ?? 0),
    close: () => closeBoth(attaching, topology),
  };
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
