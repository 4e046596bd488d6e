/** One call at one party, as a value: what it is in, what it waits for, and the ways it can end. The steps are in call.ts and call-setup.ts. */

import type { Address } from "../base/address.ts";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { CallRecord, RefusalReason, Saying } from "../base/record.ts";
import type { Instant, Micros } from "../base/units.ts";
import type { CertificateProof, SendsFec, SignalMessage } from "../wire/signal.ts";
import type * as generation from "./candidate-generation.ts";
import type { CodecEngine, CodecSettings } from "./codec.ts";
import type { CryptoEngine } from "./crypto.ts";
import { verifyCertificate } from "./ice/direct-proof.ts";
import type { Identity } from "./identity.ts";
import type { CallKeys, KeyShare } from "./key-agreement.ts";
import type { FecOptions, MediaStream } from "./media-stream.ts";
import type { VoiceOptions } from "./voice/options.ts";

export type Context = {
  readonly identity: Identity;
  readonly crypto: CryptoEngine;
  readonly codec: CodecEngine;
  readonly settings: CodecSettings;
  readonly jitterBuffer: JitterBufferName;
  readonly fec: FecOptions;
  readonly voice: VoiceOptions;
  readonly entropy: (length: number) => Uint8Array;
  readonly say: (saying: Saying) => void;
  readonly refuse: (reason: RefusalReason, what: string) => void;
  /** The addresses we may be reached by, once they are gathered. */
  readonly candidates: generation.Candidates | undefined;
  /** SHA-256 of the certificate our endpoint accepts the other party with; undefined: it accepts nobody. */
  readonly certificate: string | undefined;
  /** Media go directly to the peer: the call can do without its relay for as long as they do. */
  readonly isDirect: boolean;
  /** How long to wait for the candidates before going on without. */
  readonly patience: Micros;
  readonly isRegistered: boolean;
};

export type Mode = "AcceptTrusted" | "AcceptGeneric" | "Reject";

export type Call = {
  readonly id: string;
  readonly role: "caller" | "callee";
  readonly peer: string;
  /** `waiting`: for the registration and our own address, before the offer. */
  stage: "waiting" | "offering" | "ringing" | "answered" | "active" | "resuming" | "ended";
  /** When this stage is over time. */
  overdueAt: Instant | undefined;
  /** When to offer or answer even if our own address is still unknown, and when the answer is due. */
  patientUntil: Instant | undefined;
  answerAt: Instant | undefined;
  answer: Mode | undefined;
  readonly secret: Uint8Array;
  mine: KeyShare | undefined;
  theirs: KeyShare | undefined;
  /** Our last word of the set-up (offer, ringing or answer), and when it is said again unless the peer's next word comes first. */
  said: SignalMessage | undefined;
  sayAgainAt: Instant | undefined;
  /** A set-up that came before the answer it belongs to. */
  early: SetupMessage | undefined;
  /** Since when the relay has said that it does not know the peer. */
  unknownSince: Instant | undefined;
  /** The registration was renewed during the set-up, so the peer's may be under way too. */
  hasReconnected: boolean;
  /** After how long a `CallResume` without an answer is said again. */
  resumeWait: Micros;
  /** How many times it was taken up at a relay. */
  resumptions: number;
  keys: CallKeys | undefined;
  /** Forward error correction the peer can make use of, and what it sends with. */
  peerFec: readonly string[];
  peerSends: SendsFec | undefined;
  /** The peer's certificate, proved to be its own; undefined: it accepts no sessions. */
  peerCertificate: string | undefined;
  /** Our part in finding a direct path. */
  raceRole: SetupMessage["role"] | undefined;
  /** What it can play beside 20 ms of Opus a packet. */
  peerCodecs: readonly string[];
  media: MediaStream | undefined;
  channel: number | undefined;
  generations: generation.State;
};

export type OfferMessage = SignalMessage & { type: "DirectCallOffer" };
export type AnswerMessage = SignalMessage & { type: "DirectCallAnswer" };
export type SetupMessage = SignalMessage & { type: "CallSetup" };

