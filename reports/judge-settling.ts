/**
 * The liveness oracle: once every fault is healed and some time has passed, the system is well again and stays so. It asks
 * nothing of the time before, and nothing of calls that are over.
 */
import type { OracleParameters } from "../scenarios/oracles.ts";
import type { CallStep, LoggedCall } from "./call-log.ts";
import { broken, type Finding, held, inconclusive, instant, inTime, together } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { FRAME_MICROS, gapsOf, isGap } from "./playout.ts";
import { healOf } from "./recovery.ts";
import { isRegistered, standingsOf } from "./signal.ts";

/** chosen: far above what any link profile but the one below does to a call that works, far below what a person waits for. */
const SILENCE_MICROS = 2_000_000;

/**
 * Packets that a link's trace loses in a row from which it may keep voice back for longer. A trace counts packets, not time: where the congestion window is full nothing leaves but two
 * probes a timeout, each twice the last (RFC 9002 section 6.2), so a hand-over of 13 packets of voice (`lte-move`: 250 ms at 50 a second) may take seconds. chosen: what four timeouts
 * send, 1.5 s on that link, whose first was 101 ms where `explore` met it.
 */
const HAND_OVER = 8;
/** The silence allowed there. chosen: five timeouts, 3.1 s, and two for what bursts lose of the probes and of their answers; `explore` met 2.8 s, at the end of which the run was over. */
const HAND_OVER_SILENCE_MICROS = 5_000_000;

/** chosen: a link that loses a few packets in a row makes a client doubt its relay for a second; a handshake given up takes four. */
const DOUBT_MICROS = 5_000_000;

/**
 * Time after the last heal by which everything is well again. chosen: a handshake given up after 4 s, then the longest wait that the
 * supervisor's backoff reaches in outages of some seconds, 15 s, and a second for the new handshake.
 */
export const SETTLE = 20_000_000;
/** The same where a client was killed, or hung up in an outage. chosen: its session idles out after 30 s, then the relay keeps its call for 60 s. */
export const SETTLE_AFTER_CLIENT = 100_000_000;

/** Registered, of one mind about calls, and audible, from `within` after the last heal to the end of the scenario. */
export function settles(evidence: Evidence, { within }: OracleParameters["settles"]): Finding {
  const healed = lastHeal(evidence);
  if (typeof healed === "string") return inconclusive(`${healed} was never healed`);
  const from = healed + within;
  const to = evidence.scenario.duration;
  if (from >= to) return inconclusive(`the run ended before ${instant(from)}, ${inTime(within)} after the last heal`);
  return together(
    wellFrom(evidence, from, to, audible),
    `limit ${inTime(within)} after the last heal at ${instant(healed)}`,
    "the scenario has no clients",
  );
}

/** Faults with nothing to undo. */
const STRIKES_ONCE: ReadonlySet<string> = new Set(["rebind", "renumber", "expire"]);

/** The same for every run long enough to say, with a budget that fits any; on links that lose much, sound may be long in coming. */
export function wellInTheEnd(evidence: Evidence): Finding {
  const { scenario } = evidence;
  const lasting = scenario.faults.findIndex((one) => one.for === null && !STRIKES_ONCE.has(one.kind));
  if (lasting !== -1) return held(`not judged: ${evidence.conditions[lasting]?.fault ?? "a fault"} stays`);
  const healed = lastHeal(evidence);
  if (typeof healed === "string") return held(`not judged: ${healed} was never healed`);
  const isClientKilled = scenario.faults.some((one) => one.kind === "kill" && scenario.parties[one.target]?.role === "client");
  const isHungUp =
    scenario.calls.some((call) => call.hangUpAt !== null) || (scenario.actions ?? []).some(({ does }) => does !== "register");
  const from = healed + (isClientKilled || isHungUp ? SETTLE_AFTER_CLIENT : SETTLE);
  const to = scenario.duration;
  if (from >= to) return held(`not judged: the run ended before ${instant(from)}`);
  const findings = wellFrom(evidence, from, to, audibleAtAll);
  return findings.length === 0 ? held("the scenario has no clients") : together(findings);
}

/**
 * Instant of the last heal (0: no fault), the last queue it left behind and the last change of relay a user wanted included, or the fault that was never
 * healed. A fault that never happened needs none.
 */
export function lastHeal({ scenario, conditions }: Evidence): number | string {
  let healed = Math.max(0, ...(scenario.actions ?? []).map(({ when }) => ("at" in when ? when.at : 0)));
  for (const [index, condition] of conditions.entries()) {
    const fault = scenario.faults[index];
    const heal = fault === undefined ? undefined : healOf(condition, fault);
    if (heal === undefined || fault === undefined) continue;
    if (fault.for !== null && condition.healedMs === null) return condition.fault;
    healed = Math.max(healed, heal, 1_000 * (condition.observed.queuedUntilMs ?? 0));
  }
  return healed;
}

