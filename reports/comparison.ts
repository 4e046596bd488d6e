/**
 * Two runs side by side: every figure of both results, what they differ in first. The runs may be of different seeds, laboratories, versions or
 * scenarios; a figure that one of them lacks is absent there. What a difference means is the reader's to say: nothing is judged here.
 */
import { inMs, inPercent } from "./finding.ts";
import type { Condition, Observed, OracleResult, PartyAudio, Recovery, Result } from "./result.ts";
import { table, text } from "./summary.ts";

/** Null: never, or unknown. */
export type Value = number | string | boolean | null;

/** One figure of both runs. */
export type Figure = {
  readonly group: "run" | "oracle" | "condition" | "recovery" | "audio" | "signal" | "path" | "generations" | "network";
  /** `alice longestGapMs`, with the field names of result.json. */
  readonly name: string;
  /** What `before` and `after` count; `word`: a text, a yes or a no. */
  readonly unit: "ms" | "ratio" | "mos" | "count" | "word";
  /** Absent: that run has no such figure. */
  readonly before?: Value;
  readonly after?: Value;
  /** `after` less `before`, where both are numbers. */
  readonly change?: number;
};

export type Comparison = {
  readonly schema: "midcall/comparison@1";
  readonly before: string;
  readonly after: string;
  readonly differing: readonly Figure[];
  /** Figures that are the same in both. */
  readonly same: readonly Figure[];
};

/** Compares two results; `before` and `after` in it name their folders. */
export function compare(before: Result, after: Result): Comparison {
  const [old, young] = [figuresOf(before), figuresOf(after)];
  const figures = [...new Set([...old.keys(), ...young.keys()])].map((key) => pair(old.get(key), young.get(key)));
  const isSame = (one: Figure): boolean => Object.is(one.before, one.after);
  return {
    schema: "midcall/comparison@1",
    before: before.dir,
    after: after.dir,
    differing: figures.filter((one) => !isSame(one)),
    same: figures.filter(isSame),
  };
}

/** The comparison as Markdown: a table for each group that differs; with `all`, also what is the same. Ends with a line feed. */
export function comparisonMarkdown({ before, after, differing, same }: Comparison, all: boolean): string {
  const shown = all ? [...differing, ...same] : differing;
  const groups = [...new Set(shown.map((one) => one.group))].sort((a, b) => GROUPS.indexOf(a) - GROUPS.indexOf(b));
  const count = differing.length + same.length;
  return [
    `# ${text(before)} and ${text(after)}`,
    "",
    differing.length === 0 ? `All ${count} figures are the same.` : `${differing.length} of ${count} figures differ.`,
    "",
    ...groups.flatMap((group) => [
      `## ${TITLES[group]}`,
      "",
      ...table(
        ["", "Before", "After", "Change"],
        shown
          .filter((one) => one.group === group)
          .map((one) => [one.name, words(one, "before"), words(one, "after"), changeOf(one)]),
      ),
      "",
    ]),
  ].join("\n");
}

/** What a group of figures is called. */
export const TITLES: Readonly<Record<Figure["group"], string>> = {
  run: "The runs",
  oracle: "Oracles",
  condition: "Faults",
  recovery: "Recovery",
  audio: "Audio",
  signal: "Signalling",
  path: "Paths",
  generations: "Candidate updates",
  network: "Traffic",
};
const GROUPS = Object.keys(TITLES);

/** One figure of one result. */
export type Reading = {
  readonly group: Figure["group"];
  readonly name: string;
  readonly unit: Figure["unit"];
  readonly value: Value;
};

function pair(before: Reading | undefined, after: Reading | undefined): Figure {
  const { group, name, unit } = (after ?? before) as Reading;
  const [a, b] = [before?.value, after?.value];
  return {
    group,
    name,
    unit,
    ...(a === undefined ? {} : { before: a }),
    ...(b === undefined ? {} : { after: b }),
    ...(typeof a === "number" && typeof b === "number" ? { change: rounded(b - a) } : {}),
  };
}

