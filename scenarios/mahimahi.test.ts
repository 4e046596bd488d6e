import { describe, expect, test } from "vitest";
import { meanRate, parseMahimahi, wantRecording } from "./mahimahi.ts";

describe("parseMahimahi", () => {
  test("reads a file's text, whatever its line ends, and numbers", () => {
    const recording = { at: [0, 5_000, 5_000, 12_000], period: 12_000 };
    expect(parseMahimahi("0\n5\r\n5\n12\n")).toEqual(recording);
    expect(parseMahimahi([0, 5, 5, 12])).toEqual(recording);
    expect(meanRate(recording)).toBe(4_000_000);
  });

  test.each([
    ["", "no instant in it: want at least one"],
    ["0\n0\n", "no time passes in it: want a last instant above 0 ms"],
    ["3\n2\n", "line 2: 2 ms come after 3 ms: want instants in order"],
    ["3\nx\n", 'line 2: want whole milliseconds, got "x"'],
    ["1.5\n", 'line 1: want whole milliseconds, got "1.5"'],
    [[1, -2], "number 2: want whole milliseconds, got -2"],
  ])("%j is none", (written, reason) => {
    expect(parseMahimahi(written)).toBe(reason);
  });

  test("instants out of order, or after the end, are none", () => {
    expect(wantRecording({ at: [5, 4], period: 10 })).toMatch(/^at\[1\]: want instants in order/);
    expect(wantRecording({ at: [5, 11], period: 10 })).toMatch(/^at\[1\]: want instants in order/);
  });
});
