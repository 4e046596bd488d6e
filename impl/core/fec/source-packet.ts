/** The unit of protection: what one media packet carries, before it is sealed. A recovered one is the same as the one that was lost. */
import { freshOctets } from "../../base/octet-slab.ts";
import { FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";

export type SourcePacket = {
  /** Packet number. */
  readonly seq: number;
  /** Capture instant of its first sample, in samples at 48 kHz, whole 20 ms. */
  readonly timestamp: number;
  /** 0..15, one of the `CODEC_*` numbers; as `isCodec` has it. */
  readonly codec: number;
  /** Units of 20 ms, 1..16. */
  readonly frames: number;
  readonly payload: Uint8Array;
  /** Nothing was sent right before it (the header's marker); not known of recovered ones. */
  readonly marker?: boolean;
};

/** Whether `next` follows `before` without a gap in time, in the same coding: only such packets are protected together. */
export const isContinued = (before: SourcePacket, next: SourcePacket): boolean =>
  next.codec === before.codec &&
  next.frames === before.frames &&
  next.timestamp - before.timestamp === (next.seq - before.seq) * before.frames * FRAME_UNIT_SAMPLES;

/** Length in front of a frame in its symbol, octets. */
const LENGTH_BYTES = 2;

/** Longest payload that is protected. chosen: with every header of a repair packet it still fits a datagram of 1,150 octets. */
export const MAX_PROTECTED_BYTES = 1_080;

/** Octets of a symbol for a payload of `length`, before the code's own rounding. */
export const symbolLength = (length: number): number => LENGTH_BYTES + length;

/** The payload with its length in front, filled up with zeros to `size` octets (at least `symbolLength`). */
export function symbolOf(payload: Uint8Array, size: number): Uint8Array {
  const symbol = freshOctets(size);
  symbol[0] = payload.length >>> 8;
  symbol[1] = payload.length;
  symbol.set(payload, LENGTH_BYTES);
  return symbol;
}

/** The payload of a recovered symbol, a copy; undefined when it is none: too long, or followed by anything but zeros. */
export function payloadOf(symbol: Uint8Array): Uint8Array | undefined {
  if (symbol.length < LENGTH_BYTES) return undefined;
  const length = ((symbol[0] as number) << 8) | (symbol[1] as number);
  if (length > symbol.length - LENGTH_BYTES) return undefined;
  for (let i = LENGTH_BYTES + length; i < symbol.length; i++) if (symbol[i] !== 0) return undefined;
  return symbol.slice(LENGTH_BYTES, LENGTH_BYTES + length);
}
