/**
 * How the way to another relay is: a STUN Binding request (RFC 8489) twice a second from the socket that carries the link, answered by the other relay
 * before any session exists. It gives round trip, jitter and loss also while the link is idle or down, and tells a relay that is dialled, and so sends
 * nothing of its own accord, that the other one has fallen silent.
 */
import { toHex } from "../../base/cursor.ts";
import { Instant, Micros, millis, seconds } from "../../base/units.ts";
import { bindingRequest, TRANSACTION_ID_BYTES } from "../../wire/stun.ts";

/** chosen: two packets of 48 octets a second and direction cost nothing, and silence is noticed within three seconds. */
const EVERY: Micros = millis(500);
/** A question without an answer after this long is lost. chosen: twice the longest round trip on Earth by cable and satellite. */
const ANSWER_WITHIN: Micros = seconds(1);
/** So many lost in a row are a silence. chosen: three of independent losses of 5 % are one false alarm in two hours, which costs a reconnect. */
const SILENT_AFTER = 3;
/** chosen: what Prometheus scrapes by default every 15 s is never older than a third of that. */
const REPORT_EVERY: Micros = seconds(5);

/** Cumulative `asked` and `lost`; `rtt` smoothed as in RFC 6298 (alpha 1/8), `jitter` of round trips as in RFC 3550 section 6.4.1; undefined before any answer. */
export type PathReport = {
  readonly asked: number;
  readonly lost: number;
  readonly rtt: Micros | undefined;
  readonly jitter: Micros | undefined;
};

export class PathProbe {
  readonly #entropy: (length: number) => Uint8Array;
  readonly #asked = new Map<string, Instant>();
  #due: Instant | undefined;
  #reportAt: Instant | undefined;
  #count = 0;
  #lost = 0;
  #lostInARow = 0;
  #last: number | undefined;
  #rtt: number | undefined;
  #jitter: number | undefined;

  constructor(entropy: (length: number) => Uint8Array) {
    this.#entropy = entropy;
  }

  get deadline(): Instant | undefined {
    return this.#due;
  }
  /** So many questions in a row have had no answer that nobody is there, or nothing gets through in one of the two directions. */
  get isSilent(): boolean {
    return this.#lostInARow >= SILENT_AFTER;
  }

  begin(now: Instant): void {
    this.#due ??= now;
    this.#reportAt ??= Instant.after(now, REPORT_EVERY);
  }

  end(): void {
    this.#due = undefined;
    this.#reportAt = undefined;
    this.#asked.clear();
  }

  /** The question that is due, if one is; and what there is to report, when that is due. */
  wake(now: Instant): { readonly question?: Uint8Array; readonly report?: PathReport } {
    if (this.#due === undefined || now < this.#due) return {};
    for (const [transaction, at] of this.#asked) {
      if (Instant.between(at, now) < ANSWER_WITHIN) continue;
      this.#asked.delete(transaction);
      this.#lost++;
      this.#lostInARow++;
    }
    const transaction = this.#entropy(TRANSACTION_ID_BYTES);
    this.#asked.set(toHex(transaction), now);
    this.#count++;
    const spread = ((this.#entropy(1)[0] ?? 0) / 255 - 0.5) / 5;
    this.#due = Instant.after(now, Micros(Math.round(EVERY * (1 + spread))));
    const question = bindingRequest(transaction);
    if (this.#reportAt === undefined || now < this.#reportAt) return { question };
    this.#reportAt = Instant.after(now, REPORT_EVERY);
    return { question, report: this.report };
  }

  get report(): PathReport {
    const micros = (value: number | undefined): Micros | undefined =>
      value === undefined ? undefined : Micros(Math.round(value));
    return { asked: this.#count, lost: this.#lost, rtt: micros(this.#rtt), jitter: micros(this.#jitter) };
  }

  /** Whether `transaction` answers a question of this probe, and if so, whether one before it had no answer. */
  heard(now: Instant, transaction: Uint8Array): "unknown" | "heard" | "heard-again" {
    const key = toHex(transaction);
    const at = this.#asked.get(key);
    if (at === undefined) return "unknown";
    this.#asked.delete(key);
    const isAgain = this.#lostInARow > 0 || [...this.#asked.values()].some((earlier) => earlier < at);
    this.#lostInARow = 0;
    const sample = Instant.between(at, now);
    this.#jitter =
      this.#last === undefined ? 0 : (this.#jitter ?? 0) + (Math.abs(sample - this.#last) - (this.#jitter ?? 0)) / 16;
    this.#rtt = this.#rtt === undefined ? sample : this.#rtt + (sample - this.#rtt) / 8;
    this.#last = sample;
    return isAgain ? "heard-again" : "heard";
  }
}
