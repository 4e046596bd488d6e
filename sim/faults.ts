/** Applies a scenario's faults to the simulated world at their time or trigger, heals them, and says both in the log. */
import { Instant, type Micros } from "../impl/base/units.ts";
import type { Active, SignallingFilter } from "../impl/core/signalling-filter.ts";
import type { Fault, Scenario, Trigger } from "../scenarios/expanded.ts";
import { describeFault } from "../scenarios/fault-label.ts";
import { middleboxOf } from "../scenarios/middlebox.ts";
import type { LabWorld } from "./party-process.ts";
import type { RunLog } from "./run-log.ts";

type Lab = LabWorld & { readonly log: RunLog; readonly processes: ReadonlyMap<string, Faultable> };

/** Faults that keep a process down or still, by what they do and to whom: the last one that lets go undoes it. */
type Holds = Map<string, Set<number>>;

/** A process as faults see it. */
export type Faultable = {
  readonly signalling: SignallingFilter;
  startAgain(): void;
  kill(fault: number): void;
  /** A relay asks its clients to go elsewhere, and exits. */
  drain(within: Micros): void;
  pause(fault: number): void;
  resume(): void;
};

/** Schedules every fault. `finish` says what each has touched; call it when the run is over. */
export function applyFaults(scenario: Scenario, lab: Lab): { finish(): void } {
  const signalling = new Map<number, Active>();
  const holds: Holds = new Map();
  const strike = (fault: Fault, index: number): void => {
    const told = { ev: "fault", fault: index, kind: fault.kind, target: fault.target, label: describeFault(fault) } as const;
    lab.say("lab", { ...told, state: "applied" });
    const undo = apply(lab, fault, index, signalling, holds);
    if (fault.for === null) return;
    lab.kernel.after(fault.for as Micros, () => {
      const queuedUntil = undo();
      lab.say("lab", { ...told, state: "healed", ...(queuedUntil === undefined ? {} : { queuedUntil }) });
    });
  };
  for (const [index, fault] of scenario.faults.entries()) whenDue(lab, fault.when, () => strike(fault, index));
  return {
    finish: () =>
      scenario.faults.forEach((fault, index) => {
        const packets = (signalling.get(index)?.touched ?? 0) + lab.network.touched(index);
        if (packets > 0) lab.say("net", { ev: "touched", fault: index, what: fault.kind, packets });
      }),
  };
}

/** Undoes a fault; when it leaves a queue behind, tells when that will be empty. */
type Undo = () => Instant | undefined;

const nothing: Undo = () => undefined;

/** Does `action` at its time or trigger. */
export function whenDue({ kernel, log }: Pick<Lab, "kernel" | "log">, when: Trigger, action: () => void): void {
  if ("at" in when) return kernel.post(Instant(when.at), action);
  log.watch(when.after.match, when.after.nth, () => kernel.after(when.after.delay as Micros, action));
}

/** Lets fault `index` hold its target in a state; the returned function lets go and undoes it when nobody else holds it. */
function hold(holds: Holds, state: "down" | "still", target: string, index: number, undo: () => void): Undo {
  const name = `${state} ${target}`;
  const holders = holds.get(name) ?? new Set<number>();
  holds.set(name, holders.add(index));
  return () => {
    if (holders.delete(index) && holders.size === 0) undo();
    return undefined;
  };
}

function apply(lab: Lab, fault: Fault, index: number, signalling: Map<number, Active>, holds: Holds): Undo {
  const { network } = lab;
  const process = lab.processes.get(fault.target);
  switch (fault.kind) {
    case "kill":
      process?.kill(index);
      return hold(holds, "down", fault.target, index, () => process?.startAgain());
    case "drain":
      process?.drain(fault.within as Micros);
      return hold(holds, "down", fault.target, index, () => process?.startAgain());
    case "partition":
      return network.partition(fault.target, fault.other, fault.direction, index, fault.family);
    case "pause":
      process?.pause(index);
      return hold(holds, "still", fault.target, index, () => process?.resume());
    case "starve":
      return starve(lab, fault, index, holds);
    case "rebind":
      network.rebind(fault.target, index, fault.other);
      return nothing;
    case "renumber":
      network.renumber(fault.target, index);
      return nothing;
    case "expire":
      network.expire(fault.target, index);
      return nothing;
    case "block-udp":
    case "block-quic":
    case "late-kill":
      return network.block(fault.target, middleboxOf(fault), index);
    case "interface-down":
      network.setInterface(fault.target, fault.interface, false, index);
      return () => {
        network.setInterface(fault.target, fault.interface, true, index);
        return undefined;
      };
    case "families":
      return network.setFamilies(fault.target, fault.interface, fault.families, index);
    case "roam":
      return roam(lab, fault, index);
    case "impair":
      return network.impair(fault.target, fault.interface, fault.direction, fault.link, index);
    case "blackout":
      return network.impair(fault.target, fault.interface, fault.direction, { loss: 1 }, index);
    case "signalling": {
      const stream = lab.randomness.stream(`signalling/${index}`);
      const active: Active = { direction: fault.direction, effect: fault.effect, stream, touched: 0 };
      signalling.set(index, active);
      const lift = process?.signalling.lay(active);
      return () => {
        lift?.();
        return undefined;
      };
    }
  }
}

/** Pauses the process for the rest of every turn, as the fault `pause` does, which may hold it at the same time; the returned function ends that. */
function starve({ kernel, processes }: Lab, fault: Fault & { readonly kind: "starve" }, index: number, holds: Holds): Undo {
  const { target } = fault;
  const process = processes.get(target);
  const still = Math.round(fault.every * (1 - fault.share));
  let isOver = false;
  let release = nothing;
  const turn = (): void => {
    if (isOver) return;
    process?.pause(index);
    release = hold(holds, "still", target, index, () => process?.resume());
    kernel.after(still as Micros, release);
    kernel.after(fault.every as Micros, turn);
  };
  turn();
  return () => {
    isOver = true;
    return release();
  };
}

/** Moves the traffic; the returned function moves it back, also when it is still on its way. */
function roam({ network, kernel }: Lab, fault: Fault & { readonly kind: "roam" }, index: number): () => undefined {
  const { target, from, to, overlap, gap } = fault;
  let isOver = false;
  let unprefer = (): void => undefined;
  const later = (length: number, action: () => void): void =>
    kernel.post(Instant.after(kernel.now, length as Micros), () => {
      if (!isOver) action();
    });
  if (overlap > 0) {
    unprefer = network.prefer(target, to, index);
    later(overlap, () => network.setInterface(target, from, false, index));
  } else {
    if (gap > 0) {
      network.setInterface(target, to, false, index);
      later(gap, () => network.setInterface(target, to, true, index));
    }
    network.setInterface(target, from, false, index);
  }
  return () => {
    isOver = true;
    network.setInterface(target, from, true, index);
    unprefer();
    return undefined;
  };
}
