import { describe, expect, it } from "vitest";
import { Stream } from "../impl/base/random.ts";
import { spectrum } from "./spectrum.ts";
import { logSpectralDistance, stoi } from "./speech-distance.ts";

const SECONDS = 3;
/** Syllables of a buzz at 120 Hz, four a second, with pauses between: what both measures look at, envelopes that move. */
const voice: Int16Array = Int16Array.from({ length: SECONDS * 48_000 }, (_, i) => {
  const t = i / 48_000;
  const loud = Math.max(0, Math.sin(2 * Math.PI * 4 * t)) * (0.6 + 0.4 * Math.sin(2 * Math.PI * 0.7 * t));
  let sum = 0;
  for (let n = 1; n <= 30; n++) sum += Math.sin(2 * Math.PI * 120 * n * t) / n;
  return 5_000 * loud * sum;
});
const noisy = (db: number): Int16Array => {
  const draw = new Stream(7, "noise");
  const level = Math.sqrt(voice.reduce((sum, x) => sum + x * x, 0) / voice.length) * 10 ** (-db / 20) * Math.sqrt(3);
  return voice.map((x) => Math.max(-32_768, Math.min(32_767, x + level * (2 * draw.nextUnit() - 1))));
};

describe("STOI", () => {
  it("is 1 for what is equal, also when it is quieter", () => {
    expect(stoi(voice, voice)).toBeCloseTo(1, 9);
    expect(
      stoi(
        voice,
        voice.map((x) => x / 2),
      ),
    ).toBeCloseTo(1, 3);
  });

  it("falls as noise rises, and is near nothing for another signal", () => {
    const values = [30, 15, 5, -5].map((db) => stoi(voice, noisy(db)));
    for (let i = 1; i < values.length; i++) expect(values[i] as number).toBeLessThan(values[i - 1] as number);
    expect(values[0]).toBeGreaterThan(0.9);
    const draw = new Stream(8, "other");
    expect(
      stoi(
        voice,
        voice.map(() => 8_000 * (2 * draw.nextUnit() - 1)),
      ),
    ).toBeLessThan(0.3);
  });

  it("has nothing to say of a third of a second", () =>
    expect(stoi(voice.subarray(0, 10_000), voice.subarray(0, 10_000))).toBeNaN());
});

