/**
 * One call at one party: offer, ringing, answer, set-up, media, resumption, end. Signalling follows the words of the wire
 * (`DirectCallOffer`, `DirectCallAnswer`, `CallSetup`); keys are agreed end to end before any media exist.
 * A party in privacy mode (`AcceptGeneric`) neither sends an address nor asks for its own.
 */
import type { Address } from "../base/address.ts";
import { toHex } from "../base/cursor.ts";
import type { CallRecord, RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, millis, seconds } from "../base/units.ts";
import { orNone, type View } from "../base/view.ts";
import type { SignalMessage } from "../wire/signal.ts";
import * as generation from "./candidate-generation.ts";
import type { CodecEngine, CodecSettings } from "./codec.ts";
import type { CryptoEngine } from "./crypto.ts";
import type { Identity } from "./identity.ts";
import { type CallKeys, deriveKeys, type KeyShare, makeShare, verifyShare } from "./key-agreement.ts";
import { MediaStream } from "./media-stream.ts";

/** How long each stage may last. chosen: ITU-T E.180 ringing is answered or not within a minute; a relay that is away longer than two is gone. */
const LIMITS: { readonly offering: Micros; readonly ringing: Micros; readonly answered: Micros; readonly resuming: Micros } = {
  offering: seconds(60),
  ringing: seconds(60),
  answered: seconds(10),
  resuming: seconds(120),
};

export type Context = {
  readonly identity: Identity;
  readonly crypto: CryptoEngine;
  readonly codec: CodecEngine;
  readonly settings: CodecSettings;
  readonly entropy: (length: number) => Uint8Array;
  readonly say: (saying: Saying) => void;
  readonly refuse: (reason: RefusalReason, what: string) => void;
  /** Our address as the relay sees it, once asked. */
  readonly reflexive: Address | undefined;
  /** How long to wait for it before going on without. */
  readonly patience: Micros;
  readonly isRegistered: boolean;
};

type Mode = "AcceptTrusted" | "AcceptGeneric" | "Reject";

export type Call = {
  readonly id: string;
  readonly role: "caller" | "callee";
  readonly peer: string;
  /** `waiting`: for the registration and our own address, before the offer. */
  stage: "waiting" | "offering" | "ringing" | "answered" | "active" | "resuming" | "ended";
  /** When this stage is over time (see LIMITS). */
  overdueAt: Instant | undefined;
  /** When to offer or answer even if our own address is still unknown, and when the answer is due. */
  patientUntil: Instant | undefined;
  answerAt: Instant | undefined;
  answer: Mode | undefined;
  readonly secret: Uint8Array;
  mine: KeyShare | undefined;
  theirs: KeyShare | undefined;
  offer: SignalMessage | undefined;
  keys: CallKeys | undefined;
  media: MediaStream | undefined;
  channel: number | undefined;
  generations: generation.State;
};

export type Input =
  | { readonly type: "signal"; readonly message: SignalMessage }
  /** The registration is in doubt or gone. */
  | { readonly type: "interrupted" }
  /** Registered (again). */
  | { readonly type: "resumed" }
  | { readonly type: "reflexive"; readonly address: Address; readonly isNew: boolean }
  /** The relay refused our offer, answer or resumption. */
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "hang-up"; readonly reason: string }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "send"; readonly message: SignalMessage }
  /** Media may flow on the session that is registered. */
  | { readonly type: "active" }
  | { readonly type: "ended" };

export const deadline = (c: Call): Instant | undefined => Instant.earliest(c.overdueAt, c.answerAt, c.patientUntil);

/** Where the call stands: its keys and shares are shown as there or not. */
export const view = (c: Call): View => ({
  id: c.id,
  role: c.role,
  peer: c.peer,
  stage: c.stage,
  overdueAt: orNone(c.overdueAt),
  patientUntil: orNone(c.patientUntil),
  answerAt: orNone(c.answerAt),
  answer: orNone(c.answer),
  hasKeys: c.keys !== undefined,
  channel: orNone(c.channel),
  media: c.media?.view() ?? null,
});

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
  offer: undefined,
  keys: undefined,
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

type OfferMessage = SignalMessage & { type: "DirectCallOffer" };
type AnswerMessage = SignalMessage & { type: "DirectCallAnswer" };

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
  call.generations = generation.start(
    candidatesOf(message.caller_reflexive_addr, message.caller_local_addrs, message.caller_mapped_addr),
  );
  call.stage = "ringing";
  call.overdueAt = Instant.after(now, LIMITS.ringing);
  call.answer = policy?.mode;
  call.answerAt = policy === undefined ? undefined : Instant.after(now, policy.after);
  say(context, call, "ringing");
  const effects: Effect[] = [{ type: "send", message: { type: "Ringing", call_id: call.id } }];
  if (policy?.mode === "AcceptTrusted") effects.push(askReflexive(context));
  return { ok: true, call, effects };
}

