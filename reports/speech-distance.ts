/**
 * How far speech that was heard is from what it should have been, sample by sample aligned: log-spectral distance (Gray and Markel 1976)
 * and STOI, short-time objective intelligibility (Taal, Hendriks, Heusdens, Jensen 2011, "An algorithm for intelligibility prediction of
 * time-frequency weighted noisy speech"). Left out: the extended STOI of 2016.
 */
import { hann, spectrum } from "./spectrum.ts";

/** Log-spectral distance: 20 ms at 48 kHz, up to 8 kHz (171 bins of 46.9 Hz: where speech is). */
const LSD_FRAME = 960;
const LSD_SIZE = 1_024;
const LSD_BINS = 171;
/** Frames this much quieter than the loudest say nothing: 40 dB (as STOI does). */
const QUIET_RATIO = 1e-4;
/** Power below this is noise of rounding: half a step in every sample of a frame. */
const LEAST_POWER: number = LSD_FRAME / 4;

/** Mean over frames with speech of the rms difference of both log spectra, dB; 0 for equal signals. RangeError for lengths that differ. */
export function logSpectralDistance(wanted: Int16Array, heard: Int16Array): number {
  wantSameLength(wanted, heard);
  const [a, b] = [spectrum(LSD_SIZE, LSD_FRAME), spectrum(LSD_SIZE, LSD_FRAME)];
  const frames: { energy: number; distance: number }[] = [];
  for (let from = 0; from + LSD_FRAME <= wanted.length; from += LSD_FRAME) {
    const p = a.power(wanted, from);
    const q = isSame(wanted, heard, from) ? p : b.power(heard, from);
    let [energy, sum] = [0, 0];
    for (let k = 1; k <= LSD_BINS; k++) {
      energy += p[k] as number;
      if (p !== q) sum += (10 * Math.log10(((p[k] as number) + LEAST_POWER) / ((q[k] as number) + LEAST_POWER))) ** 2;
    }
    frames.push({ energy, distance: Math.sqrt(sum / LSD_BINS) });
  }
  const loudest = frames.reduce((most, { energy }) => Math.max(most, energy), 0);
  const spoken = frames.filter(({ energy }) => energy > loudest * QUIET_RATIO);
  return spoken.length === 0 ? 0 : spoken.reduce((sum, { distance }) => sum + distance, 0) / spoken.length;
}

