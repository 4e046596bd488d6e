/**
 * Receiver counters with the names, units and rules of W3C webrtc-stats (inbound-rtp, audio), and interruptions, which it lacks.
 * https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict*
 */
import type { StatsRecord } from "../base/record.ts";
import { SAMPLE_RATE } from "./codec.ts";

export type JitterStatistics = Required<Omit<StatsRecord, "ev" | "call" | "roundTripTime">>;

/** Concealed samples in a row that make an interruption: 150 ms (libwebrtc's NetEq). */
const INTERRUPTION = (150 * SAMPLE_RATE) / 1_000;

/** Counts in samples and microseconds; `snapshot` turns them into the standard's units. Mutates privately. */
export class JitterCounters {
  #received = 0;
  #first = -1;
  #newest = -1;
  #discarded = 0;
  #total = 0;
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
  #unneeded = 0;
  #late = 0;
  #noise = 0;
  #interruptions = 0;
  #interrupted = 0;

  /** Concealed samples since the last one that was not. */
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
  /** A packet came after its time was played: discarded, and late. */
  tooLate(): void {
    this.#discarded++;
    this.#late++;
  }
  /** What redundancy gave back was there already, or came too late. */
  unneeded(): void {
    this.#unneeded++;
  }
  /** Samples played that the sender did not send (W3C: deceleration). */
  inserted(samples: number): void {
    this.#inserted += samples;
  }
  /** Samples the sender sent or counted that were skipped (W3C: acceleration). */
  removed(samples: number): void {
    this.#removed += samples;
  }
  /**
   * Audio of the sender is played, `delay` microseconds after the packet that carried it arrived while `target` was aimed at. `recovered`: of how many packets redundancy gave
   * it back, 0 for a further frame of one; undefined: it came in its own packet. Both have come out of the buffer (jitterBufferEmittedCount), as in libwebrtc.
   */
  emitted(samples: number, delay: number, target: number, recovered?: number): void {
    this.#run = 0;
    this.#emitted += samples;
    this.#delay += delay * samples;
    this.#targetDelay += target * samples;
    this.#recovered += recovered ?? 0;
  }
  /** Noise is played for a peer that says nothing: no concealment. */
  comfort(samples: number): void {
    this.#run = 0;
    this.#noise += samples;
  }
  /** Something made up, or nothing, is played. */
  concealed(samples: number, silent: boolean): void {
    this.#concealed += samples;
    if (silent) this.#silent += samples;
    const before = this.#run;
    this.#run += samples;
    if (before === 0) this.#events++;
    if (this.#run < INTERRUPTION) return;
    if (before >= INTERRUPTION) this.#interrupted += samples;
    else {
      this.#interruptions++;
      this.#interrupted += this.#run;
    }
  }
  /** Samples were given to the loudspeaker, whatever they were. */
  played(samples: number): void {
    this.#total += samples;
  }

  /** `jitter` in microseconds (RFC 3550). An interruption counts from its 150 ms on, with all of its length so far. */
  snapshot(jitter: number): JitterStatistics {
    return {
      packetsReceived: this.#received,
      packetsLost: this.#first < 0 ? 0 : this.#newest - this.#first + 1 - this.#received,
      packetsDiscarded: this.#discarded,
      jitter: jitter / 1_000_000,
      jitterBufferDelay: this.#delay / 1_000_000,
      jitterBufferTargetDelay: this.#targetDelay / 1_000_000,
      jitterBufferEmittedCount: this.#emitted,
      totalSamplesReceived: this.#total,
      concealedSamples: this.#concealed,
      silentConcealedSamples: this.#silent,
      concealmentEvents: this.#events,
      insertedSamplesForDeceleration: this.#inserted,
      removedSamplesForAcceleration: this.#removed,
      fecPacketsReceived: this.#recovered,
      fecPacketsDiscarded: this.#unneeded,
      lateDiscarded: this.#late,
      generatedNoiseSamples: this.#noise,
      interruptionCount: this.#interruptions,
      totalInterruptionDurationMs: (this.#interrupted * 1_000) / SAMPLE_RATE,
    };
  }
}
