/**
 * campaign.html: many runs on one page. Verdict and counts first, then why runs did not hold, the cases, their figures drawn, what an explored campaign met, and
 * the runs. Every number is of campaign.ts, which has it from the runs' results.
 */
import {
  type Campaign,
  type CampaignCase,
  casesOf,
  countsOf,
  FIGURES,
  type FigureName,
  type Met,
  type Spread,
  WORST_FIRST,
} from "./campaign.ts";
import { FIGURE_WORDS, figureWords, spreadDrawing } from "./campaign-drawing.ts";
import { again, CAMPAIGN_STYLE, filterOf, interruption, type SortedTable, sortableTable, verdictBar } from "./campaign-parts.ts";
import { type Reason, reasonsOf } from "./campaign-reasons.ts";
import type { CampaignRun } from "./campaign-run.ts";
import { escaped } from "./escape.ts";
import { inPercent } from "./finding.ts";
import { SYMBOL } from "./html-parts.ts";
import { type PageScript, pageOf } from "./page-shell.ts";

/** What the page needs from the machine. `linkTo`: a file of a run's folder, as the page links to it. */
export type CampaignExtras = {
  readonly scripts?: readonly PageScript[];
  linkTo(dir: string, file: string): string;
};

/** The whole page. */
export function campaignPage(campaign: Campaign, extras: CampaignExtras): string {
  const { runs, command, explored, interrupted } = campaign;
  const counts = countsOf(runs);
  const verdict = WORST_FIRST.find((one) => counts[one] !== undefined) ?? "inconclusive";
  const [cases, why] = [casesOf(runs), reasonsOf(runs)];
  const names = new Set(cases.map(({ scenario }) => scenario)).size;
  const body = `<header class="${verdict}">
<p class="verdict"><span aria-hidden="true">${SYMBOL[verdict]}</span> ${verdict}</p>
<h1>${runs.length} runs of ${names} ${explored === undefined ? (names === 1 ? "case" : "cases") : `explored ${names === 1 ? "case" : "cases"}`}</h1>
${verdictBar(counts, runs.length)}
${interruption(runs.length, interrupted)}<p class="cause culprit">${escaped(headline(why, runs.length))}</p>
<p class="replay"><span>Again</span> ${again(command)}</p>
</header>
${why.length === 0 ? "" : `<section aria-labelledby="why"><h2 id="why">Why they did not hold</h2>\n<div class="reasons">${why.map((one) => reasonBlock(one, extras)).join("\n")}</div></section>`}
<section aria-labelledby="cases"><h2 id="cases">Cases</h2>
<p class="soft">Worst of all parties and seeds; below it the median over the seeds, with the interval that holds the median of all seeds with ${campaign.level * 100} % confidence (from six runs on). Below the runs the interval of the share of all seeds that do not hold.</p>
${cases.length > 8 ? filterOf("case-table", "Only cases with") : ""}
${sortableTable(caseTable(cases, extras))}</section>
<section aria-labelledby="spread"><h2 id="spread">How the runs lie</h2>
<p class="soft">A point is a run and leads to its report; a diamond did not hold; the bar is the median. From the first tick on the axis widens each decade alike.</p>
<div class="spreads">${FIGURES.map((name) => drawn(name, campaign, cases, extras)).join("\n")}</div></section>
${explored === undefined ? "" : exploredPart(explored, runs.length)}
${runsPart(campaign, extras)}
<footer><p>${escaped(command)}: ${runs.length} runs, ${(runs.reduce((sum, one) => sum + one.virtualMs, 0) / 3_600_000).toFixed(2)} hours of run time. campaign.json beside this page has every row.</p></footer>`;
  return pageOf({
    title: `${verdict}: ${command}`,
    body,
    style: CAMPAIGN_STYLE,
    ...(extras.scripts === undefined ? {} : { scripts: extras.scripts }),
  });
}

/** `3 of 60 runs did not hold, for 2 reasons; 2 of them: …`. */
function headline(why: readonly Reason[], all: number): string {
  const bad = why.reduce((sum, { runs }) => sum + runs.length, 0);
  const [first] = why;
  if (first === undefined) return `All ${all} runs held.`;
  const most = first.runs.length;
  if (why.length === 1)
    return `${bad === all ? (all === 1 ? "It" : `All ${all} runs`) : `${bad} of ${all} runs`} did not hold, for one reason: ${first.says}`;
  return `${bad} of ${all} runs did not hold, for ${why.length} reasons; ${most === 1 ? "the first" : `${most} of them`}: ${first.says}`;
}

/** Runs of a reason that are named. chosen: a glance; the table of runs has the others. */
const NAMED = 24;

