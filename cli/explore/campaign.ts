/**
 * A campaign: thousands of explored scenarios in parallel laboratories with the fast engines. It says what was broken, what a sample
 * of runs made twice came to, and what the whole campaign exercised: a fault kind that never struck has tested nothing.
 */
import { type Divergence, divergence } from "../../impl/base/log-hash.ts";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import type { Laboratory } from "../laboratory.ts";
import { exploredScenario } from "./explored-scenario.ts";

/** One run in so many is made twice. chosen: 5 %, as FoundationDB repeats its simulations. */
export const REPEAT_EVERY = 20;

export type Plan = {
  readonly bases: readonly Scenario[];
  /** Seeds `from`, `from + 1`, ... */
  readonly from: number;
  readonly seeds: number;
  readonly isSwarm: boolean;
  /** The campaign ends early with so many violations. */
  readonly stopAfter: number;
};

/** A seed whose run broke a promise, or gave two logs (`parted`: where they part). */
export type Violation = {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly result: Result;
  readonly parted?: Divergence;
};

/** One run of a campaign, and the probes it hit. */
export type CampaignRun = {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly result: Result;
  readonly probes: readonly string[];
};

export type Tally = {
  runs: number;
  repeated: number;
  virtualMs: number;
  /** Runs in which the last oracle of all, `settles`, could be judged. */
  settled: number;
  violations: number;
  /** Runs in which a fault of this kind struck and left a trace. */
  readonly struck: Map<string, number>;
  /** Runs that hit each probe; one that nothing hit is missing. */
  readonly probes: Map<string, number>;
};

export const emptyTally = (): Tally => ({
  runs: 0,
  repeated: 0,
  virtualMs: 0,
  settled: 0,
  violations: 0,
  struck: new Map(),
  probes: new Map(),
});

/**
 * Runs the plan, one seed at a time in each laboratory. `found` is awaited before its laboratory goes on. Rejects when a laboratory
 * throws (a bug of midcall) or `signal` is aborted; `tally` is up to date until then.
 */
export async function campaign(
  plan: Plan,
  laboratories: readonly Laboratory[],
  tally: Tally,
  watch: {
    readonly signal: AbortSignal;
    found(violation: Violation): Promise<void>;
    /** At the beginning and after every run. */
    progress(): void;
    /** Told of every run, violations included. */
    ran?(run: CampaignRun): void;
  },
): Promise<void> {
  let next = 0;
  watch.progress();
  const draw = () => {
    if (next === plan.seeds) return undefined;
    const index = next++;
    const seed = plan.from + index;
    return { index, seed, scenario: exploredScenario(plan.bases, seed, plan.isSwarm) };
  };
  const explore = async (laboratory: Laboratory): Promise<void> => {
    for (let drawn = draw(); drawn !== undefined && tally.violations < plan.stopAfter; ) {
      const { index, seed, scenario } = drawn;
      const isRepeated = index % REPEAT_EVERY === 0;
      const job = { ...fastJob(scenario, seed, isRepeated), wantProbes: true };
      const running = laboratory.run(job, { signal: watch.signal });
      drawn = draw(); // while the laboratory computes
      const { result, lines, probes } = await running;
      count(tally, scenario, result, probes);
      watch.ran?.({ seed, scenario, result, probes });
      let parted: Divergence | undefined;
      if (isRepeated) {
        parted = divergence(lines, (await laboratory.run(fastJob(scenario, seed, true), { signal: watch.signal })).lines);
        tally.repeated++;
      }
      if (result.verdict === "broken" || result.verdict === "crashed" || parted !== undefined) {
        tally.violations++;
        await watch.found({ seed, scenario, result, ...(parted === undefined ? {} : { parted }) });
      }
      watch.progress();
    }
  };
  await Promise.all(laboratories.map(explore));
}

/** A run with neither audio nor cryptography that writes nothing. */
export const fastJob = (scenario: Scenario, seed: number, wantLines = false): Parameters<Laboratory["run"]>[0] => ({
  lab: "sim",
  scenario,
  seed,
  codec: "sized",
  crypto: "null",
  folder: null,
  dir: "",
  wantLines,
  commit: "unknown",
  sabotage: null,
});

function count(tally: Tally, scenario: Scenario, result: Result, probes: readonly string[]): void {
  tally.runs++;
  for (const name of probes) tally.probes.set(name, (tally.probes.get(name) ?? 0) + 1);
  tally.virtualMs += result.virtualMs;
  if (result.oracles.some((one) => one.name === "settles" && one.verdict !== "inconclusive")) tally.settled++;
  const kinds = new Set(
    result.conditions.flatMap((one, i) => (Object.keys(one.observed).length > 0 ? (scenario.faults[i]?.kind ?? []) : [])),
  );
  for (const kind of kinds) tally.struck.set(kind, (tally.struck.get(kind) ?? 0) + 1);
}
