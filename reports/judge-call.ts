/** Oracles about calls as signalling sees them: that they connect, stay the same call, end as they should, and take the path they should. */
import type { OracleParameters } from "../scenarios/oracles.ts";
import { endingOf, firstAt, type LoggedCall, talkersOf } from "./call-log.ts";
import { broken, type Finding, held, inconclusive, instant, inTime, together } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { isSource } from "./playout.ts";
import { lossesOf } from "./registration-loss.ts";

const NO_CALLS = "the scenario plans no calls";

/** Active at both parties within `within` of the planned answer. */
export function callConnects({ scenario, calls }: Evidence, { within }: OracleParameters["call-connects"]): Finding {
  const findings = scenario.calls.flatMap((plan, index) => {
    const call = calls.find((one) => one.plan === index);
    const answerAt = plan.at + plan.answerAfter;
    return [plan.caller, plan.callee].map((party) => {
      const at = call === undefined ? undefined : firstAt(call, party, "active");
      if (at === undefined) return broken(`${party} never had the call up`, answerAt + within);
      const late = Math.max(0, at - answerAt);
      return late <= within ? held(`${party} ${inTime(late)}`) : broken(`${party} ${inTime(late)}`, answerAt + within);
    });
  });
  return together(findings, `limit ${inTime(within)} after the answer`, NO_CALLS);
}

/** One offer, one call id, and no end before the plan's. */
export function sameCall({ scenario, calls }: Evidence): Finding {
  const findings = scenario.calls.map((plan, index) => {
    const between = calls.filter((call) => isBetween(call, plan.caller, plan.callee));
    const call = calls.find((one) => one.plan === index);
    if (call === undefined) return broken(`${plan.caller} never offered the call`);
    const offers = call.parties.get(plan.caller)?.filter((step) => step.state === "offering").length ?? 0;
    const planned = scenario.calls.filter((one) => isPair(one, plan.caller, plan.callee)).length;
    const extra = between.length - planned;
    if (extra > 0) return broken(`${plan.caller} and ${plan.callee} had ${between.length} calls where ${planned} were planned`);
    if (offers > 1) return broken(`${plan.caller} offered the call ${offers} times`);
    const due = Math.min(plan.hangUpAt ?? scenario.duration, scenario.duration);
    for (const [party, steps] of call.parties) {
      const end = endingOf(steps);
      if (end !== undefined && end.t < due)
        return broken(`call ${short(call)} ended for ${party} at ${instant(end.t)} (${end.reason ?? "no reason given"})`, end.t);
    }
    return held(`call ${short(call)} from ${plan.caller} to ${plan.callee} lasted`);
  });
  return together(findings, "", NO_CALLS);
}

/** Refused by the callee, over for both, and silent. */
export function callRejected(evidence: Evidence): Finding {
  const findings = evidence.scenario.calls.map((plan, index) => {
    const call = evidence.calls.find((one) => one.plan === index);
    if (call === undefined) return broken(`${plan.caller} never offered the call`);
    const sound = soundOf(evidence, call);
    if (sound !== undefined) return sound;
    if (!call.parties.get(plan.callee)?.some((step) => step.mode === "Reject"))
      return broken(`${plan.callee} did not reject the call`);
    for (const party of [plan.caller, plan.callee])
      if (firstAt(call, party, "ended") === undefined) return broken(`the call never ended for ${party}`);
    return held(`${plan.callee} rejected the call of ${plan.caller}, both ended`);
  });
  return together(findings, "", NO_CALLS);
}

/** Never active, and silent. */
export function callNeverAnswered(evidence: Evidence): Finding {
  const findings = evidence.scenario.calls.map((plan, index) => {
    const call = evidence.calls.find((one) => one.plan === index);
    if (call === undefined) return broken(`${plan.caller} never offered the call`);
    return soundOf(evidence, call) ?? held(`${plan.callee} never answered ${plan.caller}`);
  });
  return together(findings, "", NO_CALLS);
}

