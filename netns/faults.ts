/** Does a scenario's faults to real processes and a real network at their time or trigger, heals them, and says both in the log. */
import type { AddressFamily } from "../impl/base/address.ts";
import type { Saying } from "../impl/base/record.ts";
import type { Instant } from "../impl/base/units.ts";
import type { RelayTarget } from "../impl/core/supervisor.ts";
import type { Direction, Fault, LinkModel, Scenario, Trigger } from "../scenarios/expanded.ts";
import { describeFault } from "../scenarios/fault-label.ts";
import { type Middlebox, middleboxOf } from "../scenarios/middlebox.ts";
import type { LabParty } from "./lab-party.ts";
import type { MergedLog } from "./merged-log.ts";
import type { RunClock } from "./run-clock.ts";

/** The network as faults see it. */
export type FaultyNetwork = {
  /** All mappings, or those for flows to `other`. */
  rebind(nat: string, fault: number, other?: string): Promise<void>;
  renumber(nat: string, fault: number): Promise<void>;
  expire(nat: string, fault: number): Promise<void>;
  /** Puts a middlebox at the NAT; the returned function ends that. */
  block(nat: string, box: Middlebox, fault: number): Promise<() => Promise<void>>;
  /** Lets nothing pass between two parties, or nothing of one family, or only in one direction; the returned function ends that. */
  partition(
    party: string,
    other: string,
    direction: Direction,
    fault: number,
    family?: AddressFamily,
  ): Promise<() => Promise<void>>;
  setInterface(party: string, name: string, up: boolean, fault: number): Promise<void>;
  /** Has an interface have addresses of these families; the returned function gives it those it had. */
  setFamilies(party: string, name: string, families: readonly AddressFamily[], fault: number): Promise<() => Promise<void>>;
  /** The party's traffic leaves by the interface `name` instead of `from`; the returned function ends that. */
  prefer(party: string, name: string, from: string, fault: number): Promise<() => Promise<void>>;
  /** The party's process is dead by `fault`: what comes for it from now on is lost to that; undefined: it is about to be there again. */
  setProcess(party: string, deadBy: number | undefined): void;
  /** Lays `overlay` over an interface's links; the returned function takes it off. */
  lay(party: string, name: string, direction: Direction, overlay: Partial<LinkModel>, fault: number): () => void;
  /** Packets that the fault altered without dropping them. */
  touched(fault: number): number;
};

export type FaultyLab = {
  readonly seed: number;
  readonly clock: RunClock;
  readonly epoch: number;
  readonly log: MergedLog;
  readonly network: FaultyNetwork;
  readonly parties: ReadonlyMap<string, LabParty>;
  /** Where clients of this relay could go: the other ones. */
  refugesFrom(relay: string): readonly RelayTarget[];
  /** The party was killed and is up again: a client goes where its user wants it to be. */
  again(party: string): void;
  /** Messages altered by signalling faults, as parties tell. */
  readonly messages: ReadonlyMap<number, number>;
  say(who: string, saying: Saying): void;
  /** The machine refused what a fault asked of it. */
  fail(error: unknown): void;
};

/** Faults that are armed. */
export type ArmedFaults = {
  /** Resolves when what has been begun is done. */
  settled(): Promise<void>;
  /** Says what each has touched. */
  finish(): void;
  /** Does a fault now that the scenario does not know; it takes the next number, and `at` becomes this instant. */
  inject(fault: Fault): void;
  /** What was injected, in order: the faults that follow the scenario's own. */
  readonly injected: readonly Fault[];
};

