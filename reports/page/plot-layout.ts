/** Where the parts of a page's timeline lie: lanes and audio strips one below the other, then a panel for each group of curves and for the ladder of generations. */
import type { PageData, PageLane } from "./data.ts";

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

/** Name of the ladder's panel. */
export const LADDER_NAME = "candidate generations";
const LANE = 18;
const STRIP = 58;
/** Without loudness above it, as while a run goes on. */
const BARE_STRIP = 26;
const SPACE = 5;
/** Above the first lane of a party, for its name. */
export const PARTY = 26;
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
    const height = !lane.isAudio ? LANE : lane.wave === undefined ? BARE_STRIP : STRIP;
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
