/** Oracles about where clients are registered: that they do as they are told, and that of two with one identity one gives way. */
import type { ActionRecord, RegistrationRecord } from "../impl/base/record.ts";
import type { OracleParameters } from "../scenarios/oracles.ts";
import { broken, type Finding, held, inconclusive, instant, inTime, together } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { healOf } from "./recovery.ts";

type Told = ActionRecord & { readonly t: number; readonly who: string };
type Stood = RegistrationRecord & { readonly t: number };

/** Each client is with the relay its last action names, or idle. An action that another overtakes within the limit is judged by that one. */
export function asTold(evidence: Evidence, { within }: OracleParameters["as-told"]): Finding {
  const { records, scenario } = evidence;
  const told = records.filter((record): record is Told => record.ev === "action" && record.does !== "hang-up");
  const findings = (scenario.actions ?? []).flatMap((action, index) => {
    if (action.does === "hang-up") return [];
    const own = told.find((one) => one.action === index);
    if (own === undefined) return [inconclusive(`${action.party} was never told to ${action.does}`)];
    const next = told.find((one) => one.who === own.who && (one.t > own.t || (one.t === own.t && one.action > index)));
    const before = told.findLast((one) => one.who === own.who && (one.t < own.t || (one.t === own.t && one.action < index)));
    const until = Math.min(next?.t ?? scenario.duration, scenario.duration);
    return [own.does === "deregister" ? staysIdle(evidence, own, until) : moves(evidence, own, before, until, within)];
  });
  return together(findings, `limit ${inTime(within)}`, "nobody is told anything");
}

const standingsOf = ({ records }: Evidence, party: string, until: number): Stood[] =>
  records.filter((one): one is Stood & typeof one => one.ev === "registration" && one.who === party && one.t <= until);

const connectsWithin = ({ records }: Evidence, party: string, from: number, to: number): number | undefined =>
  records.find((one) => one.ev === "session" && one.who === party && one.state === "connecting" && one.t > from && one.t < to)?.t;

function staysIdle(evidence: Evidence, told: Told, until: number): Finding {
  const last = standingsOf(evidence, told.who, until - 1).at(-1);
  if (last !== undefined && last.state !== "idle")
    return broken(`${told.who} was told to be idle and is ${last.state}`, Math.max(last.t, told.t));
  const at = connectsWithin(evidence, told.who, told.t, until);
  return at === undefined
    ? held(`${told.who} idle from ${instant(told.t)}`)
    : broken(`${told.who} connects though it is to be idle`, at);
}

function moves(evidence: Evidence, told: Told, before: Told | undefined, until: number, within: number): Finding {
  const relay = told.relay ?? "";
  const isThere = (one: Stood | undefined): boolean => one?.state === "registered" && one.relay === told.address;
  // On a real kernel it may have yet to hear what it was told just before.
  const following = standingsOf(evidence, told.who, until).find((one) => one.t >= told.t)?.relay;
  const isAboutToLeave = following !== undefined && following !== told.address && following === before?.address;
  if (isThere(standingsOf(evidence, told.who, told.t).at(-1)) && !isAboutToLeave) return staysThere(evidence, told, until);
  const at = standingsOf(evidence, told.who, until).find((one) => one.t >= told.t && isThere(one))?.t;
  const heals = evidence.conditions.flatMap((condition, index) => {
    const fault = evidence.scenario.faults[index];
    const heal = fault === undefined ? undefined : healOf(condition, fault);
    return heal === undefined || (condition.appliedMs ?? 0) * 1_000 > (at ?? until) ? [] : [heal];
  });
  const since = Math.max(told.t, ...heals.filter((heal) => heal <= (at ?? until)));
  // A fault that strikes meanwhile, and is not healed before the next action, is in the way too.
  const isStruck = evidence.conditions.some(
    ({ appliedMs, healedMs }) =>
      appliedMs !== null && appliedMs * 1_000 < since + within && (healedMs ?? Number.POSITIVE_INFINITY) * 1_000 > until - within,
  );
  if (at === undefined)
    return until - since < within || isStruck
      ? held(`${told.who} was told otherwise before it was with ${relay}`)
      : broken(`${told.who} never was with ${relay}`, since + within);
  const words = `${told.who} with ${relay} after ${inTime(at - since)}`;
  return at - since <= within ? held(words) : broken(words, since + within);
}

/** Told to be where it is already: nothing happens, unless the registration is lost by something else. */
function staysThere(evidence: Evidence, told: Told, until: number): Finding {
  const lost = standingsOf(evidence, told.who, until).find((one) => one.t > told.t && one.state === "reconnecting")?.t ?? until;
  const at = connectsWithin(evidence, told.who, told.t, lost);
  return at === undefined ? held(`${told.who} was there`) : broken(`${told.who} connects anew with the relay it is with`, at);
}

/** One of two clients with one identity: gives way for good. */
export function displaced(evidence: Evidence, { party }: OracleParameters["displaced"]): Finding {
  const refused = standingsOf(evidence, party, evidence.runEnd).find(
    (one) => one.state === "refused" && one.reason === "another client uses this identity",
  );
  if (refused === undefined) return broken(`${party} was never displaced`);
  const at = connectsWithin(evidence, party, refused.t, evidence.runEnd + 1);
  return at === undefined
    ? held(`${party} gave way at ${instant(refused.t)}`)
    : broken(`${party} took its registration back`, at);
}
