/** A small campaign from a seed that stays. `.ci/campaign` begins elsewhere at every commit, or day, and finds what is still open. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { campaign, emptyTally, type Violation } from "./explore/campaign.ts";
import { openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED, formatSeed, seedOfCommit, seedOfDate } from "./seed.ts";
import { commit } from "./version.ts";

/** chosen: some ten seconds of an idle machine; campaigns of thousands are made by hand. */
const SEEDS = 60;
const FROM = 1;

describe("a campaign", () => {
  it("finds no violation, and every run made twice is the same", async () => {
    const laboratories = [openLaboratory(), openLaboratory()];
    const tally = emptyTally();
    const found: Violation[] = [];
    try {
      await campaign({ bases: CATALOGUE, from: FROM, seeds: SEEDS, isSwarm: true, stopAfter: 5 }, laboratories, tally, {
        signal: new AbortController().signal,
        found: async (violation) => void found.push(violation),
        progress: () => undefined,
      });
    } finally {
      await Promise.all(laboratories.map((laboratory) => laboratory.close()));
    }
    const said = found.map(({ seed, scenario, result, parted }) => {
      const names = CATALOGUE.map((one) => one.name).join(" ");
      const cause = parted === undefined ? result.cause : `two runs parted: ${parted.a} | ${parted.b}`;
      return `${scenario.name}: ${cause} (npx midcall explore ${names} --swarm --seeds 1 --from ${formatSeed(seed)})`;
    });
    expect(said).toEqual([]);
    expect([tally.runs, tally.repeated]).toEqual([SEEDS, Math.ceil(SEEDS / 20)]);
    expect(tally.probes.size).toBeGreaterThan(25);
  });

  it("of this commit is one command", async () => {
    const script = join(import.meta.dirname, "../.ci/campaign");
    const campaigned = promisify(execFile)(script, ["commit"], { env: { ...process.env, SEEDS: "1" } });
    // What it finds is its own affair: here it has to begin at the commit.
    const { stdout } = await campaigned.catch((error: { readonly stdout: string }) => error);
    expect(stdout).toContain(`explored 1 seeds (${formatSeed(seedOfCommit(commit()))} to `);
    await expect(promisify(execFile)(script, ["yesterday"])).rejects.toMatchObject({ code: 2 });
  });

  it("of a commit or a day begins where others do not", () => {
    expect(seedOfCommit("98b2aa0c1d2e-dirty")).toBe(0x98b2aa0c1d2e);
    expect(seedOfCommit("unknown")).toBe(DEFAULT_SEED);
    expect(seedOfDate("2031-02-03T04:05:06.000Z")).toBe(20_310_203_000_000);
    expect(Number.isSafeInteger(seedOfDate("9999-12-31") + 1_000_000)).toBe(true);
    expect(seedOfDate("2031-02-04") - seedOfDate("2031-02-03")).toBe(1_000_000);
  });
});
