import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Instant } from "../../impl/base/units.ts";
import { Deliveries } from "./deliveries.ts";

const schedule = { at: [2_000, 4_000, 4_000, 10_000], period: 10_000, queueBytes: 100_000 };
const sent = (of: Deliveries, now: number, bytes: number): number | undefined => of.offer(Instant(now), bytes, schedule);

describe("Deliveries", () => {
  test("a packet leaves at the next opportunity, again and again", () => {
    const line = new Deliveries();
    expect([0, 2_001, 4_001, 10_001, 21_000].map((now) => sent(line, now, 1_500))).toEqual([
      2_000, 4_000, 10_000, 12_000, 22_000,
    ]);
  });

  test("small packets share an opportunity, a large one needs several, and what is not used is gone", () => {
    const line = new Deliveries();
    expect([500, 500, 500, 500].map((bytes) => sent(line, 0, bytes))).toEqual([2_000, 2_000, 2_000, 4_000]);
    // What is left at 4 ms after 500 octets: 1004 there, 1504 at the second opportunity of that instant, the rest at 10 ms.
    expect(sent(line, 0, 3_000)).toBe(10_000);
    expect(sent(line, 9_000, 1_500)).toBe(12_000);
    expect(sent(line, 33_000, 1_500)).toBe(34_000);
    expect(sent(line, 40_000, 1_500)).toBe(40_000);
  });

  test("the queue's end is dropped, and an empty queue takes any packet", () => {
    const line = new Deliveries();
    const small = { ...schedule, queueBytes: 1_000 };
    expect(line.offer(Instant(0), 1_400, small)).toBe(2_000);
    expect(line.offer(Instant(0), 100, small)).toBeUndefined();
    expect(line.offer(Instant(2_000), 100, small)).toBe(2_000);
  });

  test("in order, never before it is offered, and never more than the opportunities carry", () => {
    const offers = fc.array(fc.record({ wait: fc.nat(5_000), bytes: fc.integer({ min: 1, max: 4_000 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(offers, (all) => {
        const line = new Deliveries();
        const left = new Map<number, number>();
        let [now, last] = [0, 0];
        for (const { wait, bytes } of all) {
          now += wait;
          const departs = sent(line, now, bytes) as number;
          expect(departs).toBeGreaterThanOrEqual(Math.max(now, last));
          last = departs;
          left.set(departs, (left.get(departs) ?? 0) + bytes);
        }
        // Of all that has left by an opportunity, no more than all opportunities from the first offer on could carry.
        let octets = 0;
        for (const [at, bytes] of left) {
          octets += bytes;
          const opportunities = Math.floor(at / 10_000) * 4 + schedule.at.filter((one) => one <= at % 10_000).length;
          expect(octets).toBeLessThanOrEqual(opportunities * 1_504);
        }
      }),
    );
  });
});
