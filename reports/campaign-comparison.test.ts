import { expect, test } from "vitest";
import { randomness } from "../impl/base/random.ts";
import { compareCampaigns, LEVEL, medianOf } from "./campaign-comparison.ts";
import { campaignsPage } from "./comparison-html.ts";
import { campaignsMarkdown, verdictOnShifts } from "./comparison-words.ts";
import { assess } from "./index.ts";
import { aRelayRestart, aScenario, KILL, RESTART_EXPECT } from "./log-builder.ts";
import type { Result } from "./result.ts";

const scenario = aScenario({ faults: [KILL], expect: RESTART_EXPECT });
const one: Result = assess({
  ...{
    hash: "d72a8f833b172303",
    versions: { midcall: "0.1.0", node: "v24.21.0", commit: "1a2b3c4" },
    codec: "sized",
    crypto: "null",
  },
  ...{ lab: "sim", seed: "0x1", dir: "one", virtualMs: 21_000, wallMs: 12 },
  scenario,
  records: aRelayRestart().records(),
});

/** `n` runs whose longest gap of alice is drawn around `gap`, each way `spread`. */
function runs(n: number, gap: number, spread: number, name: string, lab = "netns"): Result[] {
  const draws = randomness(7).stream(name);
  return Array.from({ length: n }, (_, i) => {
    const alice = one.measurements.audio.alice;
    if (alice === undefined) throw new Error("alice heard nothing");
    const longestGapMs = gap + draws.nextBelow(2 * spread + 1) - spread;
    return {
      ...one,
      lab,
      seed: `0x${i + 1}`,
      measurements: { ...one.measurements, audio: { ...one.measurements.audio, alice: { ...alice, longestGapMs } } },
    };
  });
}
const shiftOf = (
  before: readonly Result[],
  after: readonly Result[],
): ReturnType<typeof compareCampaigns>["shifts"][number] | undefined =>
  compareCampaigns({ name: "a", results: before }, { name: "b", results: after }).shifts.find(
    ({ name }) => name === "alice longestGapMs",
  );

test("draws of one distribution are called a change about as often as the level allows", () => {
  const trials = 60;
  let changes = 0;
  for (let i = 0; i < trials; i++) {
    const says = shiftOf(runs(12, 500, 100, `a${i}`), runs(12, 500, 100, `b${i}`))?.says;
    if (says !== "noise") changes++;
  }
  // Three standard deviations above what the level promises.
  const expected = (1 - LEVEL) * trials;
  expect(changes).toBeLessThanOrEqual(expected + 3 * Math.sqrt(expected));
});

test("a change larger than the spread is found, with its size inside the interval and in the right direction", () => {
  const shift = shiftOf(runs(12, 500, 50, "a"), runs(12, 700, 50, "b"));
  expect(shift?.says).toBe("more");
  expect(shift?.interval?.[0]).toBeLessThan(200);
  expect(shift?.interval?.[1]).toBeGreaterThan(200);
  expect(shiftOf(runs(12, 700, 50, "a"), runs(12, 500, 50, "b"))?.says).toBe("less");
});

test("the same seeds in virtual time are compared in pairs, which finds what the spread of seeds would hide", () => {
  const before = runs(12, 500, 300, "a", "sim");
  const after = before.map((run): Result => {
    const alice = run.measurements.audio.alice;
    if (alice === undefined) throw new Error("alice heard nothing");
    return {
      ...run,
      measurements: {
        ...run.measurements,
        audio: { ...run.measurements.audio, alice: { ...alice, longestGapMs: alice.longestGapMs + 20 } },
      },
    };
  });
  expect(shiftOf(before, after)).toMatchObject({ says: "more", isPaired: true, change: 20, interval: [20, 20] });
  expect(shiftOf(before, before)).toMatchObject({ says: "same" });
  expect(
    shiftOf(
      before.map((run) => ({ ...run, lab: "netns" })),
      after.map((run) => ({ ...run, lab: "netns" })),
    )?.says,
  ).toBe("noise");
});

test("of too few runs nothing is said", () => {
  const comparison = compareCampaigns(
    { name: "a", results: runs(4, 500, 1, "a") },
    { name: "b", results: runs(12, 900, 1, "b") },
  );
  expect(comparison.shifts.filter(({ says }) => says !== "unknown" && says !== "same")).toEqual([]);
  expect(verdictOnShifts(comparison.shifts)).toContain("too few runs to tell");
});

test("pages name what changed, call noise noise, and show any name as text", () => {
  const nasty = "<img src=x onerror=alert(1)>";
  const comparison = compareCampaigns(
    { name: nasty, results: runs(8, 500, 50, "a") },
    { name: "b|c", results: runs(8, 800, 50, "b") },
  );
  const text = campaignsMarkdown(comparison, false);
  expect(text).toMatch(/alice longestGapMs +\| [\d.]+ ms \(8\)/);
  expect(text).toContain("| more ");
  expect(campaignsMarkdown(comparison, true).length).toBeGreaterThan(text.length);
  const html = campaignsPage(comparison);
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img src=x");
  expect(html).not.toMatch(/<script|NaN|undefined/);
  expect(campaignsPage(comparison)).toBe(html);
});

test("the median of an even number of values lies between the middle two", () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  expect(medianOf([9, 1, 5])).toBe(5);
});
