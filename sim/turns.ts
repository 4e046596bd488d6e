/**
 * A conversation of two: each party's microphone over 20 s, speech in its turns and the noise of a room between them. How much each speaks is after
 * ITU-T P.59 table 1: 38.5 % of the time, both at once 6.5 %. Made from a recording, so no further one is needed.
 */
import { FRAME_SAMPLES, SAMPLE_RATE } from "../impl/core/codec.ts";
import { Noise } from "../impl/core/silence/noise.ts";

/** Which side of the conversation: the word a call's `callerSays` or `calleeSays` has for it, and the recording it is made from. */
export const TURNS: ReadonlyMap<string, "speech-a" | "speech-b"> = new Map([
  ["turns-a", "speech-a"],
  ["turns-b", "speech-b"],
]);

/** From and to, milliseconds of the loop. chosen: talk spurts of 1.8 s to 4 s, a sentence or two. */
const SPURTS: Readonly<Record<"speech-a" | "speech-b", readonly (readonly [number, number])[]>> = {
  "speech-a": [
    [400, 3_000],
    [7_600, 9_400],
    [13_200, 16_500],
  ],
  "speech-b": [
    [2_600, 6_600],
    [9_000, 10_900],
    [16_000, 17_800],
  ],
};
const LENGTH = 20 * SAMPLE_RATE;
/** -dBov. chosen: a quiet office through a telephone. */
const ROOM = 62;

/** 20 s to be looped. `voice`: samples spoken in the turns of `side`, again from the start where they end. */
export function turns(side: "speech-a" | "speech-b", voice: Int16Array): Int16Array {
  const pcm = new Int16Array(LENGTH);
  const noise = new Noise();
  for (let at = 0; at < LENGTH; at += FRAME_SAMPLES) noise.fill(pcm.subarray(at), FRAME_SAMPLES, ROOM);
  let spoken = 0;
  for (const [from, to] of SPURTS[side]) {
    for (let at = (from * SAMPLE_RATE) / 1_000; at < (to * SAMPLE_RATE) / 1_000; at++)
      pcm[at] = Math.max(-32_768, Math.min(32_767, (pcm[at] as number) + (voice[spoken++ % voice.length] as number)));
  }
  return pcm;
}
