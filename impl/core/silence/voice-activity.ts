/**
 * Whether somebody speaks, by loudness over a noise floor that follows the room, with a hangover: a word's quiet end still counts as speech.
 * After the energy detectors of the GSM and AMR specifications (3GPP TS 26.094), without their spectra. Loud enough at once is speech at once: no
 * onset is waited for. Voices that never pause above the floor's limit, and noise that comes and goes, are sent as speech: a doubt costs octets, a
 * clipped word costs its meaning.
 */
import { FRAME_SAMPLES } from "../codec.ts";

/** Frames after the last loud one that still count: 200 ms (3GPP TS 26.093: a hangover of seven frames; Opus' DTX waits ten). */
const HANGOVER = 10;
/** Times the floor's power from which 20 ms are loud. chosen: 6 dB, above the wobble of steady noise, below any syllable. */
const LOUD = 4;
/** As LOUD, for a quarter of a frame: 9 dB. A word that begins at the frame's end is noticed by it; so short a stretch of noise wobbles more. */
const LOUD_PART = 8;
const PART: number = FRAME_SAMPLES / 4;
/** Power of an amplitude of 32, -60 dBFS: the floor is never lower. chosen: below any room; what is within 6 dB of it nobody misses. */
const LEAST_FLOOR = 1_024;
/** -36 dBFS: the floor never passes for speech. chosen: 13 dB below speech at its usual -23 dBFS. */
const MOST_FLOOR = 270_000;
/** Growth a frame while nothing is as quiet: 6 dB in some 5.5 s, longer than a phrase. */
const GROWTH = 1.005;
/** Frames of a source's beginning that are sent whatever they are: they teach the floor, and start the peer's playing. */
const LEARNING = 15;
/** Share of a quiet frame in the noise's power. chosen: 200 ms. */
const SHARE = 0.1;

export class VoiceActivity {
  #floor = MOST_FLOOR;
  #hangover: number = LEARNING;
  #noise = -1;

  /** Mean power of what is taken for noise; 0 before any was heard. */
  get noise(): number {
    return Math.max(0, this.#noise);
  }

  /** Whether 20 ms are to be sent. */
  speaks(pcm: Int16Array): boolean {
    let [total, loudest] = [0, 0];
    for (let from = 0; from < pcm.length; from += PART) {
      let sum = 0;
      for (let i = from; i < from + PART; i++) {
        const sample = pcm[i] as number;
        sum += sample * sample;
      }
      total += sum;
      loudest = Math.max(loudest, sum / PART);
    }
    const power = total / pcm.length;
    this.#floor = Math.max(LEAST_FLOOR, Math.min(power, this.#floor * GROWTH, MOST_FLOOR));
    if (power > LOUD * this.#floor || loudest > LOUD_PART * this.#floor) {
      this.#hangover = Math.max(this.#hangover, HANGOVER);
      return true;
    }
    this.#noise = this.#noise < 0 ? power : this.#noise + (power - this.#noise) * SHARE;
    if (this.#hangover === 0) return false;
    this.#hangover--;
    return true;
  }
}
