/**
 * Who is at the other end of a session between two clients. Each party signs the certificate its endpoint shows, for this call and peer, and sends it
 * with its key share; the dialler accepts no other (the pin of its session). The acceptor sees no certificate, so the dialler proves inside the
 * session that it has the call's keys: a proof covers the acceptor's certificate and a nonce, so it is of no use in any other session or call.
 */
import { fromHex, sameBytes, toHex } from "../../base/cursor.ts";
import type { RefusalReason } from "../../base/record.ts";
import type { CertificateProof, KeyShare } from "../../wire/signal.ts";
import { TRANSACTION_ID_BYTES } from "../../wire/stun.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { Identity } from "../identity.ts";
import type { CallKeys, CallRole } from "../key-agreement.ts";
import { transcript } from "../transcript.ts";

const CERTIFICATE = "midcall certificate v1";
const HELLO = "midcall direct hello v1";
const READY = "midcall direct ready v1";
const PUNCH = "midcall punch v1";
const NONE = new Uint8Array(0);

type Bound = { readonly call: string; readonly role: CallRole; readonly share: KeyShare };

/** `fingerprint`: SHA-256 of the certificate, lowercase hex. Bound to the share, which is bound to call and peer and made for one call. */
const covered = ({ call, role, share }: Bound, fingerprint: string): Uint8Array =>
  transcript(CERTIFICATE, call, role, share.identity, share.share, share.signature, fingerprint);

export const proveCertificate = (
  engine: CryptoEngine,
  identity: Identity,
  fingerprint: string,
  bound: Bound,
): CertificateProof => ({ fingerprint, signature: toHex(engine.sign(identity.signingSecret, covered(bound, fingerprint))) });

/** Whether the maker of `bound.share`, which is verified already, says that this is its certificate. Never throws. */
export function verifyCertificate(
  engine: CryptoEngine,
  proof: CertificateProof,
  bound: Bound,
): { readonly ok: true } | { readonly ok: false; readonly reason: RefusalReason } {
  const [key, signature] = [fromHex(bound.share.identity), fromHex(proof.signature)];
  if (key === undefined || signature === undefined) return { ok: false, reason: "malformed" };
  const isGenuine = engine.verify(key, covered(bound, proof.fingerprint), signature);
  return isGenuine ? { ok: true } : { ok: false, reason: "forged-signature" };
}

/** What a proof is about: the call, and the certificate of the session's acceptor. */
export type Meeting = { readonly call: string; readonly certificate: string };

const proof = (engine: CryptoEngine, key: Uint8Array, label: string, nonce: Uint8Array, about: Meeting): Uint8Array =>
  engine.derive(key, nonce, transcript(label, about.call, about.certificate), 32);

/** `nonce`: 16 fresh octets. */
export const helloProof = (engine: CryptoEngine, keys: CallKeys, nonce: Uint8Array, about: Meeting): string =>
  toHex(proof(engine, keys.send, HELLO, nonce, about));

/** The acceptor's answer to a hello with this nonce. */
export const readyProof = (engine: CryptoEngine, keys: CallKeys, nonce: Uint8Array, about: Meeting): string =>
  toHex(proof(engine, keys.send, READY, nonce, about));

/** Whether the peer made this proof. `of`: a hello's, or a ready's to our own nonce. */
export function isPeersProof(
  engine: CryptoEngine,
  keys: CallKeys,
  of: "hello" | "ready",
  nonce: Uint8Array,
  about: Meeting,
  given: string,
): boolean {
  const octets = fromHex(given);
  const wanted = proof(engine, keys.receive, of === "hello" ? HELLO : READY, nonce, about);
  return octets !== undefined && octets.length === wanted.length && sameBytes(octets, wanted);
}

/**
 * Transaction ID of the STUN Binding requests by which a party of the call opens its NAT towards the other: that one knows whose they are. Seen on the
 * way they can be repeated, which makes their receiver dial an address and find that nobody with the right certificate is there.
 */
export const punchTransaction = (engine: CryptoEngine, call: string, senderKey: Uint8Array): Uint8Array =>
  engine.derive(senderKey, NONE, transcript(PUNCH, call), TRANSACTION_ID_BYTES);
