/**
 * Call keys: each side sends an ephemeral X25519 share signed with its Ed25519 identity, and both derive one key per direction
 * (RFC 7748, RFC 8032, RFC 5869; the shape is SIGMA without its identity hiding, which the relay's view of fingerprints makes void).
 * A signature covers the call, the maker's role, both fingerprints and the share; the callee's covers the caller's whole share too, so
 * no share can be moved to another call, role, peer or question. Ephemeral secrets are made by the driver and used for one call.
 */
import { fromHex, toHex } from "../base/cursor.ts";
import type { RefusalReason } from "../base/record.ts";
import type { KeyShare } from "../wire/signal.ts";
import type { CryptoEngine } from "./crypto.ts";
import { fingerprintOf, type Identity } from "./identity.ts";
import { textOctets, transcript } from "./transcript.ts";

export type { KeyShare } from "../wire/signal.ts";

/** Which side of a call made a share, or is deriving. */
export type CallRole = "caller" | "callee";

/** What a share is bound to. `answering` is the caller's share, given when and only when `role` is `callee` (TypeError otherwise). */
type Binding = { readonly call: string; readonly role: CallRole; readonly answering?: KeyShare };

/** Keys of one call as one side sees them: 32 octets each, the two directions distinct. */
export type CallKeys = {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** Names of the keys in the log, 8 hexadecimal digits; they reveal nothing of the keys. */
  readonly sendId: string;
  readonly receiveId: string;
};

const SHARE = "midcall key share v1";
const SESSION = "midcall call keys v1";
const KEY_ID = "midcall key id v1";

/** This side's share for one call. `peer` is the other party's fingerprint. RangeError for a secret not of 32 octets. */
export function makeShare(
  engine: CryptoEngine,
  identity: Identity,
  ephemeralSecret: Uint8Array,
  bound: Binding & { readonly peer: string },
): KeyShare {
  const share = engine.agreementPublic(ephemeralSecret);
  const covered = shareTranscript(bound, identity.fingerprint, bound.peer, identity.signingPublic, share);
  return {
    identity: toHex(identity.signingPublic),
    share: toHex(share),
    signature: toHex(engine.sign(identity.signingSecret, covered)),
  };
}

/** Whether `share` was made by party `from` for `to`, in `role`, for this call (and as the answer to that very share). Never throws. */
export function verifyShare(
  engine: CryptoEngine,
  share: KeyShare,
  bound: Binding & { readonly from: string; readonly to: string },
): { readonly ok: true } | { readonly ok: false; readonly reason: RefusalReason } {
  const [identity, ephemeral, signature] = [octets(share.identity, 32), octets(share.share, 32), octets(share.signature, 64)];
  if (identity === undefined || ephemeral === undefined || signature === undefined) return { ok: false, reason: "malformed" };
  if (fingerprintOf(engine, identity) !== bound.from) return { ok: false, reason: "forged-signature" };
  const covered = shareTranscript(bound, bound.from, bound.to, identity, ephemeral);
  return engine.verify(identity, covered, signature) ? { ok: true } : { ok: false, reason: "forged-signature" };
}

/**
 * Both directions' keys. `mine` and `theirs` are the two shares as sent; `theirs` must have passed `verifyShare`, and `ephemeralSecret` be
 * the one `mine` was made of. Undefined when the peer's share is malformed or of low order.
 */
export function deriveKeys(
  engine: CryptoEngine,
  call: {
    readonly role: CallRole;
    readonly call: string;
    readonly ephemeralSecret: Uint8Array;
    readonly mine: KeyShare;
    readonly theirs: KeyShare;
  },
): CallKeys | undefined {
  const peerShare = octets(call.theirs.share, 32);
  const shared = peerShare && engine.agree(call.ephemeralSecret, peerShare);
  if (shared === undefined) return undefined;
  const [caller, callee] = call.role === "caller" ? [call.mine, call.theirs] : [call.theirs, call.mine];
  const salt = engine.hash(transcript(SESSION, call.call, ...fields(caller), ...fields(callee)));
  const both = engine.derive(shared, salt, textOctets(SESSION), 64);
  const [toCallee, toCaller] = [both.slice(0, 32), both.slice(32)];
  const [send, receive] = call.role === "caller" ? [toCallee, toCaller] : [toCaller, toCallee];
  return { send, receive, sendId: keyId(engine, send), receiveId: keyId(engine, receive) };
}

const keyId = (engine: CryptoEngine, key: Uint8Array): string => toHex(engine.hash(transcript(KEY_ID, key)).subarray(0, 4));

const fields = (share: KeyShare): readonly string[] => [share.identity, share.share, share.signature];

function shareTranscript(bound: Binding, from: string, to: string, identity: Uint8Array, share: Uint8Array): Uint8Array {
  if ((bound.role === "callee") !== (bound.answering !== undefined)) {
    throw new TypeError(`answering: want the caller's share for role callee only, got role ${bound.role}`);
  }
  const question = bound.answering === undefined ? [] : fields(bound.answering);
  return transcript(SHARE, bound.role, bound.call, from, to, identity, share, ...question);
}

const octets = (text: string, length: number): Uint8Array | undefined => {
  const bytes = fromHex(text);
  return bytes?.length === length ? bytes : undefined;
};
