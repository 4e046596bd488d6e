/**
 * Draws a timeline as one SVG by ECharts' server-side rendering: no script reaches the page. Colours are CSS variables of the page, so
 * that dark mode and print restyle the drawing; every bar has a <title>.
 */
import type { CustomSeriesOption } from "echarts/charts";
import { drawing, svgOf } from "./drawing.ts";
import { escaped } from "./escape.ts";
import { inMs, instant } from "./finding.ts";
import type { Bar, Timeline } from "./timeline.ts";

/** Pixels. The gutter holds party and lane names. */
const WIDTH = 1_320;
const GUTTER = 190;
const RIGHT = 24;
const LANE = 20;
const AUDIO_LANE = 34;
const LANE_SPACE = 6;
const PARTY_SPACE = 16;
const LABEL_ROW = 17;
const DELAY_HEIGHT = 110;
const AXIS_HEIGHT = 46;
/** Width of a character of 11 px sans-serif, on average, to see what fits. */
const CHARACTER = 6.2;
/** Bars that touch overlap by this much, or the page shows through between them. */
const SEAM = 0.4;
const BOLD_CHARACTER = 6.8;

type Row = { readonly top: number; readonly height: number };
type Scale = (at: number) => number;
type Shape = { readonly type: "rect" | "text" | "line"; readonly [name: string]: unknown };
/** What is drawn, with the words a pointer brings up. */
type Mark = { readonly title: string; readonly shapes: readonly Shape[] };

/** The drawing, as an `<svg>` element. */
export function drawTimeline(timeline: Timeline): string {
  const x: Scale = (at) => GUTTER + ((WIDTH - GUTTER - RIGHT) * at) / timeline.end;
  const labels = rowsOfLabels(timeline, x);
  const top = 8 + LABEL_ROW * Math.max(1, labels.count);
  const rows = layOut(timeline, top);
  const lanesEnd = rows.at(-1) === undefined ? top : (rows.at(-1)?.top ?? 0) + (rows.at(-1)?.height ?? 0);
  const delayTop = lanesEnd + 30;
  const hasDelays = timeline.delays.length > 0;
  const bottom = hasDelays ? delayTop + DELAY_HEIGHT : lanesEnd;
  const marks: Mark[] = [
    ...bandMarks(timeline, x, labels.rows, bottom),
    ...timeline.lanes.flatMap((lane, i) =>
      lane.bars.map((bar) => barMark(bar, x, rows[i] ?? { top: 0, height: 0 }, lane.party, lane.name)),
    ),
    ...flagMarks(timeline, x, labels.rows.slice(timeline.bands.length), bottom),
    ...nameMarks(timeline, rows),
    ...(hasDelays ? delayNames(timeline, delayTop) : []),
  ];
  const height = bottom + AXIS_HEIGHT;
  const chart = drawing(WIDTH, height);
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: "system-ui, sans-serif" },
      grid: [
        { left: GUTTER, right: RIGHT, top, height: lanesEnd - top },
        { left: GUTTER, right: RIGHT, top: delayTop, height: hasDelays ? DELAY_HEIGHT : 0 },
      ],
      xAxis: [timeAxis(timeline.end, 0, !hasDelays), timeAxis(timeline.end, 1, hasDelays)],
      yAxis: [
        { gridIndex: 0, type: "value", min: 0, max: 1, show: false },
        {
          gridIndex: 1,
          type: "value",
          show: hasDelays,
          min: 0,
          splitNumber: 3,
          axisLabel: { color: "var(--soft)", fontSize: 11 },
          splitLine: { lineStyle: { color: "var(--grid)" } },
        },
      ],
      series: [
        {
          type: "custom",
          clip: false,
          data: marks.map(() => [0, 0]),
          xAxisIndex: 0,
          yAxisIndex: 0,
          renderItem: ({ dataIndex }) => group(marks[dataIndex]?.shapes ?? []),
        } satisfies CustomSeriesOption,
        ...timeline.delays.map(({ points }, i) => ({
          type: "line" as const,
          xAxisIndex: 1,
          yAxisIndex: 1,
          showSymbol: false,
          silent: true,
          data: points.map(([at, ms]) => [at / 1_000_000, ms]),
          lineStyle: { color: lineColour(i), width: 2, type: lineDash(i) },
        })),
      ],
    });
    return finished(svgOf(chart), marks, timeline);
  } finally {
    chart.dispose();
  }
}

