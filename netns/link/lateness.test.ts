import { expect, test } from "vitest";
import { lateness } from "./lateness.ts";

test("percentiles are right to a slot of 50 microseconds, the greatest exactly", () => {
  const late = lateness();
  expect(late.summary()).toEqual({ packets: 0, p50: 0, p99: 0, max: 0 });
  late.add(90_000);
  for (let i = 0; i < 98; i++) late.add(120);
  late.add(1_730);
  expect(late.summary()).toEqual({ packets: 100, p50: 150, p99: 1_750, max: 90_000 });
});
