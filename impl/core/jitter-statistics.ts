/**
 * Receiver counters with the names, units and rules of W3C webrtc-stats (inbound-rtp, audio), and interruptions, which it lacks.
 * https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict*
 */
import type { StatsRecord } from "../base/record.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";

export type JitterStatistics = Omit<StatsRecord, "ev" | "call">;

/** Concealed frames in a row that make an interruption: 150 ms (libwebrtc's NetEq), in whole frames. */
const INTERRUPTION_FRAMES = Math.ceil(150_000 / FRAME_MICROS);

/** Counts in frames and microseconds; `snapshot` turns them into the standard's units. Mutates privately. */
export class JitterCounters {
  #received = 0;
  #first = -1;
  #newest = -1;
  #discarded = 0;
  #ticks = 0;
  #emitted = 0;
  #delay = 0;
  #targetDelay = 0;
  #concealed = 0;
  #silent = 0;
  #events = 0;
  #run = 0;
  #inserted = 0;
  #removed = 0;
  #recovered = 0;
  #interruptions = 0;
  #interrupted = 0;

  /** Concealed frames since the last one that was not. */
  get run(): number {
    return this.#run;
  }

  /** A packet arrived that is no copy of an earlier one. */
  received(seq: number): void {
    this.#received++;
    if (this.#first < 0 || seq < this.#first) this.#first = seq;
    if (seq > this.#newest) this.#newest = seq;
  }
  /** A packet was thrown away: too late, or not decodable. */
  discarded(count = 1): void {
    this.#discarded += count;
  }
  /** Samples played that the sender did not send (W3C: deceleration). */
  inserted(samples: number): void {
    this.#inserted += samples;
  }
  /** Samples the sender sent or counted that were skipped (W3C: acceleration). */
  removed(samples: number): void {
    this.#removed += samples;
  }
  /** A tick played a packet's audio, `delay` microseconds after it arrived while `target` was aimed at. */
  source(delay: number, target: number): void {
    this.#ticks++;
    this.#run = 0;
    this.#emitted++;
    this.#delay += delay;
    this.#targetDelay += target;
  }
  /** A tick played audio from the next packet's redundancy. */
  recovered(): void {
    this.#ticks++;
    this.#run = 0;
    this.#recovered++;
  }
  /** A tick played something made up, or nothing. */
  concealed(silent: boolean): void {
    this.#ticks++;
    this.#concealed++;
    if (silent) this.#silent++;
    this.#run++;
    if (this.#run === 1) this.#events++;
    if (this.#run === INTERRUPTION_FRAMES) {
      this.#interruptions++;
      this.#interrupted += INTERRUPTION_FRAMES;
    } else if (this.#run > INTERRUPTION_FRAMES) this.#interrupted++;
  }

  /** `jitter` in microseconds (RFC 3550). An interruption counts from its 150 ms on, with all of its length so far. */
  snapshot(jitter: number): JitterStatistics {
    const samples = (frames: number): number => frames * FRAME_SAMPLES;
    return {
      packetsReceived: this.#received,
      packetsLost: this.#first < 0 ? 0 : this.#newest - this.#first + 1 - this.#received,
      packetsDiscarded: this.#discarded,
      jitter: jitter / 1_000_000,
      jitterBufferDelay: samples(this.#delay) / 1_000_000,
      jitterBufferTargetDelay: samples(this.#targetDelay) / 1_000_000,
      jitterBufferEmittedCount: samples(this.#emitted),
      totalSamplesReceived: samples(this.#ticks),
      concealedSamples: samples(this.#concealed),
      silentConcealedSamples: samples(this.#silent),
      concealmentEvents: this.#events,
      insertedSamplesForDeceleration: this.#inserted,
      removedSamplesForAcceleration: this.#removed,
      fecPacketsReceived: this.#recovered,
      interruptionCount: this.#interruptions,
      totalInterruptionDurationMs: (this.#interrupted * FRAME_MICROS) / 1_000,
    };
  }
}
