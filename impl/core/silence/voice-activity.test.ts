import { expect, test } from "vitest";
import { FRAME_SAMPLES, SAMPLE_RATE } from "../codec.ts";
import { toneGenerator } from "../tone.ts";
import { Noise } from "./noise.ts";
import { VoiceActivity } from "./voice-activity.ts";

/** 20 ms of noise at `dbov`, with a tone of `peak` from sample `from` on. */
function frames(dbov: number): (peak?: number, from?: number) => Int16Array {
  const noise = new Noise();
  return (peak = 0, from = 0) => {
    const pcm = new Int16Array(FRAME_SAMPLES);
    noise.fill(pcm, FRAME_SAMPLES, dbov);
    const tone = toneGenerator(200, peak)();
    for (let i = from; i < FRAME_SAMPLES; i++) pcm[i] = (pcm[i] as number) + (tone[i] as number);
    return pcm;
  };
}
const ticks = (seconds: number): number => (seconds * SAMPLE_RATE) / FRAME_SAMPLES;

test.each([127, 62, 50, 40])("steady noise of -%i dBov is silence within 8 s, and stays it", (dbov) => {
  const [activity, next] = [new VoiceActivity(), frames(dbov)];
  for (let i = 0; i < ticks(8); i++) activity.speaks(next());
  for (let i = 0; i < ticks(30); i++) expect(activity.speaks(next())).toBe(false);
});

test("a word is speech in its very first frame, be it the frame's last five milliseconds, and 200 ms longer than it lasts", () => {
  for (const from of [0, 480, 720]) {
    const [activity, next] = [new VoiceActivity(), frames(62)];
    for (let i = 0; i < ticks(3); i++) activity.speaks(next());
    expect(activity.speaks(next())).toBe(false);
    expect(activity.speaks(next(2_000, from))).toBe(true);
    for (let i = 0; i < 4; i++) expect(activity.speaks(next(2_000))).toBe(true);
    expect(Array.from({ length: 12 }, () => activity.speaks(next()))).toEqual([...new Array(10).fill(true), false, false]);
  }
});

test("somebody who speaks without a pause is heard for half a minute", () => {
  const [activity, next] = [new VoiceActivity(), frames(62)];
  for (let i = 0; i < ticks(2); i++) activity.speaks(next());
  for (let i = 0; i < ticks(30); i++) expect(activity.speaks(next(4_000))).toBe(true);
});

test("a room that gets louder is silence again after a while", () => {
  const [activity, quiet, loud] = [new VoiceActivity(), frames(62), frames(50)];
  for (let i = 0; i < ticks(5); i++) activity.speaks(quiet());
  for (let i = 0; i < ticks(12); i++) activity.speaks(loud());
  expect(activity.speaks(loud())).toBe(false);
});
