/** The log of a simulated run: stamps what is said, writes one line each, keeps the rolling hash and watches for triggers. */
import { LogHash } from "../impl/base/log-hash.ts";
import type { LogRecord, Saying } from "../impl/base/record.ts";
import type { Instant } from "../impl/base/units.ts";

/** Called for every record with its line (no newline). */
export type LineSink = (line: string, record: LogRecord) => void;

type Watch = { readonly match: Readonly<Record<string, string | number | boolean>>; left: number; readonly action: () => void };

export class RunLog {
  readonly #now: () => Instant;
  readonly #sink: LineSink;
  readonly #hash = new LogHash();
  #watches: Watch[] = [];

  constructor(now: () => Instant, sink: LineSink) {
    this.#now = now;
    this.#sink = sink;
  }

  say(who: string, saying: Saying): void {
    const record = { t: this.#now(), who, ...saying } as LogRecord;
    const line = JSON.stringify(record);
    this.#hash.update(line);
    this.#sink(line, record);
    if (this.#watches.length > 0) this.#notice(record);
  }

  /** Runs `action` once, at the `nth` record (from 1) whose fields all equal those of `match`. */
  watch(match: Readonly<Record<string, string | number | boolean>>, nth: number, action: () => void): void {
    this.#watches.push({ match, left: nth, action });
  }

  digest(): string {
    return this.#hash.digest();
  }

  #notice(record: LogRecord): void {
    const fields = record as unknown as Readonly<Record<string, unknown>>;
    const due = this.#watches.filter(
      (watch) => Object.entries(watch.match).every(([key, value]) => fields[key] === value) && --watch.left === 0,
    );
    if (due.length === 0) return;
    this.#watches = this.#watches.filter((watch) => watch.left > 0);
    for (const watch of due) watch.action();
  }
}