/** STOI once more, as the paper has it and without regard to time: every output sample of the low-pass by its sum, every spectrum line by its own. */
function plainStoi(wanted: Int16Array, heard: Int16Array): number {
  const at10k = (pcm: Int16Array): number[] =>
    Array.from({ length: Math.floor(pcm.length / 4.8) }, (_, n) => {
      let sum = 0;
      for (let i = Math.max(0, Math.ceil(n * 4.8 - 78)); i <= Math.min(pcm.length - 1, n * 4.8 + 78); i++) {
        const t = (i - n * 4.8) / 4.8;
        const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
        if (Math.abs(t) < 16) sum += ((pcm[i] as number) * sinc * (0.5 + 0.5 * Math.cos((Math.PI * t) / 16))) / 4.8;
      }
      return sum;
    });
  const window = (i: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / 257);
  const framed = (x: readonly number[]): number[][] =>
    Array.from({ length: Math.floor((x.length - 256) / 128) + 1 }, (_, m) =>
      x.slice(m * 128, m * 128 + 256).map((value, i) => value * window(i)),
    );
  const energy = (frame: readonly number[]): number => frame.reduce((sum, x) => sum + x * x, 0);
  const [x, y] = [framed(at10k(wanted)), framed(at10k(heard))];
  const loudest = Math.max(...x.map(energy));
  const kept = x.flatMap((frame, m) => (10 * Math.log10(energy(frame) / loudest) > -40 ? [m] : []));
  const joined = (frames: readonly number[][]): number[] => {
    const out = new Array<number>((kept.length - 1) * 128 + 256).fill(0);
    for (const [n, m] of kept.entries())
      for (const [i, value] of (frames[m] ?? []).entries()) out[n * 128 + i] = (out[n * 128 + i] as number) + value;
    return out;
  };
  const bandsOf = (signal: readonly number[]): number[][] =>
    framed(signal).map((frame) =>
      Array.from({ length: 15 }, (_, j) => {
        const [low, high] = [-1, 1].map((edge) => Math.round((150 * 2 ** ((2 * j + edge) / 6) * 512) / 10_000));
        let sum = 0;
        for (let k = low as number; k < (high as number); k++) {
          const line = (wave: (t: number) => number): number =>
            frame.reduce((total, value, i) => total + value * wave((2 * Math.PI * k * i) / 512), 0);
          sum += line(Math.cos) ** 2 + line(Math.sin) ** 2;
        }
        return Math.sqrt(sum);
      }),
    );
  const [p, q] = [bandsOf(joined(x)), bandsOf(joined(y))];
  const scores: number[] = [];
  for (let m = 0; m + 30 <= p.length; m++)
    for (let j = 0; j < 15; j++) {
      const a = p.slice(m, m + 30).map((bands) => bands[j] as number);
      const b = q.slice(m, m + 30).map((bands) => bands[j] as number);
      const scale = Math.sqrt(energy(a) / energy(b));
      const clipped = b.map((value, i) => Math.min(value * scale, (a[i] as number) * (1 + 10 ** 0.75)));
      const centred = (values: readonly number[]): number[] => {
        const mean = values.reduce((sum, value) => sum + value, 0) / 30;
        return values.map((value) => value - mean);
      };
      const [u, v] = [centred(a), centred(clipped)];
      scores.push(u.reduce((sum, value, i) => sum + value * (v[i] as number), 0) / Math.sqrt(energy(u) * energy(v)));
    }
  return scores.reduce((sum, one) => sum + one, 0) / scores.length;
}

it("STOI is that of its readable twin, of noise, of a gap, and of speech that is the same in places", () => {
  const second = voice.subarray(0, 43_000);
  const torn = second.map((x, i) => (i > 12_000 && i < 17_000 ? 0 : x));
  for (const heard of [noisy(10).subarray(0, 43_000), noisy(-3).subarray(0, 43_000), torn])
    expect(stoi(second, heard)).toBeCloseTo(plainStoi(second, heard), 6);
});

describe("the log-spectral distance", () => {
  it("is 0 for what is equal, and 6 dB for half the amplitude", () => {
    expect(logSpectralDistance(voice, voice)).toBe(0);
    const loud = voice.map((x) => x * 2);
    expect(logSpectralDistance(loud, voice)).toBeGreaterThan(4);
    expect(logSpectralDistance(loud, voice)).toBeLessThan(6.03);
  });

  it("rises with noise", () => {
    const values = [40, 20, 0].map((db) => logSpectralDistance(voice, noisy(db)));
    for (let i = 1; i < values.length; i++) expect(values[i] as number).toBeGreaterThan(values[i - 1] as number);
  });
});

it("signals of different lengths are the caller's mistake", () => {
  expect(() => stoi(voice, voice.subarray(1))).toThrow(RangeError);
  expect(() => logSpectralDistance(voice, voice.subarray(1))).toThrow(RangeError);
});

it("the spectrum is that of the plain sum, for any place in it", () => {
  const draw = new Stream(9, "spectrum");
  const x = Array.from({ length: 64 }, () => draw.nextUnit() - 0.5);
  const { power } = spectrum(32, 20);
  const fast = power(x, 7);
  for (let k = 0; k <= 16; k++) {
    let [re, im] = [0, 0];
    for (let i = 0; i < 20; i++) {
      const weighted = (x[7 + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / 21));
      re += weighted * Math.cos((2 * Math.PI * k * i) / 32);
      im -= weighted * Math.sin((2 * Math.PI * k * i) / 32);
    }
    expect(fast[k]).toBeCloseTo(re * re + im * im, 9);
  }
  expect(() => spectrum(24, 20)).toThrow(RangeError);
  expect(() => spectrum(32, 33)).toThrow(RangeError);
});
