import { describe, expect, test } from "vitest";
import { defaultQueueBytes, parseRate, queueBytesOf } from "./rate.ts";

describe("rates", () => {
  test.each([
    ["300kbit", 300_000],
    ["1.5Mbit", 1_500_000],
    ["10Mbit/s", 10_000_000],
    ["1Gbit", 1_000_000_000],
    ["64000bit", 64_000],
    [64_000, 64_000],
  ])("%s is %d bits per second", (written, bps) => expect(parseRate(written)).toBe(bps));

  test.each(["300kbps", "10 Mb", "0kbit", "-1kbit", "", 0, 1.5, Number.POSITIVE_INFINITY])("%s is no rate", (written) =>
    expect(parseRate(written)).toBeUndefined(),
  );

  test("a queue given as a time holds what the link sends in that time", () =>
    expect(queueBytesOf(8_000_000, 100_000)).toBe(100_000));

  test("the default queue is 200 ms, and never less than ten packets", () => {
    expect(defaultQueueBytes(10_000_000)).toBe(250_000);
    expect(defaultQueueBytes(50_000)).toBe(15_000);
  });
});
