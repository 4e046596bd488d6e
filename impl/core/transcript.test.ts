import fc from "fast-check";
import { expect, test } from "vitest";
import { sameBytes, toHex } from "../base/cursor.ts";
import { transcript } from "./transcript.ts";

test("the layout is a two-octet length before the domain and before every part", () => {
  expect(toHex(transcript("ab", "c", new Uint8Array([1, 2])))).toBe("00026162" + "000163" + "00020102");
});

test("different lists of parts never give the same octets", () => {
  const parts = fc.array(fc.oneof(fc.constantFrom("", "a", "ab", "b", "\0", "\0\u0001a"), fc.string({ maxLength: 3 })), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((part, i) => part === b[i]);
      expect(sameBytes(transcript("d", ...a), transcript("d", ...b))).toBe(same);
    }),
    { seed: 4, numRuns: 2_000 },
  );
});
