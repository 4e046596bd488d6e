import fc from "fast-check";
import { expect, it } from "vitest";
import { Stream } from "../base/random.ts";
import { PlayoutDelay } from "./playout-delay.ts";

const BOUNDS = { minTarget: 40_000, maxTarget: 400_000 };

const fed = (transits: readonly number[]): PlayoutDelay => {
  const delay = new PlayoutDelay(BOUNDS);
  for (const transit of transits) delay.observe(transit);
  return delay;
};

it("a steady path keeps the least target and has no jitter", () => {
  const delay = fed(Array.from({ length: 100 }, () => 123_456));
  expect([delay.mean, delay.target, delay.jitter]).toEqual([123_456, 40_000, 0]);
});

it("jitter is RFC 3550's: a sixteenth of each new difference", () => {
  const delay = fed([0, 16_000, 0]);
  expect(delay.jitter).toBe(1_000 + (16_000 - 1_000) / 16);
});

it.each([10_000, 30_000, 60_000])(
  "under uniform jitter of +-%i us mean plus target covers nearly all packets and little more",
  (half) => {
    const draw = new Stream(5, "delay");
    const delay = fed(Array.from({ length: 2_000 }, () => draw.nextUnit() * 2 * half));
    const reach = delay.mean + delay.target;
    expect(reach).toBeGreaterThan(1.8 * half);
    expect(reach).toBeLessThan(Math.max(3.6 * half, half + 45_000));
  },
);

it("a spike of seconds raises the target no further than the cap lets it, and is forgotten within seconds", () => {
  const delay = fed([...Array.from({ length: 200 }, () => 0), 3_000_000, 2_000_000, 1_000_000]);
  expect(delay.target).toBeLessThanOrEqual(400_000);
  for (let i = 0; i < 150; i++) delay.observe(0);
  expect(delay.mean).toBeLessThan(1);
  expect(delay.target).toBe(40_000);
});

it("jitter that comes and goes is remembered while it is gone", () => {
  const draw = new Stream(8, "delay");
  const second = (jitter: number): number[] => Array.from({ length: 50 }, () => draw.nextUnit() * jitter);
  const delay = fed(Array.from({ length: 10 }, () => [...second(150_000), ...second(0)]).flat());
  expect(delay.target).toBeGreaterThan(50_000);
});

it("a path that became slower is believed within ten packets", () => {
  const delay = fed([...Array.from({ length: 200 }, () => 0), ...Array.from({ length: 10 }, () => 100_000)]);
  expect(delay.mean + delay.target).toBeGreaterThan(100_000);
});

it("after a jump of the sender's clock the new transit is the mean and the target stays", () => {
  const draw = new Stream(6, "delay");
  const delay = fed(Array.from({ length: 500 }, () => draw.nextUnit() * 50_000));
  const { target } = delay;
  delay.rebase(-7e12);
  expect([delay.mean, delay.target]).toEqual([-7e12, target]);
});

it("the target stays within its bounds whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), { maxLength: 100, size: "max" }), (transits) => {
      const { target } = fed(transits);
      expect(target).toBeGreaterThanOrEqual(40_000);
      expect(target).toBeLessThanOrEqual(400_000);
    }),
    { seed: 4, numRuns: 300 },
  );
});
