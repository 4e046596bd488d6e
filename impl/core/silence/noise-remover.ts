/** Removal of noise from a microphone's frames before anybody else looks at them: the seam between the media stream and what does it (impl/io/rnnoise.ts). */

/** One microphone's. */
export type NoiseRemoval = {
  /** 20 ms of FRAME_SAMPLES samples without their noise, owned by the caller; they may be later than what came in by a fixed time. RangeError for another length. */
  process(pcm: Int16Array): Int16Array;
  free(): void;
};

export type NoiseRemover = {
  readonly name: string;
  open(): NoiseRemoval;
};
