/** The comparison as a page: two runs with their timelines, or two campaigns with every figure's spread. No script, no fetch. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { CampaignComparison, Shift } from "./campaign-comparison.ts";
import { changeOf, compare, type Figure, TITLES, words } from "./comparison.ts";
import { chanceOf, countWords, SHIFT_HEADS, shiftCells, verdictOnShifts } from "./comparison-words.ts";
import { drawing, labelledSvg } from "./drawing.ts";
import { escaped } from "./escape.ts";
import { legend, SYMBOL, table } from "./html-parts.ts";
import { measure } from "./measure.ts";
import { pageOf } from "./page-shell.ts";
import type { Result } from "./result.ts";
import { type Timeline, timelineOf } from "./timeline.ts";
import { drawTimeline } from "./timeline-chart.ts";

/** A run with what its page is made of. */
export type ComparedRun = { readonly result: Result; readonly scenario: Scenario; readonly records: readonly LogRecord[] };

const STYLE = `
.sides { display: grid; gap: 16px; } .sides > div { min-width: 0; } .sides h3 { margin: 8px 0 4px; } .sides p { margin: 0 0 4px; }
.more td:last-child, .less td:last-child { font-weight: 650; } .noise td, .noise th, .same td, .same th { color: var(--soft); } .spread { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(480px, 100%), 1fr)); gap: 0 32px; } .spread svg { max-width: 600px; width: 100%; height: auto; }
.compared { --tone: var(--source); }
`;
const page = (title: string, body: string): string => pageOf({ title, body, style: STYLE });

/** Two runs. */
export function runsPage(before: ComparedRun, after: ComparedRun): string {
  const comparison = compare(before.result, after.result);
  const { differing, same } = comparison;
  const timelines = [before, after].map(({ result, scenario, records }) =>
    timelineOf(measure(records, scenario), result.oracles),
  );
  // One time axis for both, so that an instant of one stands above the same instant of the other.
  const end = Math.max(...timelines.map((one) => one.end));
  const side = ({ result }: ComparedRun, name: string, drawn: Timeline | undefined): string => {
    return `<div><h3>${name}: <code>${escaped(result.dir)}</code></h3>
<p><strong class="${result.verdict}">${SYMBOL[result.verdict]} ${result.verdict}</strong> ${escaped(result.culprit?.sentence ?? result.cause)}</p>
<div class="drawing" role="region" tabindex="0" aria-label="Timeline ${name}">${drawn === undefined ? "" : drawTimeline({ ...drawn, end })}</div></div>`;
  };
  const groups = [...new Set(differing.map(({ group }) => group))];
  return page(
    `${before.result.dir} and ${after.result.dir}`,
    `<header class="compared"><h1>${escaped(before.result.scenario)}${before.result.scenario === after.result.scenario ? "" : ` and ${escaped(after.result.scenario)}`}</h1>
<p class="cause">${differing.length === 0 ? `All ${same.length} figures are the same.` : `${differing.length} of ${differing.length + same.length} figures differ.`}</p>
<p class="asks">${escaped(chanceOf(before.result, after.result))}</p></header>
<section><h2>Before and after</h2>${legend()}<div class="sides">${side(before, "Before", timelines[0])}${side(after, "After", timelines[1])}</div></section>
${groups.map((group) => `<section><h2>${escaped(TITLES[group])}</h2>${figures(differing.filter((one) => one.group === group))}</section>`).join("\n")}`,
  );
}

const figures = (all: readonly Figure[]): string =>
  table(
    ["", "Before", "After", "Change"],
    all.map((one) => [one.name, words(one, "before"), words(one, "after"), changeOf(one)]),
    "numbers",
  );

/** Figures drawn of each scenario: those whose change says most. */
const DRAWN = 6;

