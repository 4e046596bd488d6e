/**
 * Filling a missing frame from what was heard last, for codecs that cannot do it themselves: find the pitch, repeat the last
 * periods, fade to silence; cross-fade back when real audio returns. Modelled on ITU-T G.711 Appendix I (1999), at 48 kHz and
 * without its 3.75 ms of look-ahead; the fade is slower, so that every engine falls silent at the same moment.
 */
import { FRAME_SAMPLES } from "./codec.ts";

/** Concealed frames in a row until silence: 120 ms, the point where WaveNetEQ gives up too (Google, 2020-04). G.711 App. I: 60 ms. */
export const CONCEALED_FRAMES = 6;

/** Pitch lags, 5 ms and 15 ms: 200 Hz and 66 Hz (G.711 App. I section I.2.2). */
const MIN_LAG = 240;
const MAX_LAG = 720;
/** Correlation window, 20 ms (I.2.2). */
const WINDOW = 960;
/** The lag is searched at 8 kHz first, then refined. */
const COARSE = 6;
/** Periods in the repeated span: one in the first frame, two in the second, three from then on (I.2.5: at 10 and 20 ms). */
const MAX_PERIODS = 3;
/** Three of the longest periods and a quarter for the overlap: 2340, rounded up to 50 ms. */
const HISTORY = 2_400;
/** Cross-fade into real audio: a quarter of a usual period, and 4 ms more a lost 10 ms, at most 10 ms (I.2.7). */
const MERGE = 120;
const MERGE_STEP = 384;
const MAX_MERGE = 480;

/**
 * Turns the `nth` concealed frame in a row (from 0) down in place: full until frame `from`, then in a straight line to zero at
 * the end of frame CONCEALED_FRAMES - 1, and zero afterwards.
 */
export function fadeConcealed(pcm: Int16Array, nth: number, from: number): Int16Array {
  if (nth >= CONCEALED_FRAMES) return pcm.fill(0);
  if (nth < from) return pcm;
  const length = (CONCEALED_FRAMES - from) * FRAME_SAMPLES;
  let left = (CONCEALED_FRAMES - nth) * FRAME_SAMPLES;
  for (let i = 0; i < pcm.length; i++) pcm[i] = ((pcm[i] as number) * --left) / length;
  return pcm;
}

/** The memory of one decoder's output. Mutates privately: it sits on the per-packet path. */
export class Concealment {
  readonly #history: Int16Array = new Int16Array(HISTORY);
  /** Concealed frames not yet in the history, which must stay as it is while the spans are cut from it. */
  readonly #pending: Int16Array[] = [];
  #span: Float64Array = new Float64Array(0);
  #period = 0;
  #at = 0;
  #run = 0;

  /** Takes a real frame before it is played: blends its beginning with a concealment under way, in place, and returns it. */
  good(pcm: Int16Array): Int16Array {
    if (this.#run > 0) {
      const length = Math.min(MAX_MERGE, MERGE + MERGE_STEP * (this.#run - 1));
      const tail = this.#synthesise(new Int16Array(length));
      const gain = Math.max(0, Math.min(1, (CONCEALED_FRAMES - this.#run) / (CONCEALED_FRAMES - 1)));
      for (let i = 0; i < length; i++) {
        const share = (i + 1) / (length + 1);
        pcm[i] = Math.round((pcm[i] as number) * share + (tail[i] as number) * gain * (1 - share));
      }
      this.#run = 0;
    }
    this.#remember(pcm);
    return pcm;
  }

  /** The next concealed frame, owned by the caller; zeros from the seventh in a row on. */
  conceal(): Int16Array {
    const pcm = new Int16Array(FRAME_SAMPLES);
    if (this.#run < CONCEALED_FRAMES) {
      if (this.#run === 0) this.#begin();
      else if (this.#run < MAX_PERIODS) this.#lengthen(this.#run + 1);
      this.#synthesise(pcm);
      if (this.#run === 0) this.#smooth(pcm);
      fadeConcealed(pcm, this.#run, 1);
    }
    this.#run++;
    if (this.#run > MAX_PERIODS) this.#remember(pcm);
    else this.#pending.push(pcm.slice());
    return pcm;
  }

  #remember(pcm: Int16Array): void {
    for (const held of this.#pending) this.#push(held);
    this.#pending.length = 0;
    this.#push(pcm);
  }

  #push(pcm: Int16Array): void {
    const newest = pcm.length > HISTORY ? pcm.subarray(pcm.length - HISTORY) : pcm;
    this.#history.copyWithin(0, newest.length);
    this.#history.set(newest, HISTORY - newest.length);
  }

  #begin(): void {
    this.#period = pitchLag(this.#history);
    this.#at = 0;
    this.#lengthen(1);
  }

  /** The last `periods` periods as a loop whose end is blended over a quarter period into what precedes its beginning. */
  #lengthen(periods: number): void {
    const [history, period] = [this.#history, this.#period];
    const length = periods * period;
    const quarter = period >> 2;
    const phase = this.#at % period;
    const span = new Float64Array(length);
    for (let i = 0; i < length; i++) span[i] = history[HISTORY - length + i] as number;
    for (let i = 0; i < quarter; i++) {
      const share = (i + 1) / (quarter + 1);
      const before = history[HISTORY - length - quarter + i] as number;
      span[length - quarter + i] = (span[length - quarter + i] as number) * (1 - share) + before * share;
    }
    this.#span = span;
    // Same phase within the newest period of the longer loop.
    this.#at = length - period + phase;
  }

  #synthesise(into: Int16Array): Int16Array {
    const span = this.#span;
    let at = this.#at % span.length;
    for (let i = 0; i < into.length; i++) {
      into[i] = span[at++] as number;
      if (at === span.length) at = 0;
    }
    this.#at = at;
    return into;
  }

  /** Bends the first quarter period so that it starts where the last played sample left off. */
  #smooth(pcm: Int16Array): void {
    const quarter = this.#period >> 2;
    const step = (this.#history[HISTORY - 1] as number) - (this.#history[HISTORY - 1 - this.#period] as number);
    for (let i = 0; i < quarter; i++) {
      const bent = (pcm[i] as number) + step * (1 - (i + 1) / (quarter + 1));
      pcm[i] = Math.max(-32_768, Math.min(32_767, bent));
    }
  }
}

/** The lag (MIN_LAG..MAX_LAG samples) at which the end of `history` resembles itself most; exported for its test. */
export function pitchLag(history: Int16Array): number {
  const small = new Float64Array(Math.floor(history.length / COARSE));
  for (let i = 0; i < small.length; i++) {
    let sum = 0;
    for (let j = 0; j < COARSE; j++) sum += history[i * COARSE + j] as number;
    small[i] = sum;
  }
  const coarse = bestLag(small, WINDOW / COARSE, MIN_LAG / COARSE, MAX_LAG / COARSE, 1) * COARSE;
  return bestLag(new Float64Array(history), WINDOW, Math.max(MIN_LAG, coarse - COARSE), Math.min(MAX_LAG, coarse + COARSE), 2);
}

/** Highest normalised correlation between the last `window` values and those `lag` earlier, reading every `stride`-th. */
function bestLag(x: Float64Array, window: number, from: number, to: number, stride: number): number {
  let best = to;
  let bestScore = 0;
  for (let lag = from; lag <= to; lag++) {
    let cross = 0;
    let energy = 1;
    for (let i = x.length - window; i < x.length; i += stride) {
      const past = x[i - lag] as number;
      cross += (x[i] as number) * past;
      energy += past * past;
    }
    const score = cross > 0 ? (cross * cross) / energy : 0;
    if (score > bestScore) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}
