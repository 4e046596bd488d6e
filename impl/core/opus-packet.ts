/**
 * What an Opus packet says of itself before any decoding: duration, layer, and whether it repeats the frame before it.
 * RFC 6716 section 3.1 (TOC byte), 3.2 (frame packing), 4.2.3 and 4.2.4 (SILK header bits). Left out: padding lengths and
 * LBRR inside packets of several frames, which midcall's encoders never make.
 */
import { MAX_FRAME_BYTES, SAMPLE_RATE } from "./codec.ts";

export type OpusPacket = {
  /** Samples at 48 kHz the whole packet decodes to. */
  readonly samples: number;
  readonly layer: "silk" | "hybrid" | "celt";
  /** True when the packet carries LBRR: a coarse copy of the frame before it (in-band FEC). */
  readonly redundancy: boolean;
};

/** Frame durations in tenths of a millisecond by TOC configuration number 0..31 (RFC 6716 table 2). */
const DURATIONS: readonly number[] = [
  ...[100, 200, 400, 600, 100, 200, 400, 600, 100, 200, 400, 600], // SILK-only
  ...[100, 200, 100, 200], // Hybrid
  ...[25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200], // CELT-only
];
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;
/** RFC 6716 section 3.2.5 R5: a packet holds at most 120 ms. */
const MAX_TENTHS = 1_200;

/** Undefined for an empty or oversized packet and for a frame count of 0 or above 120 ms. Never throws. */
export function parseOpusPacket(packet: Uint8Array): OpusPacket | undefined {
  const toc = packet[0];
  if (toc === undefined || packet.length > MAX_FRAME_BYTES) return undefined;
  const configuration = toc >> 3;
  const packing = toc & 3;
  const frames = packing === 0 ? 1 : packing < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
  const tenths = (DURATIONS[configuration] as number) * frames;
  if (tenths === 0 || tenths > MAX_TENTHS) return undefined;
  const layer = configuration < FIRST_HYBRID ? "silk" : configuration < FIRST_CELT ? "hybrid" : "celt";
  return {
    samples: (SAMPLE_RATE / 10_000) * tenths,
    layer,
    redundancy: packing === 0 && layer !== "celt" && carriesLbrr(packet),
  };
}

/** The first bits of a SILK frame are one VAD flag for each 20 ms (or shorter) part and then the LBRR flag, a channel at a time. */
function carriesLbrr(packet: Uint8Array): boolean {
  const toc = packet[0] as number;
  const header = packet[1];
  if (header === undefined) return false;
  const parts = Math.max(1, (DURATIONS[toc >> 3] as number) / 200);
  const mid = (header >> (7 - parts)) & 1;
  const side = (toc & 4) === 0 ? 0 : (header >> (6 - 2 * parts)) & 1;
  return (mid | side) === 1;
}
