/**
 * When a mini header is enough. A run is a stretch of packets of one codec and one frame count whose timestamps advance by exactly one
 * packet's audio per packet number: any full header of a run tells every timestamp in it, before and after. The sender starts a new run
 * whenever that stops being true (silence, gap, another codec) and announces it often enough that lost announcements do not matter; the
 * receiver remembers the last runs and proposes the likely ones for a mini packet. A wrong proposal cannot play wrong audio, because the
 * sealing authenticates the timestamp it would give.
 */
import { FRAME_UNIT_SAMPLES } from "../wire/media-header.ts";

/** `timestamp - seq * frames * 960`: constant over a run, may be negative. */
export type Run = { readonly codec: number; readonly frames: number; readonly offset: number };

export const runOf = (codec: number, frames: number, seq: number, timestamp: number): Run => ({
  codec,
  frames,
  offset: timestamp - seq * frames * FRAME_UNIT_SAMPLES,
});

export const timestampIn = (run: Run, seq: number): number => run.offset + seq * run.frames * FRAME_UNIT_SAMPLES;

/** A full header at least once a second of audio, as units of 20 ms. */
const REFRESH_UNITS = 50;
/** chosen: 60 ms of loss right at a change goes unnoticed. */
const OPENING_PACKETS = 4;

/**
 * Whether packet `index` of a run (0 first) gets a full header. The opening ones and every power of two: if the first n packets
 * of a run are lost, the next full header is at most n packets away, so an outage never does more than double. Then once a second.
 */
export const isFullDue = (index: number, unitsSinceFull: number): boolean =>
  index < OPENING_PACKETS || (index & (index - 1)) === 0 || unitsSinceFull >= REFRESH_UNITS;

/** Runs remembered. chosen: a packet older than four changes of run is far too late to be played. */
const REMEMBERED = 4;

type Known = { readonly run: Run /** Lowest packet number authenticated in it. */; from: number };

/** The receiver's memory of runs, in order of packet number; fed with authentic packets only. */
export class RunMemory {
  readonly #known: Known[] = [];

  /** The runs packet `seq` may belong to, likeliest first, three at most: the last begun by then, the next one, the one before. */
  candidates(seq: number): readonly Run[] {
    const at = this.#governing(seq);
    const last = at >= 0 ? this.#known[at] : undefined;
    const next = this.#known[at + 1];
    const before = at > 0 ? this.#known[at - 1] : undefined;
    const out: Run[] = [];
    if (last !== undefined) out.push(last.run);
    if (next !== undefined) out.push(next.run);
    if (before !== undefined) out.push(before.run);
    return out;
  }

  /** Packet `seq` was authentic and of `run`. */
  learn(seq: number, run: Run): void {
    const at = this.#governing(seq);
    if (isSame(this.#known[at]?.run, run)) return;
    const next = this.#known[at + 1];
    if (next !== undefined && isSame(next.run, run)) {
      next.from = seq; // the run began earlier than was known
      return;
    }
    this.#known.splice(at + 1, 0, { run, from: seq });
    if (this.#known.length > REMEMBERED) this.#known.shift();
  }

  /** Index of the last run known to have begun by `seq`, -1 when there is none. */
  #governing(seq: number): number {
    let at = this.#known.length - 1;
    while (at >= 0 && (this.#known[at] as Known).from > seq) at--;
    return at;
  }
}

const isSame = (a: Run | undefined, b: Run): boolean =>
  a !== undefined && a.offset === b.offset && a.frames === b.frames && a.codec === b.codec;
