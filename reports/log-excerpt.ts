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
  const lines: ExcerptLine[] = [];
  let drops: { at: string; who: string; words: string; n: number } | undefined;
  const flush = (): void => {
    if (drops !== undefined)
      lines.push({ at: drops.at, who: drops.who, words: `${drops.words}${drops.n === 1 ? "" : ` × ${drops.n}`}`, isLoud: false });
    drops = undefined;
  };
  for (const record of records) {
    if (record.ev === "drop") {
      const words = `drop at ${record.where}: ${record.cause}`;
      if (drops?.words === words) drops.n++;
      else {
        flush();
        drops = { at: instant(record.t), who: record.who, words, n: 1 };
      }
      continue;
    }
    const words = wordsOf(record);
    if (words === undefined) continue;
    flush();
    lines.push({ at: instant(record.t), who: record.who, words, isLoud: LOUD.has(record.ev) });
  }
  flush();
  const leftOut = Math.max(0, lines.length - LINES);
  return { title, leftOut, lines: leftOut === 0 ? lines : [...lines.slice(0, LINES / 2), ...lines.slice(-LINES / 2)] };
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
  "network",
]);

/** `registration reconnecting  attempt=2 delayMs=1000`; undefined for what an excerpt leaves out. */
function wordsOf(record: LogRecord): string | undefined {
  if (QUIET.has(record.ev)) return undefined;
  const fields = Object.entries(record).filter(([name]) => name !== "t" && name !== "who" && name !== "ev" && name !== "state");
  const state = "state" in record ? ` ${record.state}` : "";
  return `${record.ev}${state}  ${fields.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ")}`.trimEnd();
}
