/**
 * The receiver's codecs behind the one decoder a jitter buffer knows: 20 ms at a time of whatever a packet carries. Where the codec changes, what the old one
 * would have gone on with fades into the new one, so that no change is heard as a click.
 */
import { CODEC_CODEC2_1200, CODEC_OPUS } from "../../wire/media-header.ts";
import { type Decoder, FRAME_SAMPLES, type Shape } from "../codec.ts";
import type { Engines } from "./coding.ts";

/** Samples over which one codec fades into the other: 10 ms. chosen: two periods of a voice, and shorter than any frame. */
const FADE = 480;

const PLAIN: Shape = { codec: CODEC_OPUS, units: 1, part: 0, opens: false };

export class VoiceDecoder implements Decoder {
  readonly #engines: Engines;
  readonly #decoders = new Map<number, Decoder>();
  /** The codec heard last. */
  #codec: number = CODEC_OPUS;
  #hasHeard = false;
  /** What a payload of several units decoded to. */
  #whole: { readonly payload: Uint8Array; readonly pcm: Int16Array | undefined } | undefined;

  constructor(engines: Engines) {
    this.#engines = engines;
    this.#decoders.set(CODEC_OPUS, engines.opus.decoder());
  }

  decode(payload: Uint8Array, shape: Shape = PLAIN): Int16Array | undefined {
    if (shape.units === 1) return this.#decode(payload, shape);
    if (this.#whole?.payload !== payload) this.#whole = { payload, pcm: this.#decode(payload, shape) };
    return this.#whole.pcm?.slice(shape.part * FRAME_SAMPLES, (shape.part + 1) * FRAME_SAMPLES);
  }

  #decode(payload: Uint8Array, shape: Shape): Int16Array | undefined {
    const decoder = this.#of(shape.codec);
    const before = shape.codec === this.#codec ? decoder : this.#of(this.#codec);
    const pcm = decoder?.decode(payload, shape);
    if (pcm === undefined) return undefined;
    if (decoder !== before && before !== undefined && this.#hasHeard && this.#engines.opus.mode === "real") {
      const rest = before.conceal();
      for (let i = 0; i < FADE; i++) {
        const share = (i + 1) / (FADE + 1);
        pcm[i] = Math.round((rest[i] as number) * (1 - share) + (pcm[i] as number) * share);
      }
    }
    this.#codec = shape.codec;
    this.#hasHeard = true;
    return pcm;
  }

  recover(next: Uint8Array, shape: Shape = PLAIN): Int16Array | undefined {
    return this.#mayRepeat(shape) ? this.#of(CODEC_OPUS)?.recover(next) : undefined;
  }

  repeats(next: Uint8Array, shape: Shape = PLAIN): boolean {
    return this.#mayRepeat(shape) && (this.#of(CODEC_OPUS)?.repeats?.(next) ?? false);
  }

  /** Only Opus repeats frames, of 20 ms, and only what was said right before. */
  #mayRepeat({ codec, units, part, opens }: Shape): boolean {
    return codec === CODEC_OPUS && units === 1 && part === 0 && !opens && this.#codec === CODEC_OPUS;
  }

  conceal(): Int16Array {
    return (this.#of(this.#codec) as Decoder).conceal();
  }

  free(): void {
    for (const decoder of this.#decoders.values()) decoder.free();
  }

  #of(codec: number): Decoder | undefined {
    const known = this.#decoders.get(codec);
    if (known !== undefined) return known;
    const decoder = codec === CODEC_CODEC2_1200 ? this.#engines.codec2?.decoder() : undefined;
    if (decoder !== undefined) this.#decoders.set(codec, decoder);
    return decoder;
  }
}
