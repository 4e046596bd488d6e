import fc from "fast-check";
import { expect, test } from "vitest";
import { CATALOGUE } from "../../scenarios/catalogue.ts";
import type { Fault, Scenario } from "../../scenarios/expanded.ts";
import { ddmin, keepFaults } from "./fault-subset.ts";

const rebind = (at: number): Fault => ({ kind: "rebind", target: "n", when: { at }, for: null });
const after = (fault: number): Fault => ({
  kind: "rebind",
  target: "n",
  when: { after: { match: { ev: "fault", fault, state: "healed" }, nth: 1, delay: 0 } },
  for: null,
});
const base = CATALOGUE[0] as Scenario;

test("positions of faults in triggers and expectations follow the faults", () => {
  const scenario: Scenario = {
    ...base,
    faults: [rebind(1), rebind(2), after(1), after(0)],
    expect: [
      { oracle: "media-recovers", within: 1, from: "heal", fault: 1 },
      { oracle: "media-recovers", within: 1, from: "heal", fault: 0 },
      { oracle: "same-call" },
    ],
  };
  const kept = keepFaults(scenario, [1, 2, 3]);
  // The last one waited for a fault that is gone: for one past the end, which never happens.
  expect(kept.faults).toEqual([rebind(2), after(0), after(4)]);
  expect(kept.expect).toEqual([{ oracle: "media-recovers", within: 1, from: "heal", fault: 0 }, { oracle: "same-call" }]);
});

test("ddmin finds exactly what is needed, and is told no twice of the same set", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.nat()), async (count, draws) => {
      const items = Array.from({ length: count }, (_, i) => i);
      const needed = new Set(Array.from({ length: Math.min(count, 3) }, () => (draws.next().value ?? 0) % count));
      const left = await ddmin(items, async (some) => [...needed].every((one) => some.includes(one)));
      expect(new Set(left)).toEqual(needed);
    }),
    { seed: 11, numRuns: 200 },
  );
});

test("ddmin leaves out everything when nothing is needed", async () => {
  expect(await ddmin([1, 2, 3, 4, 5], async () => true)).toEqual([]);
});
