/**
 * A histogram of delays that forgets: every new delay takes a small share from all the others. While it is young it weighs what it
 * has seen evenly, so the first second already counts.
 * libwebrtc m125, modules/audio_coding/neteq/histogram.cc (there in Q30 and over all buckets; here one addition touches one bucket).
 */

/**
 * Width of a bucket, microseconds. chosen: an eighth of NetEq's 20 ms, because the least of it is the least delay aimed at, and so much every call waits that has no jitter: with
 * 10 ms such a call waits 7.5 ms longer for nothing. Over the grid of `midcall bench jitter` the two differ by 0.001 of a MOS in the mean.
 */
export const BUCKET = 2_500;
/** Up to a second; anything above falls into the last. chosen: more than twice the largest delay aimed at. */
export const BUCKETS = 400;
/** start_forget_weight. */
const START_WEIGHT = 2;
/** Weights are brought back to shares before they leave the range in which doubles add exactly enough. */
const LARGEST_UNIT = 1e9;

export class DelayHistogram {
  /** Shares times `#unit`, which grows instead of every bucket shrinking. */
  readonly #weights: Float64Array = new Float64Array(BUCKETS);
  readonly #forget: number;
  #unit = 1;
  #count = 0;

  /** `forget`: what remains of the old at each addition, 0..1. */
  constructor(forget: number) {
    this.#forget = forget;
  }

  /** Additions so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes one delay in microseconds (>= 0). */
  add(delay: number): void {
    const forget = Math.max(0, Math.min(this.#forget, 1 - START_WEIGHT / (++this.#count + 1)));
    if (forget === 0) {
      this.#weights.fill(0);
      this.#unit = 1;
    } else this.#unit /= forget;
    // A packet that is late by exactly an edge is in time at that edge.
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(delay / BUCKET) - 1));
    this.#weights[bucket] = (this.#weights[bucket] as number) + (1 - forget) * this.#unit;
    if (this.#unit < LARGEST_UNIT) return;
    for (let i = 0; i < BUCKETS; i++) this.#weights[i] = (this.#weights[i] as number) / this.#unit;
    this.#unit = 1;
  }

  /** The upper edge of the bucket below which at least `share` (0..1) of the delays lie, microseconds; 0 before the first. */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    let left = share * this.#unit;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#weights[i] as number;
      if (left <= 0) return (i + 1) * BUCKET;
    }
    return BUCKETS * BUCKET;
  }

  /**
   * The upper edge (microseconds) at which delay and loss together cost least, when `price` microseconds of delay above `free` are worth
   * as much as losing all. A tie goes to the shorter delay.
   */
  cheapest(price: number, free: number): number {
    let above = this.#unit;
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let i = 0; i < BUCKETS; i++) {
      above -= this.#weights[i] as number;
      const edge = (i + 1) * BUCKET;
      const cost = Math.max(0, edge - free) + (price * Math.max(0, above)) / this.#unit;
      // A tie in exact arithmetic must stay one.
      if (cost < bestCost - 1e-3) {
        bestCost = cost;
        best = edge;
      }
    }
    return best;
  }
}
