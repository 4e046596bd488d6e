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
