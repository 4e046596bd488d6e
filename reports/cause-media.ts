/** Causes of voice that does not arrive, arrives late or sounds wrong: the way of a frame from the microphone to the loudspeaker. */
import { INTERRUPTION_MS } from "./audio.ts";
import type { CauseRule, Trial } from "./cause.ts";
import { trafficOf } from "./cause-call.ts";
import { headerCause, limitedBy, MANY, misread, refusals } from "./cause-refusals.ts";
import { culprit } from "./cause-rules.ts";
import { FRAME_MICROS, FRAME_MS, gapsOf } from "./playout.ts";
import type { Culprit } from "./result.ts";

/** Voice that stopped for good or was never there, in a call that is up. */
export const mediaCause: CauseRule = (trial) => {
  if (
    !trial.isBroken(
      "media-recovers",
      "media-flows",
      "longest-gap",
      "no-interruption",
      "settles",
      "well-in-the-end",
      "concealment",
    )
  )
    return undefined;
  const { evidence } = trial;
  const told = actionCause(trial);
  if (told !== undefined) return told;
  for (const { from, to, call, sentAt, openedAt, played } of evidence.media.streams) {
    if (to === undefined) continue;
    const lastSent = sentAt.findLast((at) => at !== undefined) ?? 0;
    const lastOpened = openedAt.findLast((at) => at !== undefined) ?? 0;
    const callEnd = evidence.playouts.find((one) => one.call === call && one.party === to)?.end ?? evidence.runEnd;
    // The voice still comes at the end: not a matter of being cut off.
    const lastPlayed = played.findLast((one) => one !== undefined)?.at ?? 0;
    if (callEnd - lastPlayed < 1_500_000) continue;
    if (callEnd - lastOpened < 1_500_000) return culprit("playout", to, `received ${from}'s voice and did not play it`);
    const after = resumeCause(trial, call, from, to);
    if (after !== undefined) return after;
    if (callEnd - lastSent > 1_500_000)
      return evidence.scenario.parties[from]?.dtx === true && !isPlayedAsNoise(trial, to)
        ? culprit("playout", to, `took ${from}'s silence, which it had announced, for loss`)
        : culprit("client", from, "stopped sending voice in a call that was up");
    const lost = lostOnTheWay(trial, from, to);
    if (lost !== undefined) return lost;
  }
  return undefined;
};

/** Whether a party ever played comfort noise, as one does for a peer that is silent. */
const isPlayedAsNoise = ({ evidence: { records } }: Trial, who: string): boolean =>
  records.some((one) => one.ev === "media-played" && one.who === who && one.kind === "comfort");

/** What a client does on its user's word is heard within so long. chosen: a round trip or two. */
const ON_ITS_WORD = 500_000;

/** Voice that stopped when a user had a client do something other than hang up. */
function actionCause({ evidence }: Trial): Culprit | undefined {
  for (const record of evidence.records) {
    if (record.ev !== "action" || record.does !== "register") continue;
    const gap = evidence.playouts
      .flatMap(({ slots }) => gapsOf(slots))
      .find((one) => one.frames * FRAME_MS >= INTERRUPTION_MS && one.at >= record.t && one.at - record.t < ON_ITS_WORD);
    if (gap !== undefined)
      return culprit(
        "client",
        record.who,
        `let its call go when it was told to register with ${record.relay ?? "another relay"}`,
      );
  }
  return undefined;
}

