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
  const target = new DelayTarget(BOUNDS);
  for (let i = 0; i < 2_000; i++) {
    target.inOrder(i * FRAME, 0);
    if (i % Math.round(1 / share) === 0) target.outOfOrder(i * FRAME, FRAME);
  }
  expect(target.target).toBe(wanted);
});

/** Uniform lateness of up to 200 ms, of which so much is missing for good: the target after a minute. */
function aimedAt(missing: number): number {
  const draw = new Stream(5, "missing");
  const target = new DelayTarget(BOUNDS);
  for (let i = 0; i < 3_000; i++) {
    const isMissing = draw.nextChance(missing);
    target.played(isMissing);
    if (isMissing) continue;
    if (draw.nextChance(0.3)) target.outOfOrder(i * FRAME, draw.nextUnit() * 200_000);
    else target.inOrder(i * FRAME, draw.nextUnit() * 100_000);
  }
  return target.target;
}

it("the more is missing for good, the less is waited for: neither for stragglers nor for the worst of what comes in order", () => {
  const targets = [0, 0.05, 0.2, 0.5].map(aimedAt);
  expect(targets).toEqual(targets.toSorted((a, b) => b - a));
  expect(targets[0]).toBeGreaterThanOrEqual(190_000);
  expect(targets[2]).toBeLessThanOrEqual(150_000);
  expect(targets[3]).toBeLessThanOrEqual(100_000);
});

it("stragglers that nobody waits for are waited for in the end, however many they are", () => {
  const target = new DelayTarget(BOUNDS);
  for (let i = 0; i < 1_000; i++) {
    const isLate = i % 3 === 0;
    target.played(isLate && target.target < 100_000);
    if (!isLate) target.inOrder(i * FRAME, 0);
    else {
      target.outOfOrder(i * FRAME, 100_000);
      if (target.target < 100_000) target.cameAfterAll();
    }
  }
  expect(target.target).toBe(100_000);
});

it("frames that redundancy gives back late raise the target where they are held for, and only there", () => {
  const aims = [0, 40_000].map((hold) => {
    const target = new DelayTarget(BOUNDS);
    target.holdFor(hold);
    for (let i = 0; i < 500; i++) {
      if (i % 10 === 9) target.givenBack(i * FRAME, 120_000);
      else target.inOrder(i * FRAME, 0);
    }
    return target.target;
  });
  expect(aims).toEqual([10_000, 120_000]);
});

it("where loss is worth less, less is waited for what was overtaken and less is held for what redundancy gives back; where it is worth more, more", () => {
  const aims = [0, 10_000, 45_000].map((price) => {
    const draw = new Stream(6, "price");
    const target = new DelayTarget(BOUNDS, price);
    target.holdFor(40_000);
    for (let i = 0; i < 3_000; i++) {
      if (draw.nextChance(0.1)) target.outOfOrder(i * FRAME, -50_000 * Math.log(1 - draw.nextUnit()));
      else target.inOrder(i * FRAME, 0);
    }
    return target.target;
  });
  expect(aims[0]).toBe(BOUNDS.minTarget);
  expect(aims[1]).toBeGreaterThan(BOUNDS.minTarget + 10_000);
  expect(aims[2]).toBeGreaterThan((aims[1] ?? 0) + 20_000);
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