type Drawn = ReturnType<NonNullable<CustomSeriesOption["renderItem"]>>;
/** ECharts types each shape's style by its kind; ours are checked by what makes them (rect, line, text below). */
const group = (children: readonly Shape[]): Drawn => ({ type: "group", children }) as unknown as Drawn;

const lineColour = (index: number): string => `var(--line-${index % 4})`;
const lineDash = (index: number): "solid" | number[] => (index % 2 === 0 ? "solid" : [6, 4]);

function timeAxis(end: number, gridIndex: number, show: boolean): object {
  const isLong = end > 180_000_000;
  return {
    gridIndex,
    type: "value",
    min: 0,
    max: end / 1_000_000,
    splitNumber: 12,
    axisLabel: {
      show,
      color: "var(--soft)",
      fontSize: 11,
      hideOverlap: true,
      showMaxLabel: false,
      formatter: (s: number) => (isLong ? `${Math.floor(s / 60)}:${String(Math.round(s % 60)).padStart(2, "0")}` : `${s} s`),
    },
    axisLine: { show, lineStyle: { color: "var(--soft)" } },
    axisTick: { show, lineStyle: { color: "var(--soft)" } },
    splitLine: { show: true, lineStyle: { color: "var(--grid)" } },
  };
}

/** Rows for the labels of faults and flags, so that none covers another: one row number for each, faults first. */
function rowsOfLabels({ bands, flags }: Timeline, x: Scale): { readonly count: number; readonly rows: readonly number[] } {
  const ends: number[] = [];
  const rows = [...bands, ...flags.map(({ at, label }) => ({ from: at, label }))].map(({ from, label }) => {
    const width = label.length * BOLD_CHARACTER + 8;
    const left = isAtEnd(x(from), label) ? x(from) - width : x(from);
    let row = ends.findIndex((end) => end < left);
    if (row === -1) row = ends.length;
    ends[row] = left + width;
    return row;
  });
  return { count: ends.length, rows };
}

const isAtEnd = (left: number, label: string): boolean => left + label.length * BOLD_CHARACTER + 8 > WIDTH;

/** A label right of its line, or left of it where the drawing ends. */
const flagLabel = (left: number, y: number, label: string, fill: string): Shape =>
  isAtEnd(left, label)
    ? text(left - 4, y + 7, label, { fill, fontWeight: "bold", align: "right" })
    : text(left + 4, y + 7, label, { fill, fontWeight: "bold" });

function flagMarks({ flags }: Timeline, x: Scale, rows: readonly number[], bottom: number): Mark[] {
  return flags.map(({ at, label }, i) => {
    const y = 4 + LABEL_ROW * (rows[i] ?? 0);
    const style = { stroke: "var(--broken)", lineWidth: 1.5, lineDash: [2, 3] };
    return {
      title: `${label}, ${instant(at)}`,
      shapes: [line(x(at), y, x(at), bottom, style), flagLabel(x(at), y, label, "var(--broken)")],
    };
  });
}

function layOut({ lanes }: Timeline, top: number): Row[] {
  let y = top + 4;
  return lanes.map((lane, i) => {
    if (i > 0) y += lanes[i - 1]?.party === lane.party ? LANE_SPACE : PARTY_SPACE;
    const height = lane.name.startsWith("hears") ? AUDIO_LANE : LANE;
    const row = { top: y, height };
    y += height;
    return row;
  });
}

function bandMarks({ bands }: Timeline, x: Scale, rows: readonly number[], bottom: number): Mark[] {
  return bands.map(({ from, to, label }, i) => {
    const left = x(from);
    const y = 4 + LABEL_ROW * (rows[i] ?? 0);
    const width = Math.max(2, x(to) - left);
    const until = to === from ? "" : `, undone ${instant(to)}`;
    return {
      title: `fault ${i}: ${label}, applied ${instant(from)}${until}`,
      shapes: [
        rect(left, y, width, bottom - y, { fill: "var(--fault)", opacity: 0.18 }),
        line(left, y, left, bottom, { stroke: "var(--fault)", lineWidth: 1.5 }),
        ...(to === from
          ? []
          : [line(left + width, y, left + width, bottom, { stroke: "var(--fault)", lineWidth: 1, lineDash: [4, 3] })]),
        flagLabel(left, y, label, "var(--fault)"),
      ],
    };
  });
}

