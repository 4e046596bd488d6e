/**
 * The header of a media packet inside a QUIC datagram: full (12 octets) or mini (4 octets), after the full and mini frames of IAX2
 * (RFC 5456 section 8.1), with RTP's fields (RFC 3550 section 5.1). What follows the header is sealed; the header itself is authenticated
 * by the sealing (impl/core/packet-protection.ts) except for the channel, which each relay hop assigns anew.
 *
 *     full   1 0 kk m 000 | channel | cccc ffff | 0 | packet number, low 32 bits | timestamp, low 32 bits
 *     mini   1 1 kk m 000 | channel | packet number, low 16 bits
 *
 * kk payload kind, m marker, cccc codec, ffff frames in the packet less one. Bits shown as 0 are refused when set: they are room for a
 * later version, which both ends would have to agree on. A mini packet has the codec and frames of an earlier full one.
 */
import { putUint } from "../base/cursor.ts";
import { freshOctets } from "../base/octet-slab.ts";

/** First octet and codec octet carry these; values on the wire are the indices. */
export type PayloadKind = "speech" | "comfort" | "parity" | "report";

/** What one packet's header says in either form, the channel left out. */
export type MediaFacts = {
  /**
   * `parity`: repair data (impl/core/fec/repair-packet.ts). `comfort`: how loud the noise is while nothing is said (comfort-noise.ts). `report`: how the other
   * direction's packets fare (voice-report.ts); sent only to who asked for it, because a peer of before it refuses it as malformed.
   */
  readonly kind: PayloadKind;
  /** First packet after a silence (RFC 3551 section 4.1). */
  readonly marker: boolean;
};

export type FullHeader = MediaFacts & {
  readonly form: "full";
  /** 0..255, assigned by the relay for one session. */
  readonly channel: number;
  /** 0..15, one of the `CODEC_*` numbers or reserved. */
  readonly codec: number;
  /** Units of 20 ms in this packet, 1..16. */
  readonly frames: number;
  /** Packet number modulo 2^32. */
  readonly seq32: number;
  /** Capture instant of the first sample, in samples at 48 kHz, modulo 2^32. */
  readonly timestamp32: number;
};

export type MiniHeader = MediaFacts & {
  readonly form: "mini";
  readonly channel: number;
  /** Packet number modulo 2^16. */
  readonly seq16: number;
};

export type MediaHeader = FullHeader | MiniHeader;

export const CODEC_OPUS = 0;
/** Codec2 at 1200 bit/s. */
export const CODEC_CODEC2_1200 = 1;
/** Not a codec: frames of earlier packets come along, and the codec of all of them is named inside (impl/core/fec/redundant-payload.ts). */
export const CODEC_REDUNDANT = 2;
/** Nor is this: repair comes along (impl/core/fec/laden-payload.ts). */
export const CODEC_LADEN = 3;
/** Nor this: repair of a sliding window comes along (impl/core/fec/sliding-payload.ts). */
export const CODEC_SLIDING = 4;
/** Whether a number names a codec, and not a way of packing frames. */
export const isCodec = (codec: number): boolean => codec < CODEC_REDUNDANT || codec > CODEC_SLIDING;

export const FULL_HEADER_BYTES = 12;
export const MINI_HEADER_BYTES = 4;
/** Samples at 48 kHz of one unit of `frames`: 20 ms. */
export const FRAME_UNIT_SAMPLES = 960;
export const MAX_FRAMES = 16;
export const MAX_CHANNEL = 255;

const KINDS: readonly PayloadKind[] = ["speech", "comfort", "parity", "report"];
const FULL = 0b1000_0000;
const MINI = 0b1100_0000;
const FORM_MASK = 0b1100_0000;
const MARKER = 0b0000_1000;
const SPARE_MASK = 0b0000_0111;

/** Kind and marker as in octet 0, the bits of the form left 0. */
export const factsOctet = (kind: PayloadKind, marker: boolean): number => (KINDS.indexOf(kind) << 4) | (marker ? MARKER : 0);
/** Codec and frames as in octet 2 of a full header. */
export const codecOctet = (codec: number, frames: number): number => (codec << 4) | (frames - 1);

/** Writes the header at the start of `into` and returns its length, 12 or 4. The caller guarantees ranges and room. */
export function putMediaHeader(into: Uint8Array, header: MediaHeader): number {
  into[1] = header.channel;
  if (header.form === "mini") {
    into[0] = MINI | factsOctet(header.kind, header.marker);
    into[2] = header.seq16 >>> 8;
    into[3] = header.seq16;
    return MINI_HEADER_BYTES;
  }
  into[0] = FULL | factsOctet(header.kind, header.marker);
  into[2] = codecOctet(header.codec, header.frames);
  into[3] = 0;
  putUint(into, 4, 4, header.seq32);
  putUint(into, 8, 4, header.timestamp32);
  return FULL_HEADER_BYTES;
}

/** Undefined for anything that is not a header as drawn above. Never throws; what follows the header is not looked at. */
export function parseMediaHeader(bytes: Uint8Array): MediaHeader | undefined {
  if (bytes.length < MINI_HEADER_BYTES) return undefined;
  const first = bytes[0] as number;
  const kind = KINDS[(first >> 4) & 3];
  if (kind === undefined || (first & SPARE_MASK) !== 0) return undefined;
  const marker = (first & MARKER) !== 0;
  const channel = bytes[1] as number;
  switch (first & FORM_MASK) {
    case MINI:
      return { form: "mini", kind, marker, channel, seq16: ((bytes[2] as number) << 8) | (bytes[3] as number) };
    case FULL: {
      if (bytes.length < FULL_HEADER_BYTES || bytes[3] !== 0) return undefined;
      const coding = bytes[2] as number;
      const [codec, frames] = [coding >> 4, (coding & 15) + 1];
      return { form: "full", kind, marker, channel, codec, frames, seq32: uint32(bytes, 4), timestamp32: uint32(bytes, 8) };
    }
    default:
      return undefined;
  }
}

/** What a packet claims to carry: repair and reports have keys of their own. Says nothing of whether it is a media packet at all. */
export const kindOf = (bytes: Uint8Array): PayloadKind => KINDS[((bytes[0] ?? 0) >> 4) & 3] as PayloadKind;
export const isParity = (bytes: Uint8Array): boolean => kindOf(bytes) === "parity";

/** The channel of a media packet, for a relay that reads nothing else; undefined when it is not a media packet. */
export function peekChannel(bytes: Uint8Array): number | undefined {
  const form = (bytes[0] ?? 0) & FORM_MASK;
  const least = form === MINI ? MINI_HEADER_BYTES : form === FULL ? FULL_HEADER_BYTES : Number.POSITIVE_INFINITY;
  return bytes.length < least ? undefined : bytes[1];
}

/** A copy for the next hop under another channel (0..255, else RangeError). `bytes` is a packet that `peekChannel` accepts. */
export function withChannel(bytes: Uint8Array, channel: number): Uint8Array {
  if (!(Number.isInteger(channel) && channel >= 0 && channel <= MAX_CHANNEL)) {
    throw new RangeError(`channel: want 0..${MAX_CHANNEL}, got ${channel}`);
  }
  const copy = freshOctets(bytes.length);
  copy.set(bytes);
  copy[1] = channel;
  return copy;
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;
