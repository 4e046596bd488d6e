/** The stretches in which a client had lost its registration, each with the heal from which its return is counted. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Fault } from "../scenarios/expanded.ts";
import { healOf } from "./recovery.ts";
import type { Condition } from "./result.ts";
import { isRegistered, standingsOf } from "./signal.ts";

/**
 * Not registered from `from` to `to` (microseconds). `since` is the latest heal of the faults applied by `to`, or `from` where
 * there is none; a loss noticed only after the heal still counts from the heal. `isRestored`: it ended with a registration.
 */
export type RegistrationLoss = {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly isRestored: boolean;
};

/** What lossesOf needs to know of a run. */
type Run = {
  readonly records: readonly LogRecord[];
  readonly runEnd: number;
  readonly conditions: readonly Condition[];
  readonly scenario: { readonly faults: readonly Fault[] };
};

/** A client's losses after its first registration, in order. */
export function lossesOf({ records, runEnd, conditions, scenario }: Run, party: string): RegistrationLoss[] {
  const standings = standingsOf(records, party, runEnd);
  const first = standings.findIndex((standing) => standing.state === "registered");
  const out: RegistrationLoss[] = [];
  let from: number | undefined;
  for (const standing of first === -1 ? [] : standings.slice(first)) {
    if (!isRegistered(standing.state)) {
      from ??= standing.from;
      continue;
    }
    if (from !== undefined && !isToldToBeIdle(from, standing.from))
      out.push(loss(from, standing.from, standing.state === "registered"));
    from = undefined;
  }
  if (from !== undefined) out.push(loss(from, runEnd, false));
  return out;

  /** By an action of the scenario, and so with nothing to regain. */
  function isToldToBeIdle(since: number, until: number): boolean {
    return records.some(
      ({ t, who, ...one }) => one.ev === "action" && one.does === "deregister" && who === party && t >= since && t <= until,
    );
  }

  function loss(start: number, to: number, isRestored: boolean): RegistrationLoss {
    const heals = conditions.flatMap((condition, index) => {
      const fault = scenario.faults[index];
      const heal = fault === undefined ? undefined : healOf(condition, fault);
      return heal !== undefined && (condition.appliedMs ?? 0) * 1_000 <= to ? [heal] : [];
    });
    return { from: start, to, since: heals.length === 0 ? start : Math.max(...heals), isRestored };
  }
}
