/**
 * Signalling messages: JSON objects in UTF-8, told apart by `type`. Older and newer peers understand each other: unknown fields are
 * ignored, absent optional ones are elided, and a type nobody knows is its own answer. Parsing is total: any octets give a message
 * or a reason. Shapes are checked here, meaning (signatures, states, whether an address parses) in impl/core.
 */
import { z } from "zod";
import type { Address } from "../base/address.ts";

/** An ephemeral key and its proof, lowercase hex: Ed25519 identity and X25519 share of 32 octets, signature of 64. */
export type KeyShare = { readonly identity: string; readonly share: string; readonly signature: string };

/**
 * The certificate by which a client's own endpoint accepts sessions of the other party: SHA-256 as lowercase hex, 32 octets, and its Ed25519 signature over
 * that and the key share beside it, 64 octets (impl/core/ice/direct-proof.ts).
 */
export type CertificateProof = { readonly fingerprint: string; readonly signature: string };

/** Client to relay: who I am. `identity` 32, `nonce` 16, `signature` 64 octets as lowercase hex; what is signed: impl/core/registration.ts. */
export type Register = {
  readonly type: "Register";
  readonly identity: string;
  readonly name?: string;
  /** Admission token, where the relay wants one. */
  readonly token?: string;
  readonly nonce: string;
  readonly signature: string;
};

/** Relay to client. `resumed`: the relay still knew this client; `relay`: the relay's own name. */
export type RegisterAck = {
  readonly type: "RegisterAck";
  readonly ok: boolean;
  readonly reason?: string;
  readonly resumed?: boolean;
  readonly relay?: string;
};

/** Client to relay: from which address do you see me? */
export type Reflect = { readonly type: "Reflect"; readonly txn: number };
export type ReflectResponse = { readonly type: "ReflectResponse"; readonly txn: number; readonly addr: Address };

/** A scheme of forward error correction, and how long a receiver has to hold frames for it, milliseconds: known before the first packet. */
export type SendsFec = { readonly scheme: string; readonly hold_ms: number };

/** Caller to callee by the relay. Fingerprints and `call_id` are 32 lowercase hex digits everywhere. */
export type DirectCallOffer = {
  readonly type: "DirectCallOffer";
  readonly call_id: string;
  readonly caller_fingerprint: string;
  readonly callee_fingerprint: string;
  readonly caller_share: KeyShare;
  /** Absent: the caller accepts no sessions, and the call goes by the relay. */
  readonly caller_certificate?: CertificateProof;
  /** Schemes of forward error correction the sender can make use of (impl/base/fec-scheme.ts); unknown words are of no meaning. */
  readonly fec?: readonly string[];
  /** What the sender will send with if the receiver can make use of it. */
  readonly sends?: SendsFec;
  /** What the sender can play beside 20 ms of Opus a packet (impl/core/voice/coding.ts); unknown words are of no meaning. */
  readonly codecs?: readonly string[];
  readonly caller_reflexive_addr?: Address;
  readonly caller_local_addrs?: readonly Address[];
  readonly caller_mapped_addr?: Address;
};

export type AnswerMode = "AcceptTrusted" | "AcceptGeneric" | "Reject";

/** Callee to caller. Only `AcceptTrusted` may carry an address: the sender's duty. `callee_share` accompanies both kinds of acceptance. */
export type DirectCallAnswer = {
  readonly type: "DirectCallAnswer";
  readonly call_id: string;
  readonly mode: AnswerMode;
  readonly callee_fingerprint: string;
  readonly callee_share?: KeyShare;
  /** As in the offer. Never in privacy mode. */
  readonly callee_certificate?: CertificateProof;
  /** All three as in the offer. */
  readonly fec?: readonly string[];
  readonly sends?: SendsFec;
  readonly codecs?: readonly string[];
  readonly callee_reflexive_addr?: Address;
  readonly callee_local_addrs?: readonly Address[];
  readonly callee_mapped_addr?: Address;
  readonly reason?: string;
};

/** Relay to each party of an answered call: the other's addresses, the role in the race, the channel for media through the relay. */
export type CallSetup = {
  readonly type: "CallSetup";
  readonly call_id: string;
  readonly role: "dialer" | "acceptor";
  /** 0..255, valid on the session this message came by. */
  readonly channel: number;
  readonly relay_path: boolean;
  readonly peer_direct_addr?: Address;
  readonly peer_local_addrs?: readonly Address[];
  readonly peer_mapped_addr?: Address;
};

export type Hangup = { readonly type: "Hangup"; readonly call_id: string; readonly reason?: string };

/** The receiver of a `Hangup` knows that the call is over, whether it knew the call or not: the hang-up need not be said again. */
export type HangupAck = { readonly type: "HangupAck"; readonly call_id: string };

