/**
 * How a call comes up: offer, ringing, answer, set-up. Each party says its last word again every second until the other's next word is heard, so
 * that a message lost with a relay or a session costs a second and not the call; repetition also shows whether the session still leads anywhere.
 * Keys are agreed end to end before any media exist. A party in privacy mode (`AcceptGeneric`) neither sends an address nor asks for its own.
 */
import { toHex } from "../base/cursor.ts";
import type { RefusalReason } from "../base/record.ts";
import { Instant, type Micros, millis, seconds } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { isSameShare } from "./call-proof.ts";
import {
  type AnswerMessage,
  type Call,
  type Context,
  candidatesOf,
  certificateOf,
  type Effect,
  end,
  hangUp,
  type Mode,
  type OfferMessage,
  refused,
  type SetupMessage,
  say,
} from "./call-state.ts";
import * as generation from "./candidate-generation.ts";
import { proveCertificate } from "./ice/direct-proof.ts";
import { deriveKeys, type KeyShare, makeShare, verifyShare } from "./key-agreement.ts";
import { capabilities, MediaStream } from "./media-stream.ts";
import { codecWords } from "./voice/options.ts";

/**
 * How long each stage of a set-up may last. chosen: ITU-T E.180 ringing is answered or not within a minute; who has answered waits as long for a
 * caller that lost its relay at that moment.
 */
const LIMITS: { readonly offering: Micros; readonly ringing: Micros; readonly answered: Micros } = {
  offering: seconds(60),
  ringing: seconds(60),
  answered: seconds(60),
};

/** chosen: as long as a session may be silent before it is in doubt. */
const SAY_AGAIN: Micros = seconds(1);
/** A peer the relay does not know is asked for again this soon. chosen: two of a minute's tries a second; its own reconnect takes a round trip. */
const ASK_AGAIN: Micros = millis(500);
/** And given up after this, unless we had to reconnect ourselves. chosen: a first flight lost three times is through after 1 + 2 + 4 s (RFC 9002 section 6.2). */
const PATIENCE_WITH_PEER: Micros = seconds(8);
/** A `CallResume` without an answer is said again after this, then twice as long. chosen: above most round trips, and no gap anybody would wait for. */
export const RESUME_AGAIN: Micros = millis(250);

const fresh = (context: Context, id: string, role: "caller" | "callee", peer: string): Call => ({
  id,
  role,
  peer,
  stage: "waiting",
  overdueAt: undefined,
  patientUntil: undefined,
  answerAt: undefined,
  answer: undefined,
  secret: context.entropy(32),
  mine: undefined,
  theirs: undefined,
  said: undefined,
  sayAgainAt: undefined,
  early: undefined,
  unknownSince: undefined,
  hasReconnected: false,
  resumeWait: RESUME_AGAIN,
  resumptions: 0,
  keys: undefined,
  peerFec: [],
  peerSends: undefined,
  peerCertificate: undefined,
  raceRole: undefined,
  peerCodecs: [],
  media: undefined,
  channel: undefined,
  generations: generation.start({ local: [] }),
});

/** A call to `peer` (fingerprint); it is offered as soon as a `wake` finds the client registered. */
export function outgoing(context: Context, now: Instant, peer: string): Call {
  const call = fresh(context, toHex(context.entropy(16)), "caller", peer);
  call.overdueAt = Instant.after(now, LIMITS.offering);
  return call;
}

/** An incoming call, or the reason it is refused at the boundary (the caller's share is not authentic). */
export function incoming(
  context: Context,
  now: Instant,
  message: OfferMessage,
  policy: { readonly mode: Mode; readonly after: Micros } | undefined,
): { ok: true; call: Call; effects: readonly Effect[] } | { ok: false; reason: RefusalReason } {
  const names = { call: message.call_id, from: message.caller_fingerprint, to: context.identity.fingerprint };
  const checked = verifyShare(context.crypto, message.caller_share, { ...names, role: "caller" });
  if (!checked.ok) return checked;
  const call = fresh(context, message.call_id, "callee", message.caller_fingerprint);
  call.theirs = message.caller_share;
  call.peerFec = message.fec ?? [];
  call.peerSends = message.sends;
  call.peerCertificate = certificateOf(context, call, message.caller_certificate, message.caller_share, "caller");
  call.peerCodecs = message.codecs ?? [];
  call.generations = generation.start(
    candidatesOf(message.caller_reflexive_addr, message.caller_local_addrs, message.caller_mapped_addr),
  );
  call.stage = "ringing";
  call.overdueAt = Instant.after(now, LIMITS.ringing);
  call.answer = policy?.mode;
  call.answerAt = policy === undefined ? undefined : Instant.after(now, policy.after);
  say(context, call, "ringing");
  const effects = [utter(call, now, { type: "Ringing", call_id: call.id })];
  if (policy?.mode === "AcceptTrusted") effects.push({ type: "gather" });
  return { ok: true, call, effects };
}

