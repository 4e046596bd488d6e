import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stream } from "../../base/random.ts";
import { FRAME_SAMPLES } from "../codec.ts";
import { toneGenerator } from "../tone.ts";
import { Waveform } from "./waveform.ts";

/** A voice-like buzz: `hz` and its next three harmonics, whose loudness changes slowly. */
function buzz(hz: number): () => Int16Array {
  const parts = [1, 2, 3, 4].map((n) => toneGenerator(hz * n, 3_000 / n));
  return () => {
    const out = new Int16Array(FRAME_SAMPLES);
    for (const part of parts) for (const [i, x] of part().entries()) out[i] = (out[i] as number) + x;
    return out;
  };
}

const largestStep = (pcm: ArrayLike<number>): number => {
  let largest = 0;
  for (let i = 1; i < pcm.length; i++) largest = Math.max(largest, Math.abs((pcm[i] as number) - (pcm[i - 1] as number)));
  return largest;
};
const rms = (pcm: ArrayLike<number>): number => Math.sqrt(Array.from(pcm).reduce((sum, x) => sum + x * x, 0) / pcm.length);
/** Lag of the highest autocorrelation, 2.5 to 15 ms. */
function period(pcm: ArrayLike<number>): number {
  let [best, bestScore] = [0, 0];
  for (let lag = 120; lag <= 720; lag++) {
    let [cross, a, b] = [0, 0, 0];
    for (let i = lag; i < pcm.length; i++) {
      const [x, y] = [pcm[i] as number, pcm[i - lag] as number];
      cross += x * y;
      a += x * x;
      b += y * y;
    }
    const score = cross / Math.sqrt(a * b);
    // The first of equal peaks: a multiple of the period resembles as much.
    if (score > bestScore + 1e-3) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}

/** Feeds frames one by one, stretches every fifth, and reads all that comes out. */
function stretched(next: () => Int16Array, edit: (wave: Waveform) => number): { out: Int16Array; edits: number[] } {
  const wave = new Waveform();
  const out: number[] = [];
  const edits: number[] = [];
  let waiting = 0;
  for (let i = 0; i < 100; i++) {
    const pcm = next();
    wave.hear(pcm);
    wave.append(pcm, 0, FRAME_SAMPLES);
    waiting += FRAME_SAMPLES;
    if (i > 5 && i % 5 === 0) {
      const by = edit(wave);
      edits.push(by);
      waiting += by;
    }
    for (; waiting >= FRAME_SAMPLES; waiting -= FRAME_SAMPLES) out.push(...wave.read());
  }
  return { out: Int16Array.from(out), edits };
}

describe.each([90, 120, 160, 210])("a steady voice of %i Hz", (hz) => {
  const plain = (): Int16Array => stretched(buzz(hz), () => 0).out;

  it.each<readonly [what: string, edit: (wave: Waveform) => number]>([
    ["made shorter", (wave) => -wave.shorten(0.9, FRAME_SAMPLES, false)],
    ["made shorter fast", (wave) => -wave.shorten(0.5, FRAME_SAMPLES, true)],
    ["made longer", (wave) => wave.lengthen(0.9)],
  ])("%s keeps its pitch and its level, and has no click", (_, edit) => {
    const { out, edits } = stretched(buzz(hz), edit);
    for (const by of edits) {
      // Whole periods, to the sample.
      const periods = Math.abs(by) / (48_000 / hz);
      expect(by).not.toBe(0);
      expect(Math.abs(periods - Math.round(periods)) * (48_000 / hz)).toBeLessThan(2);
      expect(Math.abs(by)).toBeLessThanOrEqual(720);
    }
    const reference = plain();
    expect(Math.abs(period(out.subarray(0, 48_000)) - period(reference.subarray(0, 48_000)))).toBeLessThanOrEqual(1);
    expect(rms(out) / rms(reference)).toBeGreaterThan(0.97);
    expect(rms(out) / rms(reference)).toBeLessThan(1.03);
    expect(largestStep(out)).toBeLessThan(largestStep(reference) * 1.1);
  });
});

it("noise that is louder than the background is left as it is, and background noise is not", () => {
  const draw = new Stream(5, "noise");
  const noise = (level: number) => (): Int16Array =>
    Int16Array.from({ length: FRAME_SAMPLES }, () => level * (2 * draw.nextUnit() - 1));
  const quietFirst = (): (() => Int16Array) => {
    let i = 0;
    return () => noise(i++ < 5 ? 20 : 6_000)();
  };
  expect(stretched(quietFirst(), (wave) => wave.lengthen(0.9)).edits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  const background = stretched(noise(40), (wave) => wave.lengthen(0.9));
  for (const by of background.edits) expect(by).toBeGreaterThanOrEqual(360);
  expect(rms(background.out)).toBeGreaterThan(40 / Math.sqrt(3) / 1.2);
});

it("no more is taken out than it is told, and what is not taken out comes out as it went in", () => {
  const { edits } = stretched(buzz(200), (wave) => -wave.shorten(0.9, 300, false));
  for (const by of edits) expect(-by).toBeLessThanOrEqual(300);
  const next = buzz(120);
  const frames = Array.from({ length: 100 }, () => next());
  let i = 0;
  expect(
    stretched(
      () => frames[i++] as Int16Array,
      () => 0,
    ).out,
  ).toEqual(Int16Array.from(frames.flatMap((frame) => [...frame])));
});

it.each([240, 500, 960])("made-up audio of %i samples runs into real audio without a click", (left) => {
  const [next, made] = [buzz(120), toneGenerator(120, 4_000)];
  const wave = new Waveform();
  const first = next();
  wave.append(first, 0, FRAME_SAMPLES);
  const rest = made();
  const lag = wave.join(rest, FRAME_SAMPLES - left, next());
  expect(lag).toBeLessThanOrEqual(Math.max(0, left - 240));
  wave.read();
  const joined = wave.read();
  expect(largestStep(joined)).toBeLessThan(largestStep(first) * 1.1);
});

it("edits never make more or less than they say, whatever the audio", () => {
  fc.assert(
    fc.property(
      fc.array(fc.int16Array({ minLength: 64, maxLength: 64 }), { minLength: 6, maxLength: 30 }),
      fc.nat(2),
      (seeds, how) => {
        const wave = new Waveform();
        let waiting = 0;
        for (const seed of seeds) {
          const pcm = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => seed[(i * 7) & 63] as number);
          wave.hear(pcm);
          wave.append(pcm, 0, FRAME_SAMPLES);
          waiting += FRAME_SAMPLES;
          waiting += how === 0 ? wave.lengthen(0.1) : -wave.shorten(0.1, how === 1 ? FRAME_SAMPLES : 400, how === 1);
          for (; waiting >= FRAME_SAMPLES; waiting -= FRAME_SAMPLES) expect(wave.read().length).toBe(FRAME_SAMPLES);
        }
        expect(waiting).toBeGreaterThanOrEqual(0);
      },
    ),
    { seed: 13, numRuns: 100 },
  );
});
