import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Instant } from "../base/units.ts";
import { Admission } from "./admission.ts";

const slow = () => new Admission<number, string>({ perSecond: 100, burst: 3 });

describe("admission", () => {
  it("lets a burst pass, and then one each interval, in the order they came", () => {
    const room = slow();
    expect([1, 2, 3, 4, 5].map(() => room.take(Instant(0)))).toEqual([true, true, true, false, false]);
    room.keep(4, "register", false);
    room.keep(5, "register", false);
    expect(room.deadline()).toBe(10_000);
    expect(room.next(Instant(9_999))).toBeUndefined();
    expect(room.next(Instant(10_000))).toEqual({ key: 4, kept: ["register"] });
    expect(room.next(Instant(10_000))).toBeUndefined();
    expect(room.next(Instant(20_000))?.key).toBe(5);
    expect(room.deadline()).toBeUndefined();
  });

  it("calls those who take up a call first, with all they have said, and forgets those who are gone", () => {
    const room = slow();
    for (const key of [1, 2, 3]) room.keep(key, "register", false);
    room.keep(3, "resume", true);
    room.forget(1);
    expect(room.next(Instant(0))).toEqual({ key: 3, kept: ["register", "resume"] });
    expect(room.next(Instant(0))?.key).toBe(2);
    expect([room.size, room.has(1)]).toEqual([0, false]);
  });

  it("keeps little for each", () => {
    const room = slow();
    const kept = Array.from({ length: 20 }, (_, i) => room.keep(1, `m${i}`, false));
    expect(kept.filter((one) => one)).toHaveLength(8);
  });

  it("never lets more pass in a stretch of time than the burst and the rate allow", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 200 }), (gaps) => {
        const room = slow();
        let now = 0;
        const passed = gaps.flatMap((gap) => {
          now += gap;
          return room.take(Instant(now)) ? [now] : [];
        });
        for (const [i, from] of passed.entries())
          for (const [j, to] of passed.entries())
            if (j > i) expect(j - i + 1).toBeLessThanOrEqual(3 + (to - from) / 10_000 + 1e-6);
      }),
      { seed: 8, numRuns: 100 },
    );
  });
});
