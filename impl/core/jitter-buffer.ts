/**
 * The seam of the jitter buffer: packets go in when they come, 20 ms of audio come out at every tick. Two are behind it, `neteq`
 * (neteq/neteq-buffer.ts: stretches time by whole pitch periods) and `ema` (ema-buffer.ts: adds and leaves out whole frames).
 */
import type { FecName } from "../base/fec-scheme.ts";
import type { Instant, Micros } from "../base/units.ts";
import type { ComfortNoise } from "../wire/comfort-noise.ts";
import type { Decoder, Shape } from "./codec.ts";
import type { JitterStatistics } from "./jitter-statistics.ts";

/** What the delay aimed at stays within. */
export type DelayBounds = {
  readonly minTarget: Micros;
  readonly maxTarget: Micros;
};

/** What a tick played. `pcm` is read-only: silent frames and some engines' frames share their memory. */
export type Played = {
  readonly kind: "source" | "recovered" | "concealed" | "silence" | "comfort";
  /**
   * The packet whose audio it is: for `recovered` the missing one. Rises from tick to tick. Absent for the other kinds, where a stretched
   * frame fills a second tick, and for all but the first frame of a packet.
   */
  readonly seq?: number;
  /** What gave a `recovered` frame back; absent: the codec's own redundancy in the next packet. */
  readonly by?: FecName;
  /** FRAME_SAMPLES samples. */
  readonly pcm: Int16Array;
};

export type JitterFrame = {
  /** A whole number >= 0, rising by one a frame: the packet number, or with `packet` one of the buffer's own. */
  readonly seq: number;
  /** Its packet's number where packets do not carry one frame each. */
  readonly packet?: number;
  /** How the payload is to be read; absent: as 20 ms of Opus. */
  readonly shape?: Shape;
  /** Media time in 48 kHz samples. */
  readonly timestamp: number;
  /** Encoded frame, not changed by anyone from here on. */
  readonly payload: Uint8Array;
  /** The scheme that gave it back; absent when its own packet came. Such a frame says nothing about how long packets take. */
  readonly by?: FecName;
};

export type JitterBuffer = {
  /** The delay aimed at now. `ema` counts it from the mean arrival, `neteq` from the earliest. */
  readonly target: Micros;
  stats(): JitterStatistics;
  /** From now on frames may come `length` later than their own packets: what gives them back takes that long. */
  holdFor(length: Micros): void;
  /** Takes a packet that arrived at `now`, or was given back then. Copies are ignored; packets that are too late are counted and dropped. */
  insert(now: Instant, frame: JitterFrame): void;
  /** The sender says nothing at media time `timestamp`, as a packet that arrived at `now` tells: noise is played in place of what was not sent. */
  rest(now: Instant, timestamp: number, noise: ComfortNoise): void;
  /** The frame of the playout tick at `now`, to be called every 20 ms; undefined until the first audio is due. */
  playout(now: Instant): Played | undefined;
};

export type JitterOptions = {
  /** The buffer's alone while it is used, and the caller's to free. */
  readonly decoder: Decoder;
  /** `sized`: what the decoder returns is no audio, so only frames are counted. */
  readonly mode: "real" | "sized";
  /** The buffer's own unless told. */
  readonly bounds?: DelayBounds;
  /** `neteq`: the delay that one percent of loss is worth, >= 0: less makes for less delay and more concealed, more the other way round. LOSS_PRICE (neteq/delay-target.ts) unless told. */
  readonly lossPrice?: Micros;
};
