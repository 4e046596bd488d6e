/**
 * `midcall bench neteq`: a real NetEq beside ours. Headless Chromium sends the same speech to itself through a relay on loopback that drops and delays by the very list our
 * sender and receiver are given, in virtual time. What Chromium made of it may also be read from a record of before: it does not depend on our code.
 */
import { existsSync, writeFileSync } from "node:fs";
import type { CodecEngine } from "../impl/core/codec.ts";
import { LOSS_PRICE } from "../impl/core/neteq/delay-target.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { type ChromiumFigure, type ChromiumHeard, chromiumNeteq, heldUpLine } from "./chromium-neteq.ts";
import { usage } from "./exit.ts";
import { concealedAt, delayAt, type Point, PRICES } from "./neteq-frontier.ts";
import { lostOf, OurCalls } from "./neteq-ours.ts";
import { merged, type NeteqRecord, readRecord, recordText, SCHEMA } from "./neteq-record.ts";
import { LINKS, type Line, type Listened, linesOf, MODES, type Mode, trialOf } from "./neteq-trial.ts";
import { speechPath } from "./speech.ts";

/** Of one link and way of protection: Chromium's figures, a seed each, and ours over the same lists, at every price of loss. */
export type NeteqFigure = {
  readonly link: string;
  readonly mode: string;
  /** Percent of packets the lists drop. */
  readonly lost: number;
  readonly neteq: readonly ChromiumFigure[];
  readonly ours: readonly { readonly lossPriceMs: number; readonly heard: readonly (Listened & { readonly seed: number })[] }[];
};
export type NeteqBench = { readonly figures: readonly NeteqFigure[]; readonly heldUp: readonly ChromiumFigure[] };

/** Links and ways of protection whose names hold the words; a usage error when there are none. */
export function chosenLines(
  link = "",
  scheme = "",
): { readonly links: readonly Line["link"][]; readonly modes: readonly Mode[] } {
  const [links, modes] = [LINKS.filter(({ name }) => name.includes(link)), MODES.filter(({ name }) => name.includes(scheme))];
  const names = (all: readonly { readonly name: string }[]): string => `want words of ${all.map(({ name }) => name).join(", ")}`;
  if (links.length === 0) throw usage(`--link ${link}: no link of bench neteq is called so`, names(LINKS));
  if (modes.length === 0) throw usage(`--scheme ${scheme}: bench neteq has no such scheme`, names(MODES));
  return { links, modes };
}

/** Ours over `lines`, in virtual time. */
export async function oursOver(
  engine: CodecEngine & { refilled?(): Promise<void> },
  pcm: Int16Array,
  lines: readonly Line[],
  { prices = PRICES, signal }: { readonly prices?: readonly number[]; readonly signal?: AbortSignal } = {},
): Promise<NeteqFigure["ours"]> {
  const calls = new OurCalls(engine);
  const ours: NeteqFigure["ours"][number][] = [];
  for (const price of prices) {
    const heard: (Listened & { readonly seed: number })[] = [];
    for (const line of lines) {
      signal?.throwIfAborted();
      heard.push({ seed: line.seed, ...(await calls.listen(trialOf(line, pcm), price)) });
    }
    ours.push({ lossPriceMs: price / 1_000, heard });
  }
  return ours;
}

export type NeteqOptions = {
  readonly links?: readonly Line["link"][];
  readonly modes?: readonly Mode[];
  /** Seeds a line, from 1 on; when not given one, or all that a record has. */
  readonly seeds?: number | undefined;
  readonly atOnce?: number;
  /** A record to read Chromium's figures from; live when not given. */
  readonly against?: string;
  /** A record to keep Chromium's live figures in, beside what it has of other lines; `taken` is today. */
  readonly record?: { readonly path: string; readonly taken: string };
};

