/**
 * Conversion between 48 kHz and 8 kHz, six to one, by a windowed-sinc low-pass (Kaiser window; A. V. Oppenheim, R. W. Schafer,
 * Discrete-Time Signal Processing, section 7.6). A vocoder at 8 kHz hears nothing above 4 kHz, and nothing folded down from there.
 * One object for one stream and one direction: it remembers what its filter still needs.
 */

/** 48 kHz over 8 kHz. */
const RATIO = 6;
/** Taps at 48 kHz. chosen: with the window below the pass band ends at 3.4 kHz and 4.4 kHz and above are 60 dB down, for 1.5 ms of delay. */
const TAPS = 150;
/** Cut-off as a share of 48 kHz: the middle of the transition band. */
const CUT_OFF: number = 3_800 / 48_000;
/** Kaiser's beta for 60 dB: 0.1102 (A - 8.7). */
const BETA = 5.65;

const FILTER: Float64Array = lowPass();

/** Delay of one conversion, samples at 48 kHz. */
export const RESAMPLING_DELAY: number = TAPS / 2;

/** 48 kHz to 8 kHz. */
export class Decimator {
  #line: Float64Array = new Float64Array(TAPS);

  /** A whole number of six samples in; a sixth as many out. */
  push(pcm: Int16Array): Int16Array {
    const out = new Int16Array(pcm.length / RATIO);
    const line = new Float64Array(TAPS + pcm.length);
    line.set(this.#line);
    line.set(pcm, TAPS);
    for (let i = 0; i < out.length; i++) {
      const end = TAPS + (i + 1) * RATIO - 1;
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += (FILTER[k] as number) * (line[end - k] as number);
      out[i] = clipped(sum);
    }
    this.#line = line.slice(pcm.length);
    return out;
  }
}

/** 8 kHz to 48 kHz. */
export class Interpolator {
  #line: Float64Array = new Float64Array(TAPS / RATIO);

  /** Six samples out for each one in. */
  push(pcm: Int16Array): Int16Array {
    const out = new Int16Array(pcm.length * RATIO);
    const phaseTaps = TAPS / RATIO;
    const line = new Float64Array(phaseTaps + pcm.length);
    line.set(this.#line);
    line.set(pcm, phaseTaps);
    for (let i = 0; i < pcm.length; i++) {
      const end = phaseTaps + i;
      for (let phase = 0; phase < RATIO; phase++) {
        let sum = 0;
        for (let k = 0; k < phaseTaps; k++) sum += (FILTER[k * RATIO + phase] as number) * (line[end - k] as number);
        out[i * RATIO + phase] = clipped(sum * RATIO);
      }
    }
    this.#line = line.slice(pcm.length);
    return out;
  }
}

function lowPass(): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, k) => {
    const t = k - (TAPS - 1) / 2;
    const sinc = Math.sin(2 * Math.PI * CUT_OFF * t) / (Math.PI * t);
    const edge = (2 * t) / (TAPS - 1);
    return (sinc * bessel0(BETA * Math.sqrt(Math.max(0, 1 - edge * edge)))) / bessel0(BETA);
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** The modified Bessel function of the first kind and order 0, by its series. */
function bessel0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; k < 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const clipped = (x: number): number => Math.max(-32_768, Math.min(32_767, Math.round(x)));
