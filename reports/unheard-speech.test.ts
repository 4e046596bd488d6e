import { expect, it } from "vitest";
import type { Stream } from "./media-stream-log.ts";
import { FRAME_MICROS, gapsOf, type Playout, type Slot } from "./playout.ts";
import { withUnheardSpeech } from "./unheard-speech.ts";

const DELAY = 3 * FRAME_MICROS;

/** Alice sends packets numbered from 0 in the frames given; bob plays those not in `lost`, and noise for a peer that is silent in place of all else. */
function heard(frames: readonly number[], lost: readonly number[], length: number): { stream: Stream; playout: Playout } {
  const stream: Stream = { key: "k", call: "c", from: "alice", to: "bob", sentAt: [], openedAt: [], played: [] };
  const slots: Slot[] = Array.from({ length }, (_, i) => ({ at: i * FRAME_MICROS + DELAY, kind: "comfort", seq: -1 }));
  for (const [seq, frame] of frames.entries()) {
    const at = frame * FRAME_MICROS;
    stream.sentAt[seq] = at;
    if (lost.includes(seq)) continue;
    stream.openedAt[seq] = at + 1;
    stream.played[seq] = { at: at + DELAY, kind: "source" };
    slots[frame] = { at: at + DELAY, kind: "source", seq };
  }
  return { stream, playout: { call: "c", party: "bob", peer: "alice", end: length * FRAME_MICROS, slots } };
}

const gapsAfter = ({ stream, playout }: { readonly stream: Stream; readonly playout: Playout }): readonly (readonly number[])[] =>
  gapsOf(withUnheardSpeech([playout], [stream])[0]?.slots ?? []).map(({ index, frames }) => [index, frames]);

it("noise played while words were lost is a gap as long as the words, where they were due", () => {
  const frames = [0, 1, 2, 3, 50, 51, 52, 53, 54, 90, 91];
  expect(gapsAfter(heard(frames, [4, 5, 6, 7, 8], 100))).toEqual([[50, 5]]);
});

it("noise for a peer that says nothing is no gap, however long", () => {
  expect(gapsAfter(heard([0, 1, 2, 3, 90, 91], [], 100))).toEqual([]);
});

it("two of a row are left to the receiver's own count", () => {
  expect(gapsAfter(heard([0, 1, 2, 40, 41, 90], [3, 4], 100))).toEqual([]);
});

it("words apart from each other are gaps apart from each other", () => {
  const frames = [0, 1, 20, 21, 22, 23, 60, 61, 62, 90];
  expect(gapsAfter(heard(frames, [2, 3, 4, 5, 6, 7, 8], 100))).toEqual([
    [20, 4],
    [60, 3],
  ]);
});

it("words lost until the end of the log count as well", () => {
  expect(gapsAfter(heard([0, 1, 2, 50, 51, 52, 53], [3, 4, 5, 6], 100))).toEqual([[50, 4]]);
});

it("what another party sent in the same call, or the same one in another, is not taken for it", () => {
  const { stream, playout } = heard([0, 1, 2, 50, 51, 52, 53], [3, 4, 5, 6], 100);
  expect(withUnheardSpeech([playout], [{ ...stream, from: "bob" }])[0]).toBe(playout);
  expect(withUnheardSpeech([playout], [{ ...stream, call: "d" }])[0]).toBe(playout);
});
