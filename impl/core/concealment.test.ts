import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignedCorrelation, rms } from "./codec.contract.ts";
import { FRAME_SAMPLES } from "./codec.ts";
import { CONCEALED_FRAMES, Concealment, fadeConcealed, pitchLag } from "./concealment.ts";
import { toneGenerator } from "./tone.ts";

const AMPLITUDE = 8_000;

/** A voice-like buzz: a tone of `hz` and its next three harmonics. */
const buzz = (hz: number): (() => Int16Array) => {
  const parts = [1, 2, 3, 4].map((n) => toneGenerator(hz * n, AMPLITUDE / (2 * n)));
  return () => {
    const out = new Int16Array(FRAME_SAMPLES);
    for (const part of parts) for (const [i, x] of part().entries()) out[i] = (out[i] as number) + x;
    return out;
  };
};

const largestStep = (pcm: Int16Array): number => {
  let largest = 0;
  for (let i = 1; i < pcm.length; i++) largest = Math.max(largest, Math.abs((pcm[i] as number) - (pcm[i - 1] as number)));
  return largest;
};

/** Correlation without looking for a better alignment. */
const alignedPhase = (a: Int16Array, b: Int16Array): number => {
  const product = a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  return product / (rms(a) * rms(b) * a.length);
};

const concat = (...frames: readonly Int16Array[]): Int16Array => Int16Array.from(frames.flatMap((frame) => [...frame]));

describe("the pitch search", () => {
  it.each([70, 90, 120, 150, 190])("finds the period of %i Hz or a multiple of it within one sample", (hz) => {
    const next = buzz(hz);
    const lag = pitchLag(concat(next(), next(), next()));
    const period = 48_000 / hz;
    expect(Math.abs(lag - Math.round(lag / period) * period)).toBeLessThanOrEqual(1);
  });

  it("answers within its range on silence and on noise", () => {
    fc.assert(
      fc.property(fc.int16Array({ minLength: 2_400, maxLength: 2_400 }), (history) => {
        const lag = pitchLag(history);
        expect(lag).toBeGreaterThanOrEqual(240);
        expect(lag).toBeLessThanOrEqual(720);
      }),
      { seed: 1, numRuns: 30 },
    );
  });
});

describe("a concealed frame", () => {
  it.each([80, 120, 180])("continues a steady voice of %i Hz without a jump", (hz) => {
    const [next, concealment] = [buzz(hz), new Concealment()];
    for (let i = 0; i < 5; i++) concealment.good(next());
    const before = next();
    concealment.good(before.slice());
    const made = concealment.conceal();
    expect(alignedCorrelation(next(), made)).toBeGreaterThan(0.98);
    expect(largestStep(concat(before, made))).toBeLessThan(largestStep(before) * 1.3);
  });

  it.each([80, 120, 180])("keeps the phase of %i Hz over three frames", (hz) => {
    const [next, concealment] = [buzz(hz), new Concealment()];
    let before = next();
    for (let i = 0; i < 6; i++) before = concealment.good(next());
    const made = Array.from({ length: 3 }, () => concealment.conceal());
    for (const frame of made) expect(alignedPhase(next(), frame)).toBeGreaterThan(0.95);
    expect(largestStep(concat(before, ...made))).toBeLessThan(largestStep(before) * 1.3);
  });

  it("starts where a voice that grew louder left off", () => {
    let largest = 0;
    for (let offset = 0; offset < 400; offset += 25) {
      const [next, concealment] = [buzz(120), new Concealment()];
      const voice = concat(next(), next(), next(), next(), next()).subarray(offset, offset + 4 * FRAME_SAMPLES);
      // Twice as loud in the last frame as before, within a period.
      const grown = voice.map((x, i) => x * Math.min(1, 0.5 + Math.max(0, i - 3.6 * FRAME_SAMPLES) / FRAME_SAMPLES));
      for (let i = 0; i < 4; i++) concealment.good(grown.slice(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES));
      const jump = Math.abs((concealment.conceal()[0] as number) - (grown.at(-1) as number));
      largest = Math.max(largest, jump / largestStep(grown));
    }
    expect(largest).toBeLessThan(1.3);
  });

  it("fades a little each time and is silent from the seventh on", () => {
    const [next, concealment] = [buzz(120), new Concealment()];
    for (let i = 0; i < 5; i++) concealment.good(next());
    const levels = Array.from({ length: CONCEALED_FRAMES + 2 }, () => rms(concealment.conceal()));
    for (let i = 1; i < CONCEALED_FRAMES; i++) expect(levels[i] as number).toBeLessThan(levels[i - 1] as number);
    expect(levels.slice(CONCEALED_FRAMES)).toEqual([0, 0]);
  });

  it.each([1, 3, 8])("the first real frame after %i lost ones joins without a jump", (lost) => {
    const [next, concealment] = [buzz(120), new Concealment()];
    for (let i = 0; i < 5; i++) concealment.good(next());
    let last = new Int16Array(FRAME_SAMPLES);
    for (let i = 0; i < lost; i++) {
      last = concealment.conceal().slice();
      next();
    }
    const real = next();
    const joined = concealment.good(real.slice());
    expect(largestStep(concat(last, joined))).toBeLessThan(largestStep(real) * 1.6);
    expect(joined.subarray(FRAME_SAMPLES / 2)).toEqual(real.subarray(FRAME_SAMPLES / 2));
  });

  it("is silent when nothing was heard yet", () => {
    expect(rms(new Concealment().conceal())).toBe(0);
  });

  it("continues the newest voice, not the one before", () => {
    const [low, high, concealment] = [buzz(80), buzz(160), new Concealment()];
    for (let i = 0; i < 5; i++) concealment.good(low());
    concealment.conceal();
    concealment.conceal();
    for (let i = 0; i < 3; i++) concealment.good(high());
    expect(alignedCorrelation(high(), concealment.conceal())).toBeGreaterThan(0.95);
  });

  it("counts as heard: with a loss on either side of one real frame the voice goes on", () => {
    const [next, concealment] = [buzz(70), new Concealment()];
    for (let i = 0; i < 5; i++) concealment.good(next());
    concealment.conceal();
    next();
    concealment.good(next());
    expect(alignedPhase(next(), concealment.conceal())).toBeGreaterThan(0.9);
  });
});

it("the fade is full before its start, straight down to zero, and zero from then on", () => {
  const flat = (nth: number): Int16Array => fadeConcealed(new Int16Array(FRAME_SAMPLES).fill(10_000), nth, 3);
  expect(flat(2)).toEqual(new Int16Array(FRAME_SAMPLES).fill(10_000));
  expect(flat(3)[0]).toBeGreaterThan(9_990);
  expect(flat(4)[FRAME_SAMPLES / 2]).toBeCloseTo(5_000, -2);
  expect(flat(5)[FRAME_SAMPLES - 1]).toBe(0);
  expect(flat(6)).toEqual(new Int16Array(FRAME_SAMPLES));
});
