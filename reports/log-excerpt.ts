/** The part of a log a person wants to read around a fault: states, messages and refusals, without the media and the counters. */
import type { LogRecord } from "../impl/base/record.ts";
import { instant } from "./finding.ts";
import type { Condition } from "./result.ts";

/** Lines of one excerpt: half from its beginning, half from its end. chosen: two screens. */
const LINES = 160;
/** Before the fault, and after its heal. */
const BEFORE_MICROS = 500_000;
const AFTER_MICROS = 2_000_000;

/** One line for a reader; `isLoud`: something went wrong, was done to the run, or changed for the better. */
export type ExcerptLine = { readonly at: string; readonly who: string; readonly words: string; readonly isLoud: boolean };

export type Excerpt = { readonly title: string; readonly lines: readonly ExcerptLine[]; readonly leftOut: number };

/** One excerpt per fault that happened; of a run without faults, one of the whole run. */
export function excerptsOf(records: readonly LogRecord[], conditions: readonly Condition[]): Excerpt[] {
  const happened = conditions.flatMap((condition, index) => (condition.appliedMs === null ? [] : [{ condition, index }]));
  if (happened.length === 0) return [excerpt("The whole run", records)];
  return happened.map(({ condition, index }) => {
    const applied = (condition.appliedMs ?? 0) * 1_000;
    const from = applied - BEFORE_MICROS;
    const to = (condition.healedMs === null ? applied : condition.healedMs * 1_000) + AFTER_MICROS;
    const around = records.filter((record) => record.t >= from && record.t <= to);
    return excerpt(`Fault ${index}, ${condition.fault}: ${instant(Math.max(0, from))} to ${instant(to)}`, around);
  });
}

function excerpt(title: string, records: readonly LogRecord[]): Excerpt {
  const lines = linesOf(records).map(({ t, ...line }) => ({ ...line, at: instant(t) }));
  const leftOut = Math.max(0, lines.length - LINES);
  return { title, leftOut, lines: leftOut === 0 ? lines : [...lines.slice(0, LINES / 2), ...lines.slice(-LINES / 2)] };
}

/** A line with its instant, microseconds. */
export type TimedLine = Omit<ExcerptLine, "at"> & { readonly t: number };

/** Every line for a reader; drops of one kind in a row are one line, at the first of them. */
export function linesOf(records: readonly LogRecord[]): TimedLine[] {
  const lines: TimedLine[] = [];
  let drops: { t: number; who: string; words: string; n: number } | undefined;
  const flush = (): void => {
    if (drops !== undefined)
      lines.push({ t: drops.t, who: drops.who, words: `${drops.words}${drops.n === 1 ? "" : ` × ${drops.n}`}`, isLoud: false });
    drops = undefined;
  };
  for (const record of records) {
    if (record.ev === "drop") {
      const words = `drop at ${record.where}: ${record.cause}`;
      if (drops?.words === words) drops.n++;
      else {
        flush();
        drops = { t: record.t, who: record.who, words, n: 1 };
      }
      continue;
    }
    const words = wordsOf(record);
    if (words === undefined) continue;
    flush();
    lines.push({ t: record.t, who: record.who, words, isLoud: LOUD.has(record.ev) });
  }
  flush();
  return lines;
}

/**
 * At most `limit` lines, in their order: what is loud, and of the rest what is nearest to it. `leftOut`: how many went.
 */
export function thinned(
  lines: readonly TimedLine[],
  limit: number,
): { readonly lines: readonly TimedLine[]; readonly leftOut: number } {
  if (lines.length <= limit) return { lines, leftOut: 0 };
  const distance = new Float64Array(lines.length).fill(Number.POSITIVE_INFINITY);
  const sweep = (order: Iterable<number>): void => {
    let last = Number.POSITIVE_INFINITY;
    for (const index of order) {
      const line = lines[index];
      if (line === undefined) continue;
      if (line.isLoud) last = line.t;
      distance[index] = Math.min(distance[index] ?? 0, Math.abs(line.t - last));
    }
  };
  sweep(lines.keys());
  sweep([...lines.keys()].reverse());
  const kept = [...lines.keys()].sort((a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || a - b).slice(0, limit);
  return { lines: kept.sort((a, b) => a - b).flatMap((index) => lines[index] ?? []), leftOut: lines.length - limit };
}

const LOUD: ReadonlySet<LogRecord["ev"]> = new Set<LogRecord["ev"]>([
  "fault",
  "process",
  "registration",
  "call",
  "path",
  "refused",
  "end",
]);
const QUIET: ReadonlySet<LogRecord["ev"]> = new Set<LogRecord["ev"]>([
  "media-sent",
  "media-received",
  "media-played",
  "stats",
  "session-stats",
  "network",
]);

/** `registration reconnecting  attempt=2 delayMs=1000`; undefined for what an excerpt leaves out. */
function wordsOf(record: LogRecord): string | undefined {
  if (QUIET.has(record.ev)) return undefined;
  const fields = Object.entries(record).filter(([name]) => name !== "t" && name !== "who" && name !== "ev" && name !== "state");
  const state = "state" in record ? ` ${record.state}` : "";
  return `${record.ev}${state}  ${fields.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ")}`.trimEnd();
}
