/**
 * A table of figures as a recording: CSV with a line of heads, one line for each stretch of time. Columns: `time` and at least one of `rtt`, `loss`, `jitter`;
 * a unit may follow in brackets or after an underscore (`rtt_ms`, `loss (%)`); others are left alone. Time is in seconds, or a date of ISO 8601; rtt and jitter in
 * milliseconds; loss in per cent, or, where no value is above 1 and no unit says otherwise, a share.
 */
import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { usage } from "../exit.ts";
import type { FieldEvent, FieldSource } from "./field-event.ts";

type Row = Readonly<Record<string, string>>;
type Column = { readonly head: string; readonly unit: string };
type Columns = {
  readonly time: Column;
  readonly rtt: Column | undefined;
  readonly loss: Column | undefined;
  readonly jitter: Column | undefined;
};
type Figures = {
  readonly t: number;
  readonly rtt: number | undefined;
  readonly loss: number | undefined;
  readonly jitter: number | undefined;
};

const HEAD = /^(time|timestamp|t|rtt|loss|jitter)[ _]*[([]?\s*(s|ms|us|%|ratio|share)?[)\]]?$/i;
const MICROS: Readonly<Record<string, number>> = { s: 1_000_000, ms: 1_000, us: 1 };

/** Opens the table at `path`; `word` is what the user called it. Rejects with CliError where it is no such table. */
export async function tableSource(path: string, word: string): Promise<FieldSource> {
  const remarks: string[] = [];
  let columns: Columns | undefined;
  let highestLoss = 0;
  let rows = 0;
  let before = Number.NEGATIVE_INFINITY;
  for await (const { row, line } of read(path, word)) {
    columns ??= columnsOf(Object.keys(row), word);
    const figures = figuresOf(row, columns, `${word}, line ${line}`);
    if (figures.t <= before)
      throw usage(
        `${word}, line ${line}: time ${row[columns.time.head]} does not come after the line before`,
        "want times that rise",
      );
    before = figures.t;
    highestLoss = Math.max(highestLoss, figures.loss ?? 0);
    rows++;
  }
  if (columns === undefined || rows < 2)
    throw usage(`${word}: ${rows} lines of figures`, "want at least two, to know how long each stands for");
  const { loss } = columns;
  const isShare = loss?.unit === "ratio" || loss?.unit === "share" || (loss?.unit === "" && highestLoss <= 1);
  if (loss?.unit === "" && highestLoss > 0)
    remarks.push(`loss is read as ${isShare ? "shares, as no value is above 1" : "per cent"}`);
  const known = columns;
  return {
    format: "table",
    view: `${rows} lines of figures`,
    remarks,
    async *events() {
      let last: Figures | undefined;
      let length = 0;
      for await (const { row, line } of read(path, word)) {
        const now = figuresOf(row, known, `${word}, line ${line}`);
        if (last !== undefined) {
          length = now.t - last.t;
          yield sample(last, now.t, isShare);
        }
        last = now;
      }
      // How long the last line stands for is not said: as long as the one before.
      if (last !== undefined) yield sample(last, last.t + length, isShare);
    },
  };
}

function sample({ t, rtt, loss, jitter }: Figures, until: number, isShare: boolean): FieldEvent {
  return { what: "sample", t, until, loss: loss === undefined ? undefined : isShare ? loss : loss / 100, roundTrip: rtt, jitter };
}

async function* read(path: string, word: string): AsyncGenerator<{ row: Row; line: number }> {
  const parser = createReadStream(path).pipe(
    parse({ bom: true, columns: true, info: true, trim: true, skip_empty_lines: true, comment: "#", max_record_size: 100_000 }),
  );
  try {
    for await (const one of parser) {
      const { record, info } = one as { record: Row; info: { lines: number } };
      yield { row: record, line: info.lines };
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("CSV_"))
      throw usage(`${word}: ${error.message}`, "want a table with one line of heads");
    throw error;
  }
}

function columnsOf(heads: readonly string[], word: string): Columns {
  const find = (...names: readonly string[]): Column | undefined => {
    for (const head of heads) {
      const match = HEAD.exec(head.trim());
      if (match !== null && names.includes((match[1] ?? "").toLowerCase())) return { head, unit: (match[2] ?? "").toLowerCase() };
    }
    return undefined;
  };
  const time = find("time", "timestamp", "t");
  const columns = { rtt: find("rtt"), loss: find("loss"), jitter: find("jitter") };
  if (time === undefined || Object.values(columns).every((one) => one === undefined)) {
    throw usage(
      `${word}: the columns are ${heads.slice(0, 8).join(", ")}${heads.length > 8 ? ", ..." : ""}`,
      "want time and at least one of rtt, loss, jitter",
    );
  }
  return { time, ...columns };
}

function figuresOf(row: Row, columns: Columns, place: string): Figures {
  const figure = (column: Column | undefined, scale: number): number | undefined => {
    const text = column === undefined ? "" : (row[column.head] ?? "");
    if (column === undefined || text === "") return undefined;
    const value = Number(text.replace(/%$/, ""));
    if (!Number.isFinite(value) || value < 0)
      throw usage(`${place}: ${column.head} is ${JSON.stringify(text)}`, "want a number from 0");
    return value * scale;
  };
  const scaleOf = (column: Column | undefined, usual: number): number => MICROS[column?.unit ?? ""] ?? usual;
  const micros = (column: Column | undefined): number | undefined => {
    const value = figure(column, scaleOf(column, MICROS.ms as number));
    return value === undefined ? undefined : Math.round(value);
  };
  return {
    t: timeOf(row, columns.time, place),
    rtt: micros(columns.rtt),
    loss: figure(columns.loss, 1),
    jitter: micros(columns.jitter),
  };
}

function timeOf(row: Row, { head, unit }: Column, place: string): number {
  const text = row[head] ?? "";
  const date = /^\d{4}-\d\d-\d\d[T ]/.test(text) ? Date.parse(text) * 1_000 : Number.NaN;
  const time = Number.isFinite(date) ? date : text === "" ? Number.NaN : Number(text) * (MICROS[unit] ?? 1_000_000);
  if (!Number.isFinite(time))
    throw usage(`${place}: ${head} is ${JSON.stringify(text)}`, "want seconds, or a date like 2026-11-21T10:00:00Z");
  return Math.round(time);
}
