/**
 * The timeline of report.html in a browser: lanes, audio strips, curves and the ladder of generations on one time axis that ECharts zooms.
 * Everything is drawn from PageData; ECharts draws axes, curves and zoom, and asks `laneShapes` for what lies in a lane.
 */
import type { PageBar, PageData, PageLane } from "./data.ts";

/** A colour of the page by its name. */
export type Colour = (name: string) => string;

/** Where things lie, pixels. */
export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly right: number;
  readonly top: number;
  readonly lanesEnd: number;
  readonly rows: readonly { readonly lane: PageLane; readonly top: number; readonly height: number; readonly isFirst: boolean }[];
  readonly panels: readonly { readonly name: string; readonly top: number; readonly height: number }[];
};

const LADDER_NAME = "candidate generations: ▲ sent  ○ delivered  ● applied  ◆ refused";
const LANE = 18;
const STRIP = 58;
const SPACE = 5;
const PARTY = 26;
const PANEL = 74;
const PANEL_SPACE = 40;

/** Lays out `data` in `width` pixels. */
export function layOut(data: PageData, width: number): Layout {
  const isNarrow = width < 640;
  const gutter = isNarrow ? 92 : 150;
  // Rows above the lanes: two of faults, one of limits that were passed.
  const top = 24;
  let y = top + 16;
  let party = "";
  const rows = data.lanes.map((lane) => {
    const isFirst = lane.party !== party;
    party = lane.party;
    y += isFirst ? PARTY : SPACE;
    const height = lane.isAudio ? STRIP : LANE;
    const row = { lane, top: y, height, isFirst };
    y += height;
    return row;
  });
  const lanesEnd = y + 6;
  y = lanesEnd;
  const names = [...data.curves.map(({ name, unit }) => `${name}, ${unit}`), ...(data.ladder.length === 0 ? [] : [LADDER_NAME])];
  const panels = names.map((name) => {
    y += PANEL_SPACE;
    const panel = { name, top: y, height: PANEL };
    y += PANEL;
    return panel;
  });
  return { width, height: y + 78, gutter, right: isNarrow ? 12 : 20, top, lanesEnd, rows, panels };
}

/** `4.250 s`; from three minutes on `3:04.250`. */
export function clock(micros: number, isLong: boolean): string {
  const s = micros / 1e6;
  return isLong ? `${Math.floor(s / 60)}:${(s % 60).toFixed(3).padStart(6, "0")}` : `${s.toFixed(3)} s`;
}

/** First bar that may reach beyond `from`: bars are in the order of their beginnings. */
function firstBar(bars: readonly PageBar[], from: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.[0] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  // Labels lie over what they name: one that began earlier may still last.
  return Math.max(0, low - 2);
}

type Shape = Record<string, unknown>;
const rect = (x: number, y: number, width: number, height: number, fill: string, opacity = 1): Shape => ({
  type: "rect",
  shape: { x, y, width, height },
  style: { fill, opacity },
  silent: true,
});
const text = (x: number, y: number, words: string, fill: string, more: object = {}): Shape => ({
  type: "text",
  style: { x, y, text: words, fill, font: "11px system-ui, sans-serif", textVerticalAlign: "middle", ...more },
  silent: true,
});

/** Bars narrower than this are joined with their neighbours, the most telling tone on top. */
const PIXEL = 0.8;
const RANK: Readonly<Record<string, number>> = { source: 0, comfort: 1, recovered: 2, concealed: 3, silence: 4 };

