/**
 * Arithmetic of GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and generator 2, as RFC 6330 section 5.7 has it. Addition is
 * exclusive or. Everything is looked up: a table of all 65,536 products makes the inner loop one load and one exclusive or an octet.
 */

const POLYNOMIAL = 0x11d;

const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = x;
  EXP[i + 255] = x;
  LOG[x] = i;
  x = x & 0x80 ? (x << 1) ^ POLYNOMIAL : x << 1;
}

const PRODUCTS = new Uint8Array(65_536);
for (let a = 1; a < 256; a++) {
  for (let b = 1; b < 256; b++) PRODUCTS[(a << 8) | b] = EXP[(LOG[a] as number) + (LOG[b] as number)] as number;
}

/** Product of two field elements (0..255 each; the caller guarantees it). */
export const multiply = (a: number, b: number): number => PRODUCTS[(a << 8) | b] as number;

/** 1 / a, of 1..255. RangeError for anything else: zero has no inverse. */
export function inverse(a: number): number {
  if (!(Number.isInteger(a) && a > 0 && a < 256)) throw new RangeError(`a: want 1..255, got ${a}`);
  return EXP[255 - (LOG[a] as number)] as number;
}

/** Adds `factor` times `from` to `into`, octet by octet over the first `length` of `from`; `into` is at least as long. */
export function addMultiple(into: Uint8Array, from: Uint8Array, factor: number, length: number = from.length): void {
  if (factor === 0) return;
  if (factor === 1) {
    for (let i = 0; i < length; i++) into[i] = (into[i] as number) ^ (from[i] as number);
    return;
  }
  const row = factor << 8;
  for (let i = 0; i < length; i++) into[i] = (into[i] as number) ^ (PRODUCTS[row | (from[i] as number)] as number);
}

/** Multiplies the first `length` octets of `into` by `factor`. */
export function scale(into: Uint8Array, factor: number, length: number = into.length): void {
  const row = factor << 8;
  for (let i = 0; i < length; i++) into[i] = PRODUCTS[row | (into[i] as number)] as number;
}
