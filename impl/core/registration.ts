/**
 * Proof that a `Register` comes from the identity it names: an Ed25519 signature over the relay's certificate fingerprint, the identity
 * and a nonce, so that a relay cannot replay the registration to another relay. Within one relay, replay is QUIC's TLS to prevent.
 */
import { fromHex, toHex } from "../base/cursor.ts";
import type { RefusalReason } from "../base/record.ts";
import type { CryptoEngine } from "./crypto.ts";
import { fingerprintOf, type Identity } from "./identity.ts";
import { wantOctets } from "./octets.ts";
import { transcript } from "./transcript.ts";

/** The signed part of a `Register` message, all lowercase hex: 32, 16 and 64 octets. */
export type RegistrationProof = { readonly identity: string; readonly nonce: string; readonly signature: string };

/**
 * Why a relay closes a session whose identity has registered on another one (the reason phrase of CONNECTION_CLOSE). A client that
 * hears it on the session it is registered by has been displaced by another process, and must not displace it in turn (RFC 6120 section 4.9.3.3).
 */
export const REPLACED = "replaced by a newer session";

const DOMAIN = "midcall register v1";

/**
 * The octets signed, each part behind its two-octet big-endian length: the domain string in ASCII, the relay's certificate
 * fingerprint as 64 lowercase hex digits, the 32 octets of the identity key, the 16 octets of the nonce.
 */
export const registrationTranscript = (relay: string, identity: Uint8Array, nonce: Uint8Array): Uint8Array =>
  transcript(DOMAIN, relay, identity, nonce);

/** Signs for the relay whose certificate has fingerprint `relay` (SHA-256, lowercase hex). `nonce`: 16 fresh octets, else RangeError. */
export function signRegistration(engine: CryptoEngine, identity: Identity, relay: string, nonce: Uint8Array): RegistrationProof {
  wantOctets("nonce", nonce, 16);
  const signature = engine.sign(identity.signingSecret, registrationTranscript(relay, identity.signingPublic, nonce));
  return { identity: toHex(identity.signingPublic), nonce: toHex(nonce), signature: toHex(signature) };
}

/** The fingerprint of whoever signed, when the signature is for this relay (`relay`: its own certificate's fingerprint). Never throws. */
export function verifyRegistration(
  engine: CryptoEngine,
  proof: RegistrationProof,
  relay: string,
): { readonly ok: true; readonly fingerprint: string } | { readonly ok: false; readonly reason: RefusalReason } {
  const [identity, nonce, signature] = [fromHex(proof.identity), fromHex(proof.nonce), fromHex(proof.signature)];
  if (identity?.length !== 32 || nonce?.length !== 16 || signature?.length !== 64) return { ok: false, reason: "malformed" };
  if (!engine.verify(identity, registrationTranscript(relay, identity, nonce), signature))
    return { ok: false, reason: "forged-signature" };
  return { ok: true, fingerprint: fingerprintOf(engine, identity) };
}