/** Two campaigns. */
export function campaignsPage(comparison: CampaignComparison): string {
  const { before, after, verdicts, shifts } = comparison;
  const cases = [...Map.groupBy(shifts, ({ scenario, lab }) => `${scenario}, ${lab}`)];
  const one = ([name, own]: readonly [string, readonly Shift[]]): string => {
    const drawn = own.filter(({ says, before }) => says !== "same" && before.values.length > 0).slice(0, DRAWN);
    const same = own.filter(({ says }) => says === "same");
    return `<section><h2>${escaped(name)}</h2>
<div class="spread">${drawn.map(spread).join("")}</div>
<details${own.some(({ says }) => says === "more" || says === "less") ? " open" : ""}><summary>${escaped(verdictOnShifts(own))}</summary>${shiftTable(own.filter(({ says }) => says !== "same"))}</details>
${same.length === 0 ? "" : `<details><summary>${same.length} figures are the same</summary>${shiftTable(same)}</details>`}</section>`;
  };
  return page(
    `${before} and ${after}`,
    `<header class="compared"><h1>${escaped(before)} and ${escaped(after)}</h1><p class="cause">${escaped(verdictOnShifts(shifts))}</p>
<p class="asks">An interval says where the change lies with ${comparison.level * 100} % confidence (percentile bootstrap of the difference of medians); where it holds 0 the change is noise.</p></header>
<section><h2>Verdicts</h2>${table(
      ["Scenario", "Laboratory", "Before", "After"],
      verdicts.map((one) => [one.scenario, one.lab, countWords(one.before), countWords(one.after)]),
    )}</section>
${cases.map(one).join("\n")}`,
  );
}

function shiftTable(shifts: readonly Shift[]): string {
  const head = SHIFT_HEADS.map((one) => `<th scope="col">${escaped(one)}</th>`).join("");
  const rows = shifts.map((one) => {
    const [name = "", ...cells] = shiftCells(one);
    return `<tr class="${one.says}"><th scope="row">${escaped(name)}</th>${cells.map((cell) => `<td class="figure">${escaped(cell)}</td>`).join("")}</tr>`;
  });
  return `<div class="scroll"><table class="numbers"><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

const WIDTH = 480;
const HEIGHT = 84;

/** Every run of both sides on one axis, medians as bars. */
function spread({ name, unit, before, after, says }: Shift): string {
  const all = [...before.values, ...after.values];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  const chart = drawing(WIDTH, HEIGHT);
  const points = (values: readonly number[], row: number, colour: string): object => ({
    type: "scatter",
    silent: true,
    symbolSize: 8,
    itemStyle: { color: colour, opacity: 0.65 },
    data: values.map((value) => [value, row]),
  });
  const median = (value: number | null, row: number, colour: string): object => ({
    type: "scatter",
    silent: true,
    symbol: "rect",
    symbolSize: [3, 20],
    itemStyle: { color: colour },
    data: value === null ? [] : [[value, row]],
  });
  try {
    chart.setOption({
      animation: false,
      grid: { left: 52, right: 14, top: 4, bottom: 24 },
      xAxis: {
        type: "value",
        min: low - room,
        max: high + room,
        axisLabel: {
          color: "var(--soft)",
          fontSize: 12,
          hideOverlap: true,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (value: number) => `${Math.round(value * 1000) / 1000}${unit === "ms" ? " ms" : ""}`,
        },
        axisLine: { onZero: false, lineStyle: { color: "var(--soft)" } },
        splitLine: { lineStyle: { color: "var(--grid)" } },
      },
      yAxis: {
        type: "value",
        min: -1,
        max: 2,
        interval: 1,
        axisLabel: {
          color: "var(--soft)",
          fontSize: 12,
          formatter: (row: number) => (row === 1 ? "before" : row === 0 ? "after" : ""),
        },
        splitLine: { show: false },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      series: [
        points(before.values, 1, "var(--line-0)"),
        points(after.values, 0, "var(--line-1)"),
        median(before.median, 1, "var(--ink)"),
        median(after.median, 0, "var(--ink)"),
      ],
    });
    const svg = labelledSvg(chart, "spread", `${name} of every run, before and after`);
    return `<div><p><strong>${escaped(name)}</strong> <span class="soft">${escaped(says === "unknown" ? "too few runs to tell" : says)}</span></p>${svg}</div>`;
  } finally {
    chart.dispose();
  }
}
