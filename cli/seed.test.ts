import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSeed, parseSeed } from "./seed.ts";

test("a seed reads back from decimal and from the form that results carry", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (seed) => {
      expect(parseSeed(String(seed))).toBe(seed);
      expect(parseSeed(formatSeed(seed))).toBe(seed);
      expect(parseSeed(formatSeed(seed).toUpperCase().replace("X", "x"))).toBe(seed);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test.each(["", " 1", "-1", "1.5", "1e3", "0x", "0xg", "x2a", "9007199254740992", "0x20000000000000", "NaN"])(
  "%j is no seed",
  (text) => {
    expect(parseSeed(text)).toBeUndefined();
  },
);
