/** The log of a real-time run: what lab and parties say, put in the order of its instants at the end; watched for triggers as it comes in. */
import { LogHash } from "../impl/base/log-hash.ts";
import type { LogRecord, Saying } from "../impl/base/record.ts";

type Match = Readonly<Record<string, string | number | boolean>>;
type Watch = { readonly match: Match; left: number; readonly action: (at: number) => void };

/** Called for every record as it comes in, which may be some milliseconds out of order. */
export type LineSink = (line: string, record: LogRecord) => void;

export type MergedLog = {
  /** `t` in microseconds of the run. */
  say(t: number, who: string, saying: Saying): void;
  /** Runs `action` once, at the `nth` record (from 1) whose fields all equal those of `match`; `at` is the record's instant. */
  watch(match: Match, nth: number, action: (at: number) => void): void;
  /** Everything said so far in the order of `t`; of one instant, in the order it came in. */
  finish(): { readonly records: readonly LogRecord[]; readonly lines: readonly string[]; readonly hash: string };
};

export function mergedLog(sink: LineSink | undefined): MergedLog {
  const records: LogRecord[] = [];
  let watches: Watch[] = [];
  const notice = (record: LogRecord): void => {
    const fields = new Map<string, unknown>(Object.entries(record));
    const due = watches.filter(
      (watch) => Object.entries(watch.match).every(([key, value]) => fields.get(key) === value) && --watch.left === 0,
    );
    if (due.length === 0) return;
    watches = watches.filter((watch) => watch.left > 0);
    for (const watch of due) watch.action(record.t);
  };
  return {
    say: (t, who, saying) => {
      const record = { t, who, ...saying } as LogRecord;
      records.push(record);
      sink?.(JSON.stringify(record), record);
      if (watches.length > 0) notice(record);
    },
    watch: (match, nth, action) => void watches.push({ match, left: nth, action }),
    finish: () => {
      const sorted = records.toSorted((a, b) => a.t - b.t);
      const lines = sorted.map((record) => JSON.stringify(record));
      const hash = new LogHash();
      for (const line of lines) hash.update(line);
      return { records: sorted, lines, hash: hash.digest() };
    },
  };
}
