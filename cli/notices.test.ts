import { expect, test } from "vitest";
import { aRelayRestart } from "../reports/log-builder.ts";
import { noticing } from "./notices.ts";

test("faults, states and gaps are told once each, at their instants, and nothing else is", () => {
  const notice = noticing();
  const lines = aRelayRestart()
    .records()
    .toSorted((a, b) => a.t - b.t)
    .flatMap((record) => notice(record));
  expect(lines).toContain("  5.000 s  ⚡ kill r1");
  expect(lines).toContain("  8.000 s  ⚡ kill r1 healed");
  expect(lines.filter((line) => line.includes("heard nothing for"))).toHaveLength(2);
  expect(lines.find((line) => line.includes("alice heard nothing for"))).toMatch(
    / 8\.2\d\d s {2}alice heard nothing for 31\d\d ms$/,
  );
  expect(lines.length).toBeLessThan(40);
});
