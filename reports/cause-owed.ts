/**
 * What parties owe each other by the protocol, whatever a scenario asks: each word that has to be said again, acknowledged, passed on or acted upon. Who had what
 * obliges it, was there, and did not do it, is the culprit; the log says all of it.
 */
import type { LogRecord, SignalRecord } from "../impl/base/record.ts";
import type { CauseRule, Trial } from "./cause.ts";
import { culprit } from "./cause-rules.ts";
import type { Culprit } from "./result.ts";

/** From a message to the answer that takes no time to think. chosen: more than a busy process takes. */
const AT_ONCE = 250_000;
/** A relay waits for a party that is away for 60 s, and a client is told of it in a round trip. chosen: with room. */
const GIVEN_UP = 65_000_000;
/** A session given up on purpose stays open for so long at least, so that its last word can be sent again (impl/core/relay-link.ts). */
const LINGER = 300_000;

type Message = LogRecord & SignalRecord;

const messages = ({ evidence: { records } }: Trial): readonly Message[] =>
  records.filter((one): one is Message => one.ev === "signal");

/** The first of what is owed and was not done; undefined when all was. */
export const owedCause: CauseRule = (trial) =>
  voiceSentBack(trial) ??
  deafRelay(trial) ??
  untoldAddress(trial) ??
  unsaidHangUp(trial) ??
  untakenResumption(trial) ??
  rivalTaken(trial) ??
  unansweredQuestion(trial);

/** Whether a process was stopped, killed or paused in a span: it owes nothing then. */
const stoodStill = ({ evidence: { records } }: Trial, who: string, from: number, to: number): boolean =>
  records.some(
    (one) =>
      one.ev === "process" &&
      one.who === who &&
      one.t >= from &&
      one.t <= to &&
      one.state !== "started" &&
      one.state !== "resumed",
  );

/** A relay that gave a party its own voice. */
function voiceSentBack({ evidence: { records } }: Trial): Culprit | undefined {
  const back = records.find((one) => one.ev === "relayed" && one.from === one.to);
  return back?.ev === "relayed" ? culprit("relay", back.who, "sent a party's voice back to itself") : undefined;
}

/** Questions in a second that are no stray. chosen: half of what one client asks while it looks for its relay. */
const ASKED = 5;

/** A relay that was there and was asked for a sign of life, and gave none, or one that nobody could take for an answer. */
function deafRelay(trial: Trial): Culprit | undefined {
  if (!trial.isBroken("signalling-recovers", "media-recovers", "settles", "no-interruption", "longest-gap")) return undefined;
  const { records, clients } = trial.evidence;
  const counts = (who: string) =>
    records.flatMap((one) => (one.ev === "network" && one.who === who && one.stunReceived !== undefined ? [one] : []));
  for (const relay of trial.relays) {
    const own = counts(relay);
    for (const [i, now] of own.entries()) {
      const before = own[i - 1];
      if (before === undefined || stoodStill(trial, relay, before.t, now.t)) continue;
      const asked = (now.stunReceived ?? 0) - (before.stunReceived ?? 0);
      const answered = (now.stunSent ?? 0) - (before.stunSent ?? 0);
      if (asked < ASKED) continue;
      if (answered === 0)
        return culprit(
          "relay",
          relay,
          `was asked ${asked} times by STUN for a sign of life from ${(before.t / 1e6).toFixed(1)} s on and gave none`,
        );
      for (const who of clients) {
        const heard = counts(who).filter((one) => one.t > before.t && one.t <= now.t + 1_000_000);
        const got = (heard.at(-1)?.stunReceived ?? 0) - (heard[0]?.stunReceived ?? 0);
        const isHeeded = records.some(
          (one) =>
            one.ev === "registration" &&
            one.who === who &&
            one.reason === "relay answers" &&
            one.t >= before.t &&
            one.t <= now.t + 1_000_000,
        );
        const wasAway = records.findLast((one) => one.ev === "registration" && one.who === who && one.t <= before.t);
        if (
          got >= ASKED &&
          !isHeeded &&
          wasAway?.ev === "registration" &&
          wasAway.state === "reconnecting" &&
          !stoodStill(trial, who, before.t, now.t)
        )
          return culprit("wire", relay, `answered ${answered} questions by STUN in a way that ${who} could not take for answers`);
      }
    }
  }
  return undefined;
}

