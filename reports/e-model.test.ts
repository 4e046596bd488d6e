import fc from "fast-check";
import { expect, test } from "vitest";
import { burstRatio, delayImpairment, meanOpinionScore, rating } from "./e-model.ts";

const mos = (loss: number, delayMs: number): number => meanOpinionScore(rating(loss, 1, delayMs));

test.each([
  [0, 4.41, 3.96],
  [0.01, 4.21, 3.62],
  [0.03, 3.76, 3.04],
  [0.05, 3.35, 2.58],
  [0.1, 2.63, 1.89],
  [0.2, 1.94, 1.34],
])("Opus at %d concealed is estimated at %d with 100 ms and %d with 300 ms", (loss, at100, at300) => {
  expect(mos(loss, 100)).toBeCloseTo(at100, 1.9);
  expect(mos(loss, 300)).toBeCloseTo(at300, 1.9);
});

test.each([
  [100, 0],
  [150, 0.16],
  [200, 3.04],
  [300, 14.76],
  [400, 24.07],
])("G.107 gives %d ms an impairment of %d", (delayMs, expected) => {
  expect(delayImpairment(delayMs)).toBeCloseTo(expected, 2);
});

test("independent loss has a burst ratio of about 1, and no gap less", () => {
  expect(burstRatio(1 / (1 - 0.1), 0.1)).toBeCloseTo(1);
  expect(burstRatio(1, 0.3)).toBe(1);
  expect(burstRatio(4, 0.1)).toBeCloseTo(3.6);
});

test("the score stays in 1..4.5 and more loss, bursts or delay never raise it", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const delay = fc.double({ min: 0, max: 5_000, noNaN: true });
  const bursts = fc.double({ min: 1, max: 8, noNaN: true });
  fc.assert(
    fc.property(share, share, bursts, delay, delay, (a, b, ratio, c, d) => {
      const better = meanOpinionScore(rating(Math.min(a, b), ratio, Math.min(c, d)));
      const worse = meanOpinionScore(rating(Math.max(a, b), ratio, Math.max(c, d)));
      expect(better).toBeGreaterThanOrEqual(1);
      expect(better).toBeLessThanOrEqual(4.5);
      expect(worse).toBeLessThanOrEqual(better + 1e-9);
    }),
    { seed: 1, numRuns: 500 },
  );
});
