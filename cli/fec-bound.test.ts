/** The bound by cases small enough to work out by hand, and against every way there is of filling the packets. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { leastMissing } from "./fec-bound.ts";

const GONE = Number.POSITIVE_INFINITY;
/** `x`: lost; `.`: comes at once. */
const arrivalsOf = (pattern: string): Float64Array => Float64Array.from(pattern, (one, i) => (one === "x" ? GONE : i * 20_000));
const bound = (pattern: string, spare: number, packets: number): number =>
  leastMissing({ arrivals: arrivalsOf(pattern), spare, added: packets * 20_000, frames: pattern.length }) * pattern.length;

test.each([
  ["nothing lost, nothing missing", "......", 1, 2, 0],
  ["a lost frame comes with the next packet that has room", "..x...", 1, 1, 0],
  ["half of the room takes two packets", "..x...", 0.5, 1, 0.5],
  ["half of the room takes two packets, and there is time", "..x...", 0.5, 2, 0],
  ["a run as long as the delay is given back by as many after it", "..xx..", 1, 2, 0],
  ["a run longer than that loses what is due before anything comes", "..xxx...", 1, 2, 1],
  ["packets before a loss say nothing of it", "......x", 4, 3, 1],
  ["without room all that is lost is missing", ".x.x.x.", 0, 5, 3],
])("%s", (_, pattern, spare, packets, want) => {
  expect(bound(pattern, spare, packets)).toBeCloseTo(want);
});

test("a packet that comes too late is as good as lost, and its room is of use to frames that can wait for it", () => {
  const arrivals = arrivalsOf("..........");
  arrivals[2] = 2 * 20_000 + 50_000;
  expect(leastMissing({ arrivals, spare: 0, added: 40_000, frames: 10 })).toBeCloseTo(0.1);
  expect(leastMissing({ arrivals, spare: 1, added: 40_000, frames: 10 })).toBe(0);
  arrivals[1] = GONE;
  arrivals[3] = GONE;
  // Frame 1 is due before anything sent after it comes; frames 2 and 3 are in packets 4 and 5.
  expect(leastMissing({ arrivals, spare: 1, added: 40_000, frames: 10 })).toBeCloseTo(0.1);
});

/** The most frames that whole rooms can give back, by trying everything: each packet that comes takes any lost frame that is due after it, or none. */
function most(arrivals: Float64Array, added: number, packet = 0, given: ReadonlySet<number> = new Set()): number {
  if (packet === arrivals.length) return given.size;
  let best = most(arrivals, added, packet + 1, given);
  for (let frame = 0; frame < packet; frame++) {
    const due = frame * 20_000 + added;
    if ((arrivals[frame] as number) <= due || (arrivals[packet] as number) > due || given.has(frame)) continue;
    best = Math.max(best, most(arrivals, added, packet + 1, new Set([...given, frame])));
  }
  return best;
}

test("with room for one frame a packet it is what trying everything finds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(GONE), fc.constantFrom(0, 15_000, 45_000)), { minLength: 3, maxLength: 9 }),
      fc.constantFrom(20_000, 60_000),
      (waits, added) => {
        const arrivals = Float64Array.from(waits, (wait, i) => i * 20_000 + wait);
        const late = waits.filter((wait) => wait > added).length;
        const missing = leastMissing({ arrivals, spare: 1, added, frames: waits.length }) * waits.length;
        expect(missing).toBeCloseTo(late - most(arrivals, added));
      },
    ),
    { seed: 3, numRuns: 300 },
  );
});