function reasonBlock({ verdict, says, component, runs, oracles }: Reason, extras: CampaignExtras): string {
  const what = { crashed: "crashed midcall", broken: "broke", inconclusive: "could not be judged" }[verdict];
  const cases = [...Map.groupBy(runs, ({ scenario }) => scenario)].toSorted((a, b) => b[1].length - a[1].length);
  const [first] = runs;
  const links = (some: readonly CampaignRun[]): string =>
    some
      .slice(0, NAMED)
      .map((run) => link(run, `${cases.length === 1 ? "" : `${run.scenario} `}${run.seed}`, extras))
      .join(", ");
  const lines = oracles.map(
    ([oracle, own]) =>
      `<li><strong>${escaped(oracle)}</strong> ${own.length === runs.length ? "" : `${own.length}: `}${links(own)}${own.length > NAMED ? ` and ${own.length - NAMED} more` : ""}<br><span class="soft">${escaped(own[0]?.notHeld[0]?.detail ?? "")}</span></li>`,
  );
  return `<article class="reason ${verdict}"><h3>${runs.length === 1 ? "One run" : `${runs.length} runs`} ${what}${runs.length === 1 ? "" : " for the same reason"}${component === undefined ? "" : ` <span class="part">${escaped(component)}</span>`}</h3>
<p class="says">${escaped(says)}</p>
<p class="soft">${cases.map(([name, own]) => `${escaped(name)}${own.length === runs.length ? "" : ` ${own.length}`}`).join(", ")}</p>
<ul>${lines.join("\n")}</ul>
${first?.dir === null || first === undefined ? "" : `<p class="replay">${again(`npx midcall replay ${first.dir}/scenario.json`)}</p><p class="replay">${again(`npx midcall shrink ${first.dir}/scenario.json`)}</p>`}</article>`;
}

/** A run's report, or its words where it has none. */
const link = (run: CampaignRun, words: string, { linkTo }: CampaignExtras, file = "report.html"): string =>
  run.dir === null ? escaped(words) : `<a href="${escaped(linkTo(run.dir, file))}">${escaped(words)}</a>`;

const verdictCell = (verdict: CampaignRun["verdict"]): { html: string; value: number } => ({
  html: `<span class="word ${verdict}"><span aria-hidden="true">${SYMBOL[verdict]}</span> ${verdict}</span>`,
  value: WORST_FIRST.length - WORST_FIRST.indexOf(verdict),
});

/** Runs of a case from which on an interval says more than that little is known. chosen: as many as the interval of a median takes. */
const TELLING = 6;

/** Figures of the table of cases; the drawings and the table of runs have one more. */
const TABLED = FIGURES.filter((name) => name !== "mouthToEarMs");

function caseTable(cases: readonly CampaignCase[], extras: CampaignExtras): SortedTable {
  const labs = new Set(cases.map(({ lab }) => lab));
  return {
    id: "case-table",
    heads: ["Case", "Verdict", "Runs", ...TABLED.map((name) => FIGURE_WORDS[name].head), "Cause", "Worst run"],
    rows: cases.map((one) => ({
      tone: one.verdict,
      cells: [
        { html: `${escaped(one.scenario)}${labs.size > 1 ? ` <span class="soft">${escaped(one.lab)}</span>` : ""}` },
        verdictCell(one.verdict),
        {
          html: `<span class="figure">${countText(one)}</span>${one.runs < TELLING ? "" : ` <br><span class="soft">not held: ${shareWords(one.notHeld)}</span>`}`,
          value: one.runs - (one.counts.held ?? 0),
        },
        ...TABLED.map((name) => spreadCell(name, one.figures[name])),
        { html: escaped(one.worst.culprit?.sentence ?? one.worst.cause), isWide: true },
        {
          html: `${link(one.worst, `seed ${one.worst.seed}`, extras)}${one.worst.dir === null ? "" : `<br>${again(`npx midcall replay ${one.worst.dir}/scenario.json`)}`}`,
          value: Number(one.worst.seed),
        },
      ],
    })),
  };
}

/** `at most 39 %`, `2 to 18 %`. */
function shareWords([low, high]: CampaignCase["notHeld"]): string {
  const words = (share: number): string => (share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0);
  return low === 0 ? `at most ${words(high)} %` : `${words(low)} to ${words(high)} %`;
}

const countText = ({ counts, runs }: CampaignCase): string =>
  `${counts.held ?? 0} of ${runs} held${WORST_FIRST.filter((one) => one !== "held" && counts[one] !== undefined)
    .map((one) => `, ${counts[one]} ${one}`)
    .join("")}`;

