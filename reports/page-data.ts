/** The data that report.html's script draws, from the same evidence as the static drawing; thinned so that ten minutes stay below some megabytes. */
import { INTERRUPTION_MS } from "./audio.ts";
import { curvesOf, ladderOf } from "./curves.ts";
import { inMs } from "./finding.ts";
import { linesOf, thinned } from "./log-excerpt.ts";
import type { Evidence } from "./measure.ts";
import type { PageBar, PageData, PageLane } from "./page/data.ts";
import { FRAME_MS, gapsOf, type Playout, stretchesOf } from "./playout.ts";
import type { OracleResult } from "./result.ts";
import { HEIGHT, timelineOf } from "./timeline.ts";

/** What a party heard, as a file beside the page and as its loudness. */
export type Recording = {
  /** Relative to the page. */
  readonly href: string;
  /** Of each slice of `sliceMs` from the run's start: the loudest sample, 0..1. */
  readonly peaks: readonly number[];
  readonly sliceMs: number;
};

/** Lines of the log that the page carries. chosen: about a megabyte. */
const LINES = 8_000;

/** `recordings` by party. */
export function pageData(
  evidence: Evidence,
  oracles: readonly OracleResult[],
  recordings: ReadonlyMap<string, Recording>,
): PageData {
  const { end, bands, flags, lanes } = timelineOf(evidence, oracles);
  const { lines, leftOut } = thinned(linesOf(evidence.records), LINES);
  const strips = evidence.playouts.map((playout) => ({ playout, lane: strip(playout, recordings.get(playout.party)) }));
  return {
    end,
    faults: bands,
    flags,
    lanes: lanes.map((lane): PageLane => {
      const own = strips.find(({ playout, lane: { name } }) => playout.party === lane.party && name === lane.name);
      if (own !== undefined) {
        strips.splice(strips.indexOf(own), 1);
        return own.lane;
      }
      const bars = lane.bars.map(
        (bar): PageBar => [
          ...([Math.round(bar.from), Math.round(bar.to), bar.tone, bar.title, bar.label ?? "", bar.bottom, bar.top] as const),
        ],
      );
      return { party: lane.party, name: lane.name, isAudio: false, bars };
    }),
    curves: curvesOf(evidence),
    ladder: ladderOf(evidence.records),
    log: lines.map(({ t, who, words, isLoud }) => [t, who, words.slice(0, LONGEST), isLoud ? 1 : 0] as const),
    leftOut,
  };
}

/** Characters of a line. chosen: a screen's width twice. */
const LONGEST = 300;

function strip(playout: Playout, recording: Recording | undefined): PageLane {
  const bars = stretchesOf(playout.slots).map(({ kind, from, to }): PageBar => [from, to, kind, "", "", 0, HEIGHT[kind]]);
  const gaps = gapsOf(playout.slots)
    .filter((gap) => gap.frames * FRAME_MS >= INTERRUPTION_MS)
    .map((gap): PageBar => {
      const ms = gap.frames * FRAME_MS;
      return [gap.at, gap.at + ms * 1_000, "gap", `gap of ${inMs(ms)}`, inMs(ms), 0, 0];
    });
  return {
    party: playout.party,
    name: playout.peer === undefined ? "hears" : `hears ${playout.peer}`,
    isAudio: true,
    bars: [...bars, ...gaps].sort((a, b) => a[0] - b[0]),
    ...(recording === undefined
      ? {}
      : {
          wave: {
            sliceMs: recording.sliceMs,
            peaks: recording.peaks.map((peak) => Math.min(99, Math.round(peak * 99))),
            href: recording.href,
          },
        }),
  };
}

/** As the content of a `<script type="application/json">`: nothing in it ends the element. */
export const asScriptData = (data: object): string =>
  JSON.stringify(data).replace(/[<\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
