/** Comparisons as words: what is chance is called that, of two runs and of two campaigns. */
import { type CampaignComparison, FEWEST, LEVEL, type Shift } from "./campaign-comparison.ts";
import { numeral } from "./comparison.ts";
import type { Result } from "./result.ts";
import { table, text } from "./summary.ts";

/** What of a difference between two single runs may be chance. */
export function chanceOf(before: Result, after: Result): string {
  if (before.lab === "sim" && after.lab === "sim" && before.seed === after.seed)
    return before.hash === after.hash
      ? "The same seed and the same log."
      : "The same seed in virtual time: chance was the same for both, so what differs comes from what was changed.";
  return `One run each, ${before.lab === "sim" && after.lab === "sim" ? "of different seeds" : "not both in virtual time"}: any of these differences may be chance. To tell, compare folders of ${FEWEST} runs and more (midcall run NAME --repeat ${2 * FEWEST}).`;
}

/** `+120 ms`, with a sign. */
const signed = (value: number, unit: Shift["unit"]): string => `${value < 0 ? "−" : "+"}${numeral(Math.abs(value), unit)}`;

const SAYS: Readonly<Record<Shift["says"], string>> = {
  more: "more",
  less: "less",
  noise: "noise",
  same: "the same",
  unknown: `too few runs`,
};

/** Cells of a shift: figure, before, after, change, interval, what it says. */
export function shiftCells(one: Shift): readonly string[] {
  const side = ({ median, values, never }: Shift["before"]): string =>
    `${median === null ? "never" : numeral(median, one.unit)} (${values.length}${never === 0 ? "" : `, ${never} without`})`;
  return [
    one.name,
    side(one.before),
    side(one.after),
    one.change === null ? "" : signed(one.change, one.unit),
    one.interval === null ? "" : `${signed(one.interval[0], one.unit)} to ${signed(one.interval[1], one.unit)}`,
    SAYS[one.says],
  ];
}

export const SHIFT_HEADS: readonly string[] = [
  "",
  "Median before (runs)",
  "Median after (runs)",
  "Change",
  `${LEVEL * 100} % interval`,
  "Says",
];

/** `7 held, 1 broken`. */
export const countWords = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(", ") || "not run";

/** How many figures changed and how many are noise, in one sentence. */
export function verdictOnShifts(shifts: readonly Shift[]): string {
  const count = (...says: readonly Shift["says"][]): number => shifts.filter((one) => says.includes(one.says)).length;
  const few = count("unknown");
  return `${count("more", "less")} of ${shifts.length} figures changed; ${count("noise")} differ no more than noise does, ${count("same")} are the same${few === 0 ? "" : `, and of ${few} there are too few runs to tell (want ${FEWEST} on each side)`}.`;
}

/** As Markdown; with `all`, noise and what is the same too. Ends with a line feed. */
export function campaignsMarkdown(comparison: CampaignComparison, all: boolean): string {
  const { before, after, verdicts, shifts } = comparison;
  const shown = shifts.filter(({ says }) => all || says === "more" || says === "less");
  const cases = [...Map.groupBy(shown, ({ scenario, lab }) => `${scenario}, ${lab}`)];
  return [
    `# ${text(before)} and ${text(after)}`,
    "",
    verdictOnShifts(shifts),
    "",
    ...table(
      ["Scenario", "Laboratory", "Before", "After"],
      verdicts.map((one) => [one.scenario, one.lab, countWords(one.before), countWords(one.after)]),
    ),
    "",
    ...cases.flatMap(([name, own]) => [`## ${text(name)}`, "", ...table(SHIFT_HEADS, own.map(shiftCells)), ""]),
  ].join("\n");
}
