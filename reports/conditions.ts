/** What the faults of a scenario did, next to what was asked: applied and healed instants, and the traces they left in the log. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import type { Condition, Observed } from "./result.ts";
import { rounded } from "./statistic.ts";

/** A laboratory may log what a process does just before it logs the fault as applied. chosen: one scheduling delay. */
const EARLY_MICROS = 50_000;

/**
 * One condition per fault of the scenario, in its order. `atMs` is null for a triggered fault and `appliedMs` for one that never
 * happened. `observed` holds only traces that are there: an empty object is a fault nobody noticed.
 */
export function measureConditions(records: readonly LogRecord[], scenario: Scenario): Condition[] {
  const dropped = new Map<number, number>();
  const touched = new Map<number, Map<string, number>>();
  const instants = scenario.faults.map(() => ({}) as { applied?: number; healed?: number; queuedUntil?: number; label?: string });
  for (const record of records) {
    if (record.ev === "drop" && record.fault !== undefined) dropped.set(record.fault, (dropped.get(record.fault) ?? 0) + 1);
    else if (record.ev === "touched") {
      const kinds = touched.get(record.fault) ?? new Map<string, number>();
      touched.set(record.fault, kinds.set(record.what, (kinds.get(record.what) ?? 0) + record.packets));
    } else if (record.ev === "fault") {
      const own = instants[record.fault];
      if (own === undefined) continue;
      if (record.state === "applied") {
        own.applied ??= record.t;
        own.label ??= record.label;
      } else {
        own.healed ??= record.t;
        if (record.queuedUntil !== undefined) own.queuedUntil ??= record.queuedUntil;
      }
    }
  }
  return scenario.faults.map((fault, index) => {
    const { applied, healed, queuedUntil, label } = instants[index] ?? {};
    const kinds = touched.get(index);
    const drops = dropped.get(index) ?? 0;
    return {
      fault: label ?? describeFault(fault),
      atMs: "at" in fault.when ? rounded(fault.when.at / 1_000, 3) : null,
      appliedMs: applied === undefined ? null : rounded(applied / 1_000, 3),
      healedMs: healed === undefined ? null : rounded(healed / 1_000, 3),
      observed: {
        ...(drops > 0 ? { packetsDropped: drops } : {}),
        ...(kinds === undefined || sum(kinds) === 0 ? {} : { packetsTouched: sum(kinds), touched: Object.fromEntries(kinds) }),
        ...(queuedUntil === undefined ? {} : { queuedUntilMs: rounded(queuedUntil / 1_000, 3) }),
        ...(applied === undefined ? {} : processTraces(records, fault, applied, healed ?? Number.POSITIVE_INFINITY)),
      },
    };
  });
}

/** What a reader calls a fault that the log has no label for. */
function describeFault(fault: Fault): string {
  const place = "interface" in fault ? `${fault.target}/${fault.interface}` : fault.target;
  return "direction" in fault && fault.direction !== "both"
    ? `${fault.kind} ${place} ${fault.direction}`
    : `${fault.kind} ${place}`;
}

/** Whether a fault left any trace. */
export const leftTrace = (observed: Observed): boolean => Object.keys(observed).length > 0;

function processTraces(records: readonly LogRecord[], fault: Fault, applied: number, healed: number): Observed {
  if (fault.kind !== "kill" && fault.kind !== "pause" && fault.kind !== "starve" && fault.kind !== "drain") return {};
  const seen = (state: string, until: number): boolean =>
    records.some(
      (record) =>
        record.ev === "process" &&
        record.who === fault.target &&
        record.state === state &&
        record.t >= applied - EARLY_MICROS &&
        record.t <= until,
    );
  const [done, undone] = {
    pause: ["paused", "resumed"] as const,
    starve: ["paused", "resumed"] as const,
    kill: ["killed", "started"] as const,
    drain: ["exited", "started"] as const,
  }[fault.kind];
  if (!seen(done, healed)) return {};
  const back = healed !== Number.POSITIVE_INFINITY && seen(undone, Number.POSITIVE_INFINITY);
  if (fault.kind === "pause" || fault.kind === "starve")
    return { processPaused: true, ...(back ? { processResumed: true } : {}) };
  if (fault.kind === "drain") return { processDrained: true, ...(back ? { processRestarted: true } : {}) };
  return { processKilled: true, ...(back ? { processRestarted: true } : {}) };
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, n) => total + n, 0);
