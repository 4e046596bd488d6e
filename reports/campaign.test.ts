import { expect, test } from "vitest";
import { type Campaign, campaignOf, casesOf, spreadOf } from "./campaign.ts";
import { campaignPage } from "./campaign-html.ts";
import { alike, reasonsOf } from "./campaign-reasons.ts";
import type { CampaignRun } from "./campaign-run.ts";

const PARTIES = ["alice", "bob", "r1"];
const held = (scenario: string, seed: number, more: Partial<CampaignRun> = {}): CampaignRun => ({
  scenario,
  lab: "sim",
  seed: `0x${seed.toString(16)}`,
  verdict: "held",
  dir: null,
  hash: `${seed}`,
  notHeld: [],
  cause: "All 19 oracles held.",
  virtualMs: 1_000,
  ...more,
});
const broken = (scenario: string, seed: number, oracle: string, sentence?: string): CampaignRun => ({
  ...held(scenario, seed),
  verdict: "broken",
  dir: `out/${scenario}/sim-0x${seed.toString(16)}`,
  notHeld: [{ oracle, detail: `alice ${seed} ms (limit 5 ms)` }],
  cause: `${oracle} is broken: alice ${seed} ms (limit 5 ms).`,
  ...(sentence === undefined ? {} : { culprit: { component: "client", party: "alice", sentence } }),
  parties: PARTIES,
});

test("runs broke for the same reason when their cause lines differ in figures and in who it was, and in nothing else", () => {
  const slow = (who: string, ms: number): string => `${who}'s client was slow to register again (${ms} ms without a relay).`;
  const runs = [
    held("a", 1),
    broken("a", 2, "media-recovers", slow("Alice", 3_100)),
    broken("b", 3, "signalling-recovers", slow("Bob", 1_204.5)),
    broken("a", 4, "media-recovers", slow("Bob", 12)),
    broken("a", 5, "media-recovers", "Bob's client forgot its call."),
    broken("a", 6, "media-recovers"),
    { ...broken("a", 7, "faults-left-a-trace"), verdict: "inconclusive" as const },
  ];
  const told = reasonsOf(runs).map((one) => [one.verdict, one.runs.map(({ seed }) => seed), one.oracles.map(([name]) => name)]);
  expect(told).toEqual([
    ["broken", ["0x2", "0x3", "0x4"], ["media-recovers", "signalling-recovers"]],
    ["broken", ["0x5"], ["media-recovers"]],
    ["broken", ["0x6"], ["media-recovers"]],
    ["inconclusive", ["0x7"], ["faults-left-a-trace"]],
  ]);
});

test("a party's name is no part of another word, and identities are figures", () => {
  expect(alike("bobbin of bob: call e12bd685 after 12.5 s", ["bob"])).toBe("bobbin of @: call # after # s");
  expect(alike("a+b (a) failed", ["a", "a+b"])).toBe("@ (@) failed");
});

test("a case is as bad as its worst run, and what never ended is longer than everything", () => {
  const times = [100, null, 300, 200, null, 400];
  const runs = times.map((worstRecoveryMs, i) => held("a", i, { worstRecoveryMs }));
  const spread = spreadOf(runs, "worstRecoveryMs");
  expect(spread).toEqual({
    values: [100, 200, 300, 400],
    median: 350,
    interval: [100, Number.POSITIVE_INFINITY],
    worst: null,
    never: 2,
  });
  expect(spreadOf(runs, "longestGapMs")).toBeUndefined();
  const cases = casesOf([...runs, held("b", 1), broken("b", 9, "x"), broken("b", 8, "y")]);
  expect(casesOf([held("a", 1, { longestGapMs: 5 }), held("a", 2, { longestGapMs: 9 })])[0]?.worst.seed).toBe("0x2");
  expect(cases.map((one) => [one.scenario, one.verdict, one.counts, one.worst.seed])).toEqual([
    ["b", "broken", { broken: 2, held: 1 }, "0x8"],
    ["a", "held", { held: 6 }, "0x0"],
  ]);
});

const page = (campaign: Campaign): string => campaignPage(campaign, { linkTo: (dir, file) => `../../${dir}/${file}` });

test("the page of four thousand runs of forty cases stays small, and says how many rows it leaves out", () => {
  const runs = Array.from({ length: 4_000 }, (_, i) =>
    i % 7 === 0
      ? broken(`case-${i % 40}`, i, "media-recovers", `Alice's client slept for ${i} ms.`)
      : held(`case-${i % 40}`, i, { worstRecoveryMs: i, longestGapMs: i, concealmentRatio: 1 / (i + 1), mouthToEarMs: 80 }),
  );
  const html = page(campaignOf("npx midcall run all", runs));
  expect(html.length).toBeLessThan(2_000_000);
  expect(html).toContain(`${runs.filter(({ verdict }) => verdict === "broken").length} runs broke for the same reason`);
  expect(html).toMatch(/3400 more that held, with shorter gaps than these/);
});

test("a run's report is linked where it lies, and a run without a folder is named without a link", () => {
  const html = page(campaignOf("npx midcall explore a --seeds 2", [held("a", 1), broken("a", 2, "same-call", "Bob left.")]));
  expect(html).toContain('<a href="../../out/a/sim-0x2/report.html">0x2</a>');
  expect(html).toContain("npx midcall shrink out/a/sim-0x2/scenario.json");
  expect(html).toContain("1 of 2 runs did not hold, for one reason: Bob left.");
  expect(html).not.toContain("sim-0x1");
});