/** Every one of `modes` on every one of `links`. */
export async function benchNeteq(
  stage: (name: string) => void,
  signal: AbortSignal,
  { links = LINKS, modes = MODES, seeds, atOnce = 1, against, record }: NeteqOptions = {},
): Promise<NeteqBench> {
  const pcm = await readWav(speechPath("speech-a"));
  const engine = await loadOpusWasm({ encoders: 2, decoders: 2 });
  const isAsked = (one: ChromiumFigure): boolean =>
    links.some(({ name }) => name === one.link) &&
    modes.some(({ name }) => name === one.mode) &&
    one.seed <= (seeds ?? Number.POSITIVE_INFINITY);
  let theirs: Pick<NeteqRecord, "figures" | "heldUp">;
  if (against === undefined) {
    const before = record !== undefined && existsSync(record.path) ? readRecord(record.path) : undefined;
    const each = (heard: ChromiumHeard): void => {
      if (record === undefined) return;
      writeFileSync(record.path, recordText(merged(before, { schema: SCHEMA, taken: record.taken, ...heard })));
    };
    theirs = await chromiumNeteq(linesOf(links, modes, seeds ?? 1), pcm, { stage, signal, atOnce, each });
  } else theirs = readRecord(against);
  const figures: NeteqFigure[] = [];
  for (const mode of modes)
    for (const link of links) {
      stage(`${link.name}, ${mode.name}: ours`);
      const neteq = theirs.figures
        .filter((one) => one.link === link.name && one.mode === mode.name && isAsked(one))
        .toSorted((a, b) => a.seed - b.seed);
      if (neteq.length === 0) continue;
      const lines = neteq.map(({ seed }) => ({ link, mode, seed }));
      const lost = mean(lines.map((line) => 100 * lostOf(trialOf(line, pcm).delays)));
      figures.push({ link: link.name, mode: mode.name, lost, neteq, ours: await oursOver(engine, pcm, lines, { signal }) });
    }
  return { figures, heldUp: theirs.heldUp.filter(isAsked) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Of several seeds. */
export const meanOf = (heard: readonly Point[]): Point => ({
  concealed: mean(heard.map((one) => one.concealed)),
  delayMs: mean(heard.map((one) => one.delayMs)),
});

/** What both sentences of a comparison ask: NetEq and ours as it is, and ours at NetEq's delay and at its concealment, means over the seeds; undefined: ours is never there. */
export function compared({ neteq, ours }: NeteqFigure): {
  readonly neteq: Point;
  readonly usual: Point;
  readonly concealedAtDelay: number | undefined;
  readonly delayAtConcealed: number | undefined;
} {
  const theirs = meanOf(neteq);
  const points = ours.map(({ heard }) => meanOf(heard));
  const usual = ours.findIndex(({ lossPriceMs }) => lossPriceMs === LOSS_PRICE / 1_000);
  return {
    neteq: theirs,
    usual: points[usual] ?? { concealed: Number.NaN, delayMs: Number.NaN },
    concealedAtDelay: concealedAt(points, theirs.delayMs),
    delayAtConcealed: delayAt(points, theirs.concealed),
  };
}

/** Columns of the table and their widths; the first two are words. */
const COLUMNS: readonly (readonly [name: string, width: number])[] = [
  ["link", 22],
  ["mode", 8],
  ["lists", 5],
  ["lost %", 8],
  ["NetEq: concealed %", 20],
  ["delay ms", 14],
  ["ours: concealed %", 20],
  ["delay ms", 14],
  ["at NetEq's delay %", 20],
  ["at its concealment ms", 22],
];
const row = (cells: readonly string[]): string =>
  COLUMNS.map(([, width], i) => (i < 2 ? (cells[i] ?? "").padEnd(width) : (cells[i] ?? "").padStart(width))).join(" ");

/** Mean, and with several values the least and most. */
function cell(values: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${mean(values).toFixed(digits)}${values.length === 1 ? "" : ` (${least.toFixed(digits)}-${most.toFixed(digits)})`}`;
}
const cells = (heard: readonly Point[]): readonly string[] => [
  cell(
    heard.map(({ concealed }) => concealed),
    2,
  ),
  cell(
    heard.map(({ delayMs }) => delayMs),
    0,
  ),
];

/** Side by side: a line for each link and mode, means and ranges over the seeds; then every point of ours, and what does not count. */
export function neteqTable({ figures, heldUp }: NeteqBench): readonly string[] {
  return [
    row(COLUMNS.map(([name]) => name)),
    ...figures.map((one) => {
      const { link, mode, neteq, lost, ours } = one;
      const { concealedAtDelay, delayAtConcealed } = compared(one);
      const usual = ours.find(({ lossPriceMs }) => lossPriceMs === LOSS_PRICE / 1_000)?.heard ?? [];
      const sentences = [concealedAtDelay?.toFixed(2) ?? "never", delayAtConcealed?.toFixed(0) ?? "never"];
      return row([link, mode, String(neteq.length), lost.toFixed(1), ...cells(neteq), ...cells(usual), ...sentences]);
    }),
    "",
    `ours by the delay that one percent of loss is worth (${LOSS_PRICE / 1_000} ms unless told): concealed %, delay ms`,
    ...figures.map(({ link, mode, ours }) => {
      const points = ours.map(({ lossPriceMs, heard }) => {
        const { concealed, delayMs } = meanOf(heard);
        return `${lossPriceMs.toFixed(0)} ms: ${concealed.toFixed(2)}, ${delayMs.toFixed(0)}`;
      });
      return `${link.padEnd(22)} ${mode.padEnd(8)} ${points.join("   ")}`;
    }),
    ...(heldUp.length === 0 ? [] : ["", ...heldUp.map(heldUpLine)]),
  ];
}
