import { expect, test } from "vitest";
import type { Scenario } from "../scenarios/expanded.ts";
import { compare, comparisonMarkdown, type Figure } from "./comparison.ts";
import { assess } from "./index.ts";
import { aCallLog, aRelayRestart, aScenario, KILL, type LogBuilder, RESTART_EXPECT } from "./log-builder.ts";
import type { Result } from "./result.ts";

const facts = {
  hash: "d72a8f833b172303",
  versions: { midcall: "0.1.0", node: "v24.21.0", commit: "1a2b3c4" },
  codec: "sized",
  crypto: "null",
  ...{ lab: "sim", seed: "0x2a", dir: "one" },
  virtualMs: 21_000,
  wallMs: 12,
} as const;
const resultOf = (log: LogBuilder, scenario: Scenario): Result => assess({ ...facts, scenario, records: log.records() });

const faulted = aScenario({ faults: [KILL], expect: RESTART_EXPECT });
const restarted = resultOf(aRelayRestart(), faulted);
const named = (figures: readonly Figure[], name: string): Figure | undefined => figures.find((one) => one.name === name);

test("a run differs from itself in nothing, whatever its wall time and folder", () => {
  const { differing, same } = compare(restarted, { ...restarted, wallMs: 9_999, dir: "elsewhere" });
  expect(differing).toEqual([]);
  expect(same.length).toBeGreaterThan(60);
  expect(comparisonMarkdown(compare(restarted, restarted), false)).toContain("figures are the same");
});

test("every number of both is there with its change; a figure that one lacks is absent on its side", () => {
  const slower: Result = {
    ...restarted,
    lab: "netns",
    verdict: "broken",
    measurements: {
      ...restarted.measurements,
      recovery: restarted.measurements.recovery.map((one) => ({
        ...one,
        fromHealMs: one.party === "alice" ? null : 10 + (one.fromHealMs ?? 0),
      })),
    },
  };
  const { differing } = compare(restarted, slower);
  expect(named(differing, "lab")).toEqual({ group: "run", name: "lab", unit: "word", before: "sim", after: "netns" });
  expect(named(differing, "verdict")).toMatchObject({ before: restarted.verdict, after: "broken" });
  const [alice, bob] = ["alice", "bob"].map((party) =>
    differing.find((one) => one.group === "recovery" && one.name.startsWith(`${party} fromHealMs`)),
  );
  expect(alice).toMatchObject({ after: null });
  expect(alice).not.toHaveProperty("change");
  expect(bob).toMatchObject({ change: 10, unit: "ms" });
  expect(differing).toHaveLength(4);

  const calm = compare(restarted, resultOf(aCallLog(), aScenario({ expect: [] }))).differing;
  const gone = calm.filter((one) => one.group === "condition");
  expect(gone.length).toBeGreaterThan(0);
  for (const one of gone) expect(one).not.toHaveProperty("after");
});

test("oracles and faults that come twice are told apart", () => {
  const twice = aScenario({ faults: [KILL], expect: [...RESTART_EXPECT, ...RESTART_EXPECT] });
  const names = compare(restarted, resultOf(aRelayRestart(), twice)).differing.map((one) => one.name);
  expect(names).toContain(`${RESTART_EXPECT[0]?.oracle} #2`);
});

test("as Markdown: what differs, in the units of the figures, and with `all` the rest too", () => {
  const quieter: Result = { ...restarted, measurements: { ...restarted.measurements, audio: {} } };
  const comparison = compare(quieter, restarted);
  const page = comparisonMarkdown(comparison, false);
  expect(page).toMatch(/^# one and one\n\n\d+ of \d+ figures differ\./);
  expect(page).toMatch(/\| alice longestGapMs +\| absent +\| [\d.]+ (ms|s) /);
  expect(page).toMatch(/\| alice concealmentRatio +\| absent +\| [\d.]+ % /);
  expect(page).not.toContain("## Signalling");
  expect(comparisonMarkdown(comparison, true)).toContain("## Signalling");
});
