/** The frame of a benchmark's page, and how its drawings look. No script, no fetch; all names are escaped. */
import { drawing, labelledSvg } from "./drawing.ts";
import { escaped } from "./escape.ts";
import { STYLE } from "./page-style.ts";

/** A whole page; `style` is added to that of all pages. */
export const benchPage = (title: string, says: string, body: string, style: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}
.bench { --tone: var(--source); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 8px 24px; margin: 6px 0; }
.charts figure { margin: 0; min-width: 0; } .charts svg { display: block; width: 100%; max-width: ${1.3 * WIDTH}px; height: auto; } figcaption { font-size: 13px; color: var(--soft); }
article h3 { font-size: 15px; margin: 18px 0 2px; overflow-wrap: anywhere; } article p { margin: 2px 0; }
.best { font-weight: 650; }
${style}
</style>
</head>
<body><main>
<header class="bench"><h1>${escaped(title)}</h1><p class="asks">${escaped(says)}</p></header>
${body}
</main></body>
</html>
`;

/** Pixels of one drawing; wide enough for its words, and narrow enough for a phone. */
export const WIDTH = 360;
export const HEIGHT = 240;

/** Least share that a logarithmic axis shows, percent: one frame of a few thousand. */
const FLOOR = 0.01;
/** Where on a logarithmic axis of percent `share` (0..1) stands. */
export const onAxis = (share: number): number => Math.max(FLOOR, 100 * share);

const text = { color: "var(--soft)", fontSize: 12 } as const;
const line = { lineStyle: { color: "var(--soft)" } } as const;
const grid = { lineStyle: { color: "var(--grid)" } } as const;

/** A logarithmic axis of percent. */
export const percentAxis = (): object => ({
  type: "log",
  min: FLOOR,
  max: 100,
  axisLabel: { ...text, formatter: (value: number) => (value <= FLOOR ? `≤ ${FLOOR}` : String(value)) },
  axisLine: line,
  splitLine: grid,
});

/** An axis of numbers, from `min` on, or of words. */
export const plainAxis = (name: string, scale: { readonly min: number; readonly max?: number } | readonly string[]): object => ({
  ...("min" in scale ? { type: "value", ...scale, splitLine: { show: false } } : { type: "category", data: scale }),
  name,
  nameLocation: "middle",
  nameGap: 24,
  nameTextStyle: text,
  axisLabel: { ...text, hideOverlap: true },
  axisLine: { ...line, onZero: false },
  axisTick: { show: false },
});

/** Axes and series to SVG; `id` is the drawing's own on its page, `label` says in words what is to be seen. */
export function chart(
  id: string,
  label: string,
  option: { readonly xAxis: object; readonly yAxis: object; readonly series: readonly object[]; readonly legend?: boolean },
): string {
  const drawn = drawing(WIDTH, HEIGHT);
  try {
    drawn.setOption({
      animation: false,
      backgroundColor: "var(--page)",
      grid: { left: 46, right: 16, top: option.legend === true ? 52 : 26, bottom: 42 },
      ...(option.legend === true
        ? {
            legend: {
              top: 0,
              left: 0,
              itemWidth: 16,
              itemHeight: 8,
              itemGap: 16,
              textStyle: { color: "var(--ink)", fontSize: 12 },
            },
          }
        : {}),
      xAxis: option.xAxis,
      yAxis: option.yAxis,
      series: option.series,
    });
    return labelledSvg(drawn, id, label);
  } finally {
    drawn.dispose();
  }
}
