/** The power spectrum of a stretch of audio by a radix-2 FFT (Cooley and Tukey 1965), for the distances between what was said and what was heard. */

export type Spectrum = {
  /** Power of bins 0 .. size / 2 of `x[from .. from + window)`, Hann-weighted and filled up with zeros; valid until the next call. */
  power(x: ArrayLike<number>, from: number): Float64Array;
};

/** `size` is a power of two, `window` at most that; RangeError otherwise. */
export function spectrum(size: number, window: number): Spectrum {
  if (size < 2 || (size & (size - 1)) !== 0) throw new RangeError(`size: want a power of two, got ${size}`);
  if (!(window >= 1 && window <= size)) throw new RangeError(`window: want 1..${size}, got ${window}`);
  const weights = hann(window);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const out = new Float64Array(size / 2 + 1);
  const transform = fft(size);
  return {
    power: (x, from) => {
      im.fill(0);
      for (let i = 0; i < size; i++) re[i] = i < window ? (x[from + i] ?? 0) * (weights[i] as number) : 0;
      transform(re, im);
      for (let i = 0; i < out.length; i++) out[i] = (re[i] as number) ** 2 + (im[i] as number) ** 2;
      return out;
    },
  };
}

/** A Hann window without its zeros at the ends, so that half-overlapping ones add up. */
export const hann = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (length + 1)));

function fft(size: number): (re: Float64Array, im: Float64Array) => void {
  const cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const bits = Math.log2(size);
  const order = Uint32Array.from({ length: size }, (_, i) => {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
    return reversed;
  });
  const swap = (x: Float64Array, i: number, j: number): void => {
    const kept = x[i] as number;
    x[i] = x[j] as number;
    x[j] = kept;
  };
  return (re, im) => {
    for (let i = 0; i < size; i++) {
      const j = order[i] as number;
      if (j <= i) continue;
      swap(re, i, j);
      swap(im, i, j);
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let base = 0; base < size; base += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [a, b] = [base + k, base + k + half];
          const [c, s] = [cos[k * step] as number, sin[k * step] as number];
          const tr = (re[b] as number) * c - (im[b] as number) * s;
          const ti = (re[b] as number) * s + (im[b] as number) * c;
          re[b] = (re[a] as number) - tr;
          im[b] = (im[a] as number) - ti;
          re[a] = (re[a] as number) + tr;
          im[a] = (im[a] as number) + ti;
        }
      }
    }
  };
}
