/**
 * How fast exploration and shrinking are on this machine: a campaign on two threads by the clock, where one core's time goes by processor
 * time (which a busy machine does not change much), and planted bugs of three faults shrunk out of schedules of forty.
 */
import { judge } from "../reports/judge.ts";
import { measure } from "../reports/measure.ts";
import { probesHit } from "../reports/probes.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { campaign, emptyTally, fastJob } from "./explore/campaign.ts";
import { exploredScenario } from "./explore/explored-scenario.ts";
import { type Laboratory, openLaboratory } from "./laboratory.ts";
import { median } from "./processor-time.ts";
import { fortyFaults, PLANTED } from "./shrink/planted-bug.ts";
import { shrink, targetOf } from "./shrink/shrink.ts";

/** What exploration is to reach: 10,000 seeds of 60 s on two cores in five minutes, as virtual seconds a second. */
export const TARGET: number = (10_000 * 60) / 300;

export type ExploreBench = {
  /** One core, processor milliseconds a seed. */
  readonly core: {
    readonly seeds: number;
    readonly virtualS: number;
    readonly drawMs: number;
    readonly simulateMs: number;
    readonly judgeMs: number;
    /** Virtual seconds a second of two cores, and that over the target. */
    readonly timesRealTime: number;
    readonly ratio: number;
  };
  /** Two threads, by the clock. */
  readonly campaign: {
    readonly seeds: number;
    readonly wallS: number;
    readonly seedsPerS: number;
    readonly timesRealTime: number;
    readonly ratio: number;
    readonly violations: number;
  };
  /** Processor seconds of the whole process, the laboratory's thread and its garbage collector included. */
  readonly shrink: {
    readonly schedules: number;
    readonly exactlyThree: number;
    readonly medianS: number;
    readonly worstS: number;
    readonly medianRuns: number;
  };
};

/** chosen: enough that one long run does not matter, half a minute of an idle machine in all. */
const CORE_SEEDS = 100;
const CAMPAIGN_SEEDS = 300;
const SCHEDULES = 20;

/** `bases` are explored; `home` is the case whose caller is behind a NAT, for shrinking. */
export async function benchExplore(
  bases: readonly Scenario[],
  home: Scenario,
  stage: (name: string) => void,
): Promise<ExploreBench> {
  stage("one core");
  const core = onOneCore(bases);
  stage("a campaign on two threads");
  const laboratories = [openLaboratory(), openLaboratory()];
  const sabotaged = openLaboratory(PLANTED);
  try {
    const inCampaign = await onTwoThreads(bases, laboratories);
    stage("shrinking three faults out of forty");
    return { core, campaign: inCampaign, shrink: await shrinkAll(home, sabotaged) };
  } finally {
    await Promise.all([...laboratories, sabotaged].map((laboratory) => laboratory.close()));
  }
}

function onOneCore(bases: readonly Scenario[]): ExploreBench["core"] {
  const spent = { draw: 0, simulate: 0, judge: 0, virtual: 0 };
  // Round 0 warms the compiler with other seeds.
  for (const from of [1_000_000, 1]) {
    spent.draw = spent.simulate = spent.judge = spent.virtual = 0;
    for (let seed = from; seed < from + CORE_SEEDS; seed++) {
      const began = cpuMs();
      const scenario = exploredScenario(bases, seed, true);
      const drawn = cpuMs();
      const { records, crashed } = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
      const simulated = cpuMs();
      judge(measure(records, scenario), crashed);
      probesHit(records, scenario);
      spent.judge += cpuMs() - simulated;
      spent.simulate += simulated - drawn;
      spent.draw += drawn - began;
      spent.virtual += scenario.duration / 1_000_000;
    }
  }
  const timesRealTime = (2 * spent.virtual) / ((spent.draw + spent.simulate + spent.judge) / 1_000);
  return {
    seeds: CORE_SEEDS,
    virtualS: spent.virtual / CORE_SEEDS,
    drawMs: spent.draw / CORE_SEEDS,
    simulateMs: spent.simulate / CORE_SEEDS,
    judgeMs: spent.judge / CORE_SEEDS,
    timesRealTime,
    ratio: timesRealTime / TARGET,
  };
}

async function onTwoThreads(bases: readonly Scenario[], laboratories: readonly Laboratory[]): Promise<ExploreBench["campaign"]> {
  const watch = { signal: new AbortController().signal, found: async () => undefined, progress: () => undefined };
  const plan = { bases, isSwarm: true, stopAfter: CAMPAIGN_SEEDS };
  await campaign({ ...plan, from: 1_000_000, seeds: 40 }, laboratories, emptyTally(), watch);
  const tally = emptyTally();
  const began = performance.now();
  await campaign({ ...plan, from: 1, seeds: CAMPAIGN_SEEDS }, laboratories, tally, watch);
  const wallS = (performance.now() - began) / 1_000;
  const timesRealTime = tally.virtualMs / 1_000 / wallS;
  return {
    seeds: tally.runs,
    wallS,
    seedsPerS: tally.runs / wallS,
    timesRealTime,
    ratio: timesRealTime / TARGET,
    violations: tally.violations,
  };
}

async function shrinkAll(home: Scenario, sabotaged: Laboratory): Promise<ExploreBench["shrink"]> {
  const seconds: number[] = [];
  const runs: number[] = [];
  let exactlyThree = 0;
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const scenario = fortyFaults(home, seed);
    const run = async (candidate: Scenario) => (await sabotaged.run(fastJob(candidate, seed))).result;
    const began = process.cpuUsage();
    const first = await run(scenario);
    const target = targetOf(first);
    if (target === undefined) throw new Error(`the planted bug does not show with seed ${seed}: ${first.cause}`);
    const shrunk = await shrink(scenario, first, target, run);
    const { user, system } = process.cpuUsage(began);
    seconds.push((user + system) / 1_000_000);
    runs.push(shrunk.runs);
    if (shrunk.scenario.faults.length === 3) exactlyThree++;
  }
  return { schedules: SCHEDULES, exactlyThree, medianS: median(seconds), worstS: Math.max(...seconds), medianRuns: median(runs) };
}

/** Processor time of this thread so far, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