/** Arms every fault. */
export function armFaults(scenario: Scenario, lab: FaultyLab): ArmedFaults {
  /** By target, one after the other: two changes of one NAT must not run through each other, and a slow one keeps nobody else's waiting. */
  const work = new Map<string, Promise<void>>();
  const enqueue = ({ target }: Fault, action: () => Promise<void> | void): void => {
    const before = work.get(target) ?? Promise.resolve();
    work.set(
      target,
      before.then(action).catch((error: unknown) => lab.fail(error)),
    );
  };
  const holds = new Map<string, number>();
  const strike = (fault: Fault, index: number, onStruck?: (at: Instant) => void): void =>
    enqueue(fault, async () => {
      const told = { ev: "fault", fault: index, kind: fault.kind, target: fault.target, label: describeFault(fault) } as const;
      const struck = lab.clock.now();
      lab.log.say(struck, "lab", { ...told, state: "applied" });
      onStruck?.(struck);
      const kills = scenario.faults.filter((one, i) => i >= index && one.kind === "kill" && one.target === fault.target);
      const ahead = Math.max(1, Math.min(MOST_AHEAD, kills.length));
      const undo = await apply(lab, fault, index, holds, ahead, (length, action) =>
        lab.clock.at(struck + length, () => enqueue(fault, action)),
      );
      if (fault.for === null) return;
      lab.clock.at(struck + fault.for, () =>
        enqueue(fault, async () => {
          await undo();
          lab.say("lab", { ...told, state: "healed" });
        }),
      );
    });
  for (const [index, fault] of scenario.faults.entries()) whenDue(lab, fault.when, () => strike(fault, index));
  const injected: Fault[] = [];
  return {
    injected,
    inject: (fault) => {
      const order = injected.push(fault) - 1;
      strike(fault, scenario.faults.length + order, (at) => {
        injected[order] = { ...fault, when: { at } };
      });
    },
    settled: async () => {
      await Promise.all(work.values());
    },
    finish: () =>
      [...scenario.faults, ...injected].forEach((fault, index) => {
        const packets = (lab.messages.get(index) ?? 0) + lab.network.touched(index);
        if (packets > 0) lab.say("net", { ev: "touched", fault: index, what: fault.kind, packets });
      }),
  };
}

/** Does `action` at its time or trigger. */
export function whenDue({ clock, log }: Pick<FaultyLab, "clock" | "log">, when: Trigger, action: () => void): void {
  if ("at" in when) clock.at(when.at, action);
  else log.watch(when.after.match, when.after.nth, (at) => clock.at(at + when.after.delay, action));
}

type Undo = () => Promise<void> | void;
const nothing: Undo = () => undefined;

/** Does `action` that long after the fault has struck, in its turn. */
type Later = (length: number, action: () => Promise<void>) => void;

/**
 * Processes to have ready beside the one that takes the place of a killed one. chosen: with kills every few seconds each has three of them to load in, on a machine
 * that has other work.
 */
const MOST_AHEAD = 3;