/** Differences of decimal fractions without the dust of binary ones. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/** Every figure of a result by group and name. */
export function figuresOf(result: Result): Map<string, Reading> {
  const readings = new Map<string, Reading>();
  const read = (group: Figure["group"], name: string, unit: Figure["unit"], value: Value): void => {
    readings.set(`${group} ${name}`, { group, name, unit, value });
  };
  for (const name of ["scenario", "lab", "seed", "codec", "crypto", "verdict", "cause", "hash"] as const)
    read("run", name, "word", result[name]);
  for (const name of ["midcall", "node", "commit"] as const) read("run", name, "word", result.versions[name]);
  read("run", "virtualMs", "ms", result.virtualMs);
  for (const [name, one] of numbered(result.oracles, (one: OracleResult) => one.name)) {
    read("oracle", name, "word", one.verdict);
    read("oracle", `${name}: figures`, "word", one.detail);
  }
  const conditions = [...numbered(result.conditions, (one: Condition) => one.fault)];
  for (const [name, one] of conditions) {
    read("condition", `${name}: appliedMs`, "ms", one.appliedMs);
    read("condition", `${name}: healedMs`, "ms", one.healedMs);
    for (const [what, value] of traces(one.observed))
      read("condition", `${name}: ${what}`, typeof value === "number" ? "count" : "word", value);
  }
  const { audio, recovery, signal, path, generations, network } = result.measurements;
  for (const one of recovery) {
    const fault = conditions[one.fault]?.[0] ?? `fault ${one.fault}`;
    for (const which of RECOVERY)
      read("recovery", `${one.party} ${which} (${fault})`, which === "stops" ? "count" : "ms", one[which]);
  }
  for (const [party, one] of Object.entries(audio)) {
    for (const [name, unit] of AUDIO) read("audio", `${party} ${name}`, unit, one[name] ?? null);
    read("audio", `${party} mouthToEarMs.p50`, "ms", one.mouthToEarMs.p50);
    read("audio", `${party} mouthToEarMs.p95`, "ms", one.mouthToEarMs.p95);
  }
  for (const [party, one] of Object.entries(signal))
    for (const [name, value] of Object.entries(one))
      read("signal", `${party} ${name}`, name === "downMs" ? "ms" : "count", value);
  for (const [party, steps] of Object.entries(path))
    read("path", party, "word", steps.map((one) => `${one.path} (${one.candidate})`).join(", then ") || "none");
  for (const [party, one] of Object.entries(generations))
    for (const [name, value] of Object.entries(one)) read("generations", `${party} ${name}`, "count", value);
  for (const [party, one] of Object.entries(network))
    for (const [name, value] of Object.entries(one)) read("network", `${party} ${name}`, "count", value);
  return readings;
}

const RECOVERY: readonly (keyof Recovery & ("fromFaultMs" | "fromHealMs" | "stops"))[] = ["fromFaultMs", "fromHealMs", "stops"];
const AUDIO: readonly (readonly [
  Exclude<keyof PartyAudio, "mouthToEarMs" | "mosProvisional" | "gapHistogram" | "recoveredBy">,
  Figure["unit"],
])[] = [
  ["longestGapMs", "ms"],
  ["gapCount", "count"],
  ["interruptionCount", "count"],
  ["totalGapMs", "ms"],
  ["totalInterruptionMs", "ms"],
  ["concealmentRatio", "ratio"],
  ["mos", "mos"],
  ["framesExpected", "count"],
  ["framesPlayed", "count"],
  ["framesRecovered", "count"],
  ["framesConcealed", "count"],
  ["framesSilent", "count"],
  ["framesComfort", "count"],
  ["lateDiscarded", "count"],
  ["fecPacketsDiscarded", "count"],
  ["firstSourceMs", "ms"],
];

/** What a fault left behind, flat. */
const traces = ({ touched, ...rest }: Observed): [string, number | boolean][] => [
  ...Object.entries(rest),
  ...Object.entries(touched ?? {}).map(([what, packets]): [string, number] => [`touched ${what}`, packets]),
];

/** Names as they come; those that come again are numbered. */
function numbered<T>(all: readonly T[], nameOf: (one: T) => string): [string, T][] {
  const seen = new Map<string, number>();
  return all.map((one) => {
    const name = nameOf(one);
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return [nth === 1 ? name : `${name} #${nth}`, one];
  });
}

/** One side of a figure for a reader. */
export function words(one: Figure, which: "before" | "after"): string {
  const value = one[which];
  if (value === undefined) return "absent";
  if (value === null) return one.group === "recovery" || one.group === "condition" ? "never" : "unknown";
  if (typeof value !== "number") return String(value);
  return numeral(value, one.unit);
}

/** Its change with a sign; empty: none. */
export const changeOf = ({ change, unit }: Figure): string =>
  change === undefined || change === 0 ? "" : `${change > 0 ? "+" : "−"}${numeral(Math.abs(change), unit)}`;

/** A number in its unit. */
export function numeral(value: number, unit: Figure["unit"]): string {
  switch (unit) {
    case "ms":
      return inMs(value);
    case "ratio":
      return inPercent(value);
    case "mos":
      return value.toFixed(2);
    default:
      return String(value);
  }
}
