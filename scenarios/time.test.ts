import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTime, parseTime } from "./time.ts";

describe("times", () => {
  test.each([
    ["300us", 300],
    ["20ms", 20_000],
    ["1.5s", 1_500_000],
    ["1.1s", 1_100_000],
    ["2min", 120_000_000],
    ["1h", 3_600_000_000],
    ["0s", 0],
    ["20 ms", 20_000],
    [42, 42],
  ])("%s is %d microseconds", (written, micros) => expect(parseTime(written)).toBe(micros));

  test.each([
    "",
    "5",
    "5 parsecs",
    "-1s",
    "0.5us",
    "1.0000001s",
    "1e3ms",
    "s",
    " 1s",
    "1s ",
    -1,
    0.5,
    Number.NaN,
    2 ** 60,
    "9999999999999h",
  ])("%s is no time", (written) => expect(parseTime(written)).toBeUndefined());

  test.each([
    [0, "0s"],
    [300, "300us"],
    [20_000, "20ms"],
    [1_500_000, "1.5s"],
    [1_000_001, "1000001us"],
  ])("%d microseconds are written %s", (micros, text) => expect(formatTime(micros)).toBe(text));

  test("what is formatted reads back exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 90_000_000_000 }), (micros) => parseTime(formatTime(micros)) === micros),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test("any text is read without throwing", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const micros = parseTime(text);
        return micros === undefined || Number.isSafeInteger(micros);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });
});
