/** What every codec engine promises, as one suite: `codecContract` is called by the test of each engine. */
import { beforeAll, describe, expect, it } from "vitest";
import { Stream } from "../base/random.ts";
import type { CodecEngine, CodecSettings, Decoder, Shape } from "./codec.ts";
import { FRAME_SAMPLES, GOOD as GOOD_FRAME, MAX_FRAME_BYTES } from "./codec.ts";
import { CONCEALED_FRAMES } from "./concealment.ts";
import { toneGenerator } from "./tone.ts";

export type CodecPromises = {
  /** Speech, mono 48 kHz, at least 4 s; the waveform tests need it. Undefined for an engine that carries no audio. */
  readonly speech: (() => Promise<Int16Array>) | undefined;
  /** Whether the engine finds redundancy where there is some. */
  readonly recovery: boolean;
  /** Units of 20 ms that the engine puts into a packet; 1 unless told. */
  readonly units?: number;
  /** False for a vocoder: it gives back what speech sounds like, not its waveform. */
  readonly waveform?: boolean;
  /** Bits a second that are tried, and how far off the mark they may be; those of Opus unless told. */
  readonly bitrates?: readonly (readonly [bitrate: number, tolerance: number])[];
};

/** Correlation floors. chosen: measured 0.999 and 0.95 with both libopus builds at 24 kbit/s, less a margin for other builds. */
const TONE_FLOOR = 0.99;
const SPEECH_FLOOR = 0.9;
/** chosen: libopus' own concealment reaches 0.49 and 0.42 on the two fixtures, ours 0.49 and 0.44; silence is 0. */
const CONCEALED_FLOOR = 0.35;
/** Root mean square above which a frame counts as spoken: -41 dBFS. */
const SPOKEN = 300;
/** Opus looks ahead 6.5 ms at 48 kHz; nothing here delays by more than a frame. */
const MAX_DELAY = FRAME_SAMPLES;

export const framesOf = (pcm: Int16Array, samples: number = FRAME_SAMPLES): Int16Array[] =>
  Array.from({ length: Math.floor(pcm.length / samples) }, (_, i) => pcm.slice(i * samples, (i + 1) * samples));

export const joined = (frames: readonly Int16Array[]): Int16Array => {
  const out = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    out.set(frame, at);
    at += frame.length;
  }
  return out;
};

export const rms = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / Math.max(1, pcm.length));

