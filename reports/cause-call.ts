/** Causes of calls that do not come about or end wrongly: the messages of a call are followed from hand to hand. */
import type { LogRecord, SignalRecord } from "../impl/base/record.ts";
import type { CauseRule, Trial } from "./cause.ts";
import { limitedBy, misread, unkeyed } from "./cause-refusals.ts";
import { culprit, detailOf } from "./cause-rules.ts";
import type { Culprit } from "./result.ts";

type Message = LogRecord & SignalRecord;

/** The messages of one type in one call, by who sent or received them. */
export type Traffic = (who: string, dir: "sent" | "received", type: string) => readonly Message[];

export function trafficOf({ evidence }: Trial, call: string | undefined): Traffic {
  const all = Map.groupBy(
    evidence.records.filter((one): one is Message => one.ev === "signal" && (call === undefined || one.call === call)),
    (one) => `${one.who} ${one.dir} ${one.type}`,
  );
  return (who, dir, type) => all.get(`${who} ${dir} ${type}`) ?? [];
}

/** One message on its way: who says it, whom it is for, and what makes the sender owe it. */
type Leg = { readonly from: string; readonly to: string; readonly type: string };

/** Follows legs in order; the first that was not walked names its culprit. Undefined when all were. */
function follow(trial: Trial, traffic: Traffic, legs: readonly Leg[]): Culprit | undefined {
  let asked = "had the call to make";
  for (const { from, to, type } of legs) {
    const side = trial.relays.includes(from) ? "relay" : "client";
    if (traffic(from, "sent", type).length === 0)
      return misread(trial, from) ?? unkeyed(trial, from) ?? culprit(side, from, `${asked} and sent no ${type} to ${to}`);
    if (traffic(to, "received", type).length === 0) {
      const unread = misread(trial, to, type);
      if (unread !== undefined) return unread;
      const first = traffic(from, "sent", type)[0]?.t ?? 0;
      const limited = limitedBy(trial, from, first - AT_ONCE, first + AT_ONCE);
      if (limited !== undefined) return limited;
      // A relay that was killed since owes nothing any more: who told it has to say it again.
      const told = legs.find((leg) => leg.to === from && leg.type === type)?.from;
      const since = traffic(from, "sent", type)[0]?.t ?? 0;
      const died = trial.evidence.records.some(
        (one) => one.ev === "process" && one.state === "killed" && one.who === from && one.t > since,
      );
      if (told !== undefined && died)
        return culprit("client", told, `did not say its ${type} again to a relay that had forgotten it`);
      // Sent into an outage and never again: who has a message to bring says it until it is answered.
      return culprit(side, from, `sent ${to} a ${type} that never arrived, and gave up`);
    }
    asked = `received a ${type}`;
  }
  return undefined;
}

/** A planned call that did not come about. */
export const connectCause: CauseRule = (trial) => {
  if (!trial.isBroken("call-connects", "media-flows", "call-rejected", "settles", "call-never-answered")) return undefined;
  const { scenario, calls } = trial.evidence;
  for (const [plan, planned] of scenario.calls.entries()) {
    const call = calls.find((one) => one.plan === plan);
    const { caller, callee, relay, answer } = planned;
    const isActive = (who: string): boolean => call?.parties.get(who)?.some(({ state }) => state === "active") === true;
    if (isActive(caller) && isActive(callee)) {
      const slow = call === undefined || !trial.isBroken("call-connects") ? undefined : lateSetUp(trial, call.id, planned);
      if (slow !== undefined) return slow;
      continue;
    }
    if (answer === "Reject" || answer === "none") continue;
    const ended = [...(call?.parties ?? [])].flatMap(([who, steps]) =>
      steps.flatMap((step) => (step.state === "ended" ? [{ who, ...step }] : [])),
    );
    const early = ended.sort((a, b) => a.t - b.t)[0];
    if (early !== undefined && early.reason !== "stopped") return endingCause(trial, call?.id, early.who, early.reason);
    if (call === undefined)
      return (
        misread(trial, relay) ??
        unregistered(trial, caller, relay) ??
        culprit("client", caller, `never offered the call to ${callee}`)
      );
    const traffic = trafficOf(trial, call.id);
    return (
      follow(trial, traffic, setUpLegs(planned)) ??
      misread(trial, caller) ??
      misread(trial, callee) ??
      culprit("client", isActive(caller) ? callee : caller, "was told that the call was set up and did not take it up")
    );
  }
  return undefined;
};