function spreadCell(name: FigureName, spread: Spread | undefined): { html: string; value: number | undefined } {
  if (spread === undefined) return { html: "", value: undefined };
  const { median, interval, worst, never, values } = spread;
  const words = (value: number): string => (Number.isFinite(value) ? figureWords(name, value) : "never");
  const middle = `median ${median === null ? "never" : words(median)}${interval === null ? "" : ` (${words(interval[0])} to ${words(interval[1])})`}`;
  return {
    html: `<strong>${worst === null ? "never" : words(worst)}</strong>${never === 0 || values.length === 0 ? "" : ` in ${never}`}${values.length + never === 1 ? "" : ` <br><span class="soft">${middle}</span>`}`,
    value: worst ?? Number.MAX_VALUE,
  };
}

function drawn(name: FigureName, { runs }: Campaign, cases: readonly CampaignCase[], extras: CampaignExtras): string {
  const own = cases.map((of) => ({
    of,
    runs: runs.filter(({ scenario, lab }) => scenario === of.scenario && lab === of.lab),
  }));
  const svg = spreadDrawing(name, own, ({ dir }) => (dir === null ? undefined : extras.linkTo(dir, "report.html")));
  const { title } = FIGURE_WORDS[name];
  return svg === undefined
    ? ""
    : `<figure><figcaption>${escaped(title)}</figcaption><div class="drawing" role="region" tabindex="0" aria-label="${escaped(title)}">${svg}</div></figure>`;
}

function exploredPart({ says, probes, faults }: NonNullable<Campaign["explored"]>, all: number): string {
  const table = (id: string, head: string, met: readonly Met[]): string =>
    sortableTable({
      id,
      heads: [head, "What it is", "Runs"],
      rows: met
        .toSorted((a, b) => a.runs - b.runs)
        .map((one) => ({
          tone: one.runs === 0 ? "inconclusive" : "held",
          cells: [
            { html: `${one.runs === 0 ? "never: " : ""}${escaped(one.name)}` },
            { html: escaped(one.says), isWide: true },
            {
              html: `${one.runs}${one.runs === 0 ? "" : ` <span class="soft">${inPercent(one.runs / all)}</span>`}`,
              value: one.runs,
            },
          ],
        })),
    });
  const never = (met: readonly Met[]): string[] => met.flatMap((one) => (one.runs === 0 ? [one.name] : []));
  const sentence = (what: string, met: readonly Met[]): string =>
    `${met.length - never(met).length} of ${met.length} ${what}${never(met).length === 0 ? "" : `; never: ${never(met).join(", ")}`}`;
  return `<section aria-labelledby="met"><h2 id="met">What it met</h2>
${says.map((line) => `<p>${escaped(line)}</p>`).join("\n")}
<details><summary>${escaped(sentence("probes hit", probes))}</summary>${table("probe-table", "Probe", probes)}</details>
<details><summary>${escaped(sentence("kinds of fault struck", faults))}</summary>${table("fault-table", "Fault", faults)}</details></section>`;
}

/** Rows of the table of runs. chosen: about half a megabyte. */
const SHOWN = 600;

function runsPart({ runs }: Campaign, extras: CampaignExtras): string {
  const gap = (one: CampaignRun): number => one.longestGapMs ?? 0;
  const ranked = runs.toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict) || gap(b) - gap(a));
  const shown = ranked.slice(0, SHOWN);
  const figure = (name: FigureName, value: number | null | undefined): { html: string; value: number | undefined } =>
    value === undefined
      ? { html: "", value: undefined }
      : { html: value === null ? "never" : figureWords(name, value), value: value ?? Number.MAX_VALUE };
  const rows = shown.map((one) => ({
    tone: one.verdict,
    cells: [
      { html: escaped(one.scenario) },
      { html: link(one, one.seed, extras), value: Number(one.seed) },
      verdictCell(one.verdict),
      ...FIGURES.map((name) => figure(name, one[name])),
      one.mos === undefined ? { html: "", value: undefined } : { html: one.mos.toFixed(2), value: one.mos },
      { html: one.verdict === "held" ? "" : escaped(one.culprit?.sentence ?? one.cause), isWide: true },
    ],
  }));
  const left = runs.length - shown.length;
  return `<section aria-labelledby="runs"><details${runs.length <= 60 ? " open" : ""}><summary><h2 id="runs">Runs</h2></summary>
${left === 0 ? "" : `<p class="soft">${left} more${shown.at(-1)?.verdict === "held" ? " that held, with shorter gaps than these," : ""} are in campaign.json.</p>`}
${filterOf("run-table", "Only runs with")}
${sortableTable({
  id: "run-table",
  heads: ["Case", "Seed", "Verdict", ...FIGURES.map((name) => FIGURE_WORDS[name].head), "MOS (provisional)", "Cause"],
  rows,
})}</details></section>`;
}
