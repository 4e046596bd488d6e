import { expect, it } from "vitest";
import { LOSSY, LossyLink } from "./lossy-link.ts";

const isLossy = (at: number, lost: readonly number[], late: readonly number[] = []): boolean => {
  const link = new LossyLink();
  for (const now of lost) link.lost(now);
  for (const now of late) link.late(now);
  return link.isLossy(at);
};

it("a link is lossy once what was late would have come, and until two seconds after the last loss", () => {
  expect(isLossy(0, [])).toBe(false);
  expect(isLossy(199_999, [0])).toBe(false);
  expect(isLossy(200_000, [0])).toBe(true);
  expect(isLossy(LOSSY - 1, [0])).toBe(true);
  expect(isLossy(LOSSY, [0])).toBe(false);
});

it("losses further apart each begin anew", () => {
  expect(isLossy(LOSSY + 100_000, [0, LOSSY])).toBe(false);
  expect(isLossy(LOSSY + 100_000, [0, LOSSY - 1])).toBe(true);
});

it("while frames come after their time, what is missing may be late and not lost", () => {
  expect(isLossy(1_000_000, [0], [500_000])).toBe(false);
  expect(isLossy(LOSSY + 500_000, [LOSSY], [500_000])).toBe(true);
});
