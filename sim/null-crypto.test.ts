import fc from "fast-check";
import { expect, test } from "vitest";
import { cryptoContract } from "../impl/core/crypto.contract.ts";
import { nullCrypto } from "./null-crypto.ts";

cryptoContract("null", nullCrypto);

test("tags, keys and signatures of similar inputs do not collide", () => {
  const seen = new Set<string>();
  const cipher = nullCrypto.cipher(new Uint8Array(32));
  for (let i = 0; i < 20_000; i++) {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(8, i);
    seen.add(cipher.seal(nonce, new Uint8Array(0), new Uint8Array(0)).join());
    seen.add(nullCrypto.hash(nonce).join());
  }
  expect(seen.size).toBe(40_000);
});

test("what opens is not a view of the packet: the caller may reuse its buffer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (text) => {
      const cipher = nullCrypto.cipher(new Uint8Array(32));
      const sealed = cipher.seal(new Uint8Array(12), new Uint8Array(0), text);
      const opened = cipher.open(new Uint8Array(12), new Uint8Array(0), sealed);
      sealed.fill(0xee);
      expect(opened).toEqual(text);
    }),
    { seed: 3, numRuns: 100 },
  );
});
