/** The figures of a campaign drawn: a row for each case, a point for each run, a bar where the median is. Every point is a link that says which run it is. */
import type { CampaignCase, FigureName } from "./campaign.ts";
import type { CampaignRun } from "./campaign-run.ts";
import { drawing, labelledSvg } from "./drawing.ts";
import { escaped } from "./escape.ts";
import { inMs, inPercent } from "./finding.ts";

export const FIGURE_WORDS: Readonly<Record<FigureName, { readonly title: string; readonly head: string }>> = {
  worstRecoveryMs: { title: "Heard again after the heal, by the party who waited longest", head: "Worst recovery" },
  longestGapMs: { title: "Longest gap, of the party who had it", head: "Longest gap" },
  concealmentRatio: { title: "Concealed or silent, of the party who heard most of it", head: "Concealed" },
  mouthToEarMs: { title: "Mouth to ear, median of the party with the longest", head: "Mouth to ear" },
};

/** A figure as words. */
export const figureWords = (name: FigureName, value: number): string =>
  name === "concealmentRatio" ? inPercent(value) : inMs(value);

/** Points of a drawing: of each case those that did not hold and the others by rank, with the smallest and the largest of both. chosen: what a browser draws at once. */
const POINTS = 3_000;
/** Of a case, whatever the others: what can be told apart. chosen. */
const POINTS_OF_ONE = 200;
const WIDTH = 640;
const ROW = 22;
const LEFT = 190;
const RIGHT = 46;

/** Where an axis that begins at 0 and spans decades has its ticks: milliseconds, shares. */
const TICKS: Readonly<Record<FigureName, readonly number[]>> = {
  worstRecoveryMs: [0, 50, 200, 1_000, 5_000, 20_000, 60_000, 600_000],
  longestGapMs: [0, 50, 200, 1_000, 5_000, 20_000, 60_000, 600_000],
  concealmentRatio: [0, 0.01, 0.03, 0.1, 0.3, 1],
  mouthToEarMs: [0, 50, 100, 200, 400, 1_000, 4_000, 20_000],
};
/** Of the axis, between two ticks. */
const TICK_ROOM = 0.12;
/** Below this the axis is even, above it each decade is as wide. */
const KNEE: Readonly<Record<FigureName, number>> = {
  worstRecoveryMs: 50,
  longestGapMs: 50,
  concealmentRatio: 0.01,
  mouthToEarMs: 100,
};

/** `50 ms`, `5 s`, `10 %`. */
const tickWords = (name: FigureName, value: number): string =>
  name !== "concealmentRatio" && value >= 1_000 ? `${value / 1_000} s` : figureWords(name, value);

/** A campaign's case with its runs. */
export type DrawnCase = { readonly of: CampaignCase; readonly runs: readonly CampaignRun[] };

