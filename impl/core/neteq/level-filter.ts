/**
 * The audio waiting to be played, smoothed: slower the longer the delay aimed at. Unlike the playout delay it needs no earliest packet,
 * so it also knows when a path became slower and what looks like delay to spare is not there.
 * libwebrtc m125, modules/audio_coding/neteq/buffer_level_filter.cc.
 */

/** What remains of the old level after 10 ms, by target (microseconds, up to and including): 251/256 to 254/256. */
const FACTORS: readonly (readonly [target: number, factor: number])[] = [
  [20_000, 251 / 256],
  [60_000, 252 / 256],
  [140_000, 253 / 256],
  [Number.POSITIVE_INFINITY, 254 / 256],
];

export class LevelFilter {
  #level = 0;

  /** Microseconds. */
  get level(): number {
    return this.#level;
  }

  /** One 20 ms tick at which `span` microseconds were waiting, while `target` was aimed at. */
  tick(span: number, target: number): void {
    for (const [upTo, factor] of FACTORS) {
      if (target > upTo) continue;
      this.#level += (span - this.#level) * (1 - factor * factor);
      return;
    }
  }

  /** `microseconds` were taken out of what waits (negative: put in), so the level need not find out by itself. */
  shift(microseconds: number): void {
    this.#level = Math.max(0, this.#level - microseconds);
  }

  /** The level is `span` at once: after a pause the past says nothing. */
  reset(span: number): void {
    this.#level = span;
  }
}
