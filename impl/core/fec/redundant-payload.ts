/**
 * Frames of earlier packets in front of a packet's own (RFC 2198, with packet numbers in place of timestamps). The packet is of codec
 * CODEC_REDUNDANT; all its frames are of the codec named inside.
 *
 *     cccc dddd | copies | { distance, 5 bits, and length, 11 bits } x copies | copies, the oldest first | the packet's own frame
 *
 * cccc is the codec, dddd the depth the sender goes back to, which is also how long a receiver must hold frames; a packet may carry
 * fewer copies (after a gap, or where they do not fit). A distance d says: of the packet d before this one.
 */
import { freshOctets } from "../../base/octet-slab.ts";

export type Copy = {
  /** Packets back, 1..31. */
  readonly distance: number;
  readonly payload: Uint8Array;
};

export type RedundantPayload = {
  /** 0..15. */
  readonly codec: number;
  /** 0..15. */
  readonly depth: number;
  /** The oldest first, distances falling. */
  readonly copies: readonly Copy[];
  readonly payload: Uint8Array;
};

const HEAD_BYTES = 2;
const COPY_BYTES = 2;
const LENGTH_BITS = 11;
const MAX_DISTANCE = 31;
/** Longest copy. */
export const MAX_COPY_BYTES = 2_047;

/** Octets that a copy of `length` adds. */
export const copyCost = (length: number): number => COPY_BYTES + length;

/** The caller guarantees ranges. */
export function putRedundantPayload({ codec, depth, copies, payload }: RedundantPayload): Uint8Array {
  const length = copies.reduce((sum, copy) => sum + copyCost(copy.payload.length), HEAD_BYTES + payload.length);
  const bytes = freshOctets(length);
  bytes[0] = (codec << 4) | depth;
  bytes[1] = copies.length;
  let head = HEAD_BYTES;
  let at = HEAD_BYTES + copies.length * COPY_BYTES;
  for (const copy of copies) {
    const word = (copy.distance << LENGTH_BITS) | copy.payload.length;
    bytes[head++] = word >>> 8;
    bytes[head++] = word;
    bytes.set(copy.payload, at);
    at += copy.payload.length;
  }
  bytes.set(payload, at);
  return bytes;
}

/** Undefined for anything that is not such a payload. Never throws; what it returns are views. */
export function parseRedundantPayload(bytes: Uint8Array): RedundantPayload | undefined {
  const [first, count] = [bytes[0], bytes[1]];
  if (first === undefined || count === undefined || count > MAX_DISTANCE) return undefined;
  let at = HEAD_BYTES + count * COPY_BYTES;
  if (at > bytes.length) return undefined;
  const copies: Copy[] = [];
  let before = MAX_DISTANCE + 1;
  for (let i = 0; i < count; i++) {
    const word = ((bytes[HEAD_BYTES + 2 * i] as number) << 8) | (bytes[HEAD_BYTES + 2 * i + 1] as number);
    const [distance, length] = [word >> LENGTH_BITS, word & MAX_COPY_BYTES];
    if (distance < 1 || distance >= before || at + length > bytes.length) return undefined;
    copies.push({ distance, payload: bytes.subarray(at, at + length) });
    before = distance;
    at += length;
  }
  return { codec: first >> 4, depth: first & 15, copies, payload: bytes.subarray(at) };
}
