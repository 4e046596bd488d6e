import fc from "fast-check";
import { expect, test } from "vitest";
import { REPLAY_WINDOW, ReplayWindow } from "./replay-window.ts";

/** The slow twin: a set of everything seen. */
const twin = () => {
  const seen = new Set<number>();
  let highest = -1;
  return {
    accepts: (seq: number) => !seen.has(seq) && seq > highest - REPLAY_WINDOW,
    mark: (seq: number) => {
      seen.add(seq);
      highest = Math.max(highest, seq);
    },
  };
};

test("a number is accepted once, and never again, at the edges of the window and of words", () => {
  const window = new ReplayWindow();
  for (const seq of [0, 31, 32, 1_023, 1_024]) {
    expect(window.accepts(seq)).toBe(true);
    window.mark(seq);
    expect(window.accepts(seq)).toBe(false);
  }
  expect(window.accepts(1)).toBe(true);
  window.mark(1_025);
  expect([window.accepts(1), window.accepts(2), window.highest]).toEqual([false, true, 1_025]);
});

test("it agrees with a set of everything seen, for small steps and huge jumps up to 2^48", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -40, max: 40 }) },
    { weight: 3, arbitrary: fc.integer({ min: -1_100, max: 1_100 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 2 ** 40 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
      const [window, slow] = [new ReplayWindow(), twin()];
      let at = 0;
      for (const by of steps) {
        at = Math.min(2 ** 48 - 1, Math.max(0, at + by));
        for (const seq of [at, Math.max(0, at - 1_024), Math.max(0, at - 33)])
          expect(window.accepts(seq)).toBe(slow.accepts(seq));
        if (!window.accepts(at)) continue;
        window.mark(at);
        slow.mark(at);
      }
    }),
    { seed: 21, numRuns: 300 },
  );
});

test("numbers of an earlier turn of the ring are forgotten when their words are used again", () => {
  for (const jump of [1, 31, 32, 1_000, 1_024, 2_047, 2_048, 100_000]) {
    const window = new ReplayWindow();
    for (let seq = 0; seq < 4_096; seq++) window.mark(seq);
    window.mark(4_095 + jump);
    for (let seq = 4_096; seq < 4_095 + jump; seq++) expect(window.accepts(seq)).toBe(seq > 4_095 + jump - REPLAY_WINDOW);
  }
});