/** `ahead`: processes that the target's kills from this one on will need, as far as one looks. */
async function apply(
  lab: FaultyLab,
  fault: Fault,
  index: number,
  holds: Map<string, number>,
  ahead: number,
  later: Later,
): Promise<Undo> {
  const { network } = lab;
  const party = lab.parties.get(fault.target);
  switch (fault.kind) {
    case "kill":
      await party?.kill();
      network.setProcess(fault.target, index);
      // They are there already unless kills are many; when one fails to come up, the party says so itself.
      if (fault.for !== null) void party?.standBy(ahead);
      return held(holds, "down", fault.target, async () => {
        network.setProcess(fault.target, undefined);
        await party?.start(lab.epoch);
        await party?.started();
        lab.again(fault.target);
      });
    case "drain":
      party?.order({ type: "drain", withinMs: fault.within / 1_000, refuges: lab.refugesFrom(fault.target) });
      // Before it exits nothing is refused, so this blames nothing.
      network.setProcess(fault.target, index);
      if (fault.for !== null) void party?.standBy(1);
      return held(holds, "down", fault.target, async () => {
        await party?.gone();
        network.setProcess(fault.target, undefined);
        await party?.start(lab.epoch);
      });
    case "partition":
      return network.partition(fault.target, fault.other, fault.direction, index, fault.family);
    case "pause":
      return standStill(lab, holds, fault.target);
    case "starve":
      return party?.takeTurns(Math.round(fault.every * (1 - fault.share)), fault.every) ?? nothing;
    case "rebind":
      await network.rebind(fault.target, index, fault.other);
      return nothing;
    case "renumber":
      await network.renumber(fault.target, index);
      return nothing;
    case "expire":
      await network.expire(fault.target, index);
      return nothing;
    case "block-udp":
    case "block-quic":
    case "late-kill":
      return network.block(fault.target, middleboxOf(fault), index);
    case "interface-down": {
      const { hold } = holder(lab, holds, fault.target, index);
      await hold(fault.interface, 1);
      return () => hold(fault.interface, -1);
    }
    case "families":
      return network.setFamilies(fault.target, fault.interface, fault.families, index);
    case "roam":
      return roam(lab, fault, index, holder(lab, holds, fault.target, index), later);
    case "impair":
      return network.lay(fault.target, fault.interface, fault.direction, fault.link, index);
    case "blackout":
      return network.lay(fault.target, fault.interface, fault.direction, { loss: 1 }, index);
    case "signalling": {
      const { direction, effect } = fault;
      party?.order({ type: "disturb", fault: index, seed: lab.seed, direction, effect });
      return () => party?.order({ type: "calm", fault: index });
    }
  }
}

/** One more fault holds its target in a state; the returned function lets go (once; later calls do nothing) and undoes it when nobody else holds it. */
function held(holds: Map<string, number>, state: "down" | "still", target: string, undo: Undo): Undo {
  const key = `${state} ${target}`;
  holds.set(key, (holds.get(key) ?? 0) + 1);
  let isHeld = true;
  return () => {
    if (!isHeld) return undefined;
    isHeld = false;
    const left = (holds.get(key) ?? 0) - 1;
    holds.set(key, left);
    return left === 0 ? undo() : undefined;
  };
}

function standStill({ parties }: FaultyLab, holds: Map<string, number>, target: string): Undo {
  parties.get(target)?.pause();
  return held(holds, "still", target, () => parties.get(target)?.resume());
}

type Holder = { readonly held: ReadonlySet<string>; hold(name: string, change: 1 | -1): Promise<void> };

/** Several faults may hold an interface down: it is up again when the last lets go. */
function holder(lab: FaultyLab, holds: Map<string, number>, target: string, index: number): Holder {
  const held = new Set<string>();
  return {
    held,
    hold: async (name, change) => {
      const key = `${target}/${name}`;
      const before = holds.get(key) ?? 0;
      holds.set(key, before + change);
      if (change === 1) held.add(name);
      else held.delete(name);
      if (before === 0 || before + change === 0) await lab.network.setInterface(target, name, change === -1, index);
    },
  };
}

/** Moves the traffic; what is returned moves it back, also when it is still on its way. */
async function roam(
  { network }: FaultyLab,
  fault: Fault & { readonly kind: "roam" },
  index: number,
  { held, hold }: Holder,
  later: Later,
): Promise<Undo> {
  const { target, from, to, overlap, gap } = fault;
  let isOver = false;
  let unprefer: Undo = nothing;
  if (overlap > 0) {
    unprefer = await network.prefer(target, to, from, index);
    later(overlap, async () => {
      if (!isOver) await hold(from, 1);
    });
  } else {
    if (gap > 0)
      later(gap, async () => {
        if (!isOver && held.has(to)) await hold(to, -1);
      });
    // Both at the same time: until the first is down the client would notice what no scenario asks for.
    await Promise.all([...(gap > 0 ? [hold(to, 1)] : []), hold(from, 1)]);
  }
  return async () => {
    isOver = true;
    for (const name of [...held]) await hold(name, -1);
    await unprefer();
  };
}
