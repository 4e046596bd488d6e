/**
 * The audio about to be played, and the last of what was: where time is stretched by whole pitch periods and where made-up audio is
 * joined to real audio, so that no edit is heard as a click.
 * libwebrtc m125: time_stretch.cc, accelerate.cc, preemptive_expand.cc, merge.cc. Different here: the splice sits at the next sample to be
 * played, and audio already played counts for finding the pitch, so 20 ms are enough where NetEq needs 30.
 */
import { FRAME_SAMPLES } from "../codec.ts";

/** Pitch lags, 2.5 ms and 15 ms (NetEq: 10..60 at 4 kHz). */
const MIN_LAG = 120;
const MAX_LAG = 720;
/** Samples on either side of the splice that are compared: 10 ms in all (NetEq: 50 at 4 kHz, 12.5 ms). */
const SIDE = 240;
/** Cross-fade, at most a period: 5 ms at least, which is what is left of a frame less the longest lag. */
const FADE = 240;
/** Played audio that is kept: the longest lag and one side, twice over. */
const HISTORY: number = 2 * (MAX_LAG + SIDE);
/** Room for what waits: never more than the rest of a tick, a frame and what a stretch or a join adds. */
const CAPACITY: number = HISTORY + 8 * FRAME_SAMPLES;
/** The lag is searched at 8 kHz first, then refined. */
const COARSE = 6;
/** Largest part of a made-up remainder that is played to find a good place to join, 10 ms. */
const MAX_JOIN = 480;
/** Mean square up to so many times the background noise counts as no speech (NetEq: 8). */
const PASSIVE = 8;
/** Growth of the noise estimate a frame while nothing quieter comes. chosen: 9 dB, the passive margin, in 8 s, longer than anyone speaks without a pause. */
const FLOOR_GROWTH = 1.005;
/** Mean square below which anything is silence: an amplitude of 32, -60 dBFS. chosen: below any room. */
const LEAST_FLOOR = 1_024;

export class Waveform {
  readonly #line: Int16Array = new Int16Array(CAPACITY);
  /** Next sample to be played, and one past the last that waits. */
  #at: number = HISTORY;
  #end: number = HISTORY;
  #floor = LEAST_FLOOR;
  #energy = 0;

  /** Puts `pcm[from..to)` at the end. */
  append(pcm: Int16Array, from: number, to: number): void {
    this.#room(to - from);
    this.#line.set(from === 0 && to === pcm.length ? pcm : pcm.subarray(from, to), this.#end);
    this.#end += to - from;
  }

  /** Takes the loudness of a real frame into account for telling speech from background. */
  hear(pcm: Int16Array): void {
    let sum = 0;
    for (let i = 0; i < pcm.length; i += 4) sum += (pcm[i] as number) ** 2;
    this.#energy = (sum * 4) / pcm.length;
    this.#floor = Math.max(LEAST_FLOOR, Math.min(this.#energy, this.#floor * FLOOR_GROWTH));
  }

  /**
   * Puts `pcm` at the end, blended over into from `rest[from..]`, which continues what is there. Plays of `rest` as much as it takes to
   * get to the place where both resemble each other most; answers how much, in samples.
   */
  join(rest: Int16Array, from: number, pcm: Int16Array): number {
    const fade = Math.min(FADE, rest.length - from);
    const lag = bestJoin(rest, from, fade, pcm);
    this.append(rest, from, from + lag);
    this.#room(pcm.length);
    for (let i = 0; i < fade; i++) {
      const share = (i + 1) / (fade + 1);
      this.#line[this.#end + i] = Math.round((rest[from + lag + i] as number) * (1 - share) + (pcm[i] as number) * share);
    }
    this.#line.set(pcm.subarray(fade), this.#end + fade);
    this.#end += pcm.length;
    return lag;
  }

  /**
   * Takes one pitch period out of what waits, or with `fast` as many as fit into 15 ms, `limit` samples at most, and answers how many samples that were; 0 where
   * no period is found that resembles its neighbour by `least` (normalised correlation, 0..1) in speech.
   */
  shorten(least: number, limit: number, fast: boolean): number {
    const waiting = this.#end - this.#at;
    const longest = Math.min(MAX_LAG, limit, waiting - FADE);
    if (longest < MIN_LAG) return 0;
    const found = this.#find(1, longest, least);
    if (found === undefined) return 0;
    const lag = fast ? found * Math.floor(longest / found) : found;
    const fade = Math.min(found, waiting - lag);
    this.#blend(this.#at, this.#at + lag, fade);
    this.#line.copyWithin(this.#at + fade, this.#at + lag + fade, this.#end);
    this.#end -= lag;
    return lag;
  }

