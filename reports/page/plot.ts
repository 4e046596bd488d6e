/**
 * The timeline of report.html in a browser: lanes, audio strips, curves and the ladder of generations on one time axis that ECharts zooms.
 * Everything is drawn from PageData; ECharts draws axes, curves and zoom, and asks `laneShapes` for what lies in a lane.
 */
import type { PageData } from "./data.ts";
import { type Colour, laneShapes, nameShapes, rect, type Shape, text } from "./lane-shapes.ts";
import { clock, LADDER_NAME, type Layout } from "./plot-layout.ts";

const LADDER: Readonly<Record<string, { readonly symbol: string; readonly sign: string; readonly colour: string }>> = {
  sent: { symbol: "triangle", sign: "▲", colour: "sent" },
  delivered: { symbol: "emptyCircle", sign: "○", colour: "received" },
  applied: { symbol: "circle", sign: "●", colour: "fine" },
  refused: { symbol: "diamond", sign: "◆", colour: "wrong" },
};

/** The whole option of the chart, but for the window that is zoomed to. */
export function plotOption(data: PageData, layout: Layout, colour: Colour): object {
  const isLong = data.end > 180e6;
  // Instants stand above the lanes, where they are read first, and below the last panel.
  const axis = (gridIndex: number, isLast: boolean): object => ({
    gridIndex,
    type: "value",
    position: gridIndex === 0 ? "top" : "bottom",
    min: 0,
    max: data.end,
    axisLine: { show: isLast, lineStyle: { color: colour("soft") } },
    axisTick: { show: isLast },
    axisLabel: {
      show: isLast || gridIndex === 0,
      color: colour("soft"),
      hideOverlap: true,
      showMaxLabel: false,
      formatter: (at: number) => (isLong ? clock(at, true).replace(/\.\d+$/, "") : `${Math.round(at / 1e4) / 100} s`),
    },
    splitLine: { show: true, lineStyle: { color: colour("grid") } },
    axisPointer: {
      show: true,
      snap: false,
      label: { show: isLast || gridIndex === 0, formatter: ({ value }: { value: number }) => clock(value, isLong) },
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
    title: layout.panels.map(({ name, top }, index) => panelTitle(titleOf(name, layout), top, keyOf(data, index, line), colour)),
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
  if (group === undefined)
    return Object.entries(LADDER).map(([action, { sign }]) => ({ words: `${sign} ${action}`, colour: "" }));
  const soft = group.curves.find(({ isSoft }) => isSoft === true)?.name;
  return [
    ...[...new Set(group.curves.map(({ party }) => party))].map((party) => ({
      words: `━ ${clipped(party)}`,
      colour: line(party),
    })),
    ...(soft === undefined ? [] : [{ words: `┅ ${soft}`, colour: "" }]),
  ];
}

/** On a narrow page the signs' meanings take the room. */
const titleOf = (name: string, { width }: Layout): string => (name === LADDER_NAME && width < 640 ? "generations" : name);

const clipped = (name: string): string => (name.length <= 16 ? name : `${name.slice(0, 15)}…`);

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
      const faults = data.faults.flatMap((fault): Shape[] => {
        if (fault.to < from || fault.from > to) return [];
        const [left, right] = [x(Math.max(from, fault.from)), x(Math.min(to, fault.to))];
        return [
          rect(left, layout.top, Math.max(2, right - left), bottom - layout.top, colour("fault"), 0.16),
          ...(within(fault.from) ? [rect(left, layout.top, 1.5, bottom - layout.top, colour("fault"))] : []),
        ];
      });
      const flags = data.flags.flatMap(({ at }): Shape[] =>
        within(at) ? [rect(x(at), layout.top, 1.5, bottom - layout.top, colour("broken"))] : [],
      );
      const words = [
        ...inRows(
          data.faults.flatMap(({ from: at, to: end, label }) =>
            end < from || at > to ? [] : [{ at: Math.max(from, at), label }],
          ),
          2,
          x,
          layout,
        ).map((mark) => ({ ...mark, y: 7 + mark.row * 12, colour: "fault" })),
        ...inRows(
          data.flags.filter(({ at }) => within(at)),
          1,
          x,
          layout,
        ).map((mark) => ({ ...mark, y: 31, colour: "broken" })),
      ].flatMap((mark) => labelled(mark.label, x(mark.at), layout.top + mark.y, layout, colour(mark.colour)));
      return {
        type: "group",
        children: [...faults, ...layout.rows.flatMap((row) => laneShapes(row, x, from, to, colour)), ...flags, ...words],
      };
    },
  };
}

/** Pixels of a character of a bold label, of the wide ones. */
const BOLD = 7.6;

/** Labels in so many rows that none covers another: where there is no room left, the last one says how many more there are. */
function inRows(
  marks: readonly Mark[],
  rows: number,
  x: (at: number) => number,
  layout: Layout,
): (Mark & { readonly row: number })[] {
  const heads: { at: number; label: string; row: number; more: number }[] = [];
  for (const { at, label } of [...marks].sort((a, b) => a.at - b.at)) {
    const left = isAtEnd(label, x(at), layout) ? x(at) - label.length * BOLD : x(at);
    const last = Array.from({ length: rows }, (_, row) => heads.findLast((one) => one.row === row));
    const row = last.findIndex((one) => one === undefined || x(one.at) + (one.label.length + 4) * BOLD < left);
    if (row !== -1) heads.push({ at, label, row, more: 0 });
    else {
      const head = heads.at(-1);
      if (head !== undefined) head.more++;
    }
  }
  return heads.map(({ at, label, row, more }) => ({ at, row, label: more === 0 ? label : `${label} +${more}` }));
}

type Mark = { readonly at: number; readonly label: string };

const isAtEnd = (words: string, left: number, layout: Layout): boolean =>
  left + words.length * BOLD + 8 > layout.width - layout.right;

/** A label right of its line, or left of it where the drawing ends. */
function labelled(words: string, left: number, y: number, layout: Layout, fill: string): Shape[] {
  const isLeft = isAtEnd(words, left, layout);
  const room = layout.width - layout.right - layout.gutter;
  // On a narrow page neither side may have room: as far right as it fits, or cut short.
  if (isLeft && left - words.length * BOLD < layout.gutter) {
    const shown = words.length * BOLD <= room ? words : `${words.slice(0, Math.floor(room / BOLD) - 1)}…`;
    return [text(layout.width - layout.right, y, shown, fill, { fontWeight: "bold", textAlign: "right" })];
  }
  return [text(isLeft ? left - 4 : left + 4, y, words, fill, { fontWeight: "bold", textAlign: isLeft ? "right" : "left" })];
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
