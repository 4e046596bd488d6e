import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Stream } from "../base/random.ts";
import { Instant } from "../base/units.ts";
import { type CodecEngine, FRAME_SAMPLES, GOOD } from "../core/codec.ts";
import { DEFAULT_FEC, MediaStream } from "../core/media-stream.ts";
import { nobleCrypto } from "../core/noble-crypto.ts";
import type { NoiseRemover } from "../core/silence/noise-remover.ts";
import { loadRnnoise } from "./rnnoise.ts";
import { readWav } from "./wav.ts";

let remover: NoiseRemover;
const voices = new Map<string, Int16Array>();
beforeAll(async () => {
  remover = await loadRnnoise();
  for (const name of ["speech-a", "speech-b"])
    voices.set(name, await readWav(join(import.meta.dirname, "../../scenarios/speech", `${name}.wav`)));
});

/** RNNoise works on 10 ms and overlaps them: what comes out was said so many samples before. */
const LATER = FRAME_SAMPLES;
const rms = (pcm: Int16Array, frame: number): number => {
  const own = pcm.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
  return Math.sqrt(own.reduce((sum, x) => sum + x * x, 0) / FRAME_SAMPLES);
};
const db = (a: number, b: number): number => 20 * Math.log10(a / b);

/** A fan behind the speech: noise with more low than high in it, `snr` dB below the speech. */
function noisy(clean: Int16Array, snr: number): Int16Array {
  const draw = new Stream(1, "fan");
  let low = 0;
  const fan = Float64Array.from(clean, () => {
    low = 0.9 * low + 2 * draw.nextUnit() - 1;
    return low;
  });
  const power = (x: ArrayLike<number>): number => Math.sqrt(Array.from(x).reduce((sum, one) => sum + one * one, 0) / x.length);
  const level = (power(clean) / power(fan)) * 10 ** (-snr / 20);
  return clean.map((x, i) => Math.max(-32_768, Math.min(32_767, x + level * (fan[i] as number))));
}

function through(pcm: Int16Array): Int16Array {
  const one = remover.open();
  const out = new Int16Array(pcm.length + LATER);
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES)
    out.set(one.process(pcm.subarray(at, at + FRAME_SAMPLES)), at);
  one.free();
  return out.subarray(LATER);
}

/** Half a second teaches it the noise. */
const LEARNT = 25;

test.each(["speech-a", "speech-b"])(
  "%s: noise in the pauses falls by 14 dB and more, speech keeps its level, and no onset loses more than its first frame",
  (name) => {
    const clean = voices.get(name) as Int16Array;
    const heard = noisy(clean, 10);
    const out = through(heard);
    let [before, after, said, kept, onsets] = [0, 0, 0, 0, 0];
    for (let frame = LEARNT; frame < clean.length / FRAME_SAMPLES - 6; frame++) {
      const level = rms(clean, frame);
      if (level < 20) {
        before += rms(heard, frame) ** 2;
        after += rms(out, frame) ** 2;
      }
      if (level < 200) continue;
      said += level ** 2;
      kept += rms(out, frame) ** 2;
      const isOnset = [1, 2, 3, 4, 5].every((back) => rms(clean, frame - back) < 60);
      if (!isOnset) continue;
      onsets++;
      for (const next of [1, 2, 3]) expect(db(rms(out, frame + next), rms(clean, frame + next))).toBeGreaterThan(-6);
    }
    expect(onsets).toBeGreaterThan(0);
    expect(db(Math.sqrt(after), Math.sqrt(before))).toBeLessThan(-14);
    expect(Math.abs(db(Math.sqrt(kept), Math.sqrt(said)))).toBeLessThan(1);
  },
);

test("the same noise is removed the same way twice, by states that know nothing of each other", () => {
  const pcm = noisy(voices.get("speech-a") as Int16Array, 10).subarray(0, 20 * FRAME_SAMPLES);
  const first = through(pcm);
  const other = remover.open();
  other.process(new Int16Array(FRAME_SAMPLES).fill(9_000));
  expect(through(pcm)).toEqual(first);
  other.free();
});

test("another length and use after the end are the caller's mistakes", () => {
  const one = remover.open();
  expect(() => one.process(new Int16Array(480))).toThrow(RangeError);
  one.free();
  one.free();
  expect(() => one.process(new Int16Array(FRAME_SAMPLES))).toThrow(TypeError);
});

test("a stream that is told to removes noise before it encodes, one that is not does not, and its end frees what it opened", () => {
  let live = 0;
  const halving: NoiseRemover = {
    name: "halving",
    open: () => {
      live++;
      return { process: (pcm) => pcm.map((x) => x / 2), free: () => void live-- };
    },
  };
  const encoded: number[] = [];
  const codec: CodecEngine = {
    ...{ name: "listening", mode: "sized" },
    encoder: () => ({
      encode: (pcm) => {
        encoded.push(pcm[0] ?? 0);
        return new Uint8Array(20);
      },
      free: () => undefined,
    }),
    decoder: () => ({
      decode: () => undefined,
      recover: () => undefined,
      conceal: () => new Int16Array(FRAME_SAMPLES),
      free: () => undefined,
    }),
  };
  const [send, receive] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  for (const denoise of [true, false]) {
    const stream = new MediaStream({
      ...{ call: "c", crypto: nobleCrypto, codec, settings: GOOD, jitterBuffer: "ema", fec: DEFAULT_FEC, say: () => undefined },
      ...{ peerFec: [], peerSends: undefined, peerCodecs: [] },
      keys: { send, receive, sendId: "a", receiveId: "b" },
      voice: { tier: "good", adaptsFec: false, denoise, noiseRemover: halving },
    });
    stream.capture(Instant(0), new Int16Array(FRAME_SAMPLES).fill(1_000), 1);
    stream.end();
  }
  expect(encoded).toEqual([500, 1_000]);
  expect(live).toBe(0);
});
