/**
 * Runs as CI systems count tests: one test case a scenario and laboratory, however many seeds it ran with, so that its history is one line and a campaign of ten thousand
 * seeds is not ten thousand tests. Its verdict is the worst of its runs (that of the process's exit code); the first run of that verdict speaks for it.
 */
import { WORST_FIRST } from "./campaign.ts";
import type { Result, Verdict } from "./result.ts";
import { type Assessed, notHeld, replayCommand, reproBlock } from "./wording.ts";

/** Runs of one scenario in one laboratory. */
export type TestCase = {
  readonly scenario: string;
  readonly lab: Result["lab"];
  readonly verdict: Verdict;
  /** The run that is told in full: the first of the verdict. */
  readonly example: Assessed;
  /** All of them, in the order they ran. */
  readonly runs: readonly Assessed[];
  /** Wall time of all runs, ms. */
  readonly wallMs: number;
};

/** Runs by scenario and laboratory, in the order in which each was first met. */
export const testCases = (runs: readonly Assessed[]): readonly TestCase[] =>
  [...Map.groupBy(runs, ({ result }) => JSON.stringify([result.lab, result.scenario])).values()].flatMap((members) => {
    const verdict = WORST_FIRST.find((one) => members.some(({ result }) => result.verdict === one));
    const example = members.find(({ result }) => result.verdict === verdict);
    if (verdict === undefined || example === undefined) return [];
    const wallMs = members.reduce((sum, { result }) => sum + result.wallMs, 0);
    return [{ scenario: example.result.scenario, lab: example.result.lab, verdict, example, runs: members, wallMs }];
  });

/** Seeds that a message names. chosen: a message is one line where people look; the trace names them all. */
const SEEDS_IN_MESSAGE = 10;
/** Runs whose repro blocks a trace holds. chosen: who has more that break reads the first ones; the others are named by their seeds, and each has its folder. */
const BLOCKS_IN_TRACE = 10;

/** What a CI system shows beside the name: where to look first and how to see it again, and which seeds are like it. */
export function message({ verdict, example: { result }, runs }: TestCase): string {
  const seeds = runs.filter((run) => run.result.verdict === verdict).map((run) => run.result.seed);
  const more = seeds.length > SEEDS_IN_MESSAGE ? ` and ${seeds.length - SEEDS_IN_MESSAGE} more` : "";
  const which =
    runs.length === 1
      ? `Seed ${result.seed}.`
      : `${seeds.length} of ${runs.length} runs ${verdict}: ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.slice(0, SEEDS_IN_MESSAGE).join(", ")}${more}.`;
  const first = result.culprit === undefined ? "" : `${result.culprit.sentence} `;
  return `${first}${result.cause} ${which} Replay: ${replayCommand(result)}`;
}

/** Every seed by what became of it, then the repro block and the findings of the runs that did not hold, the worst first. */
export function trace({ runs }: TestCase): string {
  const bad = WORST_FIRST.filter((one) => one !== "held").flatMap((one) => runs.filter(({ result }) => result.verdict === one));
  const seeds = WORST_FIRST.flatMap((verdict) => {
    const members = runs.filter(({ result }) => result.verdict === verdict);
    return members.length === 0 ? [] : [`${verdict}: ${members.map(({ result }) => result.seed).join(" ")}`];
  });
  const left = bad.length - BLOCKS_IN_TRACE;
  return [
    ...(runs.length === 1 ? [] : [[`${runs.length} runs, by seed`, ...seeds].join("\n")]),
    ...bad
      .slice(0, BLOCKS_IN_TRACE)
      .map(({ result }) =>
        [...reproBlock(result), ...notHeld(result).map((one) => `${one.name} ${one.verdict}: ${one.detail}`)].join("\n"),
      ),
    ...(left > 0 ? [`${left} more runs did not hold`] : []),
  ].join("\n\n");
}
