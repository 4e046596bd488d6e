import fc from "fast-check";
import { expect, test } from "vitest";
import { acked, forget, isTooOld, olderRanges, startReceived, take } from "./received-numbers.ts";

test("every number is taken once, and the ranges are exactly what arrived", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 120 }), (numbers) => {
      const r = startReceived();
      const twin = new Set<number>();
      for (const number of numbers) {
        expect(take(r, number, 0, true, true)).toBe(!twin.has(number));
        twin.add(number);
      }
      const told: number[] = [];
      r.low.forEach((low, i) => {
        for (let n = low; n <= (r.high[i] as number); n++) told.push(n);
      });
      expect(told).toEqual([...twin].toSorted((a, b) => a - b));
    }),
    { seed: 2, numRuns: 500 },
  );
});

test("more than 32 gaps: the oldest are told of no more, in whatever order they came", () => {
  const r = startReceived();
  for (let n = 0; n < 100; n += 2) take(r, n, 0, true, true);
  expect(r.low).toHaveLength(32);
  expect(take(r, 1, 0, true, true)).toBe(true);
  expect(r.low).toHaveLength(32);
  expect(take(r, 97, 0, true, true)).toBe(true);
});

test("128 numbers and more behind the largest is a duplicate for all anybody knows; less is taken once, told of or not", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 300 }), fc.nat(400), (numbers, told) => {
      const r = startReceived();
      const twin = new Set<number>();
      let largest = -1;
      for (const [i, number] of numbers.entries()) {
        if (i === 50) forget(r, told);
        const isFresh = !twin.has(number) && number > largest - 128;
        expect(take(r, number, 0, true, true)).toBe(isFresh);
        if (isFresh) twin.add(number);
        largest = Math.max(largest, number);
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("an ACK is due with the second packet or after 25 ms, at once when a packet is missing or nothing may wait", () => {
  const r = startReceived();
  take(r, 0, 1_000, true, true);
  expect(r.due).toBe(26_000);
  take(r, 1, 5_000, true, true);
  expect(r.due).toBe(5_000);
  acked(r);
  take(r, 2, 6_000, false, true);
  expect(r.due).toBe(Number.POSITIVE_INFINITY);
  take(r, 4, 7_000, true, true);
  expect(r.due).toBe(7_000);
  const early = startReceived();
  take(early, 0, 3_000, true, false);
  expect(early.due).toBe(3_000);
});

test("ranges the peer knows are forgotten without their gaps being refused, and the rest is told from the largest down", () => {
  const r = startReceived();
  for (const n of [0, 1, 4, 5, 9]) take(r, n, 0, true, true);
  expect(olderRanges(r, 8)).toEqual([5, 4, 1, 0]);
  expect(olderRanges(r, 1)).toEqual([5, 4]);
  forget(r, 3);
  expect(olderRanges(r, 8)).toEqual([5, 4]);
  expect(take(r, 1, 0, true, true)).toBe(false);
  expect(take(r, 2, 0, true, true)).toBe(true);
});

test("what leaves the window of 128 is too old to be told from a duplicate, and nothing else is", () => {
  const r = startReceived();
  expect(isTooOld(r, 0)).toBe(false);
  take(r, 0, 0, true, true);
  take(r, 200, 0, true, true);
  expect([72, 73].map((number) => isTooOld(r, number))).toEqual([true, false]);
  expect(take(r, 72, 0, true, true)).toBe(false);
  expect(take(r, 73, 0, true, true)).toBe(true);
});