/** Ends for the party, for this reason. */
export function endedWith({ scenario, calls }: Evidence, { party, reason }: OracleParameters["ended-with"]): Finding {
  const findings = (party === undefined ? talkersOf(scenario) : [party]).flatMap((name) =>
    calls
      .filter((call) => (call.parties.get(name)?.length ?? 0) > 0)
      .map((call) => {
        const end = endingOf(call.parties.get(name) ?? []);
        if (end === undefined) return broken(`${name} never ended the call`);
        const why = end.reason ?? "no reason given";
        return why === reason ? held(`${name} ${why}`) : broken(`${name} ${why}`, end.t);
      }),
  );
  return findings.length === 0 ? broken("nobody had a call to end") : together(findings, `want ${reason}`);
}

/** The path in use when the call ended. */
export function pathIs({ scenario, measurements }: Evidence, { party, path }: OracleParameters["path-is"]): Finding {
  const findings = (party === undefined ? talkersOf(scenario) : [party]).map((name) => {
    const last = measurements.path[name]?.at(-1);
    if (last === undefined) return broken(`${name} never had a path`);
    const words = `${name} ${last.path} (${last.candidate}) since ${instant(last.atMs * 1_000)}`;
    return last.path === path ? held(words) : broken(words, last.atMs * 1_000);
  });
  return together(findings, `want ${path}`, NO_CALLS);
}

/** Refusals of one reason by one party. Its counter starts again with its process. */
export function refusedAtLeast({ records }: Evidence, { party, reason, atLeast }: OracleParameters["refused"]): Finding {
  let before = 0;
  let now = 0;
  for (const record of records) {
    if (record.ev !== "refused" || record.who !== party || record.reason !== reason) continue;
    if (record.count <= now) before += now;
    now = record.count;
  }
  const words = `${party} refused ${before + now} ${reason} (at least ${atLeast})`;
  return before + now >= atLeast ? held(words) : broken(words);
}

/** Some candidate update is delivered, and none applied that is not newer than the last. */
export function generationsFresh({ measurements }: Evidence): Finding {
  const parties = Object.entries(measurements.generations);
  const words = parties.map(([name, g]) => `${name} delivered ${g.delivered}, applied ${g.applied}, refused ${g.refusedStale}`);
  const stale = parties.flatMap(([name, g]) => (g.appliedStale > 0 ? [`${name} applied ${g.appliedStale} stale`] : []));
  if (stale.length > 0) return broken(stale.join(", "));
  return parties.some(([, g]) => g.delivered > 0) ? held(words.join("; ")) : broken("no candidate update was delivered");
}

/** Each loss of a registration ends within `within` of the heal of the faults behind it (of the loss, where there is no fault). */
export function signallingRecovers(evidence: Evidence, { within }: OracleParameters["signalling-recovers"]): Finding {
  const findings = evidence.clients.flatMap((party) =>
    lossesOf(evidence, party).map((loss) => {
      const took = Math.max(0, loss.to - loss.since);
      if (loss.isRestored)
        return took <= within ? held(`${party} ${inTime(took)}`) : broken(`${party} ${inTime(took)}`, loss.since + within);
      if (took <= within) return inconclusive(`${party} was not registered when the run ended ${inTime(took)} after the heal`);
      return broken(`${party} never registered again`, loss.since + within);
    }),
  );
  return findings.length === 0 ? held("nobody lost its registration") : together(findings, `limit ${inTime(within)}`);
}

const short = (call: LoggedCall): string => call.id.slice(0, 8);

type Pair = { readonly caller: string; readonly callee: string };
const isPair = (one: Pair, a: string, b: string): boolean =>
  (one.caller === a && one.callee === b) || (one.caller === b && one.callee === a);
const isBetween = (call: LoggedCall, a: string, b: string): boolean =>
  call.parties.has(a) && (call.parties.has(b) || call.parties.size === 1);

/** Why a call that should be silent is not. */
function soundOf({ playouts }: Evidence, call: LoggedCall): Finding | undefined {
  for (const party of call.parties.keys()) {
    const at = firstAt(call, party, "active");
    if (at !== undefined) return broken(`the call became active for ${party}`, at);
  }
  const heard = playouts.find((playout) => playout.call === call.id && playout.slots.some((slot) => isSource(slot.kind)));
  return heard === undefined ? undefined : broken(`${heard.party} heard audio`, heard.slots[0]?.at);
}
