import { expect, test } from "vitest";
import { tokenBucket } from "./token-bucket.ts";

test("a burst at once, then the rate, and never more than the burst saved up", () => {
  const bucket = tokenBucket(10, 3, 0);
  const taken = (at: number, asks: number): number => Array.from({ length: asks }, () => bucket.take(at)).filter(Boolean).length;
  expect(taken(0, 5)).toBe(3);
  expect(taken(99_999, 1)).toBe(0);
  expect(taken(200_000, 5)).toBe(2);
  expect(taken(60_000_000, 9)).toBe(3);
});
