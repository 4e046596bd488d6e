import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loop, silence, tone } from "./audio-source.ts";
import { joined, rms } from "./codec.contract.ts";
import { FRAME_SAMPLES } from "./codec.ts";
import { toneGenerator } from "./tone.ts";

describe("a loop", () => {
  it("plays its samples again and again without a seam, whatever their number", () => {
    fc.assert(
      fc.property(fc.int16Array({ minLength: 1, maxLength: 3_000, size: "max" }), (pcm) => {
        const source = loop(pcm);
        const heard = joined(Array.from({ length: 5 }, () => source.next().slice()));
        expect(heard.every((x, i) => x === pcm[i % pcm.length])).toBe(true);
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it("of nothing is the caller's mistake", () => {
    expect(() => loop(new Int16Array(0))).toThrow(RangeError);
  });
});

it("silence is silent", () => {
  expect(silence().next()).toEqual(new Int16Array(FRAME_SAMPLES));
});

describe("a tone", () => {
  it.each([
    [440, 8_231],
    [1_000, 32_767],
    [60, 100],
  ])("of %i Hz and amplitude %i is that sine to within one step, also after a minute", (hz, amplitude) => {
    const next = toneGenerator(hz, amplitude);
    // The phase step is rounded to 2^-32 of a turn: after a minute that is 2e-3 of a turn at most.
    const step = Math.round((hz / 48_000) * 2 ** 32) / 2 ** 32;
    for (let frame = 0; frame < 3_000; frame++) {
      const pcm = next();
      if (frame % 600 !== 0) continue;
      for (let i = 0; i < FRAME_SAMPLES; i += 7) {
        const exact = amplitude * Math.sin(2 * Math.PI * ((frame * FRAME_SAMPLES + i) * step));
        expect(Math.abs((pcm[i] as number) - exact)).toBeLessThanOrEqual(1);
      }
    }
  });

  it("has these samples on every machine", () => {
    expect([...tone().next().subarray(0, 12)]).toEqual(TONE_440);
  });

  it("is as loud as asked", () => {
    expect(rms(toneGenerator(1_000, 10_000)())).toBeCloseTo(10_000 / Math.SQRT2, -1);
  });

  it.each([
    [-1, 100],
    [24_001, 100],
    [440, 32_768],
    [Number.NaN, 100],
  ])("of %f Hz and amplitude %i is the caller's mistake", (hz, amplitude) => {
    expect(() => toneGenerator(hz, amplitude)).toThrow(RangeError);
  });
});

/** Golden: round(8231 sin(2 pi 440 n / 48000)). */
const TONE_440: readonly number[] = [0, 474, 946, 1_415, 1_880, 2_338, 2_788, 3_229, 3_660, 4_078, 4_483, 4_873];
