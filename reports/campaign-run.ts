/** One run of a campaign as a row: its verdict, why, and the figures that many runs are looked at by. A function of its result. */
import { decisive } from "./judge.ts";
import type { Culprit, Result, Verdict } from "./result.ts";

/** One run of a campaign. The worst of a figure is that of the party who had it worst. */
export type CampaignRun = {
  readonly scenario: string;
  readonly lab: string;
  readonly seed: string;
  readonly verdict: Verdict;
  /** The run's folder; null: it left none (explored seeds that held). */
  readonly dir: string | null;
  /** Log hash of the run, by which its result is known again. */
  readonly hash: string;
  /** Oracles as bad as the verdict, the one that it rests on first; empty where all held. */
  readonly notHeld: readonly { readonly oracle: string; readonly detail: string }[];
  readonly cause: string;
  readonly culprit?: Culprit;
  /** Names of the parties, told apart from other words where reasons are compared. */
  readonly parties?: readonly string[];
  /** From the heal to hearing again; null: never. Absent: nothing was to recover from. */
  readonly worstRecoveryMs?: number | null;
  /** Absent: nobody was to hear anything. */
  readonly longestGapMs?: number;
  readonly concealmentRatio?: number;
  /** Median of the party with the longest. */
  readonly mouthToEarMs?: number;
  readonly mos?: number;
  readonly virtualMs: number;
};

/** The row of a result. `dir`: null for a run that left no folder. */
export function runOf(result: Result, dir: string | null = result.dir): CampaignRun {
  const { audio, recovery } = result.measurements;
  const heard = Object.values(audio).filter((one) => one.framesExpected > 0);
  const delays = heard.flatMap(({ mouthToEarMs }) => mouthToEarMs.p50 ?? []);
  const scores = heard.flatMap(({ mos }) => mos ?? []);
  const healed = recovery.map(({ fromHealMs }) => fromHealMs);
  const first = decisive(result.verdict, result.oracles);
  const others = first === undefined ? [] : result.oracles.filter((one) => one !== first && one.verdict === first.verdict);
  return {
    scenario: result.scenario,
    lab: result.lab,
    seed: result.seed,
    verdict: result.verdict,
    dir,
    hash: result.hash,
    notHeld: [...(first === undefined ? [] : [first]), ...others].map(({ name, detail }) => ({ oracle: name, detail })),
    cause: result.cause,
    ...(result.culprit === undefined ? {} : { culprit: result.culprit }),
    ...(first === undefined ? {} : { parties: partiesOf(result) }),
    ...(healed.length === 0
      ? {}
      : { worstRecoveryMs: healed.includes(null) ? null : Math.max(...healed.map((one) => one ?? 0)) }),
    ...(heard.length === 0
      ? {}
      : {
          longestGapMs: Math.max(...heard.map((one) => one.longestGapMs)),
          concealmentRatio: Math.max(...heard.map((one) => one.concealmentRatio)),
        }),
    ...(delays.length === 0 ? {} : { mouthToEarMs: Math.max(...delays) }),
    ...(scores.length === 0 ? {} : { mos: Math.min(...scores) }),
    virtualMs: result.virtualMs,
  };
}

/** Everybody whom a result names. */
const partiesOf = ({ measurements: { network, signal, audio } }: Result): string[] =>
  [...new Set([network, signal, audio].flatMap((one) => Object.keys(one)))].sort();
