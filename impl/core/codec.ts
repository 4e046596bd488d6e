/**
 * Speech codecs behind one contract. All audio in the project is mono signed 16-bit at 48 kHz; a frame is 20 ms.
 * Engines are prepared asynchronously by their drivers; from then on everything is synchronous and deterministic.
 */

/** Samples a second (RFC 7587: Opus' RTP clock). */
export const SAMPLE_RATE = 48_000;
/** Samples of one 20 ms frame. */
export const FRAME_SAMPLES = 960;
/** Microseconds of one frame. */
export const FRAME_MICROS = 20_000;
/** Largest encoded frame in octets (RFC 6716 section 3.4: 1275). */
export const MAX_FRAME_BYTES = 1_275;

export type Encoder = {
  /** Encodes what one packet holds, FRAME_SAMPLES samples unless the settings say more; the caller owns the result. */
  encode(pcm: Int16Array): Uint8Array;
  free(): void;
};

/** How a payload is to be read, as its packet's header says; absent: 20 ms of the engine's own codec. */
export type Shape = {
  /** One of the `CODEC_*` numbers (impl/wire/media-header.ts). */
  readonly codec: number;
  /** Units of 20 ms in the payload, 1..16. */
  readonly units: number;
  /** Which of them is meant, 0..units-1. Engines do not look at it: they decode whole payloads. */
  readonly part: number;
  /** Nothing was said right before it, so it repeats nothing. */
  readonly opens: boolean;
};

export type Decoder = {
  /** FRAME_SAMPLES samples a unit, owned by the caller; undefined when the packet does not decode to exactly that (never throws on peer input). */
  decode(packet: Uint8Array, shape?: Shape): Int16Array | undefined;
  /** The frame BEFORE `next`, from the redundancy (LBRR) inside `next`; undefined when it carries none. Call before decode(next). */
  recover(next: Uint8Array, shape?: Shape): Int16Array | undefined;
  /** Whether `recover(next)` has anything to offer, without decoding; left out by codecs that cannot tell. */
  repeats?(next: Uint8Array, shape?: Shape): boolean;
  /** One concealment frame continuing what was last played; fades out over successive calls. */
  conceal(): Int16Array;
  free(): void;
};

export type CodecSettings = {
  /** Target bits a second of payload. */
  readonly bitrate: number;
  /** 0..10. */
  readonly complexity: number;
  /** In-band FEC; Opus uses it only from about 18 kbit/s up and when told to expect loss. */
  readonly fec: boolean;
  /** Expected loss told to the encoder, percent 0..100. */
  readonly expectedLossPercent: number;
  /** Units of 20 ms that go into one packet; 1 unless told. Engines say in their contract which they take. */
  readonly units?: number;
};

export type CodecEngine = {
  readonly name: string;
  readonly mode: "real" | "sized";
  encoder(settings: CodecSettings): Encoder;
  decoder(): Decoder;
};

/** GOOD tier: Opus 24 kbit/s, complexity 5, LBRR on. chosen: at 10 % expected loss libopus 1.6.1 does send LBRR at this rate. */
export const GOOD: CodecSettings = { bitrate: 24_000, complexity: 5, fec: true, expectedLossPercent: 10 };
