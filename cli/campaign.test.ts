/**
 * Two small campaigns. One from a seed that stays: a violation fails. One from the commit's: what it finds may be older than the commit, so it is told at the end of the
 * run, with the command that shows it again, and fails nothing (docs/ci.md says why).
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
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
/** Of the commit's campaign in CI. Elsewhere one: the same files would be asked again and again. */
const OWN_SEEDS = process.env.CI === "true" ? 40 : 1;
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

  it("of this commit is one command, and what it finds is told", async ({ annotate }) => {
    const script = join(import.meta.dirname, "../.ci/campaign");
    const env = { ...process.env, SEEDS: String(OWN_SEEDS), OUT: await mkdtemp(join(tmpdir(), "midcall-campaign-")) };
    const { stdout, code } = await promisify(execFile)(script, ["commit"], { env }).then(
      (done) => ({ ...done, code: 0 }),
      (error: { readonly stdout: string; readonly code: number }) => error,
    );
    const first = formatSeed(seedOfCommit(commit()));
    expect(stdout).toMatch(new RegExp(`^explored (\\d+) seeds \\(${first} to `, "m"));
    // 1: violations. Anything else is no answer of a campaign.
    expect([0, 1]).toContain(code);
    expect(code).toBe(/^violations: 0$/m.test(stdout) ? 0 : 1);
    if (code === 1) await annotate(stdout.slice(0, stdout.indexOf("\nexplored ")), "found");
    await rm(env.OUT, { recursive: true, force: true });
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
