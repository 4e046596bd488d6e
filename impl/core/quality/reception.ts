/**
 * What a receiver knows about how packets fare on their way, before any repair: the counts of a `VoiceReport`. A packet is taken for lost when
 * REORDERING later ones have come. Memory is fixed.
 */
import type { VoiceReport } from "../../wire/voice-report.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "../codec.ts";

/** Packets that may overtake one before it is taken for lost (RFC 9002's kPacketThreshold is 3; voice on a jittery link overtakes more). */
const REORDERING = 8;
/** Numbers remembered. A power of two. */
const REMEMBERED = 256;
const MASK = REMEMBERED - 1;
/** A run of lost packets counts for at most so many: an outage is no rate, and no redundancy bridges it. chosen: 300 ms at 20 ms. */
const MAX_RUN = 15;
/** How long the earliest transit is remembered: two halves of it. chosen: a queue that stands for longer is the path. */
const HALF_WINDOW = 15_000_000;

export class Reception {
  readonly #seen: Float64Array = new Float64Array(REMEMBERED).fill(-1);
  #highest = -1;
  #judged = 0;
  #received = 0;
  #lost = 0;
  #runs = 0;
  #run = 0;
  #octets = 0;
  #jitter = 0;
  #lastTransit = Number.NaN;
  #earliest = Number.POSITIVE_INFINITY;
  #earlier = Number.POSITIVE_INFINITY;
  #turnAt = 0;
  #late = 0;
  #count = 0;

  /** A packet was opened; `octets` as it came, `units` of 20 ms from `timestamp` on. */
  media(
    now: number,
    packet: { readonly seq: number; readonly timestamp: number; readonly frames: number },
    octets: number,
  ): void {
    const { seq, timestamp, frames } = packet;
    this.#octets += octets;
    if (this.#highest < 0) this.#judged = seq;
    this.#seen[seq & MASK] = seq;
    if (seq > this.#highest) {
      // What is too old to be remembered was either seen to or is lost.
      if (seq - this.#judged >= REMEMBERED) this.#skip(seq - REMEMBERED + 1);
      for (; this.#judged <= seq - REORDERING; this.#judged++) this.#judge(this.#judged);
      this.#highest = seq;
    }
    // A packet is sent when its last frame was captured.
    const transit = now - ((timestamp + (frames - 1) * FRAME_SAMPLES) * FRAME_MICROS) / FRAME_SAMPLES;
    if (!Number.isNaN(this.#lastTransit)) this.#jitter += (Math.abs(transit - this.#lastTransit) - this.#jitter) / 16;
    this.#lastTransit = transit;
    if (now >= this.#turnAt) {
      this.#earlier = this.#earliest;
      this.#earliest = transit;
      this.#turnAt = now + HALF_WINDOW;
    }
    this.#earliest = Math.min(this.#earliest, transit);
    this.#late += transit - Math.min(this.#earliest, this.#earlier);
    this.#count++;
  }

  /** A repair packet came. */
  repair(octets: number): void {
    this.#octets += octets;
  }

  /** An outage, or a peer that counts as it likes: one long run. */
  #skip(to: number): void {
    this.#runs++;
    this.#lost += MAX_RUN;
    this.#run = MAX_RUN;
    this.#judged = to;
  }

  #judge(seq: number): void {
    if (this.#seen[seq & MASK] === seq) {
      this.#received++;
      this.#run = 0;
      return;
    }
    if (this.#run++ === 0) this.#runs++;
    if (this.#run <= MAX_RUN) this.#lost++;
  }

  /** The counts so far; lateness is of the time since the last asking. */
  counts(): Omit<VoiceReport, "time" | "echo" | "held"> {
    const queue = this.#count === 0 ? 0 : this.#late / this.#count / 1_000;
    this.#late = 0;
    this.#count = 0;
    return {
      highest: Math.max(0, this.#judged - 1),
      received: this.#received,
      lost: this.#lost,
      runs: this.#runs,
      octets: this.#octets,
      jitter: this.#jitter / 1_000,
      queue,
    };
  }
}