/** Party to party: my addresses are now these. Applied only when `generation` is above every earlier one. */
export type CandidateUpdate = {
  readonly type: "CandidateUpdate";
  readonly call_id: string;
  readonly reflexive_addr?: Address;
  readonly local_addrs?: readonly Address[];
  readonly mapped_addr?: Address;
  readonly generation: number;
};

/** Party to party: the path I send media on. */
export type MediaPathReport = {
  readonly type: "MediaPathReport";
  readonly call_id: string;
  readonly path: "relay" | "direct";
  readonly candidate?: "host" | "mapped" | "reflexive" | "relay";
};

/**
 * Client to a relay that may have forgotten the call: this call is going on between me and that peer. Both shares prove it (impl/core/call-proof.ts);
 * the relay hands a proven one on to a peer that is registered and has not resumed, so that a peer which knows the call to be over says so. A party
 * of before the proof sends neither.
 */
export type CallResume = {
  readonly type: "CallResume";
  readonly call_id: string;
  readonly peer_fingerprint: string;
  readonly role: "caller" | "callee";
  /** The channel of before: kept where it is free, so that media need not wait for the answer. */
  readonly channel?: number;
  /** From a callee that answered in privacy mode, so that a relay which does not know the call keeps that promise too. */
  readonly private?: boolean;
  /** How many times the sender has taken this call up: of two that arrive in the wrong order by different relays, the greater one is the later. */
  readonly attempt?: number;
  readonly caller_share?: KeyShare;
  readonly callee_share?: KeyShare;
};

/** Relay to client: the call's channel on this session, and whether the peer has resumed too. */
export type CallResumed = {
  readonly type: "CallResumed";
  readonly call_id: string;
  readonly channel: number;
  readonly peer_present: boolean;
};

/**
 * Relay to relay: `from`, a user of relay `from_relay`, has a message for party `to`, a user of the receiver. `message` has passed no check but its depth and
 * must be judged with `checkSignal` by whoever acts on it.
 */
export type FederatedSignalForward = {
  readonly type: "FederatedSignalForward";
  readonly from_relay: string;
  /** Absent from relays of before federation, whose forwards are refused. */
  readonly from?: string;
  readonly to: string;
  readonly message: Readonly<Record<string, unknown>>;
};

/** Relay to relay, first on a session: who dials. What is signed: impl/core/federation/hello.ts. `identity` 32, `nonce` 16, `signature` 64 octets as lowercase hex. */
export type FederationHello = {
  readonly type: "FederationHello";
  readonly relay: string;
  readonly identity: string;
  readonly nonce: string;
  readonly signature: string;
};
export type FederationHelloAck = { readonly type: "FederationHelloAck"; readonly ok: boolean; readonly reason?: string };

/** The signed part of a `Register`: shows another relay that a user has registered with the certificate of the relay that announces it. */
export type UserProof = { readonly identity: string; readonly nonce: string; readonly signature: string };

/** Relay to relay: which users are registered with the sender, each with its `proofs` at the same place. `whole`: these and no others, else what changed. */
export type FederationUsers = {
  readonly type: "FederationUsers";
  readonly whole: boolean;
  readonly added: readonly string[];
  /** Without it nobody is believed to be the sender's user. */
  readonly proofs?: readonly UserProof[];
  readonly removed: readonly string[];
};

/** Relay to relay: send the media of `from`, a user of yours, in this call under this number in trunk datagrams on this session (impl/wire/trunk.ts). */
export type FederationChannel = {
  readonly type: "FederationChannel";
  readonly call_id: string;
  readonly from: string;
  readonly number: number;
};

/** Callee to caller: the offer has arrived and waits for a person. */
export type Ringing = { readonly type: "Ringing"; readonly call_id: string };

/** Answer to a message of type `re` that was refused, and why: a `RefusalReason` or words. */
export type Refusal = { readonly type: "Refusal"; readonly re: string; readonly call_id?: string; readonly reason: string };

/** Relay to client: leave me within `deadline_ms`; these relays would take you (pin: SHA-256 of the certificate, lowercase hex). */
export type RelayDraining = {
  readonly type: "RelayDraining";
  readonly deadline_ms?: number;
  readonly alternatives?: readonly { readonly addr: Address; readonly pin: string }[];
};

export type SignalMessage =
  | Register
  | RegisterAck
  | Reflect
  | ReflectResponse
  | DirectCallOffer
  | DirectCallAnswer
  | CallSetup
  | Hangup
  | HangupAck
  | CandidateUpdate
  | MediaPathReport
  | CallResume
  | CallResumed
  | FederatedSignalForward
  | FederationHello
  | FederationHelloAck
  | FederationUsers
  | FederationChannel
  | Ringing
  | Refusal
  | RelayDraining;

