/**
 * Frames waiting to be played, by packet number: a ring of the last WINDOW_FRAMES numbers, which also remembers which of them
 * were ever seen, so that a copy of a played packet is known for one.
 */
import type { FecName } from "../base/fec-scheme.ts";
import { invariant } from "../base/invariant.ts";
import type { Shape } from "./codec.ts";

/** Frames in the ring: 5.12 s, more than ten times the largest delay the jitter buffer aims at. A power of two. */
export const WINDOW_FRAMES = 256;
const MASK = WINDOW_FRAMES - 1;

export type HeldFrame = {
  readonly seq: number;
  /** Number of the packet it came in, -1 for any but its first frame. */
  readonly packet: number;
  readonly shape: Shape | undefined;
  /** Media time in 48 kHz samples. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
  /** Arrival in microseconds since the run began. */
  readonly arrival: number;
  /** What gave it back, when its own packet had not come. */
  readonly by?: FecName | undefined;
};

export class FrameWindow {
  readonly #slots: (HeldFrame | undefined)[] = new Array<HeldFrame | undefined>(WINDOW_FRAMES).fill(undefined);
  readonly #seen: Float64Array = new Float64Array(WINDOW_FRAMES).fill(-1);
  /** Numbers whose frame was given back while the packet itself had not come. */
  readonly #givenBack: Float64Array = new Float64Array(WINDOW_FRAMES).fill(-1);
  #newest = -1;
  #head = -1;
  #count = 0;

  /** Frames held. */
  get count(): number {
    return this.#count;
  }
  /** The highest packet number ever seen; -1 before the first. */
  get newest(): number {
    return this.#newest;
  }
  /** The held frame with the lowest packet number. */
  get head(): HeldFrame | undefined {
    return this.#count === 0 ? undefined : this.#slots[this.#head & MASK];
  }
  /** The frame with packet number `seq`, if held. */
  at(seq: number): HeldFrame | undefined {
    const held = this.#slots[seq & MASK];
    return held?.seq === seq ? held : undefined;
  }

  /** Whether `seq` was ever seen, or is too old to tell. */
  knows(seq: number): boolean {
    return seq <= this.#newest - WINDOW_FRAMES || this.#seen[seq & MASK] === seq;
  }

  /** Marks `seq` as seen and says what it is: never seen before, seen before, or too old to tell. */
  judge(seq: number): "new" | "duplicate" | "old" {
    if (seq <= this.#newest - WINDOW_FRAMES) return "old";
    if (this.#seen[seq & MASK] === seq) return "duplicate";
    this.#seen[seq & MASK] = seq;
    if (seq > this.#newest) this.#newest = seq;
    return "new";
  }

  /** Notes that the frame of `seq` was given back without its packet. */
  giveBack(seq: number): void {
    this.#givenBack[seq & MASK] = seq;
  }

  /** Whether the frame of `seq` was given back and its packet has not come; true once for each. */
  isGivenBack(seq: number): boolean {
    if (this.#givenBack[seq & MASK] !== seq) return false;
    this.#givenBack[seq & MASK] = -1;
    return true;
  }

  /** Whether a frame of number `seq` has room; when it has not, take the head first. */
  fits(seq: number): boolean {
    return this.#count === 0 || (seq - this.#head < WINDOW_FRAMES && this.#newest - seq < WINDOW_FRAMES);
  }

  /** Holds a frame that was judged `new` and fits. */
  hold(frame: HeldFrame): void {
    const { seq } = frame;
    invariant(this.fits(seq) && this.at(seq) === undefined, "FrameWindow.hold: the slot is taken");
    this.#slots[seq & MASK] = frame;
    if (this.#count++ === 0 || seq < this.#head) this.#head = seq;
  }

  /**
   * The own packet of `seq` came at `arrival` while what redundancy gave back of it still waits: that is the sender's word, and takes its place (libwebrtc's PacketBuffer does the
   * same). Whether there was anything to replace.
   */
  replace({ seq, payload, shape }: Pick<HeldFrame, "seq" | "payload" | "shape">, arrival: number): boolean {
    const held = this.at(seq);
    if (held?.by === undefined) return false;
    this.#slots[seq & MASK] = { ...held, payload, shape, arrival, by: undefined };
    return true;
  }

  /** Removes and returns the head; InvariantError when empty. */
  take(): HeldFrame {
    const frame = this.head;
    invariant(frame !== undefined, "FrameWindow.take: nothing is held");
    this.#slots[this.#head & MASK] = undefined;
    if (--this.#count > 0) {
      let next = this.#head + 1;
      while (this.at(next) === undefined) next++;
      this.#head = next;
    }
    return frame;
  }
}
