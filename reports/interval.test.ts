import fc from "fast-check";
import { expect, test } from "vitest";
import { LEVEL, medianInterval, shareInterval } from "./interval.ts";

test.each([
  // Brown, Cai and DasGupta, Interval Estimation for a Binomial Proportion, 2001, have the formula; worked out by hand from it.
  [0, 10, 0, 0.2775],
  [1, 10, 0.0179, 0.4042],
  [2, 60, 0.0092, 0.1136],
  [5, 5, 0.5655, 1],
])("the share of %d among %d lies between %d and %d", (hits, n, low, high) => {
  const [a, b] = shareInterval(hits, n);
  expect(a).toBeCloseTo(low, 3);
  expect(b).toBeCloseTo(high, 3);
});

/** How likely fewer than `k` of `n` values lie below the median: sums of binomial coefficients, the plain way. */
function below(k: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) {
    let ways = 1;
    for (let j = 0; j < i; j++) ways = (ways * (n - j)) / (j + 1);
    sum += ways / 2 ** n;
  }
  return sum;
}

test("the interval of a median is the narrowest between two of the values that is as sure as it says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), (n) => {
      const values = Array.from({ length: n }, (_, i) => i);
      const interval = medianInterval(values);
      const [low, high] = interval ?? [-1, n];
      expect(low + high).toBe(n - 1);
      if (interval !== null) expect(1 - 2 * below(low + 1, n)).toBeGreaterThanOrEqual(LEVEL);
      expect(1 - 2 * below(low + 2, n)).toBeLessThan(LEVEL);
    }),
  );
  expect(medianInterval([1, 2, 3, 4, 5])).toBeNull();
  expect(medianInterval([1, 2, 3, 4, 5, 6])).toEqual([1, 6]);
});
