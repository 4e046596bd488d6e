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
  /** Encodes FRAME_SAMPLES samples; the caller owns the result. */
  encode(pcm: Int16Array): Uint8Array;
  free(): void;
};

export type Decoder = {
  /** FRAME_SAMPLES samples, owned by the caller; undefined when the packet does not decode (never throws on peer input). */
  decode(packet: Uint8Array): Int16Array | undefined;
  /** The frame BEFORE `next`, from the redundancy (LBRR) inside `next`; undefined when it carries none. Call before decode(next). */
  recover(next: Uint8Array): Int16Array | undefined;
  /** Whether `recover(next)` has anything to offer, without decoding; left out by codecs that cannot tell. */
  repeats?(next: Uint8Array): boolean;
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
};

export type CodecEngine = {
  readonly name: string;
  readonly mode: "real" | "sized";
  encoder(settings: CodecSettings): Encoder;
  decoder(): Decoder;
};

/** GOOD tier: Opus 24 kbit/s, complexity 5, LBRR on. chosen: at 10 % expected loss libopus 1.6.1 does send LBRR at this rate. */
export const GOOD: CodecSettings = { bitrate: 24_000, complexity: 5, fec: true, expectedLossPercent: 10 };
