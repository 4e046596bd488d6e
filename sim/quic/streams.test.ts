import fc from "fast-check";
import { expect, test } from "vitest";
import type { StreamFrame } from "./packet.ts";
import { nextFrame, PREFIX_BYTES, queueMessage, startIncoming, startOutgoing, takeFrame } from "./streams.ts";

const cut = (lengths: readonly number[], room: number): StreamFrame[] => {
  const s = startOutgoing();
  for (const [i, length] of lengths.entries()) queueMessage(s, { length, bytes: new Uint8Array([i]) });
  const frames: StreamFrame[] = [];
  for (let frame = nextFrame(s, room); frame !== undefined; frame = nextFrame(s, room)) frames.push(frame);
  return frames;
};

test("frames cover the stream without gap or overlap, prefixes counted, none above the room", () => {
  const frames = cut([200, 3_000, 0, 5], 1_000);
  let at = 0;
  for (const frame of frames) {
    expect(frame.offset).toBe(at);
    expect(frame.length).toBeLessThanOrEqual(994);
    at += frame.length;
  }
  expect(at).toBe(3_205 + 4 * PREFIX_BYTES);
});

test("messages come once and in order, whatever the order and the repetition of frames", () => {
  const lengths = [10, 2_000, 0, 700, 1_500, 30];
  const frames = cut(lengths, 400);
  fc.assert(
    fc.property(
      fc.shuffledSubarray(frames, { minLength: frames.length }),
      fc.array(fc.nat(frames.length - 1)),
      (order, again) => {
        const s = startIncoming();
        const got: (number | undefined)[] = [];
        for (const frame of [...again.map((i) => frames[i] as StreamFrame), ...order])
          takeFrame(s, frame, (m) => got.push(m.bytes?.[0]));
        expect(got).toEqual(lengths.map((_, i) => i));
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

test("a splinter of a long message waits for the next packet", () => {
  const s = startOutgoing();
  queueMessage(s, { length: 5_000, bytes: new Uint8Array(1) });
  expect(nextFrame(s, 60)).toBeUndefined();
  const short = startOutgoing();
  queueMessage(short, { length: 10, bytes: new Uint8Array(1) });
  expect(nextFrame(short, 60)?.length).toBe(14);
});
