/**
 * Which packet numbers were received already: a sliding bitmap (RFC 4303 section 3.4.3) kept as a ring of words, so that moving it
 * clears words instead of shifting bits (RFC 6479). It lives as long as the key, across sessions.
 */

/** Packets below the highest that may still arrive. chosen: 20 s of voice, longer than any path keeps a packet. */
export const REPLAY_WINDOW = 1_024;

/** Twice the window, so that words of the window are never the ones being cleared. */
const WORDS = (REPLAY_WINDOW / 32) * 2;

export class ReplayWindow {
  readonly #seen = new Uint32Array(WORDS);
  #highest = -1;

  /** The highest number marked, -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** True when `seq` was not marked yet and is not too old to tell. */
  accepts(seq: number): boolean {
    if (seq > this.#highest) return true;
    if (seq <= this.#highest - REPLAY_WINDOW) return false;
    return (((this.#seen[wordOf(seq)] as number) >>> (seq % 32)) & 1) === 0;
  }

  /** Call only with an accepted number whose packet is authentic: a forgery must not move the window. */
  mark(seq: number): void {
    if (seq > this.#highest) {
      const from = Math.floor(this.#highest / 32) + 1; // also right for -1: nothing is seen yet
      const to = Math.floor(seq / 32);
      for (let word = Math.max(from, to - WORDS + 1); word <= to; word++) this.#seen[word % WORDS] = 0;
      this.#highest = seq;
    }
    const at = wordOf(seq);
    this.#seen[at] = (this.#seen[at] as number) | (1 << (seq % 32));
  }
}

const wordOf = (seq: number): number => Math.floor(seq / 32) % WORDS;
