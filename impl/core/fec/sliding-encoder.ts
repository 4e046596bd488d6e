/** The sender's window: what it covers, and how much repair each packet carries so that over time it is what was asked for. */
import { CELL_BYTES, cellOctets, cellsIn, cellsOf, multiplesOf, sumsOf } from "./sliding-code.ts";
import { MAX_ROWS, putSlidingPayload, slidingCost } from "./sliding-payload.ts";
import { MAX_PROTECTED_BYTES, type SourcePacket } from "./source-packet.ts";

export class SlidingEncoder {
  readonly #window: number;
  readonly #percent: number;
  /** The packets before, the nearest first; undefined: too long to be protected. */
  #before: (Uint32Array | undefined)[] = [];
  /** Rows owed, less than one. */
  #owed = 0;

  constructor(window: number, percent: number) {
    this.#window = window;
    this.#percent = percent;
  }

  /** Ends the run: nothing before is covered any more. */
  cut(): void {
    this.#before = [];
  }

  /** The payload to seal in the packet's place. */
  protect({ seq, codec, payload }: SourcePacket): Uint8Array {
    const before = this.#before;
    const counts = before.map((frame) => (frame === undefined ? 0 : cellsIn(frame)));
    const covered = counts.reduce((sum, count) => sum + count, 0);
    // Every frame's share is spread over all packets that cover it, so repair does not come and go with the length of frames.
    this.#owed += (covered * this.#percent) / 100 / this.#window;
    const room = Math.floor((MAX_PROTECTED_BYTES - payload.length - slidingCost(before.length, 0)) / CELL_BYTES);
    const rows = Math.max(0, Math.min(Math.floor(this.#owed), covered, room, MAX_ROWS));
    this.#owed = Math.min(1, this.#owed - rows);
    const bytes = putSlidingPayload({
      codec,
      window: this.#window,
      cells: rows === 0 ? [] : counts,
      rows: sumsOf(seq, before, rows),
      payload,
    });
    before.unshift(cellsOf(payload.length) === 0 ? undefined : multiplesOf(cellOctets(payload)));
    if (before.length > this.#window) before.pop();
    return bytes;
  }
}
