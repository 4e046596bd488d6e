/**
 * Proof of the relay that dials: an Ed25519 signature by its identity over the certificate it dialled, so that nobody can present it elsewhere. The
 * relay that is dialled proves itself by that certificate, which the dialler has pinned.
 */
import { fromHex, toHex } from "../../base/cursor.ts";
import type { RefusalReason } from "../../base/record.ts";
import type { FederationHello } from "../../wire/signal.ts";
import type { CryptoEngine } from "../crypto.ts";
import { fingerprintOf, type Identity } from "../identity.ts";
import { transcript } from "../transcript.ts";

const DOMAIN = "midcall federation v1";

/** For the relay whose certificate has fingerprint `pin` (SHA-256, lowercase hex). `nonce`: 16 fresh octets. */
export function signHello(
  crypto: CryptoEngine,
  identity: Identity,
  relay: string,
  pin: string,
  nonce: Uint8Array,
): FederationHello {
  const signature = crypto.sign(identity.signingSecret, transcript(DOMAIN, relay, pin, identity.signingPublic, nonce));
  return {
    type: "FederationHello",
    relay,
    identity: toHex(identity.signingPublic),
    nonce: toHex(nonce),
    signature: toHex(signature),
  };
}

/** Whether it is signed for this relay (`pin`: its own certificate's fingerprint) by the identity with fingerprint `fingerprint`. Never throws. */
export function verifyHello(
  crypto: CryptoEngine,
  hello: FederationHello,
  pin: string,
  fingerprint: string,
): RefusalReason | undefined {
  const [identity, nonce, signature] = [fromHex(hello.identity), fromHex(hello.nonce), fromHex(hello.signature)];
  if (identity?.length !== 32 || nonce?.length !== 16 || signature?.length !== 64) return "malformed";
  if (fingerprintOf(crypto, identity) !== fingerprint) return "unauthenticated";
  const signed = transcript(DOMAIN, hello.relay, pin, identity, nonce);
  return crypto.verify(identity, signed, signature) ? undefined : "forged-signature";
}