/** What is drawn of a lane between two instants; `x` maps an instant to a pixel. */
export function laneShapes(
  row: Layout["rows"][number],
  x: (at: number) => number,
  from: number,
  to: number,
  colour: Colour,
): Shape[] {
  const { lane, top, height } = row;
  const shapes: Shape[] = [];
  const band = lane.isAudio ? { top: top + height - 18, height: 18 } : { top, height };
  if (lane.wave !== undefined) shapes.push(wave(lane.wave, x, from, to, { top, height: height - 22 }, colour));
  let last: { x: number; tone: string; shape: Shape } | undefined;
  const labels: Shape[] = [];
  for (let i = firstBar(lane.bars, from); i < lane.bars.length; i++) {
    const bar = lane.bars[i];
    if (bar === undefined || bar[0] > to) break;
    if (bar[1] < from) continue;
    const [begin, end, tone, , label, bottom, high] = bar;
    const left = x(Math.max(begin, from));
    const width = begin === end ? 1.5 : x(Math.min(end, to)) - left;
    if (tone === "gap") {
      if (label.length * 6 + 6 < width)
        labels.push(text(left + width / 2, band.top + 7, label, colour("ink"), { textAlign: "center", fontWeight: "bold" }));
      continue;
    }
    if (lane.isAudio && width < PIXEL && last !== undefined && left - last.x < PIXEL) {
      if ((RANK[tone] ?? 0) <= (RANK[last.tone] ?? 0)) continue;
      shapes.pop();
    }
    const shape = rect(
      left,
      band.top + band.height * (1 - high),
      Math.max(lane.isAudio ? 1 : 1.5, width),
      band.height * (high - bottom),
      colour(tone),
    );
    last = { x: left, tone, shape };
    shapes.push(shape);
    if (label !== "" && label.length * 6.2 + 8 < width) labels.push(text(left + 5, top + height / 2, label, colour("on-bar")));
  }
  return [...shapes, ...labels];
}

/** Loudness as an outline around the middle. */
function wave(
  { sliceMs, peaks }: NonNullable<PageLane["wave"]>,
  x: (at: number) => number,
  from: number,
  to: number,
  box: { readonly top: number; readonly height: number },
  colour: Colour,
): Shape {
  const slice = sliceMs * 1_000;
  const first = Math.max(0, Math.floor(from / slice));
  const last = Math.min(peaks.length - 1, Math.ceil(to / slice));
  // One point a pixel at most: the loudest of what falls on it.
  const step = Math.max(1, Math.floor((last - first) / Math.max(1, x(to) - x(from))));
  const middle = box.top + box.height / 2;
  const upper: [number, number][] = [];
  const lower: [number, number][] = [];
  for (let i = first; i <= last; i += step) {
    let peak = 0;
    for (let k = i; k < i + step && k <= last; k++) peak = Math.max(peak, peaks[k] ?? 0);
    const half = Math.max(0.4, (peak / 99) * (box.height / 2));
    const at = x(Math.min(to, Math.max(from, i * slice)));
    upper.push([at, middle - half]);
    lower.push([at, middle + half]);
  }
  return {
    type: "polygon",
    shape: { points: [...upper, ...lower.reverse()] },
    style: { fill: colour("wave") },
    silent: true,
  };
}

/** Names of parties and lanes, left of the axis. */
export function nameShapes(layout: Layout, colour: Colour): Shape[] {
  return layout.rows.flatMap((row) => [
    ...(row.isFirst
      ? [
          rect(0, row.top - PARTY + 4, layout.width, 1, colour("grid")),
          text(2, row.top - 9, short(row.lane.party, 40), colour("ink"), { font: "bold 13px system-ui, sans-serif" }),
        ]
      : []),
    text(layout.gutter - 8, row.top + row.height / 2, short(row.lane.name, layout.gutter / 6.4), colour("soft"), {
      textAlign: "right",
    }),
  ]);
}

const short = (words: string, characters: number): string =>
  words.length <= characters ? words : `${words.slice(0, Math.max(1, Math.floor(characters) - 1))}…`;

const LADDER: Readonly<Record<string, { readonly symbol: string; readonly colour: string }>> = {
  sent: { symbol: "triangle", colour: "sent" },
  delivered: { symbol: "emptyCircle", colour: "received" },
  applied: { symbol: "circle", colour: "fine" },
  refused: { symbol: "diamond", colour: "wrong" },
};

