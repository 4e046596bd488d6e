/**
 * Noise as loud as a description says, without its colour: white noise through a one-pole low-pass, which a room's noise is nearer to. The same calls
 * give the same noise. Changes of level glide over 20 ms.
 */
import { amplitudeOf } from "../../wire/comfort-noise.ts";
import { FRAME_SAMPLES } from "../codec.ts";

/** Pole of the low-pass: 3 dB down at about 1.6 kHz at 48 kHz. chosen: rooms hum, they do not hiss. */
const POLE = 0.81;
/** Undoes what the low-pass takes from the power of white noise, (1 - a)^2 / (1 - a^2), and the third that uniform noise of -1..1 has. */
const GAIN: number = Math.sqrt((3 * (1 - POLE ** 2)) / (1 - POLE) ** 2);

/** Takes a state of 0..2^32 - 1 to -2^31..2^31 - 1. */
const SIGN = 0x8000_0000;

export class Noise {
  #state = 0x1234_5678;
  #filtered = 0;
  #amplitude = 0;

  /** Writes `samples` at `dbov` (-dBov, 127: silence) to the start of `into`. */
  fill(into: Int16Array, samples: number, dbov: number): void {
    const wanted = amplitudeOf(dbov) * GAIN;
    const step = (wanted - this.#amplitude) / FRAME_SAMPLES;
    // 3 us a frame instead of 13: locals, since a field that is a fraction goes to memory with every sample, signed state, and no Math.round.
    let [state, filtered, amplitude] = [this.#state, this.#filtered, this.#amplitude];
    for (let i = 0; i < samples; i++) {
      // Numerical Recipes' linear congruential generator: quick, and nobody listens for its period.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      filtered += ((state ^ SIGN) / 2_147_483_648 - filtered) * (1 - POLE);
      amplitude += step;
      into[i] = Math.max(-32_768, Math.min(32_767, Math.floor(filtered * amplitude + 0.5)));
    }
    this.#state = state;
    this.#filtered = filtered;
    this.#amplitude = samples >= FRAME_SAMPLES ? wanted : amplitude;
  }
}
