/** What lies in the lanes of a page's timeline, as shapes for ECharts: bars with their words, loudness, names; only what the window shows, and no finer than a pixel. */
import type { PageBar, PageLane } from "./data.ts";
import { type Layout, PARTY } from "./plot-layout.ts";

/** A colour of the page by its name. */
export type Colour = (name: string) => string;

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

/** What ECharts draws in a custom series (its `renderItem`). */
export type Shape = Record<string, unknown>;
export const rect = (x: number, y: number, width: number, height: number, fill: string, opacity = 1): Shape => ({
  type: "rect",
  shape: { x, y, width, height },
  style: { fill, opacity },
  silent: true,
});
export const text = (x: number, y: number, words: string, fill: string, more: object = {}): Shape => ({
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