/** What re-opens this call at a relay that may know nothing of it; undefined when there is nothing to resume. */
export function resumption(call: Call): SignalMessage | undefined {
  if (call.stage !== "active" && call.stage !== "resuming") return undefined;
  return {
    type: "CallResume",
    call_id: call.id,
    peer_fingerprint: call.peer,
    role: call.role,
    ...(call.channel === undefined ? {} : { channel: call.channel }),
  };
}

export function step(context: Context, call: Call, now: Instant, input: Input): readonly Effect[] {
  if (call.stage === "ended") return [];
  switch (input.type) {
    case "signal":
      return signal(context, call, now, input.message);
    case "wake":
      return wake(context, call, now);
    case "interrupted":
      if (call.stage !== "active") return [];
      call.stage = "resuming";
      call.overdueAt = Instant.after(now, LIMITS.resuming);
      say(context, call, "resuming");
      return [];
    case "resumed":
      if (call.stage === "offering" && call.offer !== undefined) return [{ type: "send", message: call.offer }];
      if (call.stage !== "resuming") return [];
      call.stage = "active";
      call.overdueAt = undefined;
      say(context, call, "resumed");
      return [];
    case "reflexive":
      return reflexive(context, call, now, input.address, input.isNew);
    case "refused":
      return end(context, call, input.reason);
    case "hang-up": {
      const told: Effect[] =
        call.stage === "waiting" ? [] : [{ type: "send", message: { type: "Hangup", call_id: call.id, reason: input.reason } }];
      return [...told, ...end(context, call, input.reason)];
    }
  }
}

function wake(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.overdueAt !== undefined && now >= call.overdueAt) {
    const reason = {
      waiting: "not-registered",
      offering: "no-answer",
      ringing: "missed",
      answered: "setup-timeout",
      resuming: "relay-lost",
    };
    const why = call.stage in reason ? reason[call.stage as keyof typeof reason] : "overdue";
    const hangUp: Effect = { type: "send", message: { type: "Hangup", call_id: call.id, reason: why } };
    return [...(call.stage === "waiting" ? [] : [hangUp]), ...end(context, call, why)];
  }
  switch (call.stage) {
    case "waiting":
      return context.isRegistered ? prepareOffer(context, call, now) : forget(call);
    case "ringing":
      return prepareAnswer(context, call, now);
    default:
      return [];
  }
}

/** Without a registration there is nothing to wait for: our own address is asked for anew after it. */
function forget(call: Call): readonly Effect[] {
  call.patientUntil = undefined;
  return [];
}

function prepareOffer(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.patientUntil === undefined) {
    call.patientUntil = Instant.after(now, context.patience);
    return [askReflexive(context)];
  }
  return context.reflexive === undefined && now < call.patientUntil ? [] : offer(context, call);
}

function prepareAnswer(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.answerAt !== undefined) {
    if (now < call.answerAt) return [];
    call.answerAt = undefined;
    call.patientUntil = Instant.after(now, call.answer === "AcceptTrusted" ? context.patience : millis(0));
  }
  if (call.patientUntil === undefined) return [];
  return context.reflexive === undefined && now < call.patientUntil ? [] : answer(context, call, now);
}

function offer(context: Context, call: Call): readonly Effect[] {
  const { identity, crypto } = context;
  call.patientUntil = undefined;
  call.stage = "offering";
  call.mine = makeShare(crypto, identity, call.secret, { call: call.id, role: "caller", peer: call.peer });
  call.offer = {
    type: "DirectCallOffer",
    call_id: call.id,
    caller_fingerprint: identity.fingerprint,
    callee_fingerprint: call.peer,
    caller_share: call.mine,
    ...(context.reflexive === undefined ? {} : { caller_reflexive_addr: context.reflexive }),
  };
  say(context, call, "offering");
  return [{ type: "send", message: call.offer }];
}

function answer(context: Context, call: Call, now: Instant): readonly Effect[] {
  const { identity, crypto } = context;
  const mode = call.answer ?? "Reject";
  call.patientUntil = undefined;
  const head = { type: "DirectCallAnswer", call_id: call.id, mode, callee_fingerprint: identity.fingerprint } as const;
  if (mode === "Reject" || call.theirs === undefined)
    return [{ type: "send", message: head }, ...end(context, call, "rejected", mode)];
  call.mine = makeShare(crypto, identity, call.secret, {
    call: call.id,
    role: "callee",
    peer: call.peer,
    answering: call.theirs,
  });
  if (!agree(context, call, call.mine, call.theirs)) return end(context, call, "no-keys");
  call.stage = "answered";
  call.overdueAt = Instant.after(now, LIMITS.answered);
  say(context, call, "answered", { mode });
  const addresses =
    mode === "AcceptTrusted" && context.reflexive !== undefined ? { callee_reflexive_addr: context.reflexive } : {};
  return [{ type: "send", message: { ...head, callee_share: call.mine, ...addresses } }];
}

function agree(context: Context, call: Call, mine: KeyShare, theirs: KeyShare): boolean {
  call.keys = deriveKeys(context.crypto, { role: call.role, call: call.id, ephemeralSecret: call.secret, mine, theirs });
  return call.keys !== undefined;
}