type Hearing = (evidence: Evidence, call: LoggedCall, party: string, from: number, to: number) => Finding;

const wellFrom = (evidence: Evidence, from: number, to: number, hears: Hearing): readonly Finding[] => [
  ...evidence.clients.map((party) => registered(evidence, party, from, to)),
  ...evidence.calls.flatMap((call) => agreed(evidence, call, from, to, hears)),
  ...alone(evidence, from, to),
];

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

function agreed(evidence: Evidence, call: LoggedCall, from: number, to: number, hears: Hearing): Finding[] {
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
  if (up.length < parties.length) return [];
  return up.map((party) => doubting(call, party, from, to) ?? hears(evidence, call, party, from, to));
}

/** A call that goes on without its relay having confirmed it will be given up. */
function doubting(call: LoggedCall, party: string, from: number, to: number): Finding | undefined {
  const steps = call.parties.get(party) ?? [];
  const bad = steps.find((step, index) => {
    const until = Math.min(steps[index + 1]?.t ?? to, to);
    return step.state === "resuming" && until - Math.max(step.t, from) > DOUBT_MICROS;
  });
  return bad === undefined ? undefined : broken(`${party}'s call is not confirmed by its relay`, Math.max(bad.t, from));
}

/** Sessions with relays that clients hold from `from` to `to` beside the registered one, where all are with one relay: a relay that was left is let go. */
function alone(evidence: Evidence, from: number, to: number): Finding[] {
  const { records, clients } = evidence;
  const standing = records.filter((one) => one.ev === "registration" && one.relay !== undefined && clients.includes(one.who));
  const homes = clients.map((party) => standing.findLast((one) => one.who === party && one.t <= from));
  const relays = new Set(standing.flatMap((one) => (one.ev === "registration" ? (one.relay ?? []) : [])));
  const [home] = homes.map((one) => (one?.ev === "registration" ? one.relay : undefined));
  const isTogether = homes.every((one) => one?.ev === "registration" && one.state === "registered" && one.relay === home);
  if (!isTogether || to - from <= DOUBT_MICROS) return [];
  return clients.flatMap((party) => {
    const open = new Set<number>();
    for (const one of records) {
      if (one.who !== party || one.t >= to) continue;
      if (one.ev === "process" && one.state !== "paused" && one.state !== "resumed") open.clear();
      if (one.ev !== "session") continue;
      if (one.state === "closed") open.delete(one.session);
      else if (one.state === "connecting" && one.t < from && one.remote !== home && relays.has(one.remote ?? "0.0.0.0:0"))
        open.add(one.session);
    }
    return open.size === 0 ? [] : [broken(`${party} still holds a session with a relay that it left`, from)];
  });
}

/** Whether a run of more than `HAND_OVER` packets is lost by the trace of any link. */
const handsOver = ({ parties }: Evidence["scenario"]): boolean =>
  Object.values(parties).some(({ interfaces }) =>
    Object.values(interfaces).some(({ up, down }) => longestLoss(up.trace) > HAND_OVER || longestLoss(down.trace) > HAND_OVER),
  );

function longestLoss(trace: readonly number[]): number {
  let longest = 0;
  let run = 0;
  for (const step of trace) {
    run = step === -1 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function audible({ playouts, scenario }: Evidence, call: LoggedCall, party: string, from: number, to: number): Finding {
  const slots = playouts.find((one) => one.call === call.id && one.party === party)?.slots ?? [];
  const after = slots.filter((slot) => slot.at >= from && slot.at < to);
  if (after.every((slot) => isGap(slot.kind)) && to - from > SILENCE_MICROS) return broken(`${party} hears nothing`, from);
  const silence = handsOver(scenario) ? HAND_OVER_SILENCE_MICROS : SILENCE_MICROS;
  const gap = gapsOf(after).find((one) => one.frames * FRAME_MICROS > silence);
  if (gap === undefined) return held(`${party} hears`);
  return broken(`${party} hears nothing for ${inTime(gap.frames * FRAME_MICROS)} from ${instant(gap.at)}`, gap.at);
}

function audibleAtAll({ playouts }: Evidence, call: LoggedCall, party: string, from: number, to: number): Finding {
  const slots = playouts.find((one) => one.call === call.id && one.party === party)?.slots ?? [];
  const isHeard = slots.some((slot) => slot.at >= from && slot.at < to && !isGap(slot.kind));
  return isHeard || to - from <= SILENCE_MICROS ? held(`${party} hears`) : broken(`${party} hears nothing`, from);
}
