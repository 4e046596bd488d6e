import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes } from "../base/cursor.ts";
import { type FrameEvent, FrameReader, frame } from "./framing.ts";

const LIMIT = 40;
const cut = (stream: Uint8Array, at: number[]): Uint8Array[] => {
  const places = [0, ...at.map((place) => place % (stream.length + 1)).toSorted((a, b) => a - b), stream.length];
  return places.slice(1).map((end, i) => stream.subarray(places[i], end));
};
const readAll = (pieces: Uint8Array[]): FrameEvent[] => {
  const reader = new FrameReader(LIMIT);
  return pieces.flatMap((piece) => reader.push(piece));
};

describe("framing", () => {
  test("a frame is the length in network order, then the message", () => {
    expect(frame(Uint8Array.of(7, 8))).toEqual(Uint8Array.of(0, 0, 0, 2, 7, 8));
    expect(frame(new Uint8Array(0))).toEqual(Uint8Array.of(0, 0, 0, 0));
    expect(frame(new Uint8Array(258)).subarray(0, 4)).toEqual(Uint8Array.of(0, 0, 1, 2));
  });

  test("messages come out as they went in, however the stream is cut; larger ones are told once and skipped", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: LIMIT * 2 })), fc.array(fc.nat()), (messages, cuts) => {
        const stream = concatBytes(...messages.map((message) => frame(message)));
        const expected = messages.map((bytes) =>
          bytes.length > LIMIT ? { type: "oversized", length: bytes.length } : { type: "message", bytes },
        );
        expect(readAll(cut(stream, cuts))).toEqual(expected);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("random octets never throw, and cutting them does not change what is read", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (stream, cuts) => {
        expect(readAll(cut(stream, cuts))).toEqual(readAll([stream]));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test("a message of exactly the limit passes, one octet more does not, and the largest length is only skipped", () => {
    expect(readAll([frame(new Uint8Array(LIMIT))])[0]?.type).toBe("message");
    expect(readAll([frame(new Uint8Array(LIMIT + 1))])).toEqual([{ type: "oversized", length: LIMIT + 1 }]);
    expect(readAll([Uint8Array.of(255, 255, 255, 255), new Uint8Array(1_000_000)])).toEqual([
      { type: "oversized", length: 0xffff_ffff },
    ]);
  });

  test("a message is a copy, also of pieces held: changing a chunk afterwards does not reach it", () => {
    const chunk = Buffer.from(frame(Uint8Array.of(1, 2, 3))); // slice() of a Buffer would share its memory
    const [head, tail] = [Buffer.from(chunk.subarray(0, 6)), Buffer.from(chunk.subarray(6))];
    const reader = new FrameReader(LIMIT);
    expect(reader.push(head)).toEqual([]);
    head.fill(9);
    const events = [...reader.push(tail), ...reader.push(chunk)];
    tail.fill(9);
    chunk.fill(9);
    const message = { type: "message", bytes: Uint8Array.of(1, 2, 3) };
    expect(events).toEqual([message, message]);
  });
});
