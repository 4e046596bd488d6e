import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Instant } from "../base/units.ts";
import { makeRetryToken, readRetryToken } from "./retry-token.ts";

const key = new Uint8Array(32).fill(1);
const ourId = new Uint8Array(20).fill(2);
const binding = { from: "192.0.2.1 5000", ourId };
const originalId = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2);
const made = Instant(10_000_000);

describe("retry token", () => {
  const token = makeRetryToken(key, binding, originalId, made);

  test.each([0, 5_000_000])("gives the client's first ID back %i us after it was made", (age) => {
    expect(readRetryToken(key, binding, token, Instant(made + age))).toEqual(originalId);
  });

  test.each([
    ["older than five seconds", key, binding, made + 5_000_001],
    ["from another port", key, { from: "192.0.2.1 5001", ourId }, made],
    ["for another connection ID", key, { from: binding.from, ourId: new Uint8Array(20) }, made],
    ["of another key", new Uint8Array(32), binding, made],
  ] as const)("is worth nothing when it is %s", (_, otherKey, other, at) => {
    expect(readRetryToken(otherKey, other, token, Instant(at))).toBe(undefined);
  });

  test("altered anywhere or cut or lengthened it is worth nothing", () => {
    for (let i = 0; i < token.length; i++)
      expect(
        readRetryToken(
          key,
          binding,
          Uint8Array.from(token, (byte, at) => (at === i ? byte ^ 1 : byte)),
          made,
        ),
      ).toBe(undefined);
    for (let length = 0; length < token.length; length++)
      expect(readRetryToken(key, binding, token.subarray(0, length), made)).toBe(undefined);
    expect(readRetryToken(key, binding, Uint8Array.of(...token, 0), made)).toBe(undefined);
  });

  test("random octets are worth nothing and never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => readRetryToken(key, binding, octets, made) === undefined),
      { seed: 3, numRuns: 500 },
    );
  });
});
