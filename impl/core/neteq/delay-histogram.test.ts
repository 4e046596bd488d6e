import fc from "fast-check";
import { expect, it } from "vitest";
import { BUCKET, BUCKETS, DelayHistogram } from "./delay-histogram.ts";

/** The same, written as it is defined: every bucket shrinks at every addition. */
function plain(forget: number, delays: readonly number[]): number[] {
  const shares = new Array<number>(BUCKETS).fill(0);
  for (const [i, delay] of delays.entries()) {
    const keep = Math.max(0, Math.min(forget, 1 - 2 / (i + 2)));
    for (let k = 0; k < BUCKETS; k++) shares[k] = (shares[k] as number) * keep;
    const bucket = shares.findIndex((_, k) => delay <= (k + 1) * BUCKET);
    shares[bucket < 0 ? BUCKETS - 1 : bucket] = (shares[bucket < 0 ? BUCKETS - 1 : bucket] as number) + 1 - keep;
  }
  return shares;
}

const anyDelays = fc.array(fc.oneof(fc.integer({ min: 0, max: 1_500_000 }), fc.constantFrom(0, BUCKET, 5 * BUCKET)), {
  maxLength: 400,
  size: "max",
});

it("answers what the plain definition answers, however much is forgotten", () => {
  fc.assert(
    fc.property(
      anyDelays,
      fc.constantFrom(0.5, 0.9, 0.983, 0.9993),
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      (delays, forget, share) => {
        const histogram = new DelayHistogram(forget);
        for (const delay of delays) histogram.add(delay);
        const shares = plain(forget, delays);
        const upTo = (edge: number): number => shares.slice(0, edge / BUCKET).reduce((sum, one) => sum + one, 0);
        const quantile = histogram.quantile(share);
        if (delays.length === 0) return expect(quantile).toBe(0);
        expect(upTo(quantile)).toBeGreaterThanOrEqual(share - 1e-9);
        expect(upTo(quantile - BUCKET)).toBeLessThan(share + 1e-9);
        const cost = (edge: number): number => Math.max(0, edge - 20_000) + 1e6 * (1 - upTo(edge));
        const best = Math.min(...shares.map((_, k) => cost((k + 1) * BUCKET)));
        expect(cost(histogram.cheapest(1e6, 20_000))).toBeLessThan(best + 0.1);
      },
    ),
    { seed: 11, numRuns: 200 },
  );
});

it("of a tie the shorter delay is taken", () => {
  const histogram = new DelayHistogram(0.9);
  histogram.add(0);
  expect(histogram.cheapest(1e6, 200_000)).toBe(BUCKET);
});
