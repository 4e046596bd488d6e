/**
 * How fast exploration and shrinking are on this machine: where one core's time goes, a campaign on two threads by the clock and by processor time (which a
 * busy machine does not change much), and planted bugs of three faults shrunk out of schedules of forty. Each part is told as soon as it is known: the whole
 * takes minutes, and on a busy machine hours.
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
    /** What the engine's own threads (compiler, garbage collector) took beside them. */
    readonly engineMs: number;
    /** Virtual seconds a second of two cores that do all this, and that over the target. */
    readonly timesRealTime: number;
    readonly ratio: number;
  };
  /** Two threads, one run in twenty made twice. */
  readonly campaign: {
    readonly seeds: number;
    readonly virtualS: number;
    readonly wallS: number;
    readonly seedsPerS: number;
    /** By the clock. */
    readonly timesRealTime: number;
    readonly ratio: number;
    /** Processor milliseconds a seed, of every thread there is; virtual seconds a second of two cores that do nothing else, over the target. */
    readonly processorMs: number;
    readonly ratioByProcessor: number;
    readonly violations: number;
  };
  readonly shrink: {
    /** Of every schedule. Fewer than were to be made when the bench was interrupted. */
    readonly schedules: readonly ShrunkSchedule[];
    readonly exactlyThree: number;
    readonly medianS: number;
    readonly worstS: number;
    readonly medianRuns: number;
  };
};

/** What shrinking made of one schedule. `processorS`: of the whole process, the laboratory's thread and its garbage collector included. */
export type ShrunkSchedule = {
  readonly seed: number;
  readonly faults: number;
  readonly runs: number;
  readonly processorS: number;
};

/** Who is told what is being measured, and each part when it is. */
export type ExploreWatch = {
  readonly signal: AbortSignal;
  stage(name: string): void;
  /** `all`: with what was measured before. */
  part(one: Partial<ExploreBench> & { readonly schedule?: ShrunkSchedule }, all: Partial<ExploreBench>): void;
};

/** chosen: enough that one long run does not matter, half a minute of an idle machine in all. */
const CORE_SEEDS = 100;
const CAMPAIGN_SEEDS = 300;
const SCHEDULES = 20;

/** `bases` are explored; `home` is the case whose caller is behind a NAT, for shrinking. An interrupted bench gives what it has of the last part. */
export async function benchExplore(bases: readonly Scenario[], home: Scenario, watch: ExploreWatch): Promise<ExploreBench> {
  watch.stage("one core");
  const core = onOneCore(bases);
  watch.part({ core }, { core });
  watch.stage("a campaign on two threads");
  const laboratories = [openLaboratory(), openLaboratory()];
  const sabotaged = openLaboratory(PLANTED);
  try {
    const inCampaign = await onTwoThreads(bases, laboratories, watch.signal);
    const before = { core, campaign: inCampaign };
    watch.part({ campaign: inCampaign }, before);
    const whole = { ...before, shrink: summed(await shrinkAll(home, sabotaged, before, watch)) };
    watch.part({ shrink: whole.shrink }, whole);
    return whole;
  } finally {
    await Promise.all([...laboratories, sabotaged].map((laboratory) => laboratory.close()));
  }
}

function onOneCore(bases: readonly Scenario[]): ExploreBench["core"] {
  const spent = { draw: 0, simulate: 0, judge: 0, virtual: 0 };
  let whole = 0;
  // Round 0 warms the compiler with other seeds.
  for (const from of [1_000_000, 1]) {
    spent.draw = spent.simulate = spent.judge = spent.virtual = 0;
    const begun = process.cpuUsage();
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
    whole = processorMs(begun);
  }
  const timesRealTime = (2 * spent.virtual) / (whole / 1_000);
  return {
    seeds: CORE_SEEDS,
    virtualS: spent.virtual / CORE_SEEDS,
    drawMs: spent.draw / CORE_SEEDS,
    simulateMs: spent.simulate / CORE_SEEDS,
    judgeMs: spent.judge / CORE_SEEDS,
    engineMs: (whole - spent.draw - spent.simulate - spent.judge) / CORE_SEEDS,
    timesRealTime,
    ratio: timesRealTime / TARGET,
  };
}

async function onTwoThreads(
  bases: readonly Scenario[],
  laboratories: readonly Laboratory[],
  signal: AbortSignal,
): Promise<ExploreBench["campaign"]> {
  const watch = { signal, found: async () => undefined, progress: () => undefined };
  const plan = { bases, isSwarm: true, stopAfter: CAMPAIGN_SEEDS };
  await campaign({ ...plan, from: 1_000_000, seeds: 40 }, laboratories, emptyTally(), watch);
  const tally = emptyTally();
  const [began, begun] = [performance.now(), process.cpuUsage()];
  await campaign({ ...plan, from: 1, seeds: CAMPAIGN_SEEDS }, laboratories, tally, watch);
  const [wallS, processorS, virtualS] = [
    (performance.now() - began) / 1_000,
    processorMs(begun) / 1_000,
    tally.virtualMs / 1_000,
  ];
  return {
    seeds: tally.runs,
    virtualS: virtualS / tally.runs,
    wallS,
    seedsPerS: tally.runs / wallS,
    timesRealTime: virtualS / wallS,
    ratio: virtualS / wallS / TARGET,
    processorMs: (processorS * 1_000) / tally.runs,
    ratioByProcessor: (2 * virtualS) / processorS / TARGET,
    violations: tally.violations,
  };
}

async function shrinkAll(
  home: Scenario,
  sabotaged: Laboratory,
  before: Partial<ExploreBench>,
  watch: ExploreWatch,
): Promise<readonly ShrunkSchedule[]> {
  const schedules: ShrunkSchedule[] = [];
  for (let seed = 1; seed <= SCHEDULES && !watch.signal.aborted; seed++) {
    watch.stage(`shrinking three faults out of forty, ${seed} of ${SCHEDULES}`);
    const scenario = fortyFaults(home, seed);
    const run = async (candidate: Scenario) => (await sabotaged.run(fastJob(candidate, seed))).result;
    const begun = process.cpuUsage();
    const first = await run(scenario);
    const target = targetOf(first);
    if (target === undefined) throw new Error(`the planted bug does not show with seed ${seed}: ${first.cause}`);
    const shrunk = await shrink(scenario, first, target, run);
    const one = { seed, faults: shrunk.scenario.faults.length, runs: shrunk.runs, processorS: processorMs(begun) / 1_000 };
    schedules.push(one);
    watch.part({ schedule: one }, { ...before, shrink: summed(schedules) });
  }
  return schedules;
}

function summed(schedules: readonly ShrunkSchedule[]): ExploreBench["shrink"] {
  const seconds = schedules.map(({ processorS }) => processorS);
  return {
    schedules: [...schedules],
    exactlyThree: schedules.filter(({ faults }) => faults === 3).length,
    medianS: median(seconds),
    worstS: Math.max(...seconds),
    medianRuns: median(schedules.map(({ runs }) => runs)),
  };
}

/** Processor time of the whole process since `begun`, milliseconds. */
function processorMs(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
}

/** Processor time of this thread so far, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
