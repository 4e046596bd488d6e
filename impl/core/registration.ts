/**
 * Proof that a `Register` comes from the identity it names: an Ed25519 signature over the relay's certificate fingerprint, the identity
 * and a nonce, so that a relay cannot replay the registration to another relay. Within one relay, replay is QUIC's TLS to prevent. The nonce tells
 * when, so that a relay which shows others an earlier registration of a user who has gone elsewhere since is not believed.
 */
import { ByteReader, fromHex, putUint, toHex } from "../base/cursor.ts";
import type { RefusalReason } from "../base/record.ts";
import { type Micros, seconds } from "../base/units.ts";
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

/** What a nonce that tells when begins with: ASCII `time`. One that is random by chance looks like it once in 2^32. */
const TELLS_WHEN = Uint8Array.of(0x74, 0x69, 0x6d, 0x65);

/**
 * 16 octets: `time`, the millisecond of the registration in six octets, and the last six of `random`. The nonce is signed, so the time is, and relays that know nothing of
 * it take the nonce as they always did. `at`: milliseconds of a count that an identity's later registrations are further on in, RangeError beyond 48 bits.
 */
export function nonceAt(at: number, random: Uint8Array): Uint8Array {
  wantOctets("random", random, 16);
  if (!Number.isSafeInteger(at) || at < 0 || at >= 2 ** 48) throw new RangeError(`at: want milliseconds of 48 bits, got ${at}`);
  const nonce = new Uint8Array(random);
  nonce.set(TELLS_WHEN);
  putUint(nonce, 4, 6, at);
  return nonce;
}

/** The millisecond that a registration's nonce tells; 0 when it tells none. */
export function registeredAt({ nonce }: Pick<RegistrationProof, "nonce">): number {
  const octets = fromHex(nonce);
  if (octets?.length !== 16 || TELLS_WHEN.some((octet, index) => octets[index] !== octet)) return 0;
  return new ByteReader(octets.subarray(4)).uint(6);
}

/**
 * A registration that arrives at the same relay so much later than one that was made after it has been overtaken, on another session of its client. One that is
 * older by more is another process by a clock that is behind. chosen: after 30 s without an answer a session is given up (session.ts), and with it what it sent.
 */
export const OVERTAKEN_WITHIN: Micros = seconds(30);

/** Whether `proof` was made before `known`, which arrived earlier: it tells nothing of where its client is now. False where one does not tell when. */
export function isOvertaken(proof: Pick<RegistrationProof, "nonce">, known: Pick<RegistrationProof, "nonce">): boolean {
  const [at, knownAt] = [registeredAt(proof), registeredAt(known)];
  return at > 0 && at < knownAt && (knownAt - at) * 1_000 < OVERTAKEN_WITHIN;
}

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
