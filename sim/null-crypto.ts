/**
 * The crypto engine of fast simulated runs: no secrecy at all (the ciphertext IS the plaintext), yet whatever real cryptography would
 * refuse is refused here too: a packet under another key, nonce or header, an altered octet, a signature by someone else.
 * Two keyed 32-bit multiply-rotate lanes finished with murmur3's mixer (Appleby, public domain), in the manner of impl/base/random.
 * Every step of a lane is a bijection of both its state and its word, so one altered word never goes unnoticed; several do with probability 2^-64.
 * Anybody can forge on purpose, so results say `crypto: null`.
 */

import { freshOctets } from "../impl/base/octet-slab.ts";
import { type Cipher, type CryptoEngine, TAG_BYTES } from "../impl/core/crypto.ts";
import { wantOctets } from "../impl/core/octets.ts";

/** Mode `null`. Sizes, refusals and RangeErrors as in the real engines. */
export const nullCrypto: CryptoEngine = {
  name: "null",
  mode: "null",
  cipher: (key) => new NullCipher(key),
  signingPublic(secret) {
    wantOctets("secret", secret, 32);
    return expand(Domain.signingPublic, [secret], 32);
  },
  sign: (secret, message) => expand(Domain.signature, [nullCrypto.signingPublic(secret), message], 64),
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const wanted = expand(Domain.signature, [publicKey, message], 64);
    return wanted.every((octet, i) => octet === signature[i]);
  },
  agreementPublic(secret) {
    wantOctets("secret", secret, 32);
    return expand(Domain.agreementPublic, [secret], 32);
  },
  agree(secret, peerPublic) {
    const own = nullCrypto.agreementPublic(secret);
    if (peerPublic.length !== 32 || peerPublic.every((octet) => octet === 0)) return undefined;
    const ordered = precedes(own, peerPublic) ? [own, peerPublic] : [peerPublic, own];
    return expand(Domain.agreement, ordered, 32);
  },
  hash: (message) => expand(Domain.hash, [message], 32),
  derive: (secret, salt, info, length) => expand(Domain.derive, [secret, salt, info], length),
};

/** Keeps the functions apart: equal inputs give unrelated outputs. */
const Domain = { signingPublic: 1, signature: 2, agreementPublic: 3, agreement: 4, hash: 5, derive: 6 } as const;

/** The two lanes are module variables: a pair returned from a function is an allocation per packet. */
let laneA = 0;
let laneB = 0;

const finish = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
};

/** Takes `bytes[0..length)` into both lanes, the length first so that parts cannot run into each other. */
function absorb(bytes: Uint8Array, length: number): void {
  let a = Math.imul(laneA ^ length, 0x9e3779b1);
  let b = Math.imul((laneB + length) | 0, 0x27d4eb2f);
  const whole = length & ~3;
  let i = 0;
  for (; i < whole; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    a = Math.imul(((a << 13) | (a >>> 19)) ^ word, 0x85ebca6b);
    b = Math.imul((((b << 17) | (b >>> 15)) + word) | 0, 0xc2b2ae35);
  }
  for (; i < length; i++) {
    const octet = bytes[i] as number;
    a = Math.imul(((a << 13) | (a >>> 19)) ^ octet, 0x85ebca6b);
    b = Math.imul((((b << 17) | (b >>> 15)) + octet) | 0, 0xc2b2ae35);
  }
  laneA = a;
  laneB = b;
}

function expand(domain: number, parts: readonly Uint8Array[], length: number): Uint8Array {
  laneA = finish(domain);
  laneB = finish(domain + 0x1000);
  for (const part of parts) absorb(part, part.length);
  const [a, b] = [finish(laneA ^ Math.imul(laneB, 3)), finish(laneB)];
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = finish(a + Math.imul(finish(b ^ i), 0x9e3779b1)) >>> 24;
  return out;
}

const precedes = (a: Uint8Array, b: Uint8Array): boolean => {
  const at = a.findIndex((octet, i) => octet !== b[i]);
  return at !== -1 && (a[at] as number) < (b[at] as number);
};

class NullCipher implements Cipher {
  readonly #a: number;
  readonly #b: number;

  constructor(key: Uint8Array) {
    wantOctets("key", key, 32);
    laneA = 0x0b4711;
    laneB = 0x0c0ffee;
    absorb(key, key.length);
    this.#a = laneA;
    this.#b = laneB;
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    wantOctets("nonce", nonce, 12);
    const length = plaintext.length;
    this.#absorbAll(nonce, associated, plaintext, length);
    const sealed = freshOctets(length + TAG_BYTES);
    sealed.set(plaintext);
    for (let word = 0, at = length; word < 4; word++, at += 4) {
      const value = tagWord(word);
      sealed[at] = value;
      sealed[at + 1] = value >>> 8;
      sealed[at + 2] = value >>> 16;
      sealed[at + 3] = value >>> 24;
    }
    return sealed;
  }

  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    wantOctets("nonce", nonce, 12);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    this.#absorbAll(nonce, associated, sealed, length);
    for (let word = 0, at = length; word < 4; word++, at += 4) {
      const found =
        (sealed[at] as number) |
        ((sealed[at + 1] as number) << 8) |
        ((sealed[at + 2] as number) << 16) |
        ((sealed[at + 3] as number) << 24);
      if (found !== tagWord(word)) return undefined;
    }
    const plaintext = freshOctets(length);
    for (let i = 0; i < length; i++) plaintext[i] = sealed[i] as number; // a view of so few octets costs more than they do
    return plaintext;
  }

  #absorbAll(nonce: Uint8Array, associated: Uint8Array, text: Uint8Array, length: number): void {
    laneA = this.#a;
    laneB = this.#b;
    absorb(nonce, 12);
    absorb(associated, associated.length);
    absorb(text, length);
  }
}

/** Words 0 and 1 determine both lanes, so any difference between lanes is a difference between tags. */
const tagWord = (word: number): number => finish(((word & 1) === 0 ? laneA : laneB) + Math.imul(word, 0x9e3779b1));
