/**
 * Two campaigns side by side: many runs of the same scenarios, before and after. A figure's change is stated with the interval it lies in, and is called
 * noise where that interval holds 0. The interval is the percentile bootstrap of the difference of medians (Efron and Tibshirani, An Introduction to the
 * Bootstrap, 1993, chapter 13); where both campaigns ran the same seeds in virtual time, seeds are resampled in pairs, because what a seed brings is
 * then the same on both sides.
 */
import { randomness } from "../impl/base/random.ts";
import { type Figure, figuresOf } from "./comparison.ts";
import type { Result } from "./result.ts";

/** Of one figure of one scenario. */
export type Shift = {
  readonly scenario: string;
  readonly lab: string;
  readonly group: Figure["group"];
  readonly name: string;
  readonly unit: Figure["unit"];
  readonly before: Sample;
  readonly after: Sample;
  /** Of the medians, after less before; null when a side has no number. */
  readonly change: number | null;
  /** Where the change lies with LEVEL confidence; null when there are too few runs to say. */
  readonly interval: readonly [low: number, high: number] | null;
  /** `same`: equal run by run, or in all runs. `noise`: the interval holds 0. `unknown`: too few runs. */
  readonly says: "more" | "less" | "noise" | "same" | "unknown";
  readonly isPaired: boolean;
};

/** Numbers of all runs of one side, in the order of their seeds; `never` counts runs whose figure is no number. */
export type Sample = { readonly values: readonly number[]; readonly median: number | null; readonly never: number };

export type CampaignComparison = {
  readonly schema: "midcall/campaigns@1";
  readonly before: string;
  readonly after: string;
  readonly level: number;
  readonly verdicts: readonly {
    readonly scenario: string;
    readonly lab: string;
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
  }[];
  /** Real changes first, the largest in relation to its interval before others. */
  readonly shifts: readonly Shift[];
};

/** chosen: with a hundred figures one in a hundred is called a change by chance. */
export const LEVEL = 0.99;
/** chosen: ten resamples lie beyond each end of the interval. */
const RESAMPLES = 2_000;
/** With fewer runs the bootstrap knows nothing of the tails. chosen. */
export const FEWEST = 5;

const GROUPS: ReadonlySet<Figure["group"]> = new Set(["recovery", "audio", "signal", "generations", "network"]);

/** `before` and `after` name the campaigns. Scenarios that only one of them ran are left out of the shifts and seen in the verdicts. */
export function compareCampaigns(
  before: { readonly name: string; readonly results: readonly Result[] },
  after: { readonly name: string; readonly results: readonly Result[] },
): CampaignComparison {
  const keyOf = ({ scenario, lab }: Result): string => `${scenario} ${lab}`;
  const [old, young] = [Map.groupBy(before.results, keyOf), Map.groupBy(after.results, keyOf)];
  const keys = [...new Set([...old.keys(), ...young.keys()])].sort();
  const verdictsOf = (results: readonly Result[]): Record<string, number> =>
    Object.fromEntries([...Map.groupBy(results, ({ verdict }) => verdict)].map(([verdict, all]) => [verdict, all.length]));
  const verdicts = keys.map((key) => {
    const [a, b] = [old.get(key) ?? [], young.get(key) ?? []];
    const { scenario = "", lab = "" } = a[0] ?? b[0] ?? {};
    return { scenario, lab, before: verdictsOf(a), after: verdictsOf(b) };
  });
  const shifts = keys.flatMap((key) => shiftsOf(bySeed(old.get(key) ?? []), bySeed(young.get(key) ?? [])));
  return {
    schema: "midcall/campaigns@1",
    before: before.name,
    after: after.name,
    level: LEVEL,
    verdicts,
    shifts: shifts.sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1)),
  };
}

const bySeed = (results: readonly Result[]): Result[] => results.toSorted((a, b) => Number(a.seed) - Number(b.seed));

/** Changes before noise, and the change that is largest beside its interval first. */
function rank({ says, change, interval }: Shift): number {
  if (says === "unknown") return 0.5;
  if (says === "same") return 0;
  const width = interval === null ? 0 : interval[1] - interval[0];
  const size = Math.abs(change ?? 0) / (width + 1e-9);
  return says === "noise" ? 1 + Math.min(1, size) : 10 + size;
}

function shiftsOf(before: readonly Result[], after: readonly Result[]): Shift[] {
  const [first, other] = [before[0], after[0]];
  if (first === undefined || other === undefined) return [];
  const isPaired = first.lab === "sim" && before.length === after.length && before.every((one, i) => one.seed === after[i]?.seed);
  const [old, young] = [before.map(figuresOf), after.map(figuresOf)];
  const keys = [...new Set([...old, ...young].flatMap((figures) => [...figures.keys()]))];
  return keys.flatMap((key): Shift[] => {
    const reading = [...old, ...young].find((figures) => figures.has(key))?.get(key);
    if (reading === undefined || !GROUPS.has(reading.group) || reading.unit === "word") return [];
    const numbers = (sides: typeof old): (number | null)[] =>
      sides.map((figures) => {
        const value = figures.get(key)?.value;
        return typeof value === "number" ? value : null;
      });
    const [a, b] = [numbers(old), numbers(young)];
    const isWhole = a.every((one) => one !== null) && b.every((one) => one !== null);
    const [x, y] = [present(a), present(b)];
    const [before, after] = [sampleOf(x, a.length), sampleOf(y, b.length)];
    const change = before.median === null || after.median === null ? null : rounded(after.median - before.median);
    const pairs = isPaired && isWhole;
    const isSame = isWhole && ((pairs && x.every((one, i) => one === y[i])) || [...x, ...y].every((one) => one === x[0]));
    const interval = isSame || Math.min(x.length, y.length) < FEWEST ? null : intervalOf(x, y, pairs, key);
    const { group, name, unit } = reading;
    return [
      {
        scenario: first.scenario,
        lab: first.lab,
        group,
        name,
        unit,
        before,
        after,
        change,
        interval,
        says: wordFor(isSame, interval),
        isPaired: pairs,
      },
    ];
  });
}

function wordFor(isSame: boolean, interval: Shift["interval"]): Shift["says"] {
  if (isSame) return "same";
  if (interval === null) return "unknown";
  if (interval[0] > 0) return "more";
  return interval[1] < 0 ? "less" : "noise";
}

const present = (values: readonly (number | null)[]): number[] => values.filter((one) => one !== null);
const sampleOf = (values: readonly number[], runs: number): Sample => ({
  values,
  median: values.length === 0 ? null : rounded(medianOf(values)),
  never: runs - values.length,
});

/** The mean of the middle two where there are two. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Drawn by the figure's own name: the same campaigns give the same interval. */
function intervalOf(x: readonly number[], y: readonly number[], isPaired: boolean, name: string): readonly [number, number] {
  const draws = randomness(1).stream(`bootstrap/${name}`);
  const differences = new Float64Array(RESAMPLES);
  const [a, b] = [[...x], [...y]];
  for (let i = 0; i < RESAMPLES; i++) {
    for (let k = 0; k < a.length; k++) {
      const pick = draws.nextBelow(x.length);
      a[k] = x[pick] ?? 0;
      if (isPaired) b[k] = y[pick] ?? 0;
    }
    if (!isPaired) for (let k = 0; k < b.length; k++) b[k] = y[draws.nextBelow(y.length)] ?? 0;
    differences[i] = medianOf(b) - medianOf(a);
  }
  differences.sort();
  const tail = (1 - LEVEL) / 2;
  const at = (share: number): number => rounded(differences[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))] ?? 0);
  return [at(tail), at(1 - tail)];
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
