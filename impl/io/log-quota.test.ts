import { describe, expect, test } from "vitest";
import type { Saying } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import { logQuota } from "./log-quota.ts";

const signal = (session: number): Saying => ({ ev: "signal", dir: "received", type: "Hangup", session });
const quotaAt = () => {
  let at = 0;
  const quota = logQuota(() => Instant(at));
  const written = (saying: Saying, times: number): number =>
    Array.from({ length: times }, () => quota.allows(saying)).filter(Boolean).length;
  const pass = (us: number): void => {
    at += us;
  };
  return { ...quota, written, pass };
};

describe("log quota", () => {
  test("two hundred messages of a session are written at once, then twenty a second, and what is left out is told once", () => {
    const { written, leftOut, pass } = quotaAt();
    expect(written(signal(-1), 1_000)).toBe(200);
    expect(leftOut()).toEqual(["800 signal records of session -1 left out of the log"]);
    expect(leftOut()).toEqual([]);
    pass(1_000_000);
    expect(written(signal(-1), 1_000)).toBe(20);
    expect(leftOut()).toEqual(["980 signal records of session -1 left out of the log"]);
  });

  test("one session's flood leaves the records of others alone", () => {
    const { written } = quotaAt();
    written(signal(-1), 1_000);
    expect(written(signal(-2), 150)).toBe(150);
    expect(written({ ev: "session", session: -3, state: "accepted" }, 150)).toBe(150);
  });

  test("many sessions together are bounded too, so that dialling again does not help a flood", () => {
    const { written, pass } = quotaAt();
    let sum = 0;
    for (let session = 1; session <= 1_000; session++) sum += written(signal(-session), 200);
    expect(sum).toBe(10_000);
    pass(1_000_000);
    expect(written(signal(-5_000), 1_000)).toBe(200);
  });

  test("a session that has been quiet is forgotten, and its records are written as at first", () => {
    const { written, leftOut, pass } = quotaAt();
    written(signal(-1), 300);
    leftOut();
    pass(10_000_000);
    expect(leftOut()).toEqual([]);
    expect(written(signal(-1), 300)).toBe(200);
  });

  test("what a party says at its own pace is never left out", () => {
    const { written } = quotaAt();
    expect(written({ ev: "network", sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 }, 50_000)).toBe(50_000);
    expect(written({ ev: "refused", reason: "limit", what: "", count: 1 }, 50_000)).toBe(50_000);
  });
});