/** A relay that saw the address of a client that was registered change, and kept it to itself. */
function untoldAddress(trial: Trial): Culprit | undefined {
  const { records, runEnd } = trial.evidence;
  for (const one of records) {
    if (one.ev !== "session" || one.state !== "path-changed" || !trial.relays.includes(one.who) || one.session >= 0) continue;
    if (one.t + AT_ONCE > runEnd || stoodStill(trial, one.who, one.t, one.t + AT_ONCE)) continue;
    const own = messages(trial).filter(({ who, session, dir }) => who === one.who && session === one.session && dir === "sent");
    const isRegistered = own.some(({ t, type }) => type === "RegisterAck" && t < one.t);
    const isTold = own.some(({ t, type }) => type === "ReflectResponse" && t >= one.t && t <= one.t + AT_ONCE);
    if (isRegistered && !isTold) return culprit("relay", one.who, "saw a client's address change and did not tell the client");
  }
  return undefined;
}

/** A party that hung up and, unacknowledged, did not see to it that its word arrives. */
function unsaidHangUp(trial: Trial): Culprit | undefined {
  const { records, runEnd } = trial.evidence;
  const all = messages(trial);
  for (const end of records) {
    if (end.ev !== "call" || end.state !== "ended" || (end.reason !== "hung-up" && end.reason !== "rejected")) continue;
    const { who, call } = end;
    const said = all.filter((one) => one.who === who && one.dir === "sent" && one.type === "Hangup" && one.call === call);
    const [first] = said;
    if (first === undefined || first.t - end.t > AT_ONCE) continue;
    const isHeard = all.some(
      (one) =>
        one.who === who &&
        one.dir === "received" &&
        one.type === "HangupAck" &&
        (one.call === call || one.call === undefined) &&
        one.t >= first.t,
    );
    const stopped = records.find(
      (one) => one.who === who && (one.ev === "held" || (one.ev === "process" && one.state === "killed")) && one.t > first.t,
    )?.t;
    if (isHeard) continue;
    const closed = records.find(
      (one) =>
        one.ev === "session" && one.who === who && one.session === first.session && one.state === "closed" && one.t >= first.t,
    );
    if (closed?.ev === "session" && closed.reason === "local" && closed.t - first.t < LINGER)
      return culprit("client", who, "hung up and closed its session before its last word could be said again");
    const back = records.findLast((one) => one.ev === "registration" && one.who === who && one.state === "registered");
    const until = stopped ?? runEnd;
    if (back !== undefined && back.t > (said.at(-1)?.t ?? 0) + AT_ONCE && until - back.t > 4 * AT_ONCE)
      return culprit("client", who, "hung up, was not acknowledged, and did not say it again when it was back at a relay");
    const forgot = unopened(trial, who, call, said.at(-1)?.t ?? 0);
    if (forgot !== undefined) return forgot;
  }
  return undefined;
}

/** A hang-up of a call that a relay which has been started anew knows nothing of, and was not told of either. */
function unopened({ evidence: { records }, relays }: Trial, who: string, call: string, at: number): Culprit | undefined {
  const started = records.findLast(
    (one) => one.ev === "process" && one.state === "started" && relays.includes(one.who) && one.t <= at,
  );
  if (started === undefined || started.t === 0) return undefined;
  const since = records.filter((one) => one.who === started.who && one.t >= started.t);
  const isUnknown = since.some((one) => one.ev === "refused" && one.reason === "unknown-call" && one.what === "Hangup");
  const isTold = since.some(
    (one) =>
      one.ev === "signal" &&
      one.dir === "received" &&
      one.call === call &&
      (one.type === "CallResume" || one.type === "DirectCallOffer"),
  );
  return isUnknown && !isTold
    ? culprit("client", who, `hung up at ${started.who}, which had forgotten the call, without telling it of the call`)
    : undefined;
}

/** A party that was told again and again that its call is resumed and went on asking. */
function untakenResumption(trial: Trial): Culprit | undefined {
  const all = messages(trial);
  for (const who of trial.evidence.clients) {
    const steps = trial.evidence.records.flatMap((one) => (one.ev === "call" && one.who === who ? [one] : []));
    for (const [i, step] of steps.entries()) {
      if (step.state !== "resuming") continue;
      const until = steps.find((one, at) => at > i && one.call === step.call)?.t ?? Number.POSITIVE_INFINITY;
      const own = all.filter((one) => one.who === who && one.t >= step.t && one.t < until && one.call === step.call);
      const asked = own.find(({ dir, type }) => dir === "sent" && type === "CallResume");
      const told = own.filter(
        ({ dir, type, session }) => dir === "received" && type === "CallResumed" && session === asked?.session,
      );
      if (told.length > 1 && (told.at(-1)?.t ?? 0) - (told[0]?.t ?? 0) > AT_ONCE)
        return culprit("client", who, "was told again and again that its call was resumed and did not take it up");
    }
  }
  return undefined;
}

