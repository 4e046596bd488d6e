/**
 * Puts what should have been heard beside what was: for every tick the stretch of clean speech it plays, found by the packet it names and
 * then by resemblance, because a stretched frame begins anywhere in a tick. What is made up stands beside what would have come next.
 */
import { FRAME_SAMPLES } from "../impl/core/codec.ts";
import type { Played } from "../impl/core/jitter-buffer.ts";

/** Searched on either side of where the packet's audio begins: a frame is named in the tick that most of it is in. */
const REACH = FRAME_SAMPLES;
/** Every so many samples first, then each around the peaks that come near the highest. */
const COARSE = 8;
const PEAK = 0.7;
/** Largest difference of a sample that is still the same audio: rounding. */
const SAME = 1;

/** Both of the same length, a frame for every tick from the first that names a packet on. `clean` holds packet `n` from sample `n * 960`. */
export function alignedReference(
  played: readonly Played[],
  clean: Int16Array,
): { readonly wanted: Int16Array; readonly heard: Int16Array } {
  const from = played.findIndex(({ seq }) => seq !== undefined);
  const ticks = from < 0 ? [] : played.slice(from);
  const [wanted, heard] = [new Int16Array(ticks.length * FRAME_SAMPLES), new Int16Array(ticks.length * FRAME_SAMPLES)];
  let at = 0;
  for (const [i, { seq, pcm }] of ticks.entries()) {
    at += FRAME_SAMPLES;
    if (seq !== undefined && !isThere(pcm, clean, at)) at = bestPlace(pcm, clean, seq * FRAME_SAMPLES);
    heard.set(pcm, i * FRAME_SAMPLES);
    for (let j = 0; j < FRAME_SAMPLES; j++) wanted[i * FRAME_SAMPLES + j] = clean[at + j] ?? 0;
  }
  return { wanted, heard };
}

/** Whether `pcm` simply goes on from the tick before. */
function isThere(pcm: Int16Array, clean: Int16Array, at: number): boolean {
  for (let i = 0; i < FRAME_SAMPLES; i++) if (Math.abs((clean[at + i] ?? 0) - (pcm[i] as number)) > SAME) return false;
  return true;
}

/** The place within REACH of `around` that resembles `pcm` most; every peak of the coarse search is looked at, since a voice repeats itself. */
function bestPlace(pcm: Int16Array, clean: Int16Array, around: number): number {
  const first = around - REACH;
  const coarse = Float64Array.from({ length: (2 * REACH) / COARSE + 1 }, (_, i) =>
    likeness(pcm, clean, first + i * COARSE, COARSE / 2),
  );
  const highest = coarse.reduce((most, one) => Math.max(most, one), 0);
  let [best, bestScore] = [around, Number.NEGATIVE_INFINITY];
  for (const [i, one] of coarse.entries()) {
    if (one < PEAK * highest || one < (coarse[i - 1] ?? 0) || one < (coarse[i + 1] ?? 0)) continue;
    for (let at = first + (i - 1) * COARSE + 1; at < first + (i + 1) * COARSE; at++) {
      const found = likeness(pcm, clean, at, 1);
      if (found <= bestScore) continue;
      bestScore = found;
      best = at;
    }
  }
  return best;
}

/** Normalised correlation with the stretch at `at`, squared with its sign, times the energy of `pcm`. */
function likeness(pcm: Int16Array, clean: Int16Array, at: number, stride: number): number {
  let [cross, energy] = [0, 1];
  for (let i = 0; i < FRAME_SAMPLES; i += stride) {
    const x = clean[at + i] ?? 0;
    cross += x * (pcm[i] as number);
    energy += x * x;
  }
  return (cross * Math.abs(cross)) / energy;
}
