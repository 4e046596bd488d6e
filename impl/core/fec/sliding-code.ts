/**
 * A random linear code over a sliding window (RFC 8681, over GF(256)): every packet carries a few sums of the packets right before it, with coefficients that
 * both ends draw from the packet's number. Any lost packets come back from as many sums that cover them, short of one chance in 255. Different
 * here: frames of unlike lengths are cut into cells of eight octets and the sums are of cells, so that a short frame costs a short repair; and repair
 * travels aboard media packets.
 */
import { freshOctets } from "../../base/octet-slab.ts";

/** chosen: half of one is lost in every frame, and the work of decoding falls with their number's third power; 60 octets are 8 of them. */
export const CELL_BYTES = 8;
/** What four bits hold: frames of more than 119 octets go unprotected. */
export const MAX_CELLS = 15;

/** Cells of a frame of `length` octets with its length in front; 0: too long to be protected. */
export function cellsOf(length: number): number {
  const cells = Math.ceil((length + 1) / CELL_BYTES);
  return cells > MAX_CELLS ? 0 : cells;
}

/** The frame with its length in front, filled up with zeros to whole cells. The caller guarantees that it can be protected. */
export function cellOctets(payload: Uint8Array): Uint8Array {
  const octets = freshOctets(cellsOf(payload.length) * CELL_BYTES);
  octets[0] = payload.length;
  octets.set(payload, 1);
  return octets;
}

/** The frame in such octets, a copy; undefined when it is none: of another length than its cells, or followed by anything but zeros. */
export function frameOfCells(octets: Uint8Array): Uint8Array | undefined {
  const length = octets[0] as number;
  if (cellsOf(length) * CELL_BYTES !== octets.length) return undefined;
  for (let i = 1 + length; i < octets.length; i++) if (octets[i] !== 0) return undefined;
  return octets.slice(1, 1 + length);
}

/**
 * What the cells of row `row` of packet `seq` are multiplied by, 1..255 each: those of the packet right before it first, `count` in all. Four at a time from a
 * xorshift generator (Marsaglia 2003), begun anew for each row.
 */
export function factorsOf(seq: number, row: number, count: number): Uint8Array {
  const factors = freshOctets(count);
  let state = mixed(Math.imul(seq, 0x9e37_79b1) ^ Math.imul(row + 1, 0x85eb_ca6b)) | 1;
  for (let i = 0; i < count; i += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    for (let k = 0; k < 4 && i + k < count; k++) factors[i + k] = (state >>> (8 * k)) & 255 || 1;
  }
  return factors;
}

/** The finalizer of MurmurHash3: packets and rows next to each other begin far from each other. */
function mixed(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}

/** Words of a cell's multiples: two for each of the sixteen low and the sixteen high halves of a factor. */
const WORDS = 64;
const HIGH = 32;

/**
 * Cells ready to be multiplied: all multiples of each by the halves of an octet, so that a product of eight octets is two exclusive ors of two words (Plank,
 * Greenan, Miller 2013, "Screaming Fast Galois Field Arithmetic", split tables). 256 octets a cell.
 */
export function multiplesOf(octets: Uint8Array): Uint32Array {
  const out = new Uint32Array((octets.length / CELL_BYTES) * WORDS);
  for (let at = 0, start = 0; at < octets.length; at += CELL_BYTES, start += WORDS) {
    for (let half = 0; half < 2; half++) {
      let word = wordAt(octets, at + 4 * half);
      for (let bit = 1; bit < 256; bit <<= 1) {
        // The multiple by a power of two is that of all smaller ones with it.
        const base = bit < 16 ? start + half : start + half + HIGH;
        const power = bit < 16 ? bit : bit >> 4;
        for (let n = base; n < base + 2 * power; n += 2) out[n + 2 * power] = (out[n] as number) ^ word;
        word = ((word & 0x7f7f_7f7f) << 1) ^ Math.imul((word >>> 7) & 0x0101_0101, 0x1d);
      }
    }
  }
  return out;
}

const wordAt = (octets: Uint8Array, at: number): number =>
  (octets[at] as number) |
  ((octets[at + 1] as number) << 8) |
  ((octets[at + 2] as number) << 16) |
  ((octets[at + 3] as number) << 24);

/**
 * Adds to the eight octets of `into` from `at` on what `factors` from `first` on make of the cells of some frames, one after another; undefined: a frame
 * that has none.
 */
export function addFrames(
  into: Uint8Array,
  at: number,
  frames: readonly (Uint32Array | undefined)[],
  factors: Uint8Array,
  first: number,
): void {
  let low = 0;
  let high = 0;
  let column = first;
  for (const multiples of frames) {
    if (multiples === undefined) continue;
    for (let start = 0; start < multiples.length; start += WORDS, column++) {
      const factor = factors[column] as number;
      const one = start + 2 * (factor & 15);
      const other = start + HIGH + 2 * (factor >> 4);
      low ^= (multiples[one] as number) ^ (multiples[other] as number);
      high ^= (multiples[one + 1] as number) ^ (multiples[other + 1] as number);
    }
  }
  for (let i = 0; i < 4; i++) {
    into[at + i] = (into[at + i] as number) ^ ((low >>> (8 * i)) & 255);
    into[at + 4 + i] = (into[at + 4 + i] as number) ^ ((high >>> (8 * i)) & 255);
  }
}

/** Cells in a frame's multiples. */
export const cellsIn = (multiples: Uint32Array): number => multiples.length / WORDS;

/** `count` sums over the frames before packet `seq`: `before[0]` are the multiples of the nearest, undefined where one is not protected. */
export function sumsOf(seq: number, before: readonly (Uint32Array | undefined)[], count: number): Uint8Array {
  const sums = freshOctets(count * CELL_BYTES);
  let cells = 0;
  for (const frame of before) if (frame !== undefined) cells += cellsIn(frame);
  for (let row = 0; row < count; row++) addFrames(sums, row * CELL_BYTES, before, factorsOf(seq, row, cells), 0);
  return sums;
}
