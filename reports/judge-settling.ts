/**
 * The liveness oracle: once every fault is healed and some time has passed, the system is well again and stays so. It asks
 * nothing of the time before, and nothing of calls that are over.
 */
import type { OracleParameters } from "../scenarios/oracles.ts";
import type { CallStep, LoggedCall } from "./call-log.ts";
import { broken, type Finding, held, inconclusive, instant, inTime, together } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { FRAME_MICROS, gapsOf, isSource } from "./playout.ts";
import { healOf } from "./recovery.ts";
import { isRegistered, standingsOf } from "./signal.ts";

/** chosen: far above what any link profile does to a call that works, far below what a person waits for. */
const SILENCE_MICROS = 2_000_000;

/** chosen: a link that loses a few packets in a row makes a client doubt its relay for a second; a handshake given up takes four. */
const DOUBT_MICROS = 5_000_000;

/** Registered, of one mind about calls, and audible, from `within` after the last heal to the end of the scenario. */
export function settles(evidence: Evidence, { within }: OracleParameters["settles"]): Finding {
  const { scenario, conditions, clients, calls } = evidence;
  let healed = 0;
  for (const [index, condition] of conditions.entries()) {
    const fault = scenario.faults[index];
    const heal = fault === undefined ? undefined : healOf(condition, fault);
    if (heal === undefined || fault === undefined) continue;
    if (fault.for !== null && condition.healedMs === null) return inconclusive(`${condition.fault} was never healed`);
    healed = Math.max(healed, heal);
  }
  const from = healed + within;
  const to = scenario.duration;
  if (from >= to) return inconclusive(`the run ended before ${instant(from)}, ${inTime(within)} after the last heal`);
  const findings = [
    ...clients.map((party) => registered(evidence, party, from, to)),
    ...calls.flatMap((call) => agreed(evidence, call, from, to)),
  ];
  return together(findings, `limit ${inTime(within)} after the last heal at ${instant(healed)}`, "the scenario has no clients");
}

function registered({ records, runEnd }: Evidence, party: string, from: number, to: number): Finding {
  const bad = standingsOf(records, party, runEnd).find(
    (one) => Math.min(one.to, to) - Math.max(one.from, from) > DOUBT_MICROS && one.state !== "dead" && !isRegistered(one.state),
  );
  return bad === undefined
    ? held(`${party} registered`)
    : broken(`${party} ${bad.state} at ${instant(Math.max(from, bad.from))}`, Math.max(from, bad.from));
}

/** What a party knows of a call from `from` to `to`: it is up all the time, or never, or it changes meanwhile. */
function standing(steps: readonly CallStep[], from: number, to: number): "up" | "down" | "changing" {
  const isUp = (step: CallStep | undefined): boolean =>
    step?.state === "active" || step?.state === "resuming" || step?.state === "resumed";
  const before = steps.findLast((step) => step.t <= from);
  const during = steps.filter((step) => step.t > from && step.t < to);
  if (during.some((step) => isUp(step) !== isUp(before))) return "changing";
  return isUp(before) ? "up" : "down";
}

/** Instant after which nothing a party logged of the call counts: its process died. */
const deathOf = ({ records }: Evidence, party: string, before: number): number =>
  records.findLast((one) => one.who === party && one.ev === "process" && one.state === "killed" && one.t < before)?.t ?? -1;

function agreed(evidence: Evidence, call: LoggedCall, from: number, to: number): Finding[] {
  const plan = call.plan === undefined ? undefined : evidence.scenario.calls[call.plan];
  const parties = plan === undefined ? [...call.parties.keys()] : [plan.caller, plan.callee];
  const standings = parties.map((party) => {
    const death = deathOf(evidence, party, from);
    const steps = (call.parties.get(party) ?? []).filter((step) => step.t > death);
    return { party, at: standing(steps, from, to) };
  });
  const up = standings.filter((one) => one.at === "up").map((one) => one.party);
  const down = standings.filter((one) => one.at === "down").map((one) => one.party);
  if (up.length > 0 && down.length > 0) return [broken(`the call is up at ${up.join()} and not at ${down.join()}`, from)];
  return up.length < parties.length ? [] : up.map((party) => audible(evidence, call, party, from, to));
}

function audible({ playouts }: Evidence, call: LoggedCall, party: string, from: number, to: number): Finding {
  const slots = playouts.find((one) => one.call === call.id && one.party === party)?.slots ?? [];
  const after = slots.filter((slot) => slot.at >= from && slot.at < to);
  if (!after.some((slot) => isSource(slot.kind)) && to - from > SILENCE_MICROS) return broken(`${party} hears nothing`, from);
  const gap = gapsOf(after).find((one) => one.frames * FRAME_MICROS > SILENCE_MICROS);
  if (gap === undefined) return held(`${party} hears`);
  return broken(`${party} hears nothing for ${inTime(gap.frames * FRAME_MICROS)} from ${instant(gap.at)}`, gap.at);
}