/** A call that was not taken up again after an outage. */
function resumeCause(trial: Trial, call: string, from: string, to: string): Culprit | undefined {
  const { records, scenario } = trial.evidence;
  const traffic = trafficOf(trial, call);
  for (const who of [from, to]) {
    const changes = records.filter((one) => one.ev === "registration" && one.who === who);
    const last = changes.at(-1);
    if (last?.ev !== "registration") continue;
    // Noticed, and nothing done about it: a relay that no longer answers is lost, and one has to be found again.
    const silent = records.findLast((one) => one.ev === "session" && one.who === who && one.state === "silent");
    const since = records.filter((one) => one.who === who && one.t > (silent?.t ?? 0));
    const didNothing = !since.some(
      (one) =>
        (one.ev === "session" && one.state !== "closed" && one.state !== "silent") ||
        (one.ev === "registration" && one.state !== "idle"),
    );
    if (silent !== undefined && didNothing)
      return culprit(
        "client",
        who,
        `noticed at ${(silent.t / 1e6).toFixed(3)} s that its relay was silent, and did nothing about it`,
      );
    const outages = changes.filter((one) => one.ev === "registration" && one.state === "reconnecting");
    if (outages.length === 0) continue;
    const stopped = records.find((one) => one.ev === "held" && one.who === who)?.t ?? scenario.duration;
    if (last.state !== "registered" && last.t < stopped - 1_000_000 && last.state !== "idle") {
      return (
        misread(trial, who) ??
        culprit("client", who, `never registered again (${last.state} since ${(last.t / 1e6).toFixed(3)} s)`)
      );
    }
    const back = changes.findLast((one) => one.ev === "registration" && one.state === "registered")?.t ?? 0;
    const steps = records.filter((one) => one.ev === "call" && one.call === call && one.who === who);
    const resumed = steps.findLast((one) => one.ev === "call" && one.state === "resumed");
    const resuming = steps.findLast((one) => one.ev === "call" && one.state === "resuming");
    if (resuming !== undefined && (resumed?.t ?? 0) >= resuming.t) continue;
    const asked = traffic(who, "sent", "CallResume").filter((one) => one.t >= back - 1);
    const relay = trial.relays.find((name) => scenario.calls.some((one) => one.relay === name)) ?? trial.relays[0];
    if (asked.length === 0) return culprit("client", who, "registered again and did not resume its call");
    if (relay === undefined) continue;
    if (traffic(who, "received", "CallResumed").some((one) => one.t >= back))
      return culprit("client", who, "was told that its call was resumed and did not take it up");
    const heard = traffic(relay, "received", "CallResume").some((one) => one.t >= back);
    const refused = records.findLast(
      (one) => one.ev === "refused" && one.who === relay && one.what === "CallResume" && one.reason === "unauthenticated",
    );
    if (refused !== undefined) return culprit("client", who, "asked to resume before it was registered, and not again");
    return heard
      ? culprit("relay", relay, `received ${who}'s CallResume and did not resume the call`)
      : (misread(trial, relay) ?? culprit("client", who, "asked once to resume its call, and not again"));
  }
  return undefined;
}

/** Voice that was sent, found no drop in the log, and was not opened. */
function lostOnTheWay(trial: Trial, from: string, to: string): Culprit | undefined {
  const unread = misread(trial, to, "media");
  if (unread !== undefined) return unread;
  const unopened = refusals(trial, to, ["unauthentic", "replayed"]);
  if (unopened >= MANY)
    return (
      headerCause(trial, from, to) ??
      culprit("protection", to, `could not open what ${from} sent (refused ${unopened} and more packets)`)
    );
  const unheaded = refusals(trial, to, ["unexpected"]);
  if (unheaded >= MANY)
    return culprit("protection", to, `could not tell what ${from}'s packet headers said (refused ${unheaded} and more)`);
  const unframed = refusals(trial, to, ["malformed", "unknown-call"], "datagram");
  if (unframed >= MANY) return culprit("client", to, `refused ${unframed} and more datagrams with ${from}'s voice that had come`);
  for (const relay of trial.relays) {
    const strange = refusals(trial, relay, ["unknown-call", "unauthenticated"], "datagram");
    if (strange >= 100)
      return culprit("relay", relay, `turned away voice of a call that it should know (${strange} and more datagrams)`);
  }
  const [relay] = trial.relays;
  return relay === undefined ? undefined : culprit("relay", relay, `did not forward ${from}'s voice to ${to}`);
}

/** Frames that vanished. */
export const framesCause: CauseRule = (trial) => {
  if (!trial.isBroken("every-frame-accounted")) return undefined;
  for (const { from, to, unexplained } of trial.evidence.media.accounts) {
    if (unexplained === 0 || to === undefined) continue;
    return lostOnTheWay(trial, from, to);
  }
  return undefined;
};

