/**
 * Randomness without a generator's state: every draw is a hash of (seed, stream name, counter), so removing one fault from
 * a scenario does not shift the draws of the others, and shrinking stays meaningful.
 * The mixer is murmur3's 32-bit finaliser (Appleby, public domain) over a key schedule of our own; it is not cryptographic.
 */

const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A 32-bit hash of a name (FNV-1a over UTF-16 code units, then mixed). */
export const hashName = (name: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix(h);
};

/** One named stream of draws. `next*` advance the counter; `at` reads any position without moving it. */
export class Stream {
  readonly #a: number;
  readonly #b: number;
  #counter = 0;

  /** `seed` is any safe integer >= 0; streams of different names are independent. */
  constructor(seed: number, name: string) {
    const key = hashName(name);
    this.#a = mix(key ^ (seed >>> 0));
    this.#b = mix((key + 0x9e3779b9) ^ Math.floor(seed / 0x1_0000_0000) ^ Math.imul(seed >>> 0, 0x27d4eb2f));
  }

  /** The 32-bit draw at position `counter` (0..2^32-1). */
  at(counter: number): number {
    return mix(mix((counter ^ this.#a) >>> 0) + this.#b);
  }
  /** A whole number in 0..2^32-1. */
  nextUint32(): number {
    return this.at(this.#counter++);
  }
  /** A number in 0 (included) .. 1 (excluded), with 32 bits. */
  nextUnit(): number {
    return this.nextUint32() / 0x1_0000_0000;
  }
  /** A whole number in 0..bound-1; RangeError unless bound is in 1..2^32. */
  nextBelow(bound: number): number {
    if (!(bound >= 1 && bound <= 0x1_0000_0000)) throw new RangeError(`nextBelow: want 1..2^32, got ${bound}`);
    return Math.floor(this.nextUnit() * bound);
  }
  /** True with probability `share` (0..1). */
  nextChance(share: number): boolean {
    return this.nextUnit() < share;
  }
  /** `length` octets. */
  nextBytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const draw = this.nextUint32();
      for (let j = 0; j < 4 && i + j < length; j++) out[i + j] = draw >>> (8 * j);
    }
    return out;
  }
}

/** A source of named streams that share one seed. */
export type Randomness = { readonly seed: number; stream(name: string): Stream };

export const randomness = (seed: number): Randomness => {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed: want a whole number >= 0, got ${seed}`);
  return { seed, stream: (name) => new Stream(seed, name) };
};
