/**
 * Results for GitHub Actions: a step summary in Markdown and `::error` annotations (docs.github.com, workflow commands).
 * GitHub shows 10 annotations of a kind per step and aborts a summary above 1 MiB, so both are cut here, worst first.
 */

import { WORST_FIRST } from "./campaign.ts";
import { escaped, printable } from "./escape.ts";
import type { Result } from "./result.ts";
import { code, oneLine, table, text } from "./summary.ts";
import { type Assessed, notHeld, replayCommand, reproBlock } from "./wording.ts";

/** Annotations of one kind that a step shows. */
const ANNOTATIONS_SHOWN = 10;
/** UTF-16 units kept of a step summary; at most three octets each, it stays below 1 MiB. */
const SUMMARY_UNITS = 340_000;

const worstFirst = (runs: readonly Assessed[]): readonly Assessed[] =>
  runs.toSorted((a, b) => WORST_FIRST.indexOf(a.result.verdict) - WORST_FIRST.indexOf(b.result.verdict));

/** Markdown for $GITHUB_STEP_SUMMARY: the verdicts in one table, then a block to open for each run that did not hold, with its lanes as far as `lanesOf` knows them. */
export function stepSummary(runs: readonly Assessed[], lanesOf: (run: Assessed) => readonly string[] = () => []): string {
  const rows = worstFirst(runs).map(({ result }) => [
    result.verdict,
    result.scenario,
    result.lab,
    result.seed,
    result.culprit?.sentence ?? result.cause,
  ]);
  const parts = ["## midcall", "", ...table(["Verdict", "Scenario", "Lab", "Seed", "Cause"], rows), ""];
  for (const run of worstFirst(runs)) if (run.result.verdict !== "held") parts.push(details(run.result, lanesOf(run)));
  let out = "";
  for (const [index, part] of parts.entries()) {
    if (out.length + part.length > SUMMARY_UNITS)
      return `${out}\n${parts.length - index} more parts left out: too long for a step summary.\n`;
    out += `${part}\n`;
  }
  return out;
}

function details(result: Result, lanes: readonly string[]): string {
  const block = reproBlock(result).map((line) => oneLine(line).replaceAll("```", "` ` `"));
  const rest = notHeld(result).map((one) => `- **${one.verdict}** ${code(one.name)} ${text(one.detail)}`);
  const title = `${escaped(oneLine(result.scenario))}: ${result.verdict}, seed ${escaped(oneLine(result.seed))}`;
  return [
    "<details>",
    `<summary>${title}</summary>`,
    "",
    "```",
    ...block,
    "```",
    "",
    ...rest,
    "",
    ...lanes,
    "",
    "</details>",
    "",
  ].join("\n");
}

/** Workflow commands: one `::error` per distinct broken or crashed oracle, one `::warning` per inconclusive one, worst first. */
export function annotations(runs: readonly Assessed[]): string[] {
  const seen = new Map<string, { readonly kind: "error" | "warning"; readonly line: string; more: number }>();
  for (const { result } of worstFirst(runs))
    for (const one of notHeld(result)) {
      const kind = one.verdict === "broken" ? "error" : "warning";
      const name = `${kind} ${result.scenario} ${one.name}`;
      const known = seen.get(name);
      if (known !== undefined) {
        known.more++;
        continue;
      }
      const title = `${result.scenario}: ${one.name} ${result.verdict === "crashed" ? "crashed" : one.verdict}`;
      const first = result.culprit === undefined ? "" : `\nlook first: ${result.culprit.sentence}`;
      const message = `${one.detail}${first}\nseed ${result.seed}\nreplay: ${replayCommand(result)}`;
      seen.set(name, { kind, line: `::${kind} title=${property(title)}::${data(message)}`, more: 0 });
    }
  return (["error", "warning"] as const).flatMap((kind) =>
    [...seen.values()]
      .filter((one) => one.kind === kind)
      .slice(0, ANNOTATIONS_SHOWN)
      .map((one) => (one.more === 0 ? one.line : `${one.line}${data(`\nand in ${one.more} more runs`)}`)),
  );
}

/** Lines of a message, told apart by GitHub's escape; whatever else controls is no part of it. */
const data = (value: string): string =>
  value
    .split(/\r\n|\r|\n/)
    .map((line) => printable(line).replace(/%/g, "%25"))
    .join("%0A");
const property = (value: string): string => data(value).replace(/:/g, "%3A").replace(/,/g, "%2C");
