/**
 * ECharts, drawn to SVG without a browser. One file of it, as it is published: the front door of the package is six hundred modules, which take most of a second
 * to load in every thread that makes a page.
 */
// @ts-expect-error: the file has no types of its own; the package's front door has them.
import * as bundle from "echarts/dist/echarts.esm.min.mjs";

const echarts: Pick<typeof import("echarts"), "init"> = bundle;

/** An empty drawing of so many pixels; nobody sees it before it is a string. */
export const drawing = (width: number, height: number): ReturnType<(typeof echarts)["init"]> =>
  echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