/** A caller that was never registered has nobody to offer its call to: who of the two did not do its part. */
function unregistered(trial: Trial, caller: string, relay: string): Culprit | undefined {
  const isRegistered = trial.evidence.records.some(
    (one) => one.ev === "registration" && one.who === caller && one.state === "registered",
  );
  return isRegistered
    ? undefined
    : follow(trial, trafficOf(trial, undefined), [
        { from: caller, to: relay, type: "Register" },
        { from: relay, to: caller, type: "RegisterAck" },
      ]);
}

type Planned = Trial["evidence"]["scenario"]["calls"][number];

/** How a call comes about: each leg is owed once the one before it that ends where it begins was walked. */
const setUpLegs = ({ caller, callee, relay }: Planned): readonly Leg[] => [
  { from: caller, to: relay, type: "DirectCallOffer" },
  { from: relay, to: callee, type: "DirectCallOffer" },
  { from: callee, to: relay, type: "DirectCallAnswer" },
  { from: relay, to: caller, type: "DirectCallAnswer" },
  { from: relay, to: callee, type: "CallSetup" },
  { from: relay, to: caller, type: "CallSetup" },
];

/** From a message to what it asks for. chosen: more than any party takes to think, less than it takes to say a message again. */
const AT_ONCE = 150_000;

/** A call that came about, and late: the first who kept what it had in hands. */
function lateSetUp(trial: Trial, call: string, planned: Planned): Culprit | undefined {
  const traffic = trafficOf(trial, call);
  const legs = setUpLegs(planned);
  for (const [i, { from, to, type }] of legs.entries()) {
    const asked = legs.slice(0, i).findLast((leg) => leg.to === from);
    const told = asked === undefined ? undefined : traffic(from, "received", asked.type)[0];
    const said = traffic(from, "sent", type)[0];
    if (told === undefined || said === undefined) continue;
    const late = said.t - told.t - (from === planned.callee ? planned.answerAfter : 0);
    if (late > AT_ONCE)
      return (
        limitedBy(trial, from, told.t - AT_ONCE, said.t) ??
        culprit(
          trial.relays.includes(from) ? "relay" : "client",
          from,
          `received a ${told.type} and took ${Math.round(late / 1_000)} ms to send ${to} its ${type}`,
        )
      );
  }
  for (const who of [planned.callee, planned.caller]) {
    const told = traffic(who, "received", "CallSetup")[0];
    const active = trial.evidence.calls
      .find(({ id }) => id === call)
      ?.parties.get(who)
      ?.find(({ state }) => state === "active");
    if (told !== undefined && active !== undefined && active.t - told.t > AT_ONCE)
      return culprit(
        "client",
        who,
        `was told that the call was set up and took ${Math.round((active.t - told.t) / 1_000)} ms to take it up`,
      );
  }
  return undefined;
}

