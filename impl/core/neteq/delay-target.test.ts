import fc from "fast-check";
import { expect, it } from "vitest";
import { Stream } from "../../base/random.ts";
import { Micros } from "../../base/units.ts";
import { DelayTarget } from "./delay-target.ts";

const BOUNDS = { minTarget: Micros(10_000), maxTarget: Micros(400_000) };
const FRAME = 20_000;

/** Feeds `late(i)` of 50 packets a second for `seconds`; answers the instant after. */
function feed(target: DelayTarget, from: number, seconds: number, late: (i: number) => number): number {
  for (let i = 0; i < seconds * 50; i++) target.inOrder(from + i * FRAME, late(i));
  return from + seconds * 50 * FRAME;
}

it("begins with 40 ms and comes down to the least within a second when nothing is late", () => {
  const target = new DelayTarget(BOUNDS);
  expect(target.target).toBe(40_000);
  feed(target, 0, 1, () => 0);
  expect(target.target).toBe(10_000);
});

it("covers nearly every half second of uniform lateness, and little more", () => {
  const draw = new Stream(1, "late");
  const target = new DelayTarget(BOUNDS);
  feed(target, 0, 60, (i) => (i % 10 === 0 ? 0 : draw.nextUnit() * 100_000));
  expect(target.target).toBeGreaterThanOrEqual(90_000);
  expect(target.target).toBeLessThanOrEqual(100_000);
});

it.each([5, 20])("shrinks again after %i s of jitter, within a minute and a half", (seconds) => {
  const draw = new Stream(2, "late");
  const target = new DelayTarget(BOUNDS);
  const jitter = feed(target, 0, 60, () => 0);
  const calm = feed(target, jitter, seconds, (i) => (i % 10 === 0 ? 0 : draw.nextUnit() * 150_000));
  expect(target.target).toBeGreaterThanOrEqual(100_000);
  feed(target, calm, 90, () => 0);
  expect(target.target).toBe(10_000);
});

it("a path that is slower from now on is told as such after a second, and does not raise the target", () => {
  const target = new DelayTarget(BOUNDS);
  feed(target, 0, 10, () => 0);
  const told = Array.from({ length: 60 }, (_, i) => target.inOrder(10_000_000 + i * FRAME, 100_000)).filter((by) => by > 0);
  expect(told).toEqual([100_000]);
  expect(target.target).toBe(10_000);
});

it("a queue that fills is no slower path", () => {
  const target = new DelayTarget(BOUNDS);
  const told = Array.from({ length: 100 }, (_, i) => target.inOrder(i * FRAME, i * 2_000)).filter((by) => by > 0);
  expect(told).toEqual([]);
  expect(target.target).toBeGreaterThanOrEqual(100_000);
});

it.each([
  [0.001, 10_000],
  [0.05, 20_000],
])("redundancy a frame later is waited for when the share %f of packets needs it: %i", (share, wanted) => {
  const draw = new Stream(3, "lost");
  const target = new DelayTarget(BOUNDS);
  for (let i = 0; i < 2_000; i++) {
    target.inOrder(i * FRAME, 0);
    if (draw.nextChance(share)) target.outOfOrder(i * FRAME, FRAME);
  }
  expect(target.target).toBe(wanted);
});

it("stays within its bounds whatever comes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ late: fc.integer({ min: 0, max: 10 ** 10 }), isOrdered: fc.boolean() }), {
        maxLength: 200,
        size: "max",
      }),
      (packets) => {
        const target = new DelayTarget(BOUNDS);
        for (const [i, { late, isOrdered }] of packets.entries()) {
          if (isOrdered) expect(target.inOrder(i * 50_000, late)).toBeGreaterThanOrEqual(0);
          else target.outOfOrder(i * 50_000, late);
          expect(target.target).toBeGreaterThanOrEqual(10_000);
          expect(target.target).toBeLessThanOrEqual(400_000);
        }
      },
    ),
    { seed: 4, numRuns: 200 },
  );
});
