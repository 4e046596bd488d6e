import fc from "fast-check";
import { expect, it } from "vitest";
import { announce, apply, start } from "./candidate-generation.ts";

it("in whatever order updates come, and however often, generations applied only rise", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 40 }), (order) => {
      let state = start({ local: [] });
      let highest = 0;
      for (const generation of order) {
        const { state: next, applied } = apply(state, generation, { local: [], reflexive: `192.0.2.1:${generation}` });
        expect(applied).toBe(generation > highest);
        highest = Math.max(highest, generation);
        expect(next.peer).toBe(highest);
        if (highest > 0) expect(next.peerCandidates.reflexive).toBe(`192.0.2.1:${highest}`);
        state = next;
      }
    }),
    { seed: 8_445, numRuns: 300 },
  );
});

it("each announcement of our own carries the next number", () => {
  const first = announce(start({ local: [] }));
  expect([first.own, announce(first).own]).toEqual([1, 2]);
});