/** The whole option of the chart, but for the window that is zoomed to. */
export function plotOption(data: PageData, layout: Layout, colour: Colour): object {
  const isLong = data.end > 180e6;
  const axis = (gridIndex: number, isLast: boolean): object => ({
    gridIndex,
    type: "value",
    min: 0,
    max: data.end,
    axisLine: { show: isLast, lineStyle: { color: colour("soft") } },
    axisTick: { show: isLast },
    axisLabel: {
      show: isLast,
      color: colour("soft"),
      hideOverlap: true,
      showMaxLabel: false,
      formatter: (at: number) => (isLong ? clock(at, true).replace(/\.\d+$/, "") : `${Math.round(at / 1e4) / 100} s`),
    },
    splitLine: { show: true, lineStyle: { color: colour("grid") } },
    axisPointer: {
      show: true,
      snap: false,
      label: { show: isLast, formatter: ({ value }: { value: number }) => clock(value, isLong) },
    },
  });
  const grids = [
    { left: layout.gutter, right: layout.right, top: layout.top, height: layout.lanesEnd - layout.top },
    ...layout.panels.map(({ top, height }) => ({ left: layout.gutter, right: layout.right, top, height })),
  ];
  const parties = [...new Set(data.lanes.map(({ party }) => party))];
  const line = (party: string): string => colour(`line-${Math.max(0, parties.indexOf(party)) % 4}`);
  const series: object[] = [laneSeries(data, layout, colour), ...curveSeries(data, line), ...ladderSeries(data, layout, colour)];
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: grids,
    xAxis: grids.map((_, index) => axis(index, index === grids.length - 1)),
    yAxis: grids.map((_, gridIndex) =>
      gridIndex === 0
        ? { gridIndex, type: "value", min: 0, max: 1, show: false }
        : {
            gridIndex,
            type: "value",
            min: 0,
            splitNumber: 2,
            minInterval: layout.panels[gridIndex - 1]?.name === LADDER_NAME ? 1 : 0,
            axisLabel: { color: colour("soft"), fontSize: 10 },
            splitLine: { lineStyle: { color: colour("grid") } },
          },
    ),
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("soft") } },
    title: layout.panels.map(({ name, top }, index) => panelTitle(name, top, keyOf(data, index, line), colour)),
    graphic: nameShapes(layout, colour),
    dataZoom: [
      {
        type: "inside",
        xAxisIndex: grids.map((_, i) => i),
        filterMode: "none",
        zoomOnMouseWheel: "ctrl",
        moveOnMouseMove: true,
        moveOnMouseWheel: false,
        minValueSpan: 50_000,
      },
      {
        type: "slider",
        xAxisIndex: grids.map((_, i) => i),
        filterMode: "none",
        bottom: 8,
        height: 22,
        left: layout.gutter,
        right: layout.right,
        minValueSpan: 50_000,
        labelFormatter: (at: number) => clock(at, isLong),
        textStyle: { color: colour("soft") },
        borderColor: colour("grid"),
        fillerColor: colour("filler"),
        brushSelect: false,
      },
    ],
    series,
  };
}

type Key = { readonly words: string; readonly colour: string };

/** Whose line is which colour, and what dashes mean; of the ladder, what its signs mean. */
function keyOf(data: PageData, panel: number, line: (party: string) => string): readonly Key[] {
  const group = data.curves[panel];
  if (group === undefined) return [];
  const soft = group.curves.find(({ isSoft }) => isSoft === true)?.name;
  return [
    ...[...new Set(group.curves.map(({ party }) => party))].map((party) => ({ words: `━ ${party}`, colour: line(party) })),
    ...(soft === undefined ? [] : [{ words: `┅ ${soft}`, colour: "" }]),
  ];
}

