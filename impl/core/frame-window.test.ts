import fc from "fast-check";
import { expect, it } from "vitest";
import { InvariantError } from "../base/invariant.ts";
import { FrameWindow, WINDOW_FRAMES } from "./frame-window.ts";

const frame = (seq: number) => ({
  seq,
  packet: seq,
  shape: undefined,
  timestamp: seq * 960,
  payload: new Uint8Array(1),
  arrival: 0,
});

/** The slow readable twin: a sorted list and a set. */
it("behaves like a sorted list of what it holds and a set of what it saw", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: fc.integer({ min: -300, max: 60 }) },
          { weight: 1, arbitrary: fc.constant("take" as const) },
        ),
        {
          maxLength: 400,
          size: "max",
        },
      ),
      (steps) => {
        const window = new FrameWindow();
        const seen = new Set<number>();
        let held: number[] = [];
        let newest = -1;
        for (const step of steps) {
          if (step === "take") {
            if (held.length > 0) expect(window.take().seq).toBe(held.shift());
          } else {
            const seq = Math.max(0, newest + step);
            const verdict = seq <= newest - WINDOW_FRAMES ? "old" : seen.has(seq) ? "duplicate" : "new";
            expect(window.judge(seq)).toBe(verdict);
            if (verdict !== "new") continue;
            seen.add(seq);
            newest = Math.max(newest, seq);
            while (!window.fits(seq)) expect(window.take().seq).toBe(held.shift());
            window.hold(frame(seq));
            held = [...held, seq].toSorted((a, b) => a - b);
          }
          expect([window.count, window.newest, window.head?.seq]).toEqual([held.length, newest, held[0]]);
        }
      },
    ),
    { seed: 9, numRuns: 300 },
  );
});

it("makes room only by giving up its head, and says so", () => {
  const window = new FrameWindow();
  for (const seq of [0, WINDOW_FRAMES - 1]) {
    expect(window.judge(seq)).toBe("new");
    expect(window.fits(seq)).toBe(true);
    window.hold(frame(seq));
  }
  window.judge(WINDOW_FRAMES);
  expect(window.fits(WINDOW_FRAMES)).toBe(false);
  expect(() => window.hold(frame(WINDOW_FRAMES))).toThrow(InvariantError);
  window.take();
  expect(window.fits(WINDOW_FRAMES)).toBe(true);
});

it("taking from an empty window is our own bug", () => {
  expect(() => new FrameWindow().take()).toThrow(InvariantError);
});