/** The same offer again: our last word has not arrived, so it is said again. */
export function offeredAgain(context: Context, call: Call, now: Instant, message: OfferMessage): readonly Effect[] {
  const isSame = call.role === "callee" && call.theirs !== undefined && isSameShare(call.theirs, message.caller_share);
  if (!isSame || call.said === undefined) return refused(context, "duplicate", message);
  return sayAgain(call, now);
}

const utter = (call: Call, now: Instant, message: SignalMessage): Effect => {
  call.said = message;
  call.sayAgainAt = Instant.after(now, SAY_AGAIN);
  return { type: "send", message };
};

/** Says the last word of the set-up once more, and goes on saying it while the call is not up. */
export function sayAgain(call: Call, now: Instant): readonly Effect[] {
  const isUp = call.media !== undefined;
  call.sayAgainAt = isUp || call.said === undefined ? undefined : Instant.after(now, SAY_AGAIN);
  return call.said === undefined ? [] : [{ type: "send", message: call.said }];
}

/** The relay refused our offer. It may just not know the peer yet. */
export function offerRefused(context: Context, call: Call, now: Instant, reason: string): readonly Effect[] {
  if (call.stage !== "offering") return [];
  if (reason !== "unknown-peer") return end(context, call, reason, {});
  call.unknownSince ??= now;
  if (!call.hasReconnected && Instant.between(call.unknownSince, now) >= PATIENCE_WITH_PEER)
    return end(context, call, reason, {});
  call.sayAgainAt = Instant.after(now, ASK_AGAIN);
  return [];
}

/** What `waiting` waits for may be here. */
export function prepareOffer(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (!context.isRegistered) {
    call.patientUntil = undefined; // our own address is asked for anew after the registration
    return [];
  }
  if (call.patientUntil === undefined) {
    call.patientUntil = Instant.after(now, context.patience);
    return [{ type: "gather" }];
  }
  return context.candidates === undefined && now < call.patientUntil ? [] : offer(context, call, now);
}

/** The answer may be due. */
export function prepareAnswer(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.answerAt !== undefined) {
    if (now < call.answerAt) return [];
    call.answerAt = undefined;
    call.patientUntil = Instant.after(now, call.answer === "AcceptTrusted" ? context.patience : millis(0));
  }
  if (call.patientUntil === undefined) return [];
  return context.candidates === undefined && now < call.patientUntil ? [] : answer(context, call, now);
}

function offer(context: Context, call: Call, now: Instant): readonly Effect[] {
  const { identity, crypto } = context;
  call.patientUntil = undefined;
  call.stage = "offering";
  call.mine = makeShare(crypto, identity, call.secret, { call: call.id, role: "caller", peer: call.peer });
  say(context, call, "offering");
  const { reflexive, local, mapped } = context.candidates ?? NOWHERE;
  const certificate = ownCertificate(context, call, call.mine);
  const message: SignalMessage = {
    type: "DirectCallOffer",
    call_id: call.id,
    caller_fingerprint: identity.fingerprint,
    callee_fingerprint: call.peer,
    caller_share: call.mine,
    ...capabilities(context.fec),
    ...codecWords(context.voice),
    ...(certificate === undefined ? {} : { caller_certificate: certificate }),
    ...(reflexive === undefined ? {} : { caller_reflexive_addr: reflexive }),
    ...(local.length === 0 ? {} : { caller_local_addrs: local }),
    ...(mapped === undefined ? {} : { caller_mapped_addr: mapped }),
  };
  return [utter(call, now, message)];
}

function answer(context: Context, call: Call, now: Instant): readonly Effect[] {
  const { identity, crypto } = context;
  const mode = call.answer ?? "Reject";
  call.patientUntil = undefined;
  const head = { type: "DirectCallAnswer", call_id: call.id, mode, callee_fingerprint: identity.fingerprint } as const;
  if (mode === "Reject" || call.theirs === undefined)
    return [{ type: "send", message: head }, ...end(context, call, "rejected", { word: head, mode })];
  call.mine = makeShare(crypto, identity, call.secret, {
    call: call.id,
    role: "callee",
    peer: call.peer,
    answering: call.theirs,
  });
  if (!agree(context, call, call.mine, call.theirs)) return hangUp(context, call, "no-keys");
  call.stage = "answered";
  call.overdueAt = Instant.after(now, LIMITS.answered);
  say(context, call, "answered", { mode });
  const { reflexive, local, mapped } = mode === "AcceptTrusted" ? (context.candidates ?? NOWHERE) : NOWHERE;
  const certificate = mode === "AcceptTrusted" ? ownCertificate(context, call, call.mine) : undefined;
  const addresses = {
    ...(certificate === undefined ? {} : { callee_certificate: certificate }),
    ...(reflexive === undefined ? {} : { callee_reflexive_addr: reflexive }),
    ...(local.length === 0 ? {} : { callee_local_addrs: local }),
    ...(mapped === undefined ? {} : { callee_mapped_addr: mapped }),
  };
  const media = { ...capabilities(context.fec), ...codecWords(context.voice) };
  return [utter(call, now, { ...head, callee_share: call.mine, ...media, ...addresses })];
}