/** A call that ended before its time, or not in the way it should. */
export const callEndCause: CauseRule = (trial) => {
  if (!trial.isBroken("same-call", "ended-with", "call-rejected", "call-never-answered")) return undefined;
  const { scenario, calls } = trial.evidence;
  // Endings that only a relay can tell of.
  const owed = /^(\S+) stopped \(want (?:peer-lost|unknown-peer)\)/.exec(detailOf(trial, "ended-with"))?.[1];
  const relay = (owed === undefined ? undefined : scenario.parties[owed]?.relay) ?? trial.relays[0];
  if (owed !== undefined && relay !== undefined)
    return trafficOf(trial, undefined)(owed, "received", "Hangup").length === 0
      ? culprit("relay", relay, `never told ${owed} that the other party was gone`)
      : culprit("client", owed, "was told that the other party was gone and went on with the call");
  for (const call of calls) {
    const planned = call.plan === undefined ? undefined : scenario.calls[call.plan];
    if (planned === undefined) continue;
    const ends = [...call.parties]
      .flatMap(([who, steps]) =>
        steps.flatMap((step) => (step.state === "ended" ? [{ who, t: step.t, reason: step.reason }] : [])),
      )
      .filter(({ reason }) => reason !== "stopped")
      .sort((a, b) => a.t - b.t);
    const [first] = ends;
    if (first === undefined) continue;
    const hungUp = first.reason === "hung-up" || first.reason === "rejected";
    if (!hungUp) return endingCause(trial, call.id, first.who, first.reason);
    const other = first.who === planned.caller ? planned.callee : planned.caller;
    if (ends.some(({ who }) => who === other)) {
      const wrong = ends.find(({ who, reason }) => who === other && reason !== first.reason);
      if (wrong !== undefined) return endingCause(trial, call.id, other, wrong.reason);
      continue;
    }
    const type = first.reason === "rejected" ? "DirectCallAnswer" : "Hangup";
    return (
      follow(trial, trafficOf(trial, call.id), [
        { from: first.who, to: planned.relay, type },
        { from: planned.relay, to: other, type },
      ]) ??
      misread(trial, other) ??
      culprit("client", other, `was told that the call was over (${first.reason}) and went on with it`)
    );
  }
  const detail = detailOf(trial, "same-call");
  const [first] = Object.keys(scenario.parties).filter((party) => detail.includes(` ${party} `));
  return first === undefined ? undefined : misread(trial, first);
};

/** From a client's registration to its being known at every relay. chosen: relays tell each other at once. */
const KNOWN_SOON = 500_000;

/** The other party of a planned call. */
function peerOf({ evidence: { calls, scenario } }: Trial, call: string | undefined, who: string): string {
  const plan = calls.find(({ id }) => id === call)?.plan;
  const planned = plan === undefined ? undefined : scenario.calls[plan];
  return (planned?.caller === who ? planned?.callee : planned?.caller) ?? "the other party";
}

/** Endings that a client decides on itself; those that a relay words are in its refusals. */
function endingCause(trial: Trial, call: string | undefined, who: string, reason: string | undefined): Culprit {
  const { records } = trial.evidence;
  const relay = trial.relays[0];
  const words = `ended the call (${reason ?? "no reason given"})`;
  // A proof that the relay does not accept is the client's, however the relay words it.
  const forged = records.find((one) => one.ev === "refused" && one.reason === "forged-signature");
  if (forged?.ev === "refused")
    return culprit("client", who, `sent a ${forged.what} whose proof does not verify, and the call ended`);
  if (reason === "unknown-peer" && relay !== undefined) {
    const peer = peerOf(trial, call, who);
    const ended = records.find((one) => one.ev === "call" && one.call === call && one.who === who && one.state === "ended");
    const last = records.findLast((one) => one.ev === "registration" && one.who === peer && one.t < (ended?.t ?? 0));
    if (last?.ev === "registration" && last.state === "registered" && (ended?.t ?? 0) - last.t > KNOWN_SOON)
      return culprit("relay", relay, `said of ${peer} that it knew nobody of that name, who was registered`);
  }
  if (reason === "unknown-call") {
    const asked = trial.relays.find((name) => trafficOf(trial, call)(name, "received", "CallResume").length > 0);
    if (asked !== undefined) return culprit("relay", asked, `refused to resume a call that ${who} proved to be in`);
  }
  // A refusal for want of room is the relay's word, whoever ends the call upon it.
  if ((reason === "relay-full" || reason === "limit") && relay !== undefined)
    return culprit("relay", relay, `refused ${who}'s call for want of room (${reason})`);
  if (reason === "peer-lost" && relay !== undefined)
    return culprit("relay", relay, "gave up a call whose parties had both come back");
  const unread = misread(trial, who) ?? (relay === undefined ? undefined : misread(trial, relay));
  return unread ?? culprit("client", who, `${words}, which nobody had asked for`);
}
