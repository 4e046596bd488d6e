import fc from "fast-check";
import { expect, test } from "vitest";
import { cryptoContract } from "../core/crypto.contract.ts";
import { nobleCrypto } from "../core/noble-crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";

cryptoContract("node", nodeCrypto);

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const some = fc.uint8Array({ maxLength: 1_300 });

test("node and noble seal, derive and hash to the same bytes", () => {
  fc.assert(
    fc.property(octets(32), octets(12), some, some, (key, nonce, associated, text) => {
      const sealed = nodeCrypto.cipher(key).seal(nonce, associated, text);
      expect(nobleCrypto.cipher(key).seal(nonce, associated, text)).toEqual(sealed);
      expect(nobleCrypto.cipher(key).open(nonce, associated, sealed)).toEqual(text);
      expect(nodeCrypto.derive(key, nonce, associated, 64)).toEqual(nobleCrypto.derive(key, nonce, associated, 64));
      expect(nodeCrypto.hash(text)).toEqual(nobleCrypto.hash(text));
    }),
    { seed: 24, numRuns: 100 },
  );
});

test("node and noble have the same keys, signatures and shared secrets", () => {
  fc.assert(
    fc.property(octets(32), octets(32), some, (secret, peer, message) => {
      expect(nodeCrypto.signingPublic(secret)).toEqual(nobleCrypto.signingPublic(secret));
      expect(nodeCrypto.sign(secret, message)).toEqual(nobleCrypto.sign(secret, message));
      expect(nodeCrypto.agreementPublic(secret)).toEqual(nobleCrypto.agreementPublic(secret));
      expect(nodeCrypto.agree(secret, peer)).toEqual(nobleCrypto.agree(secret, peer)); // `peer`: any octets, on the curve or its twist
    }),
    { seed: 25, numRuns: 15 },
  );
});
