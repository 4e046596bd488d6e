import { expect, it } from "vitest";
import { decide, GAP_RESERVE, RESERVE, type Situation, SLACK, type Stretch, TRIM_FROM } from "./decision.ts";

const calm: Situation = {
  delay: 45_000,
  target: 40_000,
  level: 45_000,
  span: 60_000,
  ahead: 0,
  isLossy: false,
  isBeforeGap: false,
  sinceStretch: 1_000_000,
  worth: 1,
};

it.each<readonly [what: string, change: Partial<Situation>, wanted: Stretch]>([
  ["a little above the target nothing is done", {}, "normal"],
  ["a little below it time is gained", { delay: 39_999 }, "preemptive-expand"],
  ["more than a tick above it time is caught up", { delay: 40_000 + SLACK }, "accelerate"],
  ["delay that nothing waits for cannot be caught up", { delay: 90_000, level: 30_000 }, "normal"],
  ["far above the target it is caught up fast", { delay: 150_000, span: 160_000 }, "fast-accelerate"],
  ["fast even right after a stretch", { delay: 150_000, span: 160_000, sinceStretch: 20_000 }, "fast-accelerate"],
  ["but not when little waits", { delay: 150_000, span: 60_000, sinceStretch: 20_000 }, "normal"],
  ["stretches keep their distance when it is late", { delay: 80_000, sinceStretch: 99_999 }, "normal"],
  ["and when it is early", { delay: 0, sinceStretch: 99_999 }, "normal"],
  ["what waits beyond half a tick is trimmed", { ahead: TRIM_FROM }, "trim"],
  ["where frames are lost time is put in reserve", { isLossy: true, ahead: RESERVE - 1 }, "preemptive-expand"],
  ["the less, the less a lost frame is worth", { isLossy: true, ahead: RESERVE / 2, worth: 0.5 }, "normal"],
  ["and kept", { isLossy: true, ahead: TRIM_FROM }, "normal"],
  [
    "before a missing frame time is gained, whatever was stretched before",
    { isBeforeGap: true, sinceStretch: 0 },
    "preemptive-expand",
  ],
  ["not more than a frame", { isBeforeGap: true, ahead: GAP_RESERVE, sinceStretch: 0 }, "normal"],
  ["none where a lost frame is worth nothing", { isBeforeGap: true, worth: 0 }, "normal"],
  ["not where the delay is needed", { ahead: TRIM_FROM, delay: 10_000 }, "preemptive-expand"],
])("%s", (_, change, wanted) => expect(decide({ ...calm, ...change })).toBe(wanted));
