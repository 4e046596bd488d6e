/**
 * ECharts, drawn to SVG without a browser. One file of it, as it is published: the front door of the package is six hundred modules, which take most of a second
 * to load in every thread that makes a page.
 */
// @ts-expect-error: the file has no types of its own; the package's front door has them.
import * as bundle from "echarts/dist/echarts.esm.min.mjs";
import { escaped } from "./escape.ts";
import { COLOURS } from "./page-style.ts";

const echarts: Pick<typeof import("echarts"), "init"> = bundle;

export type Drawing = ReturnType<(typeof echarts)["init"]>;

/** An empty drawing of so many pixels; nobody sees it before it is a string. */
export const drawing = (width: number, height: number): Drawing =>
  echarts.init(null, null, { renderer: "svg", ssr: true, width, height });

/** The drawing as SVG. ECharts escapes markup and leaves control characters, which no page may hold. */
export const svgOf = (drawn: Drawing): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  drawn.renderToSVGString().replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u{fffd}");

/**
 * The drawing for a page: without the style and the names that ECharts gives its parts, which others on the page have too; `label` says what is to be seen.
 * `keepsMeta`: which point of which series a shape is stays in it, for who makes links of them.
 */
export function labelledSvg(drawn: Drawing, prefix: string, label: string, keepsMeta = false): string {
  const svg = svgOf(drawn)
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/ class="zr[^"]*"/g, "")
    .replace(/zr\d+-/g, `${prefix}-`)
    .replace(/<svg ([^>]*?)>/, `<svg $1 role="img" aria-label="${escaped(label)}">`);
  return keepsMeta ? svg : svg.replace(/ ecmeta_\w+="[^"]*"/g, "");
}

/** A labelled drawing as a file of its own, with the colours of the pages, light and dark. */
export const standaloneSvg = (svg: string): string =>
  svg.replace(/<svg ([^>]*?)>/, `<svg $1><style>${COLOURS} svg { background: var(--page); }</style>`);
