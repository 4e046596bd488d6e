/** Whether frames are being lost, and not late: then time is worth having in reserve, and nothing is waited for beyond the delay aimed at. Times are microseconds. */

/** A link has lossy moments until so long after the last frame that never came in time. chosen: longer than between losses of 1 %, shorter than speech takes to wear a reserve. */
export const LOSSY = 2_000_000;
/** By then what was late would have come. chosen: what jitter buffers aim at under jitter of 50 ms. */
const LATE = 200_000;

export class LossyLink {
  /** When a frame was last played after one that was neither there nor given back. */
  #lostAt = Number.NEGATIVE_INFINITY;
  /** When the first of them was, with never a longer time than LOSSY between. */
  #since = Number.NEGATIVE_INFINITY;
  /** When a frame last came after its time: others may be late too, and not lost. */
  #lateAt = Number.NEGATIVE_INFINITY;

  /** A frame was played after one that was not there. */
  lost(now: number): void {
    if (now - this.#lostAt >= LOSSY) this.#since = now;
    this.#lostAt = now;
  }

  /** A frame came after its time. */
  late(now: number): void {
    this.#lateAt = now;
  }

  isLossy(now: number): boolean {
    return now - this.#lostAt < LOSSY && now - this.#since >= LATE && now - this.#lateAt >= LOSSY;
  }
}