/** Voice that came back late, or sounds worse than it arrived. */
export const slowCause: CauseRule = (trial) => {
  const { evidence } = trial;
  if (trial.isBroken("signalling-recovers")) {
    const slow = Object.entries(evidence.measurements.signal).sort(([, a], [, b]) => b.downMs - a.downMs)[0];
    if (slow !== undefined)
      return culprit("client", slow[0], `was slow to register again (${Math.round(slow[1].downMs)} ms without a relay)`);
  }
  if (!trial.isBroken("media-recovers", "longest-gap", "no-interruption", "concealment", "mouth-to-ear")) return undefined;
  const late = lateResume(trial) ?? lateLink(trial);
  if (late !== undefined) return late;
  for (const { from, to, openedAt, sentAt } of evidence.media.streams) {
    if (to === undefined) continue;
    const unopened = refusals(trial, to, ["unauthentic", "replayed"]);
    if (unopened >= MANY)
      return headerCause(trial, from, to) ?? culprit("protection", to, `refused ${unopened} and more of ${from}'s packets`);
    const gap = longestHole(sentAt);
    if (gap.ms >= 500)
      return culprit(
        "client",
        from,
        `sent no voice for ${gap.ms} ms in a call that was up, from ${(gap.at / 1e6).toFixed(3)} s on`,
      );
    const arrived = openedAt.reduce((n, at) => n + (at === undefined ? 0 : 1), 0);
    const account = evidence.media.accounts.find((one) => one.from === from && one.to === to);
    if (account !== undefined && arrived > 0 && account.late > arrived / 20)
      return culprit(
        "playout",
        to,
        `played only some of ${from}'s voice that arrived (${account.late} of ${arrived} frames were not played in time)`,
      );
  }
  const worst = Object.entries(evidence.measurements.audio).sort(([, a], [, b]) => b.concealmentRatio - a.concealmentRatio)[0];
  // Where nothing arrived there was nothing to play: what was done to the run kept it away, and the log blames no part.
  const isOutage = trial.isBroken("media-recovers", "longest-gap", "no-interruption");
  if (worst === undefined || (isOutage && nothingArrived(trial, worst[0]))) return undefined;
  return culprit("playout", worst[0], "is the last part on the voice's way, and no part before it did anything wrong");
};

/** From registering again to asking for one's call. chosen: what is said at once takes no round trip. */
const AT_ONCE = 100_000;

/** A party that was back and let its call wait. */
function lateResume(trial: Trial): Culprit | undefined {
  const { evidence } = trial;
  for (const who of evidence.clients) {
    let since: number | undefined;
    let isResuming = false;
    for (const one of evidence.records) {
      if (one.who !== who) continue;
      if (one.ev === "call") isResuming = one.state === "resuming";
      if (one.ev === "registration") since = one.state === "registered" && isResuming ? one.t : undefined;
      if (one.ev !== "signal" || one.dir !== "sent" || one.type !== "CallResume" || since === undefined) continue;
      const turnedAway = limitedBy(trial, who, since - AT_ONCE, one.t);
      if (one.t - since > AT_ONCE && turnedAway !== undefined) return turnedAway;
      if (one.t - since > AT_ONCE)
        return culprit("client", who, `registered again and took ${Math.round((one.t - since) / 1_000)} ms to ask for its call`);
      since = undefined;
    }
  }
  return undefined;
}

/** From a fault's end to relays that are linked again. chosen: two questions and a handshake. */
const LINKED_SOON = 600_000;

/** Relays that could reach each other again and were not linked for a while. */
function lateLink({ evidence }: Trial): Culprit | undefined {
  let healed: number | undefined;
  for (const one of evidence.records) {
    if (one.ev === "fault" && one.state === "healed") healed = one.t;
    if (one.ev !== "federation" || one.state !== "up" || healed === undefined || one.t - healed <= LINKED_SOON) continue;
    return culprit("relay", one.who, `took ${Math.round((one.t - healed) / 1_000)} ms to be linked to ${one.peer} again`);
  }
  return undefined;
}

/** Whether the longest gap of `party` is one in which next to no packet reached it. */
function nothingArrived({ evidence }: Trial, party: string): boolean {
  const gaps = evidence.playouts.filter((one) => one.party === party).flatMap(({ slots }) => gapsOf(slots));
  const longest = gaps.sort((a, b) => b.frames - a.frames)[0];
  if (longest === undefined || longest.frames * FRAME_MS < INTERRUPTION_MS) return false;
  const end = longest.at + longest.frames * FRAME_MICROS;
  const arrived = evidence.media.streams
    .filter(({ to }) => to === party)
    .reduce(
      (n, { openedAt }) => n + openedAt.reduce((sum, at) => sum + (at !== undefined && at >= longest.at && at < end ? 1 : 0), 0),
      0,
    );
  return arrived < longest.frames / 5;
}

/** The longest time without a packet between two that were sent. */
function longestHole(sentAt: readonly number[]): { readonly ms: number; readonly at: number } {
  let hole = { ms: 0, at: 0 };
  let last: number | undefined;
  for (const at of sentAt) {
    if (at === undefined) continue;
    if (last !== undefined && (at - last) / 1_000 > hole.ms) hole = { ms: Math.round((at - last) / 1_000), at: last };
    last = at;
  }
  return hole;
}
