import { expect, test } from "vitest";
import { truncatedNormal } from "./truncated-normal.ts";

test("the values are those of a normal distribution cut at two sigma", () => {
  // Reference: inverse of (Phi(x) - Phi(-2)) / (Phi(2) - Phi(-2)), from tables of the normal distribution, in sigma.
  const cases: [number, number][] = [
    [0, -2],
    [0.022_75, -1.701],
    [0.158_66, -0.938],
    [0.5, 0],
    [0.75, 0.639],
    [0.977_25, 1.701],
    [1, 2],
  ];
  for (const [unit, sigmas] of cases) expect(truncatedNormal(unit) * 2).toBeCloseTo(sigmas, 2);
});

test("the spread is that of the cut distribution: 0.8796 sigma", () => {
  const n = 100_000;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const value = truncatedNormal((i + 0.5) / n) * 2;
    sum += value;
    squares += value * value;
  }
  expect(sum / n).toBeCloseTo(0, 6);
  expect(Math.sqrt(squares / n)).toBeCloseTo(0.8796, 3);
});

test("the inverse never falls and stays within the cut", () => {
  let last = -1;
  for (let i = 0; i <= 10_000; i++) {
    const value = truncatedNormal(i / 10_000);
    expect(value).toBeGreaterThanOrEqual(last);
    expect(value).toBeLessThanOrEqual(1);
    last = value;
  }
});
