import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StallRecord } from "../base/record.ts";
import { watchStalls } from "./stall-watch.ts";

let [now, used] = [0, 0];
let told: StallRecord[] = [];
let stop: () => void = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  [now, used, told] = [1_000, 5_000, []];
  stop = watchStalls((stall) => told.push(stall), { now: () => now, used: () => used });
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** The next look at the clock comes `ms` after the last, of which the thread computed `cpu` microseconds. */
const lookAfter = (ms: number, cpu: number): void => {
  now += ms;
  used += cpu;
  vi.advanceTimersByTime(20);
};

it("looks that come when they should are told of nothing", () => {
  for (const ms of [20, 21, 25, 20, 69]) lookAfter(ms, 3_000);
  expect(told).toEqual([]);
});

it("a look that comes late is a stall, as long as it is late, with what was computed meanwhile", () => {
  lookAfter(20, 1_000);
  lookAfter(320, 7_000);
  lookAfter(20, 1_000);
  lookAfter(120, 110_000);
  expect(told).toEqual([
    { ev: "stall", micros: 300_000, cpuMicros: 7_000 },
    { ev: "stall", micros: 100_000, cpuMicros: 100_000 },
  ]);
});

it("ended, it tells nothing more", () => {
  stop();
  lookAfter(500, 0);
  expect(told).toEqual([]);
});
