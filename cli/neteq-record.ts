/** What Chromium's NetEq made of the lines of `midcall bench neteq`, kept as a file with where it is from: its figures do not depend on this repository's code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChromiumFigure } from "./chromium-neteq.ts";

export const SCHEMA = "midcall/neteq-record@1";

/** `chromium`: version of the browser. `taken`: day of the last figure. `heldUp`: runs that do not count. */
export type NeteqRecord = {
  readonly schema: typeof SCHEMA;
  readonly chromium: string;
  readonly taken: string;
  readonly figures: readonly ChromiumFigure[];
  readonly heldUp: readonly ChromiumFigure[];
};

/** The record this repository keeps, in a checkout and in a package. */
export const COMMITTED: string = join(import.meta.dirname, "../reports/golden/chromium-neteq.json");

/** RangeError for a file that is no record. */
export function readRecord(path: string): NeteqRecord {
  const read = JSON.parse(readFileSync(path, "utf8")) as NeteqRecord;
  if (read.schema !== SCHEMA) throw new RangeError(`${path}: want schema ${SCHEMA}, got ${read.schema}`);
  return read;
}

const lineOf = ({ link, mode, seed }: ChromiumFigure): string => `${link}\n${mode}\n${seed}`;

/** `later` beside what `earlier` has of other lines and seeds, and of lines that the machine has held up since. */
export function merged(earlier: NeteqRecord | undefined, later: NeteqRecord): NeteqRecord {
  const besides = (figures: readonly ChromiumFigure[] = [], again: readonly ChromiumFigure[]): readonly ChromiumFigure[] => {
    const own = new Set(again.map(lineOf));
    return figures.filter((one) => !own.has(lineOf(one)));
  };
  return {
    ...later,
    figures: [...besides(earlier?.figures, later.figures), ...later.figures],
    heldUp: [...besides(earlier?.heldUp, [...later.figures, ...later.heldUp]), ...later.heldUp],
  };
}

/** To four decimals: a hundredth of what a seed's phase does. */
export const recordText = (record: NeteqRecord): string =>
  `${JSON.stringify(record, (_, value: unknown) => (typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value), 2)}\n`;
