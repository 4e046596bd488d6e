/**
 * Repair that travels aboard a media packet instead of in packets of its own: what a repair packet would carry, without its headers. The packet is
 * of codec CODEC_LADEN. At voice rates headers are half of what is sent, so the same repair costs half as much.
 *
 *     cccc 0000 | pieces | length of each, 16 bits | pieces, each as repair-packet.ts draws it | the packet's own frame
 *
 * cccc is the codec of the frame.
 */
import { freshOctets } from "../../base/octet-slab.ts";

export type LadenPayload = {
  /** 0..15. */
  readonly codec: number;
  readonly pieces: readonly Uint8Array[];
  readonly payload: Uint8Array;
};

const HEAD_BYTES = 2;
const LENGTH_BYTES = 2;
/** chosen: four repair packets for every packet are more than any link is worth. */
export const MAX_PIECES = 4;

/** Octets that a piece of `length` adds. */
export const pieceCost = (length: number): number => LENGTH_BYTES + length;

/** The caller guarantees ranges. */
export function putLadenPayload({ codec, pieces, payload }: LadenPayload): Uint8Array {
  const bytes = freshOctets(pieces.reduce((sum, piece) => sum + pieceCost(piece.length), HEAD_BYTES + payload.length));
  bytes[0] = codec << 4;
  bytes[1] = pieces.length;
  let head = HEAD_BYTES;
  let at = HEAD_BYTES + pieces.length * LENGTH_BYTES;
  for (const piece of pieces) {
    bytes[head++] = piece.length >>> 8;
    bytes[head++] = piece.length;
    bytes.set(piece, at);
    at += piece.length;
  }
  bytes.set(payload, at);
  return bytes;
}

/** Undefined for anything that is not such a payload. Never throws; what it returns are views. */
export function parseLadenPayload(bytes: Uint8Array): LadenPayload | undefined {
  const [first, count] = [bytes[0], bytes[1]];
  if (first === undefined || count === undefined || (first & 15) !== 0 || count > MAX_PIECES) return undefined;
  let at = HEAD_BYTES + count * LENGTH_BYTES;
  if (at > bytes.length) return undefined;
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = ((bytes[HEAD_BYTES + LENGTH_BYTES * i] as number) << 8) | (bytes[HEAD_BYTES + LENGTH_BYTES * i + 1] as number);
    if (at + length > bytes.length) return undefined;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { codec: first >> 4, pieces, payload: bytes.subarray(at) };
}