/** A call given up for another one by somebody else: two calls are one where both ring up each other, and nowhere else. */
function rivalTaken({ evidence: { records } }: Trial): Culprit | undefined {
  const ended = records.find((one) => one.ev === "call" && one.state === "ended" && one.reason === "glare");
  if (ended?.ev !== "call") return undefined;
  const peers = records.flatMap((one) =>
    one.ev === "call" && one.who === ended.who && one.call !== ended.call ? [one.peer] : [],
  );
  return peers.length > 0 && !peers.includes(ended.peer)
    ? culprit("client", ended.who, "gave up its call for the offer of a third party")
    : undefined;
}

/** What a relay answers by itself, on the session that it was asked on. */
const ANSWERS: ReadonlyMap<string, string> = new Map([["Reflect", "ReflectResponse"]]);

function unansweredQuestion(trial: Trial): Culprit | undefined {
  const all = messages(trial);
  for (const one of all) {
    const answer = ANSWERS.get(one.type);
    if (answer === undefined || one.dir !== "received" || !trial.relays.includes(one.who)) continue;
    if (stoodStill(trial, one.who, one.t, one.t + AT_ONCE) || one.t + AT_ONCE > trial.evidence.runEnd) continue;
    const isDone = all.some(
      ({ who, session, dir, type, t }) =>
        who === one.who &&
        session === one.session &&
        dir === "sent" &&
        type === answer &&
        t >= one.t - AT_ONCE &&
        t <= one.t + AT_ONCE,
    );
    const isRefused = trial.evidence.records.some(
      ({ ev, who, t }) => ev === "refused" && who === one.who && Math.abs(t - one.t) < AT_ONCE,
    );
    if (!isDone && !isRefused) return culprit("relay", one.who, `received a ${one.type} and sent no ${answer}`);
  }
  return undefined;
}

/** A client still in a call whose other end has started anew without it: after a minute its relay tells it. */
export const leftAloneCause: CauseRule = (trial) => {
  if (!trial.isBroken("settles", "well-in-the-end")) return undefined;
  const { records, calls, runEnd, scenario } = trial.evidence;
  for (const { parties } of calls) {
    const names = [...parties.keys()];
    for (const who of names) {
      const other = names.find((name) => name !== who);
      const died = records.findLast((one) => one.ev === "process" && one.who === other && one.state === "killed");
      if (other === undefined || died === undefined || runEnd - died.t < GIVEN_UP) continue;
      const last = parties.get(who)?.at(-1);
      const forgot = !(parties.get(other) ?? []).some(({ t }) => t > died.t);
      const standing = records.findLast((one) => one.ev === "registration" && one.who === who);
      const told = messages(trial).some(
        (one) => one.who === who && one.dir === "received" && one.type === "Hangup" && one.t > died.t,
      );
      if (last === undefined || (last.state === "ended" && last.reason !== "stopped") || !forgot || told) continue;
      if (standing?.ev !== "registration" || runEnd - standing.t < GIVEN_UP) continue;
      const at = trial.relays.find((name) =>
        records.some((one) => one.ev === "action" && one.relay === name && one.address === standing.relay),
      );
      const relay = at ?? scenario.parties[who]?.relay ?? trial.relays[0];
      if (relay !== undefined) return culprit("relay", relay, `never told ${who} that ${other}, who had started anew, was gone`);
    }
  }
  return undefined;
};

/** A signalling message that its reader cannot read: it came whole (QUIC's streams are), so what one party writes the other does not read. */
export const unreadableCause: CauseRule = ({ evidence: { records } }) => {
  const types = new Set(records.flatMap((one) => (one.ev === "signal" ? [one.type] : [])));
  const refused = records.find(
    (one) =>
      one.ev === "refused" &&
      (one.reason === "malformed" || one.reason === "unknown-type") &&
      types.has(one.what) &&
      // Read, and refused for what it says.
      !records.some(
        (other) =>
          other.ev === "signal" &&
          other.who === one.who &&
          other.t === one.t &&
          other.dir === "received" &&
          other.type === one.what,
      ),
  );
  return refused?.ev === "refused" ? culprit("wire", refused.who, `refused a ${refused.what} as ${refused.reason}`) : undefined;
};
