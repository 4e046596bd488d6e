import fc from "fast-check";
import { expect, test } from "vitest";
import {
  acknowledged,
  available,
  cubeRoot,
  INITIAL_WINDOW,
  lost,
  MINIMUM_WINDOW,
  recovering,
  sending,
  startCongestion,
} from "./congestion.ts";

test("slow start grows by what is acknowledged, from ten packets", () => {
  const c = startCongestion();
  expect(c.window).toBe(12_000);
  acknowledged(c, 1_200, 10, 50_000);
  expect(c.window).toBe(INITIAL_WINDOW + 1_200);
});

test("a loss takes three tenths once a round trip, never below two packets", () => {
  const c = startCongestion();
  lost(c, 100, 200, 0);
  expect(c.window).toBeCloseTo(8_400);
  lost(c, 150, 300, 0); // sent before the reduction: the same event
  expect(c.window).toBeCloseTo(8_400);
  for (let i = 1; i < 20; i++) lost(c, 1_000 * i, 1_000 * i + 1, 0);
  expect(c.window).toBe(MINIMUM_WINDOW);
});

test("after a reduction the flight shrinks in proportion, then deliveries make room for one packet more (RFC 6937 section 3)", () => {
  const c = startCongestion();
  lost(c, 100, 200, 11_000); // threshold 8,400
  expect(available(c, 11_000)).toBe(0);
  expect(recovering(c, 1_100, 100, 9_900)).toBe(true);
  expect(c.extra).toBe(840); // of 1,100 delivered, 8,400 / 11,000 may go out
  sending(c, 840);
  expect(available(c, 10_740)).toBe(0);
  expect(recovering(c, 1_000, 200, 5_000)).toBe(true);
  expect(c.extra).toBe(1_260 + 1_200); // 2,100 delivered, 840 sent, one packet
  expect(available(c, 5_000)).toBe(3_400 + 2_460);
  expect(recovering(c, 1_000, 201, 5_000)).toBe(false);
});

test("CUBIC is back at the window of the loss after K seconds, and not much before (RFC 9438 section 4.2)", () => {
  const c = startCongestion();
  c.window = 240_000;
  lost(c, 0, 0, 0);
  const k = cubeRoot((0.3 * 200) / 0.4); // C (0 - K)^3 + W_max = 0.7 W_max with W_max of 200 segments
  const roundTrip = 50_000;
  let now = roundTrip;
  const grow = (until: number): void => {
    for (; now < until; now += roundTrip) {
      const segments = Math.floor(c.window / 1_200);
      for (let i = 0; i < segments; i++) acknowledged(c, 1_200, now, roundTrip);
    }
  };
  grow(k * 500_000);
  expect(c.window).toBeLessThan(238_000);
  grow(k * 1_000_000 + 2 * roundTrip);
  expect(Math.abs(c.window / 240_000 - 1)).toBeLessThan(0.01);
});

test("the cube root agrees with the engine's", () => {
  expect(cubeRoot(0)).toBe(0);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
      expect(Math.abs(cubeRoot(value) / Math.cbrt(value) - 1)).toBeLessThan(1e-12);
    }),
    { seed: 1, numRuns: 500 },
  );
});
