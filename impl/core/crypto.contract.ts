/**
 * What every crypto engine promises, as a test suite: the published vectors for real engines, and for all of them, the null one too,
 * the meaning: whatever was not made with this key, for this nonce, header, message or peer is refused, and nothing throws on peer input.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, sameBytes, toHex } from "../base/cursor.ts";
import { type CryptoEngine, TAG_BYTES } from "./crypto.ts";

const bytes = (text: string): Uint8Array => {
  const out = fromHex(text);
  if (out === undefined) throw new TypeError(`not hexadecimal: ${text}`);
  return out;
};
const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const some = fc.uint8Array({ maxLength: 160 });

/** A copy with one bit of octet `at` (modulo the length) turned over. */
const altered = (original: Uint8Array, at: number, bit: number): Uint8Array => {
  const copy = original.slice();
  const index = at % copy.length;
  copy[index] = (copy[index] as number) ^ (1 << bit);
  return copy;
};

/** Runs the suite for one engine inside vitest. */
export function cryptoContract(name: string, engine: CryptoEngine): void {
  describe(`crypto engine ${name}`, () => {
    if (engine.mode === "real") vectors(engine);
    aead(engine);
    signatures(engine);
    agreement(engine);
    hashing(engine);
  });
}

function aead(engine: CryptoEngine): void {
  const settings = { seed: 8439, numRuns: engine.mode === "real" ? 60 : 500 };
  const position = [fc.nat(), fc.integer({ min: 0, max: 7 })] as const;

  test("what was sealed opens, one tag longer, and neither call touches its inputs", () => {
    fc.assert(
      fc.property(octets(32), octets(12), some, some, (key, nonce, associated, text) => {
        const before = [key, nonce, associated, text].map((part) => part.slice());
        const sealed = engine.cipher(key).seal(nonce, associated, text);
        expect(sealed.length).toBe(text.length + TAG_BYTES);
        expect(engine.cipher(key).open(nonce, associated, sealed)).toEqual(text);
        expect([key, nonce, associated, text].every((part, i) => sameBytes(part, before[i] as Uint8Array))).toBe(true);
      }),
      settings,
    );
  });

  test("one altered bit in key, nonce, header, ciphertext or tag is refused", () => {
    fc.assert(
      fc.property(
        octets(32),
        octets(12),
        fc.uint8Array({ minLength: 1, maxLength: 160 }),
        some,
        ...position,
        (key, nonce, header, text, at, bit) => {
          const cipher = engine.cipher(key);
          const sealed = cipher.seal(nonce, header, text);
          expect(cipher.open(nonce, header, altered(sealed, at, bit))).toBeUndefined();
          expect(cipher.open(nonce, altered(header, at, bit), sealed)).toBeUndefined();
          expect(cipher.open(altered(nonce, at, bit), header, sealed)).toBeUndefined();
          expect(engine.cipher(altered(key, at, bit)).open(nonce, header, sealed)).toBeUndefined();
        },
      ),
      settings,
    );
  });

  test("octets moved between header and text, or cut off, are refused", () => {
    const cipher = engine.cipher(new Uint8Array(32).fill(3));
    const nonce = new Uint8Array(12);
    const sealed = cipher.seal(nonce, bytes("0102"), bytes("030405"));
    expect(cipher.open(nonce, bytes("010203"), sealed.subarray(1))).toBeUndefined();
    expect(cipher.open(nonce, bytes("01"), Uint8Array.from([2, ...sealed]))).toBeUndefined();
    for (let length = 0; length < sealed.length; length++) {
      expect(cipher.open(nonce, bytes("0102"), sealed.subarray(0, length))).toBeUndefined();
    }
  });

  test("random octets never open and never throw", () => {
    const cipher = engine.cipher(new Uint8Array(32).fill(9));
    fc.assert(
      fc.property(
        octets(12),
        some,
        fc.uint8Array({ maxLength: 200 }),
        (nonce, header, junk) => cipher.open(nonce, header, junk) === undefined,
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  test("keys and nonces of a wrong length are the caller's mistake", () => {
    expect(() => engine.cipher(new Uint8Array(31))).toThrow(RangeError);
    const cipher = engine.cipher(new Uint8Array(32));
    expect(() => cipher.seal(new Uint8Array(11), new Uint8Array(0), new Uint8Array(0))).toThrow(RangeError);
    expect(() => cipher.open(new Uint8Array(13), new Uint8Array(0), new Uint8Array(20))).toThrow(RangeError);
  });
}

function signatures(engine: CryptoEngine): void {
  const settings = { seed: 8032, numRuns: engine.mode === "real" ? 8 : 300 };

  test("a signature verifies for its key and message and for no altered one", () => {
    fc.assert(
      fc.property(
        octets(32),
        octets(32),
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (secret, other, message, at, bit) => {
          fc.pre(!sameBytes(secret, other));
          const key = engine.signingPublic(secret);
          const signature = engine.sign(secret, message);
          expect([key.length, signature.length]).toEqual([32, 64]);
          expect(engine.verify(key, message, signature)).toBe(true);
          expect(engine.verify(key, altered(message, at, bit), signature)).toBe(false);
          expect(engine.verify(key, message, altered(signature, at, bit))).toBe(false);
          expect(engine.verify(engine.signingPublic(other), message, signature)).toBe(false);
          expect(engine.verify(altered(key, at, bit), message, signature)).toBe(false);
        },
      ),
      settings,
    );
  });

  test("malformed keys and signatures are false, never an exception", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        some,
        fc.uint8Array({ maxLength: 70 }),
        (key, message, signature) => !engine.verify(key, message, signature),
      ),
      { seed: 2, numRuns: 100 },
    );
    expect(() => engine.sign(new Uint8Array(33), new Uint8Array(0))).toThrow(RangeError);
    expect(() => engine.signingPublic(new Uint8Array(0))).toThrow(RangeError);
  });
}

function agreement(engine: CryptoEngine): void {
  const settings = { seed: 7748, numRuns: engine.mode === "real" ? 10 : 300 };

  test("two parties agree, and a third does not", () => {
    fc.assert(
      fc.property(octets(32), octets(32), octets(32), (a, b, c) => {
        const [shared, other] = [engine.agree(a, engine.agreementPublic(b)), engine.agree(b, engine.agreementPublic(a))];
        expect(shared?.length).toBe(32);
        expect(other).toEqual(shared);
        const third = engine.agreementPublic(c);
        if (!sameBytes(third, engine.agreementPublic(b))) expect(engine.agree(a, third)).not.toEqual(shared);
      }),
      settings,
    );
  });

  test("a malformed or all-zero public key gives undefined", () => {
    const secret = new Uint8Array(32).fill(5);
    for (const length of [0, 31, 32, 33]) expect(engine.agree(secret, new Uint8Array(length))).toBeUndefined();
    expect(() => engine.agree(new Uint8Array(16), new Uint8Array(32))).toThrow(RangeError);
  });
}

function hashing(engine: CryptoEngine): void {
  test("hash and derive have their sizes and depend on every input", () => {
    fc.assert(
      fc.property(octets(32), octets(16), octets(9), fc.nat(), fc.integer({ min: 0, max: 7 }), (secret, salt, info, at, bit) => {
        const out = engine.derive(secret, salt, info, 77);
        expect([out.length, engine.hash(secret).length]).toEqual([77, 32]);
        expect(engine.derive(secret, salt, info, 32)).toEqual(out.subarray(0, 32));
        expect(engine.derive(altered(secret, at, bit), salt, info, 77)).not.toEqual(out);
        expect(engine.derive(secret, altered(salt, at, bit), info, 77)).not.toEqual(out);
        expect(engine.derive(secret, salt, altered(info, at, bit), 77)).not.toEqual(out);
        expect(engine.hash(altered(secret, at, bit))).not.toEqual(engine.hash(secret));
      }),
      { seed: 5869, numRuns: 60 },
    );
  });
}

function vectors(engine: CryptoEngine): void {
  test("RFC 8439 section 2.8.2", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
    const text = new TextEncoder().encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = engine.cipher(key).seal(bytes("070000004041424344454647"), bytes("50515253c0c1c2c3c4c5c6c7"), text);
    expect(toHex(sealed)).toBe(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
    );
  });

  test.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
  ])("RFC 8032 section 7.1, secret %s", (secret, key, message, signature) => {
    expect(toHex(engine.signingPublic(bytes(secret)))).toBe(key);
    expect(toHex(engine.sign(bytes(secret), bytes(message)))).toBe(signature);
    expect(engine.verify(bytes(key), bytes(message), bytes(signature))).toBe(true);
  });

  test("RFC 7748 section 6.1", () => {
    const [a, b] = [
      bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
      bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    ];
    expect(toHex(engine.agreementPublic(a))).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    expect(toHex(engine.agreementPublic(b))).toBe("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const shared = engine.agree(a, engine.agreementPublic(b));
    expect(shared && toHex(shared)).toBe("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  });

  test("low-order X25519 public keys are refused (RFC 7748 section 6.1)", () => {
    for (const point of LOW_ORDER) expect(engine.agree(new Uint8Array(32).fill(7), bytes(point))).toBeUndefined();
  });

  test("an Ed25519 key of small order, reduced or not, signs for nobody", () => {
    // S = 5 and R = 5 B satisfy S B = R + k A for every message when A is the neutral point.
    const anyMessage = bytes(`edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df05${"00".repeat(31)}`);
    for (const neutral of [`01${"00".repeat(31)}`, `ee${"ff".repeat(30)}7f`]) {
      expect(engine.verify(bytes(neutral), bytes("aa"), anyMessage)).toBe(false);
    }
  });

  test("RFC 5869 appendix A.1 and A.3; SHA-256 of abc (FIPS 180-4)", () => {
    const secret = new Uint8Array(22).fill(0x0b);
    expect(toHex(engine.derive(secret, bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9"), 42))).toBe(
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    expect(toHex(engine.derive(secret, new Uint8Array(0), new Uint8Array(0), 42))).toBe(
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
    expect(toHex(engine.hash(bytes("616263")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
}

/** u-coordinates of order 1, 2, 4 and 8 on the curve and its twist, reduced (D. J. Bernstein, "Curve25519", validation section). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
