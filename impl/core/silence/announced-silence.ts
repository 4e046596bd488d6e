/**
 * A receiver's knowledge of when its peer says nothing, told by comfort packets: whether what is missing at some media time was ever sent, and how loud the
 * noise in its place is. A silence lasts until the next frame of speech; packet numbers tell how much speech before that frame is lost.
 */
import type { ComfortNoise } from "../../wire/comfort-noise.ts";
import { FRAME_SAMPLES } from "../codec.ts";
import type { HeldFrame } from "../frame-window.ts";
import { Noise } from "./noise.ts";

/** Silences announced and not played yet. chosen: more than fit into the longest delay with words between them. */
const MOST = 8;
/** Sender's clocks count whole frames; half a slot tolerates those that do not. */
const HALF = FRAME_SAMPLES / 2;

type Silence = { from: number; latest: number; level: number };

export class AnnouncedSilence {
  readonly #silences: Silence[] = [];
  readonly #noise: Noise = new Noise();
  readonly #pcm: Int16Array = new Int16Array(FRAME_SAMPLES);

  /** A comfort packet of media time `timestamp` says so. */
  tell(timestamp: number, { level, since }: ComfortNoise): void {
    const from = timestamp - since * FRAME_SAMPLES;
    const same = this.#silences.find((one) => from <= one.latest + FRAME_SAMPLES && timestamp >= one.from);
    if (same === undefined) {
      this.#silences.push({ from, latest: timestamp, level });
      this.#silences.sort((a, b) => a.from - b.from);
      if (this.#silences.length > MOST) this.#silences.shift();
      return;
    }
    same.from = Math.min(same.from, from);
    if (timestamp < same.latest) return;
    same.latest = timestamp;
    same.level = level;
  }

  /** Media time `position` is reached: silences before it are over. */
  passed(position: number): void {
    while (this.#silences[0] !== undefined && this.#silences[0].from < position - HALF) this.#silences.shift();
  }

  clear(): void {
    this.#silences.length = 0;
  }

  /** Samples from media time `at` to the first silence before `head`, 0 within it; undefined when none is known of. */
  ahead(at: number, head: HeldFrame | undefined): number | undefined {
    const first = this.#silences[0];
    if (first === undefined || (head !== undefined && head.timestamp <= first.from)) return undefined;
    return first.from <= at + HALF ? 0 : first.from - at;
  }

  /** Samples of speech right before `head` that were sent and lost, when `last` is the packet before the silence; 0 where that cannot be told. */
  lostBefore(head: HeldFrame | undefined, last: number): number {
    if (head === undefined || head.packet < 0 || last < 0) return 0;
    return Math.max(0, head.packet - last - 1) * (head.shape?.units ?? 1) * FRAME_SAMPLES;
  }

  /** The noise of now, `samples` (at most a frame) from the start of an array that the next call writes over. */
  noise(samples: number): Int16Array {
    this.#noise.fill(this.#pcm, samples, this.#silences[0]?.level ?? 127);
    return this.#pcm;
  }
}
