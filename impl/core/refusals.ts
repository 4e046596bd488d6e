/** Counts what was refused at the trust boundary and says it in the log without letting a flood fill the log. */
import type { RefusalReason, RefusedRecord } from "../base/record.ts";

/** Records in full per reason; past that only powers of two are written. chosen: enough to see a pattern. */
const WRITTEN_IN_FULL = 16;

export class Refusals {
  readonly #counts = new Map<RefusalReason, number>();

  /** Counts one refusal; returns the record to write, or undefined when this one is only counted. */
  note(reason: RefusalReason, what: string): RefusedRecord | undefined {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    const written = count <= WRITTEN_IN_FULL || (count & (count - 1)) === 0;
    return written ? { ev: "refused", reason, what, count } : undefined;
  }

  count(reason: RefusalReason): number {
    return this.#counts.get(reason) ?? 0;
  }
}