function barMark(bar: Bar, x: Scale, row: Row, party: string, lane: string): Mark {
  const left = x(bar.from);
  const isTick = bar.from === bar.to;
  const width = isTick ? 1.5 : Math.max(1, x(bar.to) - left + SEAM);
  const y = row.top + row.height * (1 - bar.top);
  const isClear = bar.isClear === true;
  const style = { fill: `var(--${bar.tone})`, ...(isClear ? { opacity: 0 } : {}) };
  const shapes = [rect(left, y, width, row.height * (bar.top - bar.bottom), style)];
  if (bar.label !== undefined && bar.label.length * CHARACTER + 8 < width) {
    const clear = { fill: "var(--ink)", align: "center", fontWeight: "bold" };
    const place = isClear ? ([left + width / 2, 0.4] as const) : ([left + 5, 0.5] as const);
    shapes.push(text(place[0], row.top + row.height * place[1], bar.label, isClear ? clear : { fill: "var(--on-bar)" }));
  }
  return { title: `${party} ${lane}: ${bar.title}`, shapes };
}

function nameMarks({ lanes }: Timeline, rows: readonly Row[]): Mark[] {
  return lanes.flatMap((lane, i): Mark[] => {
    const { top, height } = rows[i] ?? { top: 0, height: 0 };
    const isFirst = lanes[i - 1]?.party !== lane.party;
    const rule = line(0, top - PARTY_SPACE / 2, WIDTH - RIGHT, top - PARTY_SPACE / 2, { stroke: "var(--grid)", lineWidth: 1 });
    return [
      {
        title: "",
        shapes: [
          ...(isFirst && i > 0 ? [rule] : []),
          ...(isFirst ? [text(4, top + height / 2, lane.party, { fill: "var(--ink)", fontSize: 13, fontWeight: "bold" })] : []),
          text(GUTTER - 10, top + height / 2, lane.name, { fill: "var(--soft)", align: "right" }),
        ],
      },
    ];
  });
}

function delayNames({ delays }: Timeline, top: number): Mark[] {
  const head = [text(4, top + 6, "mouth to ear, ms", { fill: "var(--ink)", fontSize: 13, fontWeight: "bold" })];
  const names = delays.flatMap(({ party }, i) => {
    const y = top + 30 + i * 18;
    return [
      line(4, y, 34, y, { stroke: lineColour(i), lineWidth: 2, lineDash: lineDash(i) }),
      text(42, y, party, { fill: "var(--soft)" }),
    ];
  });
  return [{ title: "", shapes: [...head, ...names] }];
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const rect = (x: number, y: number, width: number, height: number, style: object): Shape => ({
  type: "rect",
  shape: { x: tenth(x), y: tenth(y), width: tenth(width), height: tenth(height) },
  style,
});
const line = (x1: number, y1: number, x2: number, y2: number, style: object): Shape => ({
  type: "line",
  shape: { x1: tenth(x1), y1: tenth(y1), x2: tenth(x2), y2: tenth(y2) },
  style,
});
const text = (x: number, y: number, words: string, style: object): Shape => ({
  type: "text",
  style: { x: tenth(x), y: tenth(y), text: words, fontSize: 11, verticalAlign: "middle", ...style },
});

/** ECharts marks what it drew with the datum's number: each becomes a <title>, and everything that is not drawing goes. */
function finished(svg: string, marks: readonly Mark[], timeline: Timeline): string {
  const label = `Timeline of ${inMs(timeline.end / 1_000)}: faults, processes, registrations, calls, paths, audio and messages. The tables below hold the same figures.`;
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/ class="zr[^"]*"/g, "")
    .replace(/zr\d+-/g, "part-") // counted over the whole process: the same drawing would differ from run to run
    .replace(
      /<(path|rect|text)([^>]*?) ecmeta_series_index="0" ecmeta_data_index="(\d+)" ecmeta_ssr_type="chart"([^>]*)>/g,
      (_, tag, before, index, after) => {
        const title = marks[Number(index)]?.title ?? "";
        return `<${tag}${before}${after}>${title === "" ? "" : `<title>${escaped(title)}</title>`}`;
      },
    )
    .replace(/ ecmeta_\w+="[^"]*"/g, "")
    .replace(/ pointer-events="visible"/g, "")
    .replace(/<svg ([^>]*?)>/, `<svg $1 role="img" aria-label="${escaped(label)}">`);
}
