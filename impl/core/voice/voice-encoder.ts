/**
 * The sender's codecs: gathers captured frames of 20 ms until a packet of the tier in use is full, and encodes it. The tier changes between packets, and
 * never within one. Each tier keeps an encoder of its own from its first use to the end of the call.
 */
import type { Tier } from "../../base/tier.ts";
import { type Encoder, FRAME_SAMPLES } from "../codec.ts";
import type { Coding } from "./coding.ts";

/** A packet's worth in which nobody speaks: nothing is encoded. */
export type Quiet = { readonly coding: Coding; readonly timestamp: number; readonly payload?: undefined };

/** One packet's worth, before forward error correction. */
export type Encoded = {
  readonly coding: Coding;
  /** Of its first sample. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
  /** Nothing was said right before it, or in another coding. */
  readonly opens: boolean;
};

export class VoiceEncoder {
  readonly #codingOf: (tier: Tier) => Coding;
  readonly #encoders = new Map<Coding, Encoder>();
  readonly #codings = new Map<Tier, Coding>();
  #coding: Coding;
  #wanted: Coding;
  /** Frames of the packet under way; undefined: none. */
  #pending: Int16Array | undefined;
  #filled = 0;
  #since = 0;
  #speaks = false;
  /** Timestamp and coding the next packet has when nothing changes. */
  #next = -1;
  #last: Coding | undefined;

  constructor(codingOf: (tier: Tier) => Coding, tier: Tier) {
    this.#codingOf = codingOf;
    this.#coding = this.#of(tier);
    this.#wanted = this.#coding;
  }

  /** Of the next packet that is begun. */
  get coding(): Coding {
    return this.#wanted;
  }

  /** Whether a packet is begun and not full. */
  get isFilling(): boolean {
    return this.#filled > 0;
  }

  /** The next packet is of `tier`. */
  change(tier: Tier): void {
    this.#wanted = this.#of(tier);
  }

  /** Takes 20 ms, in which somebody `speaks` or not; undefined until a packet is full. */
  push(timestamp: number, pcm: Int16Array, speaks = true): Encoded | Quiet | undefined {
    if (this.#filled === 0) {
      this.#coding = this.#wanted;
      this.#since = timestamp;
      this.#speaks = false;
    }
    this.#speaks ||= speaks;
    const { units } = this.#coding;
    if (units === 1) return this.#full(pcm);
    if (this.#pending === undefined || this.#pending.length !== units * FRAME_SAMPLES)
      this.#pending = new Int16Array(units * FRAME_SAMPLES);
    this.#pending.set(pcm, this.#filled * FRAME_SAMPLES);
    this.#filled++;
    if (this.#filled < units) return undefined;
    this.#filled = 0;
    return this.#full(this.#pending);
  }

  #full(pcm: Int16Array): Encoded | Quiet {
    return this.#speaks ? this.#encode(pcm) : { coding: this.#coding, timestamp: this.#since };
  }

  /** What was gathered is not sent: there is nothing to send it on. */
  cut(): void {
    this.#filled = 0;
  }

  free(): void {
    for (const encoder of this.#encoders.values()) encoder.free();
    this.#encoders.clear();
  }

  #of(tier: Tier): Coding {
    const coding = this.#codings.get(tier) ?? this.#codingOf(tier);
    this.#codings.set(tier, coding);
    return coding;
  }

  #encode(pcm: Int16Array): Encoded {
    const coding = this.#coding;
    const encoder = this.#encoders.get(coding) ?? coding.engine.encoder(coding.settings);
    this.#encoders.set(coding, encoder);
    const timestamp = this.#since;
    const opens = coding !== this.#last || timestamp !== this.#next;
    this.#last = coding;
    this.#next = timestamp + coding.units * FRAME_SAMPLES;
    return { coding, timestamp, payload: encoder.encode(pcm), opens };
  }
}
