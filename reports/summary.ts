/** A run as Markdown: verdict and cause first, then conditions, oracles and numbers. */
import type { Scenario } from "../scenarios/expanded.ts";
import { printable } from "./escape.ts";
import { instant } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import type { Result } from "./result.ts";
import { stripLegend, stripsOf } from "./strip.ts";
import { timelineOf } from "./timeline.ts";
import { CONDITION_HEADS, conditionCells, howItRan, numberedParties, numberRows, replayCommand, whatRan } from "./wording.ts";

/** summary.md of one run. Ends with a line feed. */
export function summary(result: Result, scenario: Scenario, evidence: Evidence): string {
  const parties = numberedParties(scenario);
  return [
    `# ${text(result.scenario)}: ${result.verdict}`,
    "",
    ...(result.culprit === undefined ? [] : [`**${text(result.culprit.sentence)}**`, ""]),
    text(result.cause),
    "",
    `Asked: ${text(scenario.asks)}`,
    "",
    `Replay: ${code(replayCommand(result))}`,
    "",
    "## What happened",
    "",
    ...strips(evidence, result),
    "",
    "## Conditions",
    "",
    ...(result.conditions.length === 0 ? ["No faults."] : table(CONDITION_HEADS, result.conditions.map(conditionCells))),
    "",
    "## Oracles",
    "",
    ...table(
      ["Verdict", "Oracle", "Figures"],
      result.oracles.map((one) => [one.verdict === "held" ? "held" : `**${one.verdict}**`, one.name, text(one.detail)]),
      (cell) => cell,
    ),
    "",
    "## Numbers",
    "",
    ...table(["", ...parties], numberRows(result, parties)),
    "",
    `Ran: ${text(howItRan(result))}. ${text(whatRan(result))}. Log hash ${code(result.hash)}.`,
    "",
  ].join("\n");
}

/** The run's lanes as a table of characters, and what they stand for: GitHub shows no drawing inside Markdown. */
export function strips(evidence: Evidence, result: Result): string[] {
  const timeline = timelineOf(evidence, result.oracles);
  const rows = stripsOf(evidence, timeline);
  // Spaces stay as wide as the other characters in code, and one at either end would be taken off.
  const lane = (glyphs: string): string => code(`[${glyphs}]`);
  const lines = table(
    ["", `0 to ${instant(timeline.end)}`],
    rows.map(({ name, glyphs }) => [text(name), lane(glyphs)]),
    (cell) => cell,
  );
  return [...lines, "", text(stripLegend(rows, timeline.end))];
}

/** A Markdown table, its columns padded for readers of the text itself; cells are escaped by `cell` (by default as plain text). */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  cell: (value: string) => string = text,
): string[] {
  const shown = [heads.map(text), ...rows.map((row) => row.map(cell))];
  const widths = heads.map((_, column) => shown.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 3));
  const line = (cells: readonly string[]): string => `| ${cells.map((one, i) => one.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = shown;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)];
}

/** One line without what would control a terminal that shows the Markdown itself. */
export const oneLine = (value: string): string => printable(value.replace(/[\r\n]+/g, " "));

/** Plain text as Markdown shows it unchanged: one line, with everything that could begin markup or HTML escaped. */
export const text = (value: string): string => oneLine(value).replace(/[\\`*_[\]<>|#~&]/g, "\\$&");

/** Text between backticks, with as many of them as it takes. */
export function code(value: string): string {
  const longest = Math.max(0, ...[...value.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  const pad = value.startsWith("`") || value.endsWith("`") ? " " : "";
  return `${fence}${pad}${oneLine(value)}${pad}${fence}`;
}
