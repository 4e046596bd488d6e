/** What is drawn in place on a terminal, made to fit its width: a narrow one loses the bar first, then blanks, and never the end of a sentence without a sign of it. */

/** What is being done. `share`: of the stage that is done, 0..1. `of`: which of how many stages it is, and how many of those before did not hold. */
export type Progress = {
  readonly stage: string;
  readonly detail?: string;
  readonly share?: number;
  readonly of?: { readonly at: number; readonly all: number; readonly bad: number };
};

/** Cells of a bar: at the most, and with how many it still says something. chosen. */
const CELLS = 20;
const FEWEST_CELLS = 5;

/** Columns that a text takes: the one sign of ours that is wide counts for two. What comes from outside is taken to be narrow; log-update wraps what is not. */
const widthOf = (text: string): number => [...text].length + (text.includes("⚡") ? 1 : 0);

/** The text in so many columns, with `…` where its end is cut off. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const room = columns - 1 - (text.includes("⚡") ? 1 : 0);
  return `${[...text].slice(0, Math.max(0, room)).join("")}…`;
}

/** The line of progress: bar, which of how many, stage and detail. Of a stage that is too long the middle goes, so that seed and detail stay. */
export function progressLine({ stage, detail = "", share, of }: Progress, columns: number): string {
  const before = of === undefined || of.all < 2 ? "" : `${of.at}/${of.all} ${of.bad === 0 ? "" : `✗${of.bad} `}`;
  const after = detail === "" ? "" : ` ${detail}`;
  const room = columns - widthOf(before) - widthOf(after);
  const cells = Math.min(CELLS, room - widthOf(stage) - 1);
  if (share !== undefined && cells >= FEWEST_CELLS) {
    const full = Math.round(Math.min(1, Math.max(0, share)) * cells);
    return `${"█".repeat(full)}${"░".repeat(cells - full)} ${before}${stage}${after}`;
  }
  const letters = [...stage];
  if (letters.length <= room) return `${before}${stage}${after}`;
  const head = Math.ceil((room - 1) / 2);
  if (head < 1) return fitted(`${before}${stage}${after}`, columns);
  return `${before}${letters.slice(0, head).join("")}…${letters.slice(letters.length - (room - 1 - head)).join("")}${after}`;
}

/** Below so many columns blanks that only line things up go. chosen: the widest notice of an outage. */
const ROOMY = 56;

/** One thing that happened. */
export const noticeLine = (line: string, columns: number): string =>
  fitted(columns >= ROOMY ? line : line.trim().replace(/ {2,}/g, " "), columns);
