import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../base/cursor.ts";
import { type MediaHeader, parseMediaHeader, peekChannel, putMediaHeader, withChannel } from "./media-header.ts";

const facts = {
  kind: fc.constantFrom("speech", "comfort", "parity"),
  marker: fc.boolean(),
  channel: fc.integer({ min: 0, max: 255 }),
} as const;
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const headers: fc.Arbitrary<MediaHeader> = fc.oneof(
  fc.record({ form: fc.constant("mini"), ...facts, seq16: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({
    form: fc.constant("full"),
    ...facts,
    codec: fc.integer({ min: 0, max: 15 }),
    frames: fc.integer({ min: 1, max: 16 }),
    seq32: uint32,
    timestamp32: uint32,
  }),
);
const encode = (header: MediaHeader, trailing = 0): Uint8Array => {
  const room = new Uint8Array(12 + trailing);
  return room.subarray(0, putMediaHeader(room, header) + trailing);
};

test.each([
  [
    "8005020001020304a1a2a3a4",
    { form: "full", kind: "speech", marker: false, channel: 5, codec: 0, frames: 3, seq32: 0x01020304, timestamp32: 0xa1a2a3a4 },
  ],
  [
    "98ff1f00ffffffff00000000",
    { form: "full", kind: "comfort", marker: true, channel: 255, codec: 1, frames: 16, seq32: 0xffffffff, timestamp32: 0 },
  ],
  ["c0071234", { form: "mini", kind: "speech", marker: false, channel: 7, seq16: 0x1234 }],
  ["e800ffff", { form: "mini", kind: "parity", marker: true, channel: 0, seq16: 0xffff }],
] as const)("%s is read and written exactly so", (hex, header) => {
  expect(toHex(encode(header))).toBe(hex);
  expect(parseMediaHeader(fromHex(hex) as Uint8Array)).toEqual(header);
});

test("every header survives the wire, whatever follows it", () => {
  fc.assert(
    fc.property(headers, fc.nat({ max: 20 }), (header, trailing) => {
      expect(parseMediaHeader(encode(header, trailing))).toEqual(header);
    }),
    { seed: 10, numRuns: 1_000 },
  );
});

test("random octets never throw, and what parses is written back to the same octets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), (bytes) => {
      const header = parseMediaHeader(bytes);
      if (header !== undefined) expect(encode(header)).toEqual(bytes.slice(0, header.form === "full" ? 12 : 4));
    }),
    { seed: 11, numRuns: 5_000 },
  );
});

test.each([
  ["too short for a mini header", "c00712"],
  ["too short for a full header", "8005020001020304a1a2a3"],
  ["a spare bit set in a mini header", "c1071234"],
  ["a spare bit set in the first octet", "8405020001020304a1a2a3a4"],
  ["the spare octet set", "8005020101020304a1a2a3a4"],
  ["form 00", "0005020001020304a1a2a3a4"],
  ["form 01", "4005020001020304a1a2a3a4"],
  ["nothing at all", ""],
])("%s is not a header", (_, hex) => {
  expect(parseMediaHeader(fromHex(hex) as Uint8Array)).toBeUndefined();
});

test("a relay reads the channel of every header, and rewrites it and nothing else", () => {
  fc.assert(
    fc.property(headers, fc.integer({ min: 0, max: 255 }), (header, channel) => {
      const bytes = encode(header, 5);
      const before = bytes.slice();
      expect(peekChannel(bytes)).toBe(header.channel);
      const next = withChannel(bytes, channel);
      expect(parseMediaHeader(next)).toEqual({ ...header, channel });
      expect(bytes).toEqual(before);
    }),
    { seed: 12, numRuns: 500 },
  );
  for (const hex of ["", "c0", "c00712", "8005020001020304a1a2a3", "0005020001020304a1a2a3a4"])
    expect(peekChannel(fromHex(hex) as Uint8Array)).toBeUndefined();
  expect(() => withChannel(new Uint8Array(4), 256)).toThrow(RangeError);
  expect(() => withChannel(new Uint8Array(4), 1.5)).toThrow(RangeError);
});