function signal(context: Context, call: Call, now: Instant, message: SignalMessage): readonly Effect[] {
  switch (message.type) {
    case "Ringing":
      if (call.stage !== "offering") return refused(context, "unexpected", message);
      return [];
    case "DirectCallAnswer":
      if (call.role !== "caller" || call.stage !== "offering") return refused(context, "duplicate", message);
      return answered(context, call, now, message);
    case "CallSetup":
      if (call.stage !== "answered") return refused(context, "duplicate", message);
      return setUp(context, call, message);
    case "Hangup":
      return end(context, call, message.reason ?? "peer-hung-up");
    case "CandidateUpdate": {
      if (call.media === undefined) return refused(context, "unexpected", message);
      const last = call.generations.peer;
      const about = { ev: "generation", call: call.id, generation: message.generation } as const;
      context.say({ ...about, action: "delivered", last });
      const candidates = candidatesOf(message.reflexive_addr, message.local_addrs, message.mapped_addr);
      const { state, applied } = generation.apply(call.generations, message.generation, candidates);
      call.generations = state;
      context.say({ ...about, action: applied ? "applied" : "refused", last });
      return applied ? [] : refused(context, "stale-generation", message);
    }
    case "MediaPathReport":
      return [];
    default:
      return refused(context, "unexpected", message);
  }
}

function answered(context: Context, call: Call, now: Instant, message: AnswerMessage): readonly Effect[] {
  if (message.callee_fingerprint !== call.peer) return refused(context, "forged-signature", message);
  if (message.mode === "Reject") return end(context, call, message.reason ?? "rejected", "Reject");
  const { identity, crypto } = context;
  if (call.mine === undefined || message.callee_share === undefined) return refused(context, "malformed", message);
  const names = { call: call.id, from: call.peer, to: identity.fingerprint };
  const checked = verifyShare(crypto, message.callee_share, { ...names, role: "callee", answering: call.mine });
  if (!checked.ok) return refused(context, checked.reason, message);
  call.theirs = message.callee_share;
  if (!agree(context, call, call.mine, call.theirs)) return end(context, call, "no-keys");
  call.answer = message.mode;
  call.stage = "answered";
  call.overdueAt = Instant.after(now, LIMITS.answered);
  say(context, call, "answered", { mode: message.mode });
  return [];
}

function setUp(context: Context, call: Call, message: SignalMessage & { type: "CallSetup" }): readonly Effect[] {
  const { crypto, codec, settings, say: log } = context;
  if (call.keys === undefined) return refused(context, "unexpected", message);
  call.channel = message.channel;
  call.generations = generation.start(candidatesOf(message.peer_direct_addr, message.peer_local_addrs, message.peer_mapped_addr));
  call.media = new MediaStream({ call: call.id, keys: call.keys, crypto, codec, settings, say: log });
  call.stage = "active";
  call.overdueAt = undefined;
  say(context, call, "active");
  log({ ev: "path", call: call.id, path: "relay", candidate: "relay" });
  return [{ type: "active" }, { type: "send", message: { type: "MediaPathReport", call_id: call.id, path: "relay" } }];
}

/** Our address became known (offer or answer can go) or changed (the peer learns of it, unless we keep it to ourselves). */
function reflexive(context: Context, call: Call, now: Instant, address: Address, isNew: boolean): readonly Effect[] {
  if (call.stage === "waiting" || call.stage === "ringing") return wake(context, call, now);
  const isPrivate = call.role === "callee" && call.answer !== "AcceptTrusted";
  if (!isNew || isPrivate || call.media === undefined) return [];
  const last = call.generations.own;
  call.generations = generation.announce(call.generations);
  context.say({ ev: "generation", call: call.id, action: "sent", generation: call.generations.own, last });
  const message: SignalMessage = {
    type: "CandidateUpdate",
    call_id: call.id,
    reflexive_addr: address,
    generation: call.generations.own,
  };
  return [{ type: "send", message }];
}

function end(context: Context, call: Call, reason: string, mode?: Mode): readonly Effect[] {
  call.media?.end();
  call.media = undefined;
  call.stage = "ended";
  call.overdueAt = undefined;
  call.answerAt = undefined;
  call.patientUntil = undefined;
  say(context, call, "ended", { reason, ...(mode === undefined ? {} : { mode }) });
  return [{ type: "ended" }];
}

const askReflexive = (context: Context): Effect => ({
  type: "send",
  message: { type: "Reflect", txn: context.entropy(4).reduce((sum, octet) => sum * 256 + octet, 0) },
});

const refused = (context: Context, reason: RefusalReason, message: SignalMessage): readonly Effect[] => {
  context.refuse(reason, message.type);
  return [];
};

const say = (context: Context, call: Call, state: CallRecord["state"], more: Partial<CallRecord> = {}): void =>
  context.say({ ev: "call", call: call.id, state, peer: call.peer, ...more });

const candidatesOf = (
  reflexive: Address | undefined,
  local: readonly Address[] | undefined,
  mapped: Address | undefined,
): generation.Candidates => ({
  ...(reflexive === undefined ? {} : { reflexive }),
  local: local ?? [],
  ...(mapped === undefined ? {} : { mapped }),
});
