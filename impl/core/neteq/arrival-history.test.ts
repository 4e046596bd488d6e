import fc from "fast-check";
import { expect, it } from "vitest";
import { ArrivalHistory } from "./arrival-history.ts";

it("the earliest is the least transit of the last two seconds, whatever comes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ step: fc.integer({ min: 0, max: 200_000 }), transit: fc.integer({ min: -50_000, max: 500_000 }) }), {
        maxLength: 200,
        size: "max",
      }),
      (packets) => {
        const history = new ArrivalHistory();
        const seen: { at: number; transit: number }[] = [];
        let now = 0;
        for (const { step, transit } of packets) {
          now += step;
          seen.push({ at: now, transit });
          const least = Math.min(...seen.filter(({ at }) => at >= now - 2_000_000).map((one) => one.transit));
          expect(history.observe(now, transit)).toBe(transit - least);
          expect(history.base).toBe(least);
        }
      },
    ),
    { seed: 12, numRuns: 200 },
  );
});

it("more packets than it has room for push out the oldest", () => {
  const history = new ArrivalHistory();
  for (let i = 0; i < 1_000; i++) expect(history.observe(i, i)).toBeLessThanOrEqual(255);
});

it("after a jump of the sender's clock the new transit is the earliest", () => {
  const history = new ArrivalHistory();
  history.observe(0, 1_000);
  history.rebase(20_000, 9e12);
  expect(history.observe(40_000, 9e12 + 7)).toBe(7);
});

it("jitter is RFC 3550's: a sixteenth of each new difference", () => {
  const history = new ArrivalHistory();
  for (const [i, transit] of [0, 16_000, 0].entries()) history.observe(i * 20_000, transit);
  expect(history.jitter).toBe(1_000 + (16_000 - 1_000) / 16);
});