function isSame(a: Int16Array, b: Int16Array, from: number): boolean {
  for (let i = from; i < from + LSD_FRAME; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** STOI's constants (Taal et al., table and section III): 10 kHz, 256-sample frames, 512-point transform, 15 third-octaves from 150 Hz, 384 ms. */
const RATE = 10_000;
const FRAME = 256;
const HOP = 128;
const SIZE = 512;
const BANDS = 15;
const LOWEST = 150;
const SEGMENT = 30;
/** Lower bound of the signal-to-distortion ratio, -15 dB. */
const CLIP: number = 1 + 10 ** (15 / 20);

/** 0 (nothing understood) to 1 (equal); of 48 kHz audio. NaN when there is less than 384 ms of speech. RangeError for lengths that differ. */
export function stoi(wanted: Int16Array, heard: Int16Array): number {
  wantSameLength(wanted, heard);
  const reference = downsample(wanted);
  const [x, y] = spokenOnly(reference, downsample(heard, { of: wanted, is: reference }));
  const [p, q] = [bands(x), bands(y)];
  let [sum, count] = [0, 0];
  for (const [band, envelope] of p.entries()) {
    for (let from = 0; from + SEGMENT <= envelope.length; from++) {
      sum += envelopeCorrelation(envelope, q[band] as Float64Array, from);
      count++;
    }
  }
  return sum / count;
}

/** Correlation of one band's envelopes over a segment, after scaling the heard one to the wanted one's energy and clipping it. */
function envelopeCorrelation(p: Float64Array, q: Float64Array, from: number): number {
  let [pp, qq] = [0, 0];
  for (let m = from; m < from + SEGMENT; m++) {
    pp += (p[m] as number) ** 2;
    qq += (q[m] as number) ** 2;
  }
  const scale = Math.sqrt(pp / (qq + Number.EPSILON));
  let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
  for (let m = from; m < from + SEGMENT; m++) {
    const x = p[m] as number;
    const y = Math.min((q[m] as number) * scale, x * CLIP);
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
    sxy += x * y;
  }
  const over = Math.sqrt(Math.max(0, sxx - (sx * sx) / SEGMENT) * Math.max(0, syy - (sy * sy) / SEGMENT));
  return over <= Number.EPSILON ? 0 : (sxy - (sx * sy) / SEGMENT) / over;
}

/** Drops the frames in which the wanted speech is 40 dB below its loudest, from both, and overlap-adds the rest. */
function spokenOnly(x: Float64Array, y: Float64Array): readonly [Float64Array, Float64Array] {
  const weights = hann(FRAME);
  const energies: number[] = [];
  for (let from = 0; from + FRAME <= x.length; from += HOP) {
    let energy = 0;
    for (let i = 0; i < FRAME; i++) energy += ((x[from + i] as number) * (weights[i] as number)) ** 2;
    energies.push(energy);
  }
  const loudest = energies.reduce((most, one) => Math.max(most, one), 0);
  const kept = energies.flatMap((energy, frame) => (energy > loudest * QUIET_RATIO ? [frame * HOP] : []));
  const joined = (signal: Float64Array): Float64Array => {
    const out = new Float64Array(kept.length === 0 ? 0 : (kept.length - 1) * HOP + FRAME);
    for (const [n, from] of kept.entries()) {
      for (let i = 0; i < FRAME; i++) {
        out[n * HOP + i] = (out[n * HOP + i] as number) + (signal[from + i] as number) * (weights[i] as number);
      }
    }
    return out;
  };
  return [joined(x), joined(y)];
}

/** Third-octave band amplitudes: for each band one of every frame. */
function bands(x: Float64Array): readonly Float64Array[] {
  const { power } = spectrum(SIZE, FRAME);
  const bin = (octaves: number): number => Math.round((LOWEST * 2 ** octaves * SIZE) / RATE);
  const edges = Array.from({ length: BANDS }, (_, j) => [bin((2 * j - 1) / 6), bin((2 * j + 1) / 6)] as const);
  const frames = x.length < FRAME ? 0 : Math.floor((x.length - FRAME) / HOP) + 1;
  const out = edges.map(() => new Float64Array(frames));
  for (let m = 0; m < frames; m++) {
    const p = power(x, m * HOP);
    for (let j = 0; j < BANDS; j++) {
      const [low, high] = edges[j] as readonly [number, number];
      let sum = 0;
      for (let k = low; k < high; k++) sum += p[k] as number;
      (out[j] as Float64Array)[m] = Math.sqrt(sum);
    }
  }
  return out;
}

/** Half width of the low-pass in samples of 10 kHz. chosen: 60 dB down outside the band STOI looks at (up to 4.3 kHz). */
const TAPS = 16;

/** 48 kHz to 10 kHz by a windowed sinc at the output's Nyquist frequency. Where `pcm` is as another of the same length, it `is` what that one became. */
function downsample(pcm: Int16Array, as?: { readonly of: Int16Array; readonly is: Float64Array }): Float64Array {
  const ratio = 48_000 / RATE;
  const out = new Float64Array(Math.floor(pcm.length / ratio));
  const half = TAPS * ratio;
  // The output falls on five different places between input samples (48 : 10 = 24 : 5).
  const kernels = Array.from({ length: 5 }, (_, phase) => {
    const centre = (phase * ratio) % 1;
    return Float64Array.from({ length: 2 * Math.ceil(half) + 1 }, (_, k) => {
      const t = (k - Math.ceil(half) - centre) / ratio;
      if (Math.abs(t) >= TAPS) return 0;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      return (sinc * (0.5 + 0.5 * Math.cos((Math.PI * t) / TAPS))) / ratio;
    });
  });
  // Silence around it, so that the innermost loop asks nothing.
  const margin = Math.ceil(half);
  const padded = new Float64Array(pcm.length + 2 * margin + 1);
  padded.set(pcm, margin);
  const differing = as === undefined ? undefined : differences(pcm, as.of, margin);
  for (let n = 0; n < out.length; n++) {
    const kernel = kernels[n % 5] as Float64Array;
    const first = Math.floor(n * ratio);
    if (as !== undefined && differing !== undefined && differing[first + kernel.length] === differing[first]) {
      out[n] = as.is[n] as number;
      continue;
    }
    let sum = 0;
    for (let k = 0; k < kernel.length; k++) sum += (kernel[k] as number) * (padded[first + k] as number);
    out[n] = sum;
  }
  return out;
}

/** How many samples of `a` and `b`, each with `margin` of silence before and after it, differ before each place. */
function differences(a: Int16Array, b: Int16Array, margin: number): Int32Array {
  const out = new Int32Array(a.length + 2 * margin + 2);
  for (let i = 0; i < out.length - 1; i++) {
    const at = i - margin;
    out[i + 1] = (out[i] as number) + (at >= 0 && at < a.length && a[at] !== b[at] ? 1 : 0);
  }
  return out;
}

function wantSameLength(wanted: Int16Array, heard: Int16Array): void {
  if (wanted.length !== heard.length) throw new RangeError(`heard: want ${wanted.length} samples, got ${heard.length}`);
}