export type SignalType = SignalMessage["type"];

/** `type` is given when the input had one that is fit to be logged. */
export type SignalResult =
  | { readonly ok: true; readonly message: SignalMessage }
  | { readonly ok: false; readonly reason: "malformed" | "unknown-type" | "oversized"; readonly type?: string };

/** Octets of the largest message that is parsed; the limit of the transport is the same. */
export const MAX_SIGNAL_BYTES = 16_384;
/** chosen: more interfaces than a laptop with every VPN has; longer lists are malformed. */
export const MAX_ADDRESSES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The message's octets; fields that are undefined are elided. RangeError above MAX_SIGNAL_BYTES, which no parsed or well-typed message but a forward reaches. */
export function encodeSignal(message: SignalMessage): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(message));
  if (bytes.length > MAX_SIGNAL_BYTES) {
    throw new RangeError(`message: want at most ${MAX_SIGNAL_BYTES} octets, got a ${message.type} of ${bytes.length}`);
  }
  return bytes;
}

/** Reads one message. Never throws. */
export function parseSignal(bytes: Uint8Array): SignalResult {
  if (bytes.length > MAX_SIGNAL_BYTES) return { ok: false, reason: "oversized" };
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    return { ok: false, reason: "malformed" };
  }
  return checkSignal(value);
}

/** Judges a value that JSON.parse gave: the same as `parseSignal`, for the message inside a forward. Never throws. */
export function checkSignal(value: unknown): SignalResult {
  if (!isRecord(value)) return { ok: false, reason: "malformed" };
  const type = value.type;
  if (typeof type !== "string" || !TYPE_NAME.test(type)) return { ok: false, reason: "malformed" };
  const schema = SCHEMAS.get(type);
  if (schema === undefined) return { ok: false, reason: "unknown-type", type };
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, message: parsed.data } : { ok: false, reason: "malformed", type };
}