  /** Puts the last pitch period in once more before what waits, and answers how many samples that were; 0 as in `shorten`. */
  lengthen(least: number): number {
    const waiting = this.#end - this.#at;
    const lag = this.#find(-1, MAX_LAG, least);
    if (lag === undefined) return 0;
    this.#room(lag);
    const fade = Math.min(lag, waiting);
    const at = this.#at;
    // What follows the fade: the rest of the repeated period and then all that waits, once more from its beginning.
    this.#line.copyWithin(at + lag, at, this.#end);
    for (let i = fade; i < lag; i++) this.#line[at + i] = this.#line[at - lag + i] as number;
    for (let i = 0; i < fade; i++) {
      const share = (i + 1) / (fade + 1);
      const [onward, again] = [this.#line[at + lag + i] as number, this.#line[at - lag + i] as number];
      this.#line[at + i] = Math.round(onward * (1 - share) + again * share);
    }
    this.#end += lag;
    return lag;
  }

  /** Takes a tick's worth out; the caller owns it. There must be that much. */
  read(): Int16Array {
    const pcm = this.#line.slice(this.#at, this.#at + FRAME_SAMPLES);
    this.#at += FRAME_SAMPLES;
    return pcm;
  }

  /** Writes over the `fade` samples at `into` a blend from themselves to those at `from`. */
  #blend(into: number, from: number, fade: number): void {
    for (let i = 0; i < fade; i++) {
      const share = (i + 1) / (fade + 1);
      this.#line[into + i] = Math.round(
        (this.#line[into + i] as number) * (1 - share) + (this.#line[from + i] as number) * share,
      );
    }
  }

  /** The period to take out or put in; undefined in speech without one. Background noise has none, so there it may be long. */
  #find(direction: 1 | -1, longest: number, least: number): number | undefined {
    const passive = this.#energy <= PASSIVE * this.#floor;
    const found = pitch(this.#line, this.#at, direction, passive ? Math.max(MIN_LAG, longest >> 1) : MIN_LAG, longest);
    return passive || found.correlation >= least ? found.lag : undefined;
  }

  #room(samples: number): void {
    if (this.#end + samples <= CAPACITY) return;
    const start = this.#at - HISTORY;
    this.#line.copyWithin(0, start, this.#end);
    this.#at -= start;
    this.#end -= start;
  }
}

type Pitch = { readonly lag: number; readonly correlation: number };

/**
 * The lag (shortest..longest) at which the surroundings of `at` resemble those `lag` samples later (`direction` 1) or earlier (-1) most,
 * by normalised correlation over SIDE samples on either side.
 */
function pitch(line: Int16Array, at: number, direction: 1 | -1, shortest: number, longest: number): Pitch {
  let lag = shortest;
  let best = -1;
  for (let candidate = shortest; candidate <= longest; candidate += COARSE) {
    const score = likeness(line, at, direction * candidate, COARSE);
    if (score > best) {
      best = score;
      lag = candidate;
    }
  }
  const [from, to] = [Math.max(shortest, lag - COARSE + 1), Math.min(longest, lag + COARSE - 1)];
  best = -1;
  for (let candidate = from; candidate <= to; candidate++) {
    const score = likeness(line, at, direction * candidate, 2);
    if (score > best) {
      best = score;
      lag = candidate;
    }
  }
  return { lag, correlation: Math.max(0, best) };
}

/** Normalised correlation, -1..1, of what surrounds `at` with what surrounds `at + shift`; 1 where either is silent. */
function likeness(line: Int16Array, at: number, shift: number, stride: number): number {
  let [cross, here, there] = [0, 0, 0];
  for (let i = at - SIDE; i < at + SIDE; i += stride) {
    const [a, b] = [line[i] as number, line[i + shift] as number];
    cross += a * b;
    here += a * a;
    there += b * b;
  }
  return here === 0 || there === 0 ? 1 : cross / Math.sqrt(here * there);
}

/** How far into `rest[from..]` the beginning of `pcm` fits best, up to MAX_JOIN; 0 where nothing is to choose. */
function bestJoin(rest: Int16Array, from: number, fade: number, pcm: Int16Array): number {
  const last = Math.min(MAX_JOIN, rest.length - from - fade);
  let best = 0;
  let bestScore = 0;
  for (let lag = 0; lag <= last; lag += 2) {
    let [cross, energy] = [0, 1];
    for (let i = 0; i < fade; i += 2) {
      const x = rest[from + lag + i] as number;
      cross += x * (pcm[i] as number);
      energy += x * x;
    }
    const score = cross > 0 ? (cross * cross) / energy : 0;
    if (score > bestScore) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}
