import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf, identityFromMnemonic, identityFromSecret, makeMnemonic } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";

// The all-zero entropy of the BIP-39 reference vectors (trezor/python-mnemonic).
const ABANDON = `${"abandon ".repeat(11)}about`;

test("zero entropy gives the reference phrase", () => {
  expect(makeMnemonic(new Uint8Array(16))).toBe(ABANDON);
  expect(() => makeMnemonic(new Uint8Array(15))).toThrow(RangeError);
});

test("a phrase always gives the same identity, whatever its case and spacing, in every release", () => {
  const a = identityFromMnemonic(nobleCrypto, ABANDON);
  const b = identityFromMnemonic(nobleCrypto, `  ${ABANDON.toUpperCase().replaceAll(" ", "\n ")} `);
  expect(a).toEqual(b);
  expect(a.ok && a.identity.fingerprint).toBe("168dec235a3762f4372d3cf2e6cb9064");
});

test.each([
  ["abandon about", "want 12, 15, 18, 21, 24 words, got 2"],
  ["", "want 12, 15, 18, 21, 24 words, got 1"],
  [ABANDON.replace("about", "abott"), 'word 12, "abott", is not in the BIP-39 English list'],
  [ABANDON.replace("about", "abandon"), "the checksum does not match: a word is wrong or out of order"],
])("a wrong phrase is told what is wrong: %s", (phrase, reason) => {
  expect(identityFromMnemonic(nobleCrypto, phrase)).toEqual({ ok: false, reason });
});

test("random text never throws and random entropy always makes a valid phrase", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), (text) => !identityFromMnemonic(nobleCrypto, text).ok),
    { seed: 5, numRuns: 200 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (entropy) => identityFromMnemonic(nobleCrypto, makeMnemonic(entropy)).ok,
    ),
    { seed: 6, numRuns: 3 },
  );
});

test("an identity from a secret has working keys, unrelated to each other, and its own fingerprint", () => {
  const [a, b] = [
    identityFromSecret(nobleCrypto, new Uint8Array(32).fill(1)),
    identityFromSecret(nobleCrypto, new Uint8Array(32).fill(2)),
  ];
  expect(a.fingerprint).toMatch(/^[0-9a-f]{32}$/);
  expect(a.fingerprint).not.toBe(b.fingerprint);
  expect(a.fingerprint).toBe(fingerprintOf(nobleCrypto, a.signingPublic));
  expect(a.signingSecret).not.toEqual(a.agreementSecret);
  const message = new Uint8Array([1, 2, 3]);
  expect(nobleCrypto.verify(a.signingPublic, message, nobleCrypto.sign(a.signingSecret, message))).toBe(true);
  expect(nobleCrypto.agree(a.agreementSecret, b.agreementPublic)).toEqual(
    nobleCrypto.agree(b.agreementSecret, a.agreementPublic),
  );
  expect(() => identityFromSecret(nobleCrypto, new Uint8Array(31))).toThrow(RangeError);
});
