/**
 * The same cases and seeds in virtual time and on a real kernel, side by side: what the model is held to. Scheduling is the machine's and no two real runs are
 * the same: of lengths of time the median over the seeds counts, of each run's mean over its parties and faults alike (two parties of whom one is worse off have no middle); of ratios the mean.
 */
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { describeFault } from "../scenarios/fault-label.ts";
import { inMs, inPercent } from "./finding.ts";
import type { PartyAudio, Result } from "./result.ts";
import { table } from "./summary.ts";

/** One figure of one case. Null: never, by the median of the runs. */
export type ParityRow = {
  readonly scenario: string;
  /** `recovery from kill r1`, `longest gap`, `concealment`, `mouth to ear`, `held`. */
  readonly figure: string;
  readonly unit: "ms" | "ratio" | "runs";
  readonly sim: number | null;
  readonly real: number | null;
  /** How far apart the two may be; null: told, and not held to anything. */
  readonly tolerance: number | null;
};

/** chosen: what a person cannot tell apart, and what processes on a shared machine cost a recovery of five messages. */
const RECOVERY_MS = 30;
const RECOVERY_SHARE = 0.2;
const GAP_MS = 40;
const CONCEALMENT = 0.02;
/** The standard error of a median is this much that of a mean, for normal values: √(π/2). */
const MEDIAN_TO_MEAN = Math.sqrt(Math.PI / 2);
/** chosen: two standard errors, which one comparison in twenty goes beyond by chance alone. */
const STANDARD_ERRORS = 2;

/**
 * The figures of one case; both lists are its results of the same seeds. A case without audio has only its verdicts. How soon a call gets over an
 * impairment that stays is told and not held to anything: whether a gap of such a call passes for a stop is a coin that each run throws anew.
 * Lengths of time hang on the instant at which a timer happened to be, which a real run draws anew: with fewer than five seeds, `model`, many results of
 * the model, tells by how much more the middles of so few may differ by chance.
 */
export function parityRows(
  { name, faults }: Scenario,
  sim: readonly Result[],
  real: readonly Result[],
  model: readonly Result[] = [],
): ParityRow[] {
  const rows: ParityRow[] = [];
  const row = (
    figure: string,
    unit: ParityRow["unit"],
    of: (all: readonly Result[]) => number | null | undefined,
    tolerance: (sim: number) => number | null,
  ): void => {
    const [a, b] = [of(sim), of(real)];
    if (a === undefined && b === undefined) return;
    const most = tolerance(a ?? 0);
    const single = unit === "ms" ? model.flatMap((one) => of([one]) ?? []) : [];
    const allowed = most === null ? null : most + chanceOf(single, sim.length, real.length);
    rows.push({ scenario: name, figure, unit, sim: a ?? null, real: b ?? null, tolerance: allowed });
  };
  const audioOf = (one: Result): readonly PartyAudio[] => Object.values(one.measurements.audio);
  row(
    "held",
    "runs",
    (all) => all.filter((one) => one.verdict === "held").length,
    () => 0,
  );
  for (const [label, numbers] of Map.groupBy(faults.keys(), (index) => labelOf(faults[index]))) {
    const stays = numbers.every((index) => faults[index]?.kind === "impair" && faults[index].for === null);
    row(
      `recovery from ${label}`,
      "ms",
      (all) => median(all.flatMap((one) => mean(recoveriesOf(one, numbers)) ?? [])),
      (ms) => (stays ? null : Math.max(RECOVERY_MS, RECOVERY_SHARE * ms)),
    );
  }
  row(
    "longest gap",
    "ms",
    (all) => median(all.flatMap((one) => mean(audioOf(one).map(({ longestGapMs }) => longestGapMs)) ?? [])),
    () => GAP_MS,
  );
  row(
    "concealment",
    "ratio",
    (all) => mean(all.flatMap(audioOf).map((one) => one.concealmentRatio)),
    () => CONCEALMENT,
  );
  row(
    "mouth to ear",
    "ms",
    (all) => median(all.flatMap((one) => mean(audioOf(one).flatMap(({ mouthToEarMs }) => mouthToEarMs.p50 ?? [])) ?? [])),
    () => null,
  );
  return rows;
}

/**
 * Both lists (the same seeds, in the same order) without the seeds whose real run was inconclusive: of a run that the machine held up, or whose fault
 * left no trace, nothing can be said. `leftOut`: those seeds, as in the log.
 */
export function withoutTroubled(
  sim: readonly Result[],
  real: readonly Result[],
): { readonly sim: readonly Result[]; readonly real: readonly Result[]; readonly leftOut: readonly string[] } {
  const isTroubled = (index: number): boolean => real[index]?.verdict === "inconclusive";
  return {
    sim: sim.filter((_, index) => !isTroubled(index)),
    real: real.filter((_, index) => !isTroubled(index)),
    leftOut: real.filter((_, index) => isTroubled(index)).map((one) => String(one.seed)),
  };
}

/** Whether the model told the truth, as far as it is held to it. */
export function isWithin({ sim, real, tolerance }: ParityRow): boolean {
  if (tolerance === null) return true;
  return sim === null || real === null ? sim === real : Math.abs(sim - real) <= tolerance;
}

/** The rows as a Markdown table; a figure beyond its tolerance is marked. */
export const parityTable = (rows: readonly ParityRow[], lab: string): string[] =>
  table(
    ["Case", "Figure", "sim", lab, "May differ by", "Within"],
    rows.map((one) => [
      one.scenario,
      one.figure,
      numeral(one.sim, one.unit),
      numeral(one.real, one.unit),
      one.tolerance === null ? "" : numeral(one.tolerance, one.unit),
      one.tolerance === null ? "" : isWithin(one) ? "yes" : "NO",
    ]),
  );

/** A fault in a few words: what an impairment changes is the case's to say. */
const labelOf = (fault: Fault | undefined): string => (fault === undefined ? "" : (describeFault(fault).split(":")[0] ?? ""));

/** From the heal: 0 where media never stopped, or came back before it. */
const recoveriesOf = ({ measurements }: Result, faults: readonly number[]): number[] =>
  measurements.recovery.filter((one) => faults.includes(one.fault)).map((one) => one.fromHealMs ?? Number.POSITIVE_INFINITY);

/** The middle value, the lower one of two; null when that is never; undefined when there is none. */
function median(values: readonly number[]): number | null | undefined {
  const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  return middle === Number.POSITIVE_INFINITY ? null : middle;
}

/** By how much the middles of `a` and of `b` runs differ by chance, in the unit of `values`, which are of single runs. */
function chanceOf(values: readonly number[], a: number, b: number): number {
  const middle = mean(values);
  if (middle === undefined || values.length < 2 || a === 0 || b === 0) return 0;
  const variance = values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (values.length - 1);
  return STANDARD_ERRORS * MEDIAN_TO_MEAN * Math.sqrt(variance * (1 / a + 1 / b));
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0) / values.length;

function numeral(value: number | null, unit: ParityRow["unit"]): string {
  if (value === null) return "never";
  return unit === "ms" ? inMs(Math.round(value)) : unit === "ratio" ? inPercent(value) : String(value);
}
