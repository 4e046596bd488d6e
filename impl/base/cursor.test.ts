import fc from "fast-check";
import { expect, it } from "vitest";
import { ByteReader, concatBytes, fromHex, putUint, sameBytes, toHex } from "./cursor.ts";

it("what is put is what is read, for 1 to 6 octets", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), fc.nat(5), (size, value, at) => {
      const bounded = value % 256 ** size;
      const bytes = new Uint8Array(12);
      putUint(bytes, at, size, bounded);
      const reader = new ByteReader(bytes);
      reader.bytes(at);
      expect(reader.uint(size)).toBe(bounded);
      expect(reader.bad).toBe(false);
    }),
    { seed: 6, numRuns: 300 },
  );
});

it("reading past the end goes bad and yields nothing, for ever", () => {
  const reader = new ByteReader(new Uint8Array([1, 2]));
  expect(reader.uint(4)).toBe(0);
  expect(reader.bad).toBe(true);
  expect(reader.rest()).toHaveLength(0);
});

it("hexadecimal round trips and refuses anything else", () => {
  const bytes = new Uint8Array([0, 15, 16, 255]);
  expect(toHex(bytes)).toBe("000f10ff");
  expect(fromHex("000f10FF")).toEqual(bytes);
  expect([fromHex("0"), fromHex("zz")]).toEqual([undefined, undefined]);
  expect(sameBytes(concatBytes(bytes.subarray(0, 1), bytes.subarray(1)), bytes)).toBe(true);
});