/** chosen: the longest of ours has 22 characters; anything else does not enter a log. */
const TYPE_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const hex = (octets: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${octets * 2}}$`));
/** Printable ASCII, so that a message cannot grow or change when it is encoded again. */
const ascii = (most: number): z.ZodString => z.string().regex(new RegExp(`^[\\x20-\\x7e]{0,${most}}$`));

const call = hex(16);
const fingerprint = hex(16);
/** Not parsed here: one address a peer cannot read must not cost it the message. 64: bracketed IPv6 with an IPv4 tail and a port has 53. */
const addr = ascii(64);
/** Users in one announcement: 50 of 323 octets each with its proof fill a message of MAX_SIGNAL_BYTES. chosen: a fifth less. */
export const MAX_USERS = 40;
const users = z.array(fingerprint).max(MAX_USERS).readonly();
const proofs = z
  .array(z.object({ identity: hex(32), nonce: hex(16), signature: hex(64) }).readonly())
  .max(MAX_USERS)
  .readonly();
const addrs = z.array(addr).max(MAX_ADDRESSES).readonly();
/** What people read, in terminals and logs: a peer's text with control characters could move the cursor or pretend to be a line of ours. */
const words = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .regex(/^[^\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}]*$/u);
/** chosen: a sentence. */
const reason = words(200);
const channel = z.int().min(0).max(255);
const whole = z.int().min(0);
/** chosen: four schemes and four words for codecs are known, and room for as many more of another version. */
const schemes = z.array(ascii(16)).max(16).readonly();
/** chosen: no conversation waits for a minute. */
const sends = z.object({ scheme: ascii(16), hold_ms: whole.max(60_000) }).readonly();
const certificate = z.object({ fingerprint: hex(32), signature: hex(64) }).readonly();
const share = z.object({ identity: hex(32), share: hex(32), signature: hex(64) }).readonly();

/** chosen: ours nest three deep; encoding what is deeper again could exhaust the stack. */
const MAX_DEPTH = 8;
const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)));
const forwarded = z.custom<Readonly<Record<string, unknown>>>((value) => isRecord(value) && isShallow(value, MAX_DEPTH));

const SCHEMAS: ReadonlyMap<string, z.ZodType<SignalMessage>> = new Map(
  Object.entries({
    Register: z.object({
      type: z.literal("Register"),
      identity: hex(32),
      name: words(64).exactOptional(),
      token: ascii(1_024).exactOptional(),
      nonce: hex(16),
      signature: hex(64),
    }),
    RegisterAck: z.object({
      type: z.literal("RegisterAck"),
      ok: z.boolean(),
      reason: reason.exactOptional(),
      resumed: z.boolean().exactOptional(),
      relay: ascii(128).exactOptional(),
    }),
    Reflect: z.object({ type: z.literal("Reflect"), txn: whole }),
    ReflectResponse: z.object({ type: z.literal("ReflectResponse"), txn: whole, addr }),
    DirectCallOffer: z.object({
      type: z.literal("DirectCallOffer"),
      call_id: call,
      caller_fingerprint: fingerprint,
      callee_fingerprint: fingerprint,
      caller_share: share,
      caller_certificate: certificate.exactOptional(),
      fec: schemes.exactOptional(),
      sends: sends.exactOptional(),
      codecs: schemes.exactOptional(),
      caller_reflexive_addr: addr.exactOptional(),
      caller_local_addrs: addrs.exactOptional(),
      caller_mapped_addr: addr.exactOptional(),
    }),
    DirectCallAnswer: z.object({
      type: z.literal("DirectCallAnswer"),
      call_id: call,
      mode: z.enum(["AcceptTrusted", "AcceptGeneric", "Reject"]),
      callee_fingerprint: fingerprint,
      callee_share: share.exactOptional(),
      callee_certificate: certificate.exactOptional(),
      fec: schemes.exactOptional(),
      sends: sends.exactOptional(),
      codecs: schemes.exactOptional(),
      callee_reflexive_addr: addr.exactOptional(),
      callee_local_addrs: addrs.exactOptional(),
      callee_mapped_addr: addr.exactOptional(),
      reason: reason.exactOptional(),
    }),
    CallSetup: z.object({
      type: z.literal("CallSetup"),
      call_id: call,
      role: z.enum(["dialer", "acceptor"]),
      channel,
      relay_path: z.boolean(),
      peer_direct_addr: addr.exactOptional(),
      peer_local_addrs: addrs.exactOptional(),
      peer_mapped_addr: addr.exactOptional(),
    }),
    Hangup: z.object({ type: z.literal("Hangup"), call_id: call, reason: reason.exactOptional() }),
    HangupAck: z.object({ type: z.literal("HangupAck"), call_id: call }),
    CandidateUpdate: z.object({
      type: z.literal("CandidateUpdate"),
      call_id: call,
      reflexive_addr: addr.exactOptional(),
      local_addrs: addrs.exactOptional(),
      mapped_addr: addr.exactOptional(),
      generation: whole,
    }),
    MediaPathReport: z.object({
      type: z.literal("MediaPathReport"),
      call_id: call,
      path: z.enum(["relay", "direct"]),
      candidate: z.enum(["host", "mapped", "reflexive", "relay"]).exactOptional(),
    }),
    CallResume: z.object({
      type: z.literal("CallResume"),
      call_id: call,
      peer_fingerprint: fingerprint,
      role: z.enum(["caller", "callee"]),
      channel: channel.exactOptional(),
      private: z.boolean().exactOptional(),
      attempt: whole.exactOptional(),
      caller_share: share.exactOptional(),
      callee_share: share.exactOptional(),
    }),
    CallResumed: z.object({ type: z.literal("CallResumed"), call_id: call, channel, peer_present: z.boolean() }),
    FederatedSignalForward: z.object({
      type: z.literal("FederatedSignalForward"),
      from_relay: ascii(128),
      from: fingerprint.exactOptional(),
      to: fingerprint,
      message: forwarded,
    }),
    FederationHello: z.object({
      type: z.literal("FederationHello"),
      relay: ascii(128),
      identity: hex(32),
      nonce: hex(16),
      signature: hex(64),
    }),
    FederationHelloAck: z.object({ type: z.literal("FederationHelloAck"), ok: z.boolean(), reason: reason.exactOptional() }),
    FederationUsers: z.object({
      type: z.literal("FederationUsers"),
      whole: z.boolean(),
      added: users,
      proofs: proofs.exactOptional(),
      removed: users,
    }),
    FederationChannel: z.object({
      type: z.literal("FederationChannel"),
      call_id: call,
      from: fingerprint,
      number: whole.max(0xffff),
    }),
    Ringing: z.object({ type: z.literal("Ringing"), call_id: call }),
    Refusal: z.object({ type: z.literal("Refusal"), re: ascii(40), call_id: call.exactOptional(), reason }),
    RelayDraining: z.object({
      type: z.literal("RelayDraining"),
      deadline_ms: whole.exactOptional(),
      alternatives: z
        .array(z.object({ addr, pin: hex(32) }).readonly())
        .max(MAX_ADDRESSES)
        .readonly()
        .exactOptional(),
    }),
  } satisfies { readonly [T in SignalType]: z.ZodType<Extract<SignalMessage, { readonly type: T }>> }),
);
