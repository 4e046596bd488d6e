import { expect, test } from "vitest";
import { addSample, lossDelay, probeTimeout, startRoundTrip } from "./round-trip.ts";

test("before any sample the probe timeout is 999 ms, from 333 ms and its half (RFC 9002 section 6.2.2)", () => {
  expect(probeTimeout(startRoundTrip(), false)).toBe(999_000);
});

test("the first sample sets the estimate, the next ones move it by an eighth and a quarter (section 5.3)", () => {
  const r = startRoundTrip();
  addSample(r, 100_000, 20_000);
  expect(r).toMatchObject({ latest: 100_000, minimum: 100_000, smoothed: 100_000, variation: 50_000 });
  expect(probeTimeout(r, true)).toBe(100_000 + 4 * 50_000 + 25_000);
  addSample(r, 120_000, 10_000); // counts as 110: |100 - 110| = 10
  expect(r).toMatchObject({ minimum: 100_000, smoothed: 101_250, variation: 40_000 });
});

test("an acknowledgement delay counts up to 25 ms, and never pushes a sample below the minimum", () => {
  const r = startRoundTrip();
  addSample(r, 100_000, 0);
  addSample(r, 200_000, 90_000); // counts as 175
  expect(r.smoothed).toBe(109_375);
  addSample(r, 110_000, 20_000); // 90 would be below the minimum: counts as 110
  expect(r.smoothed).toBe(Math.round((7 * 109_375 + 110_000) / 8));
});

test("the time threshold of loss is 9/8 of the larger estimate, at least a millisecond (section 6.1.2)", () => {
  const r = startRoundTrip();
  addSample(r, 80_000, 0);
  expect(lossDelay(r)).toBe(90_000);
  addSample(r, 160_000, 0);
  expect(lossDelay(r)).toBe(180_000);
  const close = startRoundTrip();
  addSample(close, 0, 0);
  expect(lossDelay(close)).toBe(1_000);
});
