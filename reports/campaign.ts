/**
 * A campaign: many runs told together. Runs of cases over seeds (`midcall run`) or of explored scenarios (`midcall explore`) become rows, the rows become
 * cases with intervals over their seeds, and what did not hold becomes reasons (campaign-reasons.ts). Everything here is a function of the runs' results.
 */
import type { CampaignRun } from "./campaign-run.ts";
import { type Interval, LEVEL, medianInterval, shareInterval } from "./interval.ts";
import type { Verdict } from "./result.ts";
import { rounded } from "./statistic.ts";

/** The figures that a campaign is looked at by. */
export const FIGURES = ["worstRecoveryMs", "longestGapMs", "concealmentRatio", "mouthToEarMs"] as const;
export type FigureName = (typeof FIGURES)[number];

/** One figure over the seeds of a case. */
export type Spread = {
  /** Of the runs that have a number, in ascending order. */
  readonly values: readonly number[];
  readonly median: number | null;
  /** Where the median of all seeds lies with LEVEL confidence; null: too few runs. */
  readonly interval: Interval | null;
  /** Null: it never ended in some run. */
  readonly worst: number | null;
  /** Runs in which it never ended. */
  readonly never: number;
};

export type CampaignCase = {
  readonly scenario: string;
  readonly lab: string;
  readonly verdict: Verdict;
  readonly runs: number;
  readonly counts: Readonly<Partial<Record<Verdict, number>>>;
  /** Where the share of runs that do not hold lies, over all seeds, with LEVEL confidence. */
  readonly notHeld: Interval;
  readonly figures: Readonly<Partial<Record<FigureName, Spread>>>;
  /** Of the runs with the worst verdict the one with the longest gap, the earliest of those: what the cause line is of. */
  readonly worst: CampaignRun;
};

/** How many runs of an explored campaign met something: a probe, or a kind of fault. */
export type Met = { readonly name: string; readonly says: string; readonly runs: number };

export type Campaign = {
  readonly schema: "midcall/campaign@1";
  readonly command: string;
  readonly level: number;
  readonly runs: readonly CampaignRun[];
  /** Of `midcall explore`: what it says of itself, line by line, and what its runs met. */
  readonly explored?: {
    readonly says: readonly string[];
    readonly probes: readonly Met[];
    readonly faults: readonly Met[];
  };
  /** Of one that was interrupted: how many runs there were to be. */
  readonly interrupted?: { readonly of: number };
};

/** Verdicts, the worst first. */
export const WORST_FIRST: readonly Verdict[] = ["crashed", "broken", "inconclusive", "held"];

/** Cases, those that went worst first, then in the order in which they ran. */
export function casesOf(runs: readonly CampaignRun[]): CampaignCase[] {
  const cases = [...Map.groupBy(runs, ({ scenario, lab }) => `${scenario}\n${lab}`).values()].flatMap((own) => caseOf(own) ?? []);
  const rank = ({ verdict, counts, runs: all }: CampaignCase): number =>
    WORST_FIRST.indexOf(verdict) + ((counts.held ?? 0) / all) * 0.5;
  return cases.toSorted((a, b) => rank(a) - rank(b));
}

function caseOf(runs: readonly CampaignRun[]): CampaignCase | undefined {
  const verdict = WORST_FIRST.find((one) => runs.some((run) => run.verdict === one));
  const gap = ({ longestGapMs = 0 }: CampaignRun): number => longestGapMs;
  const worst = runs
    .filter((run) => run.verdict === verdict)
    .toSorted((a, b) => gap(b) - gap(a) || Number(a.seed) - Number(b.seed))[0];
  if (verdict === undefined || worst === undefined) return undefined;
  const counts = countsOf(runs);
  return {
    scenario: worst.scenario,
    lab: worst.lab,
    verdict,
    runs: runs.length,
    counts,
    notHeld: shareInterval(runs.length - (counts.held ?? 0), runs.length),
    figures: Object.fromEntries(
      FIGURES.flatMap((name) => {
        const spread = spreadOf(runs, name);
        return spread === undefined ? [] : [[name, spread]];
      }),
    ),
    worst,
  };
}

/** Runs of each verdict that there is, the worst first. */
export function countsOf(runs: readonly CampaignRun[]): Partial<Record<Verdict, number>> {
  const counts = WORST_FIRST.map((verdict) => [verdict, runs.filter((run) => run.verdict === verdict).length] as const);
  return Object.fromEntries(counts.filter(([, n]) => n > 0));
}

/** Undefined where no run has the figure. */
export function spreadOf(runs: readonly CampaignRun[], name: FigureName): Spread | undefined {
  const own = runs.flatMap((run) => (run[name] === undefined ? [] : [run[name]]));
  if (own.length === 0) return undefined;
  const values = own.filter((value) => value !== null).toSorted((a, b) => a - b);
  const never = own.length - values.length;
  // Where it never ended counts as longer than all others, so that a median of many that never ended is none.
  const ranked = [...values, ...Array.from({ length: never }, () => Number.POSITIVE_INFINITY)];
  const middle = ranked.length >> 1;
  const upper = ranked[middle] ?? Number.NaN;
  const median = ranked.length % 2 === 1 ? upper : (upper + (ranked[middle - 1] ?? upper)) / 2;
  return {
    values,
    median: Number.isFinite(median) ? rounded(median, 6) : null,
    interval: medianInterval(ranked),
    worst: never > 0 ? null : (values.at(-1) ?? null),
    never,
  };
}

/** A campaign of what ran. */
export const campaignOf = (
  command: string,
  runs: readonly CampaignRun[],
  { explored, interrupted }: Pick<Campaign, "explored" | "interrupted"> = {},
): Campaign => ({
  schema: "midcall/campaign@1",
  command,
  level: LEVEL,
  runs,
  ...(explored === undefined ? {} : { explored }),
  ...(interrupted === undefined ? {} : { interrupted }),
});
