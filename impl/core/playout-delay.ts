/**
 * How late packets come and how much that varies: moving averages in the manner of Ramjee et al., "Adaptive playout mechanisms
 * for packetized audio applications in wide-area networks" (INFOCOM 1994), and the interarrival jitter of RFC 3550 section 6.4.1.
 * Ramjee: playout point = mean + 4 x mean deviation. Left out: its spike mode; a deviation is capped instead.
 */

/** Gain of the slow averages: 1 - 0.998002 (Ramjee's alpha, from Mills' RFC 889): about ten seconds at 50 packets a second. */
const SLOW = 1 - 0.998002;
/** Gain of the fast averages, and of RFC 3550's jitter: a third of a second at 50 packets a second. */
const FAST = 1 / 16;
/** Gain of the mean when a packet is earlier than it: after a burst held back somewhere, the path is as fast as its last packet. chosen. */
const EARLY = 1 / 4;
/** Deviations in the playout point (Ramjee). */
const DEVIATIONS = 4;

export type DelayBounds = {
  /** Microseconds the target never goes below. */
  readonly minTarget: number;
  /** Microseconds the target never goes above. */
  readonly maxTarget: number;
};

/** Times are microseconds; a transit is arrival time less media time, so only differences of transits mean anything. */
export class PlayoutDelay {
  readonly #bounds: DelayBounds;
  #count = 0;
  #mean = 0;
  #fast = 0;
  #slow = 0;
  #jitter = 0;
  #last = 0;
  #target: number;
  #hold = 0;

  constructor(bounds: DelayBounds) {
    this.#bounds = bounds;
    this.#target = bounds.minTarget;
  }

  /** Mean transit; 0 before the first packet. */
  get mean(): number {
    return this.#mean;
  }
  /** How long after the mean transit a frame should be played: 4 mean deviations within the bounds. */
  get target(): number {
    return this.#target;
  }
  /** RFC 3550 interarrival jitter. */
  get jitter(): number {
    return this.#jitter;
  }
  /** Whether anything was observed. */
  get known(): boolean {
    return this.#count > 0;
  }

  /** Takes one packet's transit, in order of arrival. */
  observe(transit: number): void {
    if (this.#count++ === 0) {
      this.#mean = transit;
      this.#last = transit;
      return;
    }
    this.#jitter += (Math.abs(transit - this.#last) - this.#jitter) * FAST;
    this.#last = transit;
    // More than the largest target could not be bridged anyway, and must not keep the target up for seconds.
    const deviation = Math.min(Math.abs(transit - this.#mean), this.#bounds.maxTarget / DEVIATIONS);
    this.#fast += (deviation - this.#fast) * FAST;
    this.#slow += (deviation - this.#slow) * Math.max(SLOW, 1 / (this.#count + 1 / FAST));
    this.#mean += (transit - this.#mean) * (transit < this.#mean ? EARLY : FAST);
    this.#aim();
  }

  /** Lost frames come back up to `length` microseconds after their own packets: that is added to the target, whose least covers the tick a frame is found in. */
  holdFor(length: number): void {
    if (length === this.#hold) return;
    this.#hold = length;
    this.#aim();
  }

  #aim(): void {
    const wanted = DEVIATIONS * Math.max(this.#fast, this.#slow);
    const held = wanted + this.#hold;
    this.#target = Math.max(this.#bounds.minTarget, Math.min(this.#bounds.maxTarget, held));
  }

  /** Another path, or a sender's clock that jumped: `transit` is the new mean; what is known of the variation stays. */
  rebase(transit: number): void {
    this.#mean = transit;
    this.#last = transit;
    this.#count++;
  }
}
