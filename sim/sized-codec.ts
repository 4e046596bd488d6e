/**
 * A codec for runs in which only timing matters: frames have the sizes speech has in Opus VBR, carry nothing, and decode to
 * one shared frame. In-band FEC is offered on the settings under which libopus 1.6.1 offers it, so loss plays out alike.
 * Left out on purpose: any dependence of size on the audio.
 */

import { Stream } from "../impl/base/random.ts";
import type { CodecEngine, CodecSettings, Decoder, Encoder } from "../impl/core/codec.ts";
import { FRAME_MICROS, FRAME_SAMPLES, MAX_FRAME_BYTES } from "../impl/core/codec.ts";

/**
 * Sizes relative to the mean, a second long. Measured on this project's speech fixtures (libopus 1.6.1, 24 kbit/s, complexity
 * 5, LBRR on): 41 frames in 50 are speech spread about +-20 % (a few +-40 %), 9 are pauses at about a fifth of the mean size.
 */
const CYCLE = 50;
const PAUSES = 9;
const PAUSE_SHARE = 0.2;
const SPEECH_SHARE = (CYCLE - PAUSES * PAUSE_SHARE) / (CYCLE - PAUSES);
const SPREAD = 0.4;

const FLAG_REDUNDANCY = 1;
const FRAME: Int16Array = new Int16Array(FRAME_SAMPLES);

/** libopus decide_fec() at 48 kHz as measured: LBRR from 18 kbit/s at 15 % expected loss, from 20 kbit/s at 10 %. */
const sendsRedundancy = (s: CodecSettings): boolean =>
  s.fec && (s.bitrate >= 20_000 ? s.expectedLossPercent >= 10 : s.bitrate >= 18_000 && s.expectedLossPercent >= 15);

function sizes(bitrate: number): number[] {
  const mean = (bitrate * FRAME_MICROS) / 8_000_000;
  const draw = new Stream(0, "sized-codec");
  return Array.from({ length: CYCLE }, (_, i) => {
    const share = i < CYCLE - PAUSES ? SPEECH_SHARE * (1 + SPREAD * (draw.nextUnit() - draw.nextUnit())) : PAUSE_SHARE;
    return Math.max(2, Math.min(MAX_FRAME_BYTES, Math.round(mean * share)));
  });
}

function encoder(settings: CodecSettings): Encoder {
  const lengths = sizes(settings.bitrate);
  const redundancy = sendsRedundancy(settings);
  let counter = 0;
  let live = true;
  return {
    encode: (pcm) => {
      if (!live) throw new TypeError("encoder: used after free()");
      if (pcm.length !== FRAME_SAMPLES) throw new RangeError(`pcm: want ${FRAME_SAMPLES} samples, got ${pcm.length}`);
      const at = counter++ % CYCLE;
      const packet = new Uint8Array(lengths[at] as number);
      // As in Opus, pauses are not worth repeating: the frame after one carries nothing of it.
      if (redundancy && at > 0 && at <= CYCLE - PAUSES) packet[0] = FLAG_REDUNDANCY;
      return packet;
    },
    free: () => {
      live = false;
    },
  };
}

function decoder(): Decoder {
  let live = true;
  const frame = (): Int16Array => {
    if (!live) throw new TypeError("decoder: used after free()");
    return FRAME;
  };
  return {
    decode: (packet) => {
      const out = frame();
      return packet.length === 0 || packet.length > MAX_FRAME_BYTES ? undefined : out;
    },
    recover: (next) => {
      const out = frame();
      return ((next[0] ?? 0) & FLAG_REDUNDANCY) === 0 ? undefined : out;
    },
    repeats: (next) => ((next[0] ?? 0) & FLAG_REDUNDANCY) !== 0,
    conceal: frame,
    free: () => {
      live = false;
    },
  };
}

/** Every decoder hands out the same silent frame: treat what it returns as read-only. */
export const sizedCodec: CodecEngine = { name: "sized", mode: "sized", encoder, decoder };
