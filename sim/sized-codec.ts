/**
 * A codec for runs in which only timing matters: frames have the sizes speech has in Opus VBR, carry nothing, and decode to
 * one shared frame. In-band FEC is offered on the settings under which libopus 1.6.1 offers it, so loss plays out alike.
 * Left out on purpose: any dependence of size on the audio.
 */

import { freshOctets } from "../impl/base/octet-slab.ts";
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
/** The longest packet: 16 units (impl/wire/media-header.ts). */
const FRAME: Int16Array = new Int16Array(16 * FRAME_SAMPLES);
/** By how many units they last: a view made anew costs more than what is done with it. */
const FRAMES: readonly Int16Array[] = Array.from({ length: 17 }, (_, units) => FRAME.subarray(0, units * FRAME_SAMPLES));
const frameOf = (units: number): Int16Array => FRAMES[units] ?? FRAME;
const ONE: Int16Array = frameOf(1);

/** libopus decide_fec() at 48 kHz as measured: LBRR from 18 kbit/s at 15 % expected loss, from 20 kbit/s at 10 %. */
const sendsRedundancy = (s: CodecSettings): boolean =>
  s.fec && (s.bitrate >= 20_000 ? s.expectedLossPercent >= 10 : s.bitrate >= 18_000 && s.expectedLossPercent >= 15);

function sizes({ bitrate, units = 1 }: CodecSettings): number[] {
  const mean = (bitrate * units * FRAME_MICROS) / 8_000_000;
  const draw = new Stream(0, "sized-codec");
  return Array.from({ length: CYCLE }, (_, i) => {
    const share = i < CYCLE - PAUSES ? SPEECH_SHARE * (1 + SPREAD * (draw.nextUnit() - draw.nextUnit())) : PAUSE_SHARE;
    return Math.max(2, Math.min(MAX_FRAME_BYTES, Math.round(mean * share)));
  });
}

function encoder(settings: CodecSettings): Encoder {
  const lengths = sizes(settings);
  const samples = (settings.units ?? 1) * FRAME_SAMPLES;
  const redundancy = sendsRedundancy(settings);
  let counter = 0;
  let live = true;
  return {
    encode: (pcm) => {
      if (!live) throw new TypeError("encoder: used after free()");
      if (pcm.length !== samples) throw new RangeError(`pcm: want ${samples} samples, got ${pcm.length}`);
      const at = counter++ % CYCLE;
      const packet = freshOctets(lengths[at] as number);
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
    return ONE;
  };
  return {
    decode: (packet, shape) => {
      frame();
      return packet.length === 0 || packet.length > MAX_FRAME_BYTES ? undefined : frameOf(shape?.units ?? 1);
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

/** Codec2 at 1200 bit/s: 6 octets for each 40 ms, and nothing to recover anything from. */
export const sizedCodec2: CodecEngine = {
  name: "sized codec2",
  mode: "sized",
  encoder: (settings) => {
    const units = settings.units ?? 2;
    const sized = encoder({ ...settings, fec: false });
    const encode = (pcm: Int16Array): Uint8Array => {
      sized.encode(pcm);
      return new Uint8Array(units * 3);
    };
    return { encode, free: sized.free };
  },
  decoder,
};

/** Every decoder hands out the same silent frame: treat what it returns as read-only. */
export const sizedCodec: CodecEngine = { name: "sized", mode: "sized", encoder, decoder };