function panelTitle(name: string, top: number, keys: readonly Key[], colour: Colour): object {
  // Braces and bars are rich text's own.
  const plain = (words: string): string => words.replace(/[{}|]/g, "·");
  const rich = Object.fromEntries(
    keys.map((key, i) => [
      `k${i}`,
      { color: key.colour === "" ? colour("soft") : key.colour, fontSize: 11, padding: [0, 0, 0, 10] },
    ]),
  );
  return {
    text: [`{n|${plain(name)}}`, ...keys.map(({ words }, i) => `{k${i}|${plain(words)}}`)].join(""),
    left: 2,
    top: top - 26,
    textStyle: { rich: { n: { color: colour("ink"), fontSize: 12, fontWeight: "bold" }, ...rich } },
  };
}

function laneSeries(data: PageData, layout: Layout, colour: Colour): object {
  return {
    type: "custom",
    id: "lanes",
    xAxisIndex: 0,
    yAxisIndex: 0,
    clip: true,
    silent: true,
    data: [[0, 0]],
    renderItem: (_: unknown, api: { coord(point: number[]): number[] }) => {
      const x = (at: number): number => api.coord([at, 0])[0] ?? 0;
      // The window in instants, from two points of the axis.
      const [zero, one] = [x(0), x(1e6)];
      const perPixel = 1e6 / (one - zero);
      const from = Math.max(0, (layout.gutter - zero) * perPixel);
      const to = Math.min(data.end, (layout.width - layout.right - zero) * perPixel);
      const bottom = layout.lanesEnd;
      const within = (at: number): boolean => at >= from && at <= to;
      const faults = data.faults.flatMap((fault, index): Shape[] => {
        if (fault.to < from || fault.from > to) return [];
        const [left, right] = [x(Math.max(from, fault.from)), x(Math.min(to, fault.to))];
        return [
          rect(left, layout.top, Math.max(2, right - left), bottom - layout.top, colour("fault"), 0.16),
          ...(within(fault.from) ? [rect(left, layout.top, 1.5, bottom - layout.top, colour("fault"))] : []),
          ...labelled(fault.label, left, layout.top + 7 + (index % 2) * 12, layout, colour("fault")),
        ];
      });
      const flags = data.flags.flatMap(({ at, label }): Shape[] =>
        within(at)
          ? [
              rect(x(at), layout.top, 1.5, bottom - layout.top, colour("broken")),
              ...labelled(label, x(at), layout.top + 31, layout, colour("broken")),
            ]
          : [],
      );
      return {
        type: "group",
        children: [...faults, ...layout.rows.flatMap((row) => laneShapes(row, x, from, to, colour)), ...flags],
      };
    },
  };
}

/** A label right of its line, or left of it where the drawing ends. */
function labelled(words: string, left: number, y: number, layout: Layout, fill: string): Shape[] {
  const isAtEnd = left + words.length * 6.6 + 8 > layout.width - layout.right;
  return [text(isAtEnd ? left - 4 : left + 4, y, words, fill, { fontWeight: "bold", textAlign: isAtEnd ? "right" : "left" })];
}

const curveSeries = (data: PageData, line: (party: string) => string): object[] =>
  data.curves.flatMap(({ curves }, index) =>
    curves.map(({ party, name, isSoft, points }) => ({
      type: "line",
      name: `${party} ${name}`,
      xAxisIndex: index + 1,
      yAxisIndex: index + 1,
      showSymbol: points.length < 4,
      symbolSize: 5,
      step: false,
      data: points,
      silent: true,
      itemStyle: { color: line(party) },
      lineStyle: { color: line(party), width: isSoft ? 1.2 : 2, type: isSoft ? [5, 4] : "solid" },
    })),
  );

function ladderSeries(data: PageData, layout: Layout, colour: Colour): object[] {
  if (data.ladder.length === 0) return [];
  const index = layout.panels.length;
  return Object.entries(LADDER).map(([action, { symbol, colour: tone }]) => ({
    type: "scatter",
    name: action,
    xAxisIndex: index,
    yAxisIndex: index,
    symbol,
    symbolSize: 9,
    silent: true,
    itemStyle: { color: colour(tone) },
    data: data.ladder.filter((rung) => rung.action === action).map((rung) => [rung.at, rung.generation]),
  }));
}