export type Effect =
  | { readonly type: "send"; readonly message: SignalMessage }
  /** Media may flow on the session that is registered. */
  | { readonly type: "active" }
  /** Our candidates are to be gathered. */
  | { readonly type: "gather" }
  /** The peer's candidates are new: `generations.peerCandidates`. */
  | { readonly type: "peer-candidates" }
  /** We have told the peer new candidates of ours. */
  | { readonly type: "announced" }
  /** The way the peer sends media. */
  | { readonly type: "peer-path"; readonly path: "relay" | "direct" }
  /** `word` is the last about this call; `isOwed`: a hang-up that has to be acknowledged. `opening` makes a relay know the call that does not. */
  | {
      readonly type: "ended";
      readonly word: SignalMessage;
      readonly isOwed: boolean;
      readonly opening: SignalMessage | undefined;
    };

/** What opens this call at a relay that knows nothing of it: the proof that both are in it, or our offer. Undefined: we have neither. */
export function opening(call: Call): SignalMessage | undefined {
  const { id, role, peer, mine, theirs, channel, answer } = call;
  if (mine === undefined) return undefined;
  if (theirs === undefined) return call.said;
  const [caller, callee] = role === "caller" ? [mine, theirs] : [theirs, mine];
  return {
    type: "CallResume",
    call_id: id,
    peer_fingerprint: peer,
    role,
    ...(channel === undefined ? {} : { channel }),
    ...(role === "callee" && answer === "AcceptGeneric" ? { private: true } : {}),
    attempt: call.resumptions,
    caller_share: caller,
    callee_share: callee,
  };
}

/** We end it and say so. */
export function hangUp(context: Context, call: Call, reason: string): readonly Effect[] {
  if (call.stage === "waiting") return end(context, call, reason, {}); // nobody has heard of it
  const word: SignalMessage = { type: "Hangup", call_id: call.id, reason };
  return [{ type: "send", message: word }, ...end(context, call, reason, { word, isOwed: true })];
}

/** It is over. `word`: what whoever asks about it later is told, a hang-up for the same reason unless given. */
export function end(
  context: Context,
  call: Call,
  reason: string,
  how: { readonly word?: SignalMessage; readonly isOwed?: boolean; readonly mode?: Mode },
): readonly Effect[] {
  const word = how.word ?? { type: "Hangup", call_id: call.id, reason };
  call.resumptions++; // a hang-up opens it where it was not yet
  const ended: Effect = { type: "ended", word, isOwed: how.isOwed ?? false, opening: opening(call) };
  call.media?.end();
  call.media = undefined;
  call.stage = "ended";
  call.overdueAt = undefined;
  call.answerAt = undefined;
  call.patientUntil = undefined;
  call.sayAgainAt = undefined;
  say(context, call, "ended", { reason, ...(how.mode === undefined ? {} : { mode: how.mode }) });
  return [ended];
}

/** Counts a message that is refused. */
export const refused = (context: Context, reason: RefusalReason, message: SignalMessage): readonly Effect[] => {
  context.refuse(reason, message.type);
  return [];
};

export const say = (context: Context, call: Call, state: CallRecord["state"], more: Partial<CallRecord> = {}): void =>
  context.say({ ev: "call", call: call.id, state, peer: call.peer, ...more });

/** The certificate that comes with a share, when it is the maker's own word; a forged one is refused and counted. */
export function certificateOf(
  context: Context,
  call: Call,
  proof: CertificateProof | undefined,
  share: KeyShare,
  role: "caller" | "callee",
): string | undefined {
  if (proof === undefined) return undefined;
  const checked = verifyCertificate(context.crypto, proof, { call: call.id, role, share });
  if (!checked.ok) context.refuse(checked.reason, `certificate of the ${role}`);
  return checked.ok ? proof.fingerprint : undefined;
}

export const candidatesOf = (
  reflexive: Address | undefined,
  local: readonly Address[] | undefined,
  mapped: Address | undefined,
): generation.Candidates => ({
  ...(reflexive === undefined ? {} : { reflexive }),
  local: local ?? [],
  ...(mapped === undefined ? {} : { mapped }),
});
