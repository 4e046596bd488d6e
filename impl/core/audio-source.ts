/** Where a party's voice comes from: frames without end, from recorded samples, a tone, or nothing. */
import { FRAME_SAMPLES } from "./codec.ts";
import { toneGenerator } from "./tone.ts";

/**
 * What the audio device buffers while the process does not run: frames older than this are lost, as with a real device.
 * chosen: the 200 ms that desktop sound servers hold at most for an application that asks for no low latency.
 */
export const DEVICE_MICROS = 200_000;

export type AudioSource = {
  /** The next FRAME_SAMPLES samples. Read-only and valid until the next call: a source may hand out the same memory again. */
  next(): Int16Array;
};

/** `pcm` (mono, 48 kHz) again and again without a seam; RangeError when it is empty. `pcm` must not change meanwhile. */
export function loop(pcm: Int16Array): AudioSource {
  if (pcm.length === 0) throw new RangeError("loop: want at least one sample, got none");
  const frame = new Int16Array(FRAME_SAMPLES);
  let at = 0;
  return {
    next: () => {
      for (let filled = 0; filled < FRAME_SAMPLES; ) {
        const part = pcm.subarray(at, at + FRAME_SAMPLES - filled);
        frame.set(part, filled);
        filled += part.length;
        at = (at + part.length) % pcm.length;
      }
      return frame;
    },
  };
}

/** Peak of the test tone: -12 dBFS. chosen: loud enough to be found in a recording, far from clipping. */
const TONE_AMPLITUDE = 8_231;

/** A steady tone of `hz`; 440 Hz unless told. */
export const tone = (hz = 440, amplitude: number = TONE_AMPLITUDE): AudioSource => ({ next: toneGenerator(hz, amplitude) });

/** Digital silence. */
export function silence(): AudioSource {
  const frame = new Int16Array(FRAME_SAMPLES);
  return { next: () => frame };
}