/** Undefined where no run has the figure. `hrefOf`: a run's page, undefined for a run that has none. */
export function spreadDrawing(
  name: FigureName,
  cases: readonly DrawnCase[],
  hrefOf: (run: CampaignRun) => string | undefined,
): string | undefined {
  const rows = cases.filter(({ of }) => of.figures[name] !== undefined);
  const most = Math.max(...rows.map(({ of }) => of.figures[name]?.values.at(-1) ?? 0));
  if (rows.length === 0) return undefined;
  const knee = KNEE[name];
  const at = (value: number): number => Math.log1p(value / knee);
  const reached = TICKS[name].filter((tick, i, all) => tick <= most || (all[i - 1] ?? 0) < most || i === 1);
  const end = at(reached.at(-1) ?? knee);
  // From the end down, those that have room for their words.
  const ticks: number[] = [];
  for (const tick of reached.toReversed())
    if (ticks[0] === undefined || at(ticks[0]) - at(tick) > end * TICK_ROOM) ticks.unshift(tick);
  // Where it begins is always said.
  if (ticks.length > 1 && ticks[0] !== 0) ticks[0] = 0;
  const hasNever = rows.some(({ of }) => (of.figures[name]?.never ?? 0) > 0);
  const right = hasNever ? end * 1.12 : end;
  const limit = Math.max(2, Math.min(POINTS_OF_ONE, Math.floor(POINTS / rows.length / 2)));
  const points = rows.flatMap((row, i) => pointsOf(row.runs, name, limit).map((run) => ({ run, y: rows.length - 1 - i })));
  const medians = rows.flatMap(({ of }, i) => {
    const median = of.figures[name]?.median;
    return median === null || median === undefined ? [] : [[at(median), rows.length - 1 - i]];
  });
  const xOf = ({ [name]: value }: CampaignRun): number => (typeof value === "number" ? at(value) : right);
  const height = rows.length * ROW + 34;
  const chart = drawing(WIDTH, height);
  try {
    chart.setOption({
      animation: false,
      grid: { left: LEFT, right: RIGHT, top: 6, bottom: 28 },
      xAxis: {
        type: "value",
        min: 0,
        max: right,
        axisTick: { customValues: ticks.map(at) },
        axisLabel: {
          customValues: [...ticks.map(at), ...(hasNever ? [right] : [])],
          color: "var(--soft)",
          fontSize: 12,
          formatter: (x: number) =>
            hasNever && x > end * 1.06 ? "never" : tickWords(name, ticks.find((tick) => Math.abs(at(tick) - x) < 1e-9) ?? 0),
        },
        axisLine: { onZero: false, lineStyle: { color: "var(--soft)" } },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        min: -0.5,
        max: rows.length - 0.5,
        axisLabel: {
          customValues: rows.map((_, i) => i),
          color: "var(--ink)",
          fontSize: 12,
          width: LEFT - 14,
          overflow: "truncate",
          formatter: (y: number) => rows[rows.length - 1 - y]?.of.scenario ?? "",
        },
        axisTick: { show: false },
        axisLine: { show: false },
        splitLine: { show: true, lineStyle: { color: "var(--grid)" } },
      },
      series: [
        {
          type: "scatter",
          symbolSize: 8,
          data: points.map(({ run, y }) => ({
            value: [xOf(run), y],
            itemStyle: { color: `var(--${run.verdict === "held" ? "source" : run.verdict})`, opacity: 0.6 },
            ...(run.verdict === "held" ? {} : { symbol: "diamond", symbolSize: 10 }),
          })),
        },
        { type: "scatter", silent: true, symbol: "rect", symbolSize: [3, 16], itemStyle: { color: "var(--ink)" }, data: medians },
      ],
    });
    const told = (index: number): string => {
      const { run } = points[index] ?? {};
      if (run === undefined) return "";
      const value = run[name];
      return `${run.scenario}, seed ${run.seed}: ${typeof value === "number" ? figureWords(name, value) : "never"}, ${run.verdict}`;
    };
    return linked(labelled(chart, name), told, (index) => {
      const run = points[index]?.run;
      return run === undefined ? undefined : hrefOf(run);
    });
  } finally {
    chart.dispose();
  }
}

const labelled = (chart: Parameters<typeof labelledSvg>[0], name: FigureName): string =>
  labelledSvg(chart, name, `${FIGURE_WORDS[name].title}, of every run; the table has the same figures`, true);

/** Each point of the first series with its words, and as a link where it has a page: what ECharts says of it while it draws on a server, put to use. */
const linked = (svg: string, told: (index: number) => string, hrefOf: (index: number) => string | undefined): string =>
  svg
    .replace(/(<path [^>]*?)((?: ecmeta_\w+="[^"]*")+)([^>]*>)<\/path>/g, (whole, head: string, meta: string, tail: string) => {
      const [, series, index] = /ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"/.exec(meta) ?? [];
      if (series !== "0" || index === undefined) return whole;
      const point = `${head}${tail}<title>${escaped(told(Number(index)))}</title></path>`;
      const href = hrefOf(Number(index));
      return href === undefined ? point : `<a href="${escaped(href)}" tabindex="-1">${point}</a>`;
    })
    .replace(/ ecmeta_\w+="[^"]*"/g, "");

/** In the order of their figure, those that did not hold on top; at most `limit` of either. */
function pointsOf(runs: readonly CampaignRun[], name: FigureName, limit: number): readonly CampaignRun[] {
  const value = ({ [name]: one }: CampaignRun): number => one ?? Number.POSITIVE_INFINITY;
  const own = runs.filter((run) => run[name] !== undefined).toSorted((a, b) => value(a) - value(b));
  const [held, others] = [own.filter((run) => run.verdict === "held"), own.filter((run) => run.verdict !== "held")];
  const thin = (all: readonly CampaignRun[]): readonly CampaignRun[] =>
    all.length <= limit
      ? all
      : Array.from({ length: limit }, (_, i) => all[Math.round((i * (all.length - 1)) / (limit - 1))]).flatMap(
          (one) => one ?? [],
        );
  return [...thin(held), ...thin(others)];
}
