import { expect, it } from "vitest";
import { BitsPerSecond, Bytes, Instant, Micros, millis, Ratio, seconds, transmissionTime } from "./units.ts";

it("constructors refuse what is not of the unit and name the value", () => {
  expect(() => Micros(1.5)).toThrow(/Micros.*1\.5/);
  expect(() => Instant(-1)).toThrow(/Instant.*-1/);
  expect(() => Ratio(1.01)).toThrow(/Ratio.*1\.01/);
  expect(() => Bytes(Number.NaN)).toThrow(/Bytes.*NaN/);
});

it("milliseconds and seconds round to whole microseconds", () => {
  expect([millis(0.0004), millis(20), seconds(1.5)]).toEqual([0, 20_000, 1_500_000]);
});

it("the distance to an earlier instant is zero, and the earliest of none is none", () => {
  expect(Instant.between(Instant(5), Instant(3))).toBe(0);
  expect(Instant.earliest(undefined, Instant(9), Instant(4))).toBe(4);
  expect(Instant.earliest(undefined)).toBeUndefined();
});

it("1,250 octets take 1 ms at 10 Mbit/s, and a fraction rounds up", () => {
  expect(transmissionTime(Bytes(1_250), BitsPerSecond(10_000_000))).toBe(1_000);
  expect(transmissionTime(Bytes(1), BitsPerSecond(3_000_000))).toBe(3);
});
