/** Gathers frames in a row into one log record, so that a log holds every frame at a few octets each. */
import type { Instant } from "../base/units.ts";

/** One run of frames, ready for a record: see `Frames` in base/record.ts. */
export type FrameRun = {
  readonly seq: number;
  readonly n: number;
  readonly at: number;
  readonly step: number | readonly number[];
};

/** Frames of one record at most: one second at 20 ms. */
const RUN_FRAMES = 50;

/** Collects frames whose packet numbers follow each other (or all have none: -1). */
export class FrameLog {
  #seq = -1;
  #at = 0;
  #last = 0;
  #n = 0;
  #uniform = true;
  #step = 0;
  #steps: number[] = [];
  readonly #emit: (run: FrameRun) => void;

  constructor(emit: (run: FrameRun) => void) {
    this.#emit = emit;
  }

  push(at: Instant, seq: number): void {
    if (
      this.#n > 0 &&
      (this.#n === RUN_FRAMES || (seq === -1) !== (this.#seq === -1) || (seq !== -1 && seq !== this.#seq + this.#n))
    )
      this.flush();
    if (this.#n === 0) {
      this.#seq = seq;
      this.#at = at;
    } else {
      const step = at - this.#last;
      if (this.#n === 1) this.#step = step;
      else if (this.#uniform && step !== this.#step) {
        this.#uniform = false;
        this.#steps = new Array<number>(this.#n - 1).fill(this.#step);
      }
      if (!this.#uniform) this.#steps.push(step);
    }
    this.#last = at;
    this.#n++;
  }

  flush(): void {
    if (this.#n === 0) return;
    this.#emit({ seq: this.#seq, n: this.#n, at: this.#at, step: this.#uniform ? this.#step : this.#steps });
    this.#n = 0;
    this.#uniform = true;
    this.#step = 0;
    this.#steps = [];
  }
}
