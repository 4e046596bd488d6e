import fc from "fast-check";
import { expect, test } from "vitest";
import { PACKET_NUMBER_LIMIT, wholeNumber } from "./packet-number.ts";

test.each([
  [0xa82f30ea, 0x9b32, 2 ** 16, 0xa82f9b32], // the example of RFC 9000 appendix A.3
  [-1, 0, 2 ** 16, 0],
  [-1, 0xffff, 2 ** 16, 0xffff], // nothing below zero
  [0xffff, 0, 2 ** 16, 0x10000],
  [0x10000, 0xffff, 2 ** 16, 0xffff],
  [0xffff_ffff, 5, 2 ** 32, 0x1_0000_0005],
  [PACKET_NUMBER_LIMIT - 1, 3, 2 ** 16, PACKET_NUMBER_LIMIT - 65_536 + 3], // nothing past the limit
])("largest %i and low bits %i modulo %i mean %i", (largest, low, modulus, whole) => {
  expect(wholeNumber(largest, low, modulus)).toBe(whole);
});

test("any number less than half the modulus away is restored", () => {
  const cases = fc.record({
    largest: fc.integer({ min: -1, max: PACKET_NUMBER_LIMIT - 1 }),
    modulus: fc.constantFrom(2 ** 16, 2 ** 32),
    share: fc.double({ min: -0.4999, max: 0.4999, noNaN: true }),
  });
  fc.assert(
    fc.property(cases, ({ largest, modulus, share }) => {
      const number = largest + 1 + Math.round(share * modulus);
      fc.pre(number >= 0 && number < PACKET_NUMBER_LIMIT);
      expect(wholeNumber(largest, number % modulus, modulus)).toBe(number);
    }),
    { seed: 20, numRuns: 3_000 },
  );
});