const NOWHERE: generation.Candidates = { local: [] };

const ownCertificate = ({ certificate, crypto, identity }: Context, { id, role }: Call, share: KeyShare) =>
  certificate === undefined ? undefined : proveCertificate(crypto, identity, certificate, { call: id, role, share });

function agree(context: Context, call: Call, mine: KeyShare, theirs: KeyShare): boolean {
  call.keys = deriveKeys(context.crypto, { role: call.role, call: call.id, ephemeralSecret: call.secret, mine, theirs });
  return call.keys !== undefined;
}

/** The callee has been started anew and answers, with another share, an offer that it had answered before: neither can read the other. */
function isAnsweredAnew({ crypto, identity }: Context, call: Call, { callee_share: share }: AnswerMessage): boolean {
  if (call.role !== "caller" || call.mine === undefined || call.theirs === undefined || share === undefined) return false;
  if (isSameShare(call.theirs, share)) return false;
  const names = { call: call.id, from: call.peer, to: identity.fingerprint };
  return verifyShare(crypto, share, { ...names, role: "callee", answering: call.mine }).ok;
}

/** The callee's answer, at the caller. */
export function answered(context: Context, call: Call, now: Instant, message: AnswerMessage): readonly Effect[] {
  if (isAnsweredAnew(context, call, message)) return hangUp(context, call, "call-lost");
  if (call.role !== "caller" || call.stage !== "offering") return refused(context, "duplicate", message);
  if (message.callee_fingerprint !== call.peer) return refused(context, "forged-signature", message);
  if (message.mode === "Reject") return end(context, call, message.reason ?? "rejected", { mode: "Reject" });
  const { identity, crypto } = context;
  if (call.mine === undefined || message.callee_share === undefined) return refused(context, "malformed", message);
  const names = { call: call.id, from: call.peer, to: identity.fingerprint };
  const checked = verifyShare(crypto, message.callee_share, { ...names, role: "callee", answering: call.mine });
  if (!checked.ok) return refused(context, checked.reason, message);
  call.theirs = message.callee_share;
  call.peerFec = message.fec ?? [];
  call.peerSends = message.sends;
  call.peerCertificate = certificateOf(context, call, message.callee_certificate, message.callee_share, "callee");
  call.peerCodecs = message.codecs ?? [];
  if (!agree(context, call, call.mine, call.theirs)) return hangUp(context, call, "no-keys");
  call.answer = message.mode;
  call.stage = "answered";
  call.overdueAt = Instant.after(now, LIMITS.answered);
  say(context, call, "answered", { mode: message.mode });
  return call.early === undefined ? [] : setUp(context, call, call.early);
}

/** The relay's set-up. One that overtakes the answer waits for it. */
export function setUp(context: Context, call: Call, message: SetupMessage): readonly Effect[] {
  const { crypto, codec, settings, jitterBuffer, fec, voice, say: log } = context;
  if (call.stage === "offering" && call.early === undefined) {
    call.early = message;
    return [];
  }
  if (call.stage !== "answered") return refused(context, "duplicate", message);
  if (call.keys === undefined) return refused(context, "unexpected", message);
  call.channel = message.channel;
  call.raceRole = message.role;
  call.generations = generation.start(candidatesOf(message.peer_direct_addr, message.peer_local_addrs, message.peer_mapped_addr));
  const { peerFec, peerSends, peerCodecs } = call;
  call.media = new MediaStream({
    call: call.id,
    keys: call.keys,
    crypto,
    codec,
    settings,
    jitterBuffer,
    fec,
    peerFec,
    peerSends,
    voice,
    peerCodecs,
    say: log,
  });
  call.stage = "active";
  call.overdueAt = undefined;
  call.sayAgainAt = undefined;
  say(context, call, "active");
  log({ ev: "path", call: call.id, path: "relay", candidate: "relay" });
  return [{ type: "send", message: { type: "MediaPathReport", call_id: call.id, path: "relay" } }, { type: "active" }];
}