/** Normalised correlation of `a` with `b` delayed by `lag`. */
const correlation = (a: Int16Array, b: Int16Array, lag: number, stride: number): number => {
  let [ab, aa, bb] = [0, 1, 1];
  for (let i = 0; i + lag < b.length && i < a.length; i += stride) {
    const [x, y] = [a[i] as number, b[i + lag] as number];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
};

/** The best correlation over delays of 0..MAX_DELAY samples. */
export function alignedCorrelation(original: Int16Array, decoded: Int16Array): number {
  let best = { lag: 0, score: -1 };
  for (let lag = 0; lag <= MAX_DELAY; lag += 3) {
    const score = correlation(original, decoded, lag, 7);
    if (score > best.score) best = { lag, score };
  }
  let score = -1;
  for (let lag = Math.max(0, best.lag - 3); lag <= best.lag + 3; lag++)
    score = Math.max(score, correlation(original, decoded, lag, 1));
  return score;
}

const difference = (a: Int16Array, b: Int16Array): number => rms(a.map((x, i) => (x - (b[i] as number)) / 2)) * 2;

const encodeAll = (engine: CodecEngine, frames: readonly Int16Array[], settings: CodecSettings): Uint8Array[] => {
  const encoder = engine.encoder(settings);
  const packets = frames.map((frame) => encoder.encode(frame));
  encoder.free();
  return packets;
};

const must = (pcm: Int16Array | undefined): Int16Array => {
  if (pcm === undefined) throw new TypeError("decode: want audio, got undefined");
  return pcm;
};

const decodeAll = (engine: CodecEngine, packets: readonly Uint8Array[], shape?: Shape): Int16Array[] => {
  const decoder = engine.decoder();
  const frames = packets.map((packet) => must(decoder.decode(packet, shape)).slice());
  decoder.free();
  return frames;
};

/** Runs the suite for the engine that `load` makes; it is loaded once. */
export function codecContract(name: string, load: () => Promise<CodecEngine>, promises: CodecPromises): void {
  describe(`codec contract: ${name}`, () => {
    const {
      units = 1,
      waveform = true,
      bitrates = [
        [24_000, 0.35],
        [12_000, 0.35],
      ],
    } = promises;
    const packetSamples = units * FRAME_SAMPLES;
    const GOOD: CodecSettings = units === 1 ? GOOD_FRAME : { ...GOOD_FRAME, units };
    /** The LBRR test's settings: at 20 % expected loss every libopus from 1.3 on sends it (24 kbit/s). */
    const LOSSY: CodecSettings = { ...GOOD, expectedLossPercent: 20 };
    const shape: Shape | undefined = units === 1 ? undefined : { codec: 0, units, part: 0, opens: false };
    const hears = promises.speech !== undefined && waveform;
    let engine: CodecEngine;
    let speech: Int16Array[] = [];
    const tone = framesOf(joined(Array.from({ length: 100 * units }, toneGenerator(440, 8_000))), packetSamples);

    beforeAll(async () => {
      engine = await load();
      if (promises.speech !== undefined) speech = framesOf(await promises.speech(), packetSamples).slice(0, 250);
    });

    /** Another decoder of the same packets: the same samples, or as loud where phases are drawn. */
    const alike = (heard: Int16Array | undefined, alone: Int16Array): void => {
      if (waveform) expect(heard).toEqual(alone);
      else expect(Math.abs(20 * Math.log10((rms(must(heard)) + 1) / (rms(alone) + 1)))).toBeLessThan(3);
    };

    /** A decoder that has heard 0.6 s, then `use`. */
    const warmed = <T>(use: (decoder: Decoder, packets: readonly Uint8Array[]) => T): T => {
      const packets = encodeAll(engine, tone.slice(0, 60), GOOD);
      const decoder = engine.decoder();
      for (const packet of packets.slice(0, 30)) must(decoder.decode(packet, shape));
      try {
        return use(decoder, packets);
      } finally {
        decoder.free();
      }
    };

    it("every packet fits the limit and every frame has its length", () => {
      const packets = encodeAll(engine, tone, GOOD);
      expect(packets.every((packet) => packet.length > 0 && packet.length <= MAX_FRAME_BYTES)).toBe(true);
      expect(decodeAll(engine, packets, shape).every((frame) => frame.length === packetSamples)).toBe(true);
    });

    it("the same audio gives the same packets and the same frames", () => {
      const first = encodeAll(engine, tone.slice(0, 20), GOOD);
      expect(encodeAll(engine, tone.slice(0, 20), GOOD)).toEqual(first);
      if (waveform) expect(decodeAll(engine, first, shape)).toEqual(decodeAll(engine, first, shape));
    });

    it.each(bitrates)("speech at %i bit/s stays within its tolerance", (bitrate, tolerance) => {
      const packets = encodeAll(engine, speech.length > 0 ? speech : tone, { ...GOOD, bitrate });
      const actual = packets.reduce((sum, packet) => sum + packet.length * 8, 0) / (packets.length * units * 0.02);
      expect(Math.abs(actual / bitrate - 1)).toBeLessThan(tolerance);
    });

    it("empty and oversized packets are undefined", () => {
      warmed((decoder) => {
        expect(decoder.decode(new Uint8Array(0))).toBeUndefined();
        expect(decoder.decode(new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x48))).toBeUndefined();
        expect(decoder.recover(new Uint8Array(0))).toBeUndefined();
      });
    });

    it("garbage and truncated packets never throw, and the decoder goes on", () => {
      warmed((decoder, packets) => {
        const random = new Stream(7, name);
        for (let i = 0; i < 400; i++) {
          const whole = packets[30 + (i % 10)] as Uint8Array;
          const bytes = i % 2 === 0 ? random.nextBytes(random.nextBelow(200)) : whole.slice(0, random.nextBelow(whole.length));
          const out = i % 3 === 0 ? decoder.recover(bytes) : decoder.decode(bytes, shape);
          if (out !== undefined) expect(out.length % FRAME_SAMPLES).toBe(0);
        }
        const after = packets.slice(40).map((packet) => must(decoder.decode(packet, shape)).slice());
        if (hears) expect(alignedCorrelation(joined(tone.slice(50, 60)), joined(after.slice(10)))).toBeGreaterThan(0.95);
      });
    });

    it("concealment ends in silence, and a real frame ends concealment", () => {
      warmed((decoder, packets) => {
        const concealed = Array.from({ length: CONCEALED_FRAMES + 3 }, () => decoder.conceal().slice());
        for (const frame of concealed) expect(frame.length).toBe(FRAME_SAMPLES);
        for (const frame of concealed.slice(CONCEALED_FRAMES)) expect(rms(frame)).toBe(0);
        expect(concealed[CONCEALED_FRAMES - 1]?.at(-1)).toBe(0);
        if (!hears) return;
        expect(rms(concealed[0] as Int16Array)).toBeGreaterThan(0.5 * 8_000 * Math.SQRT1_2);
        expect(rms(concealed[CONCEALED_FRAMES - 1] as Int16Array)).toBeLessThan(0.25 * 8_000 * Math.SQRT1_2);
        for (const packet of packets.slice(40, 43)) must(decoder.decode(packet, shape));
        expect(rms(decoder.conceal())).toBeGreaterThan(0.3 * 8_000 * Math.SQRT1_2);
      });
    });

    it("two decoders do not hear each other", () => {
      const packets = encodeAll(engine, tone, GOOD);
      const alone = decodeAll(engine, packets, shape);
      const [one, two] = [engine.decoder(), engine.decoder()];
      for (const [i, packet] of packets.entries()) {
        if (i % 3 === 0) two.conceal();
        else two.decode(packets[packets.length - 1 - i] as Uint8Array, shape);
        alike(one.decode(packet, shape), alone[i] as Int16Array);
      }
      one.free();
      two.free();
    });

    it("many coders at once do not disturb each other", () => {
      const packets = encodeAll(engine, tone.slice(0, 20), GOOD);
      const alone = decodeAll(engine, packets, shape);
      const decoders = Array.from({ length: 8 }, () => engine.decoder());
      for (const [i, packet] of packets.entries())
        for (const one of decoders) alike(one.decode(packet, shape), alone[i] as Int16Array);
      for (const one of decoders) one.free();
    });

    it("a freed coder is refused, and freeing twice is harmless", () => {
      const encoder = engine.encoder(GOOD);
      encoder.free();
      encoder.free();
      expect(() => encoder.encode(new Int16Array(packetSamples))).toThrow(TypeError);
      const decoder = engine.decoder();
      decoder.free();
      decoder.free();
      expect(() => decoder.decode(new Uint8Array(10))).toThrow(TypeError);
      expect(() => decoder.recover(new Uint8Array(10))).toThrow(TypeError);
      expect(() => decoder.conceal()).toThrow(TypeError);
    });

    it("a frame of the wrong length is the caller's mistake", () => {
      const encoder = engine.encoder(GOOD);
      expect(() => encoder.encode(new Int16Array(packetSamples - 1))).toThrow(RangeError);
      encoder.free();
    });

    if (promises.recovery) {
      it("redundancy is found where the encoder was told to expect loss, and nowhere else", () => {
        const frames = speech.length > 0 ? speech : tone;
        const found = (settings: CodecSettings): number => {
          const decoder = engine.decoder();
          const count = encodeAll(engine, frames, settings).filter((packet) => decoder.recover(packet) !== undefined).length;
          decoder.free();
          return count / frames.length;
        };
        expect(found(LOSSY)).toBeGreaterThan(0.6);
        expect(found({ ...GOOD, fec: false })).toBe(0);
      });
    } else {
      it("recovery is never claimed", () => {
        const decoder = engine.decoder();
        for (const packet of encodeAll(engine, speech, LOSSY)) expect(decoder.recover(packet)).toBeUndefined();
        decoder.free();
      });
    }

    if (hears) {
      it("a tone comes back", () => {
        const decoded = joined(decodeAll(engine, encodeAll(engine, tone, GOOD), shape));
        const skip = 10 * FRAME_SAMPLES;
        expect(alignedCorrelation(joined(tone).subarray(skip), decoded.subarray(skip))).toBeGreaterThan(TONE_FLOOR);
      });

      it("speech comes back", () => {
        const decoded = joined(decodeAll(engine, encodeAll(engine, speech, GOOD), shape));
        expect(alignedCorrelation(joined(speech), decoded)).toBeGreaterThan(SPEECH_FLOOR);
      });

      it("concealed speech resembles what was lost", () => {
        const packets = encodeAll(engine, speech, GOOD);
        const clean = decodeAll(engine, packets, shape);
        const decoder = engine.decoder();
        const scores: number[] = [];
        for (const [i, packet] of packets.entries()) {
          if (i % 10 !== 9) {
            decoder.decode(packet, shape);
            continue;
          }
          const [lost, guessed] = [clean[i] as Int16Array, decoder.conceal()];
          if (rms(lost) > SPOKEN) scores.push(correlation(lost, guessed, 0, 1));
        }
        decoder.free();
        expect(scores.length).toBeGreaterThan(10);
        expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeGreaterThan(CONCEALED_FLOOR);
      });
    }

    if (promises.speech !== undefined && promises.recovery) {
      it("a recovered frame is closer to the original than a concealed one", () => {
        const packets = encodeAll(engine, speech, LOSSY);
        const clean = decodeAll(engine, packets, shape);
        const [recovering, concealing] = [engine.decoder(), engine.decoder()];
        let [recovered, concealed, losses] = [0, 0, 0];
        for (let i = 0; i < packets.length; i++) {
          const packet = packets[i] as Uint8Array;
          const next = packets[i + 1];
          if (i % 5 !== 4 || next === undefined) {
            recovering.decode(packet);
            concealing.decode(packet);
            continue;
          }
          const fixed = recovering.recover(next);
          const guessed = concealing.conceal();
          if (fixed === undefined) {
            recovering.conceal();
            continue;
          }
          losses++;
          recovered += difference(clean[i] as Int16Array, fixed) ** 2;
          concealed += difference(clean[i] as Int16Array, guessed) ** 2;
        }
        recovering.free();
        concealing.free();
        expect(losses).toBeGreaterThan(25);
        // Less than half the error energy; measured a quarter.
        expect(recovered).toBeLessThan(concealed / 2);
      });
    }
  });
}
