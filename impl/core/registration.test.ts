import { expect, test } from "vitest";
import { toHex } from "../base/cursor.ts";
import { identityFromSecret } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { registrationTranscript, signRegistration, verifyRegistration } from "./registration.ts";

const RELAY = "ab".repeat(32);
const identity = identityFromSecret(nobleCrypto, new Uint8Array(32).fill(1));
const proof = signRegistration(nobleCrypto, identity, RELAY, new Uint8Array(16).fill(9));

test("a registration names its signer to the relay it was made for", () => {
  expect(verifyRegistration(nobleCrypto, proof, RELAY)).toEqual({ ok: true, fingerprint: identity.fingerprint });
});

test("the octets signed are domain, relay, identity and nonce, each behind its length", () => {
  const octets = registrationTranscript(RELAY, identity.signingPublic, new Uint8Array(16).fill(9));
  expect(toHex(octets)).toBe(
    `0013${toHex(new TextEncoder().encode("midcall register v1"))}0040${toHex(new TextEncoder().encode(RELAY))}0020${toHex(identity.signingPublic)}0010${"09".repeat(16)}`,
  );
});

test.each([
  ["another relay", {}, "cd".repeat(32), "forged-signature"],
  ["another nonce", { nonce: "00".repeat(16) }, RELAY, "forged-signature"],
  [
    "another identity",
    { identity: toHex(identityFromSecret(nobleCrypto, new Uint8Array(32)).signingPublic) },
    RELAY,
    "forged-signature",
  ],
  ["an altered signature", { signature: `${proof.signature.slice(0, -2)}00` }, RELAY, "forged-signature"],
  ["a short nonce", { nonce: "00" }, RELAY, "malformed"],
  ["a signature that is not hexadecimal", { signature: "x".repeat(128) }, RELAY, "malformed"],
])("%s is refused", (_, over, relay, reason) => {
  expect(verifyRegistration(nobleCrypto, { ...proof, ...over }, relay)).toEqual({ ok: false, reason });
});
