/** Reed-Solomon and exclusive or: the contract of block codes, and the fast arithmetic against the plain one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockCodeContract, blockOf, broken } from "./block-code.contract.ts";
import { EXCLUSIVE_OR } from "./exclusive-or.ts";
import { addMultiple, inverse, multiply, scale } from "./galois.ts";
import { plainDecode, plainEncode, plainInverse, plainMultiply } from "./reed-solomon.fixture.ts";
import { REED_SOLOMON } from "./reed-solomon.ts";

blockCodeContract(REED_SOLOMON, { surplus: 0 });
blockCodeContract(EXCLUSIVE_OR, { surplus: 0 });

describe("GF(256)", () => {
  it("every product and every inverse is the plain one", () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) if (multiply(a, b) !== plainMultiply(a, b)) throw new Error(`${a} x ${b}`);
      if (a > 0) expect(inverse(a)).toBe(plainInverse(a));
    }
  });

  it("zero has no inverse", () => {
    expect(() => inverse(0)).toThrow(RangeError);
  });

  it("adding a multiple and scaling work octet by octet, whatever the factor", () => {
    for (const factor of [0, 1, 2, 255]) {
      const into = Uint8Array.from([1, 2, 3, 200]);
      addMultiple(into, Uint8Array.from([9, 0, 255]), factor);
      expect([...into]).toEqual([1 ^ plainMultiply(9, factor), 2, 3 ^ plainMultiply(255, factor), 200]);
      scale(into, factor);
      expect(into[3]).toBe(plainMultiply(200, factor));
    }
  });
});

describe("Reed-Solomon", () => {
  it("agrees with the plain one on repair symbols and on what it recovers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        (count, repair, length, seed) => {
          const block = blockOf(REED_SOLOMON, count, length, seed);
          const symbols = REED_SOLOMON.encode(block, repair);
          expect(symbols).toEqual(plainEncode(block, repair));
          const { source, left } = broken(block, symbols, { lost: Math.min(count, repair), repairLost: 0, seed });
          expect(REED_SOLOMON.decode(source, left)).toEqual(plainDecode(source, left));
        },
      ),
      { seed: 11, numRuns: 60 },
    );
  });

  it("recovers 64 lost symbols of 64", () => {
    const block = blockOf(REED_SOLOMON, 64, 20, 5);
    const repair = new Map(REED_SOLOMON.encode(block, 64).entries());
    expect(REED_SOLOMON.decode(new Array(64).fill(undefined), repair)).toEqual(block);
  });
});
