import { afterEach, expect, test } from "vitest";
import { Instant } from "../../impl/base/units.ts";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";
import { type WakeTimer, wakeTimer } from "./wake-timer.ts";

const open: WakeTimer[] = [];
const opened = (now: () => Instant, wake: () => void): WakeTimer => {
  const timer = wakeTimer(now, wake);
  open.push(timer);
  return timer;
};
afterEach(() => Promise.all(open.splice(0).map((timer) => timer.close())));

/** Sets the deadlines one after the other and resolves with how late each wake came, microseconds. */
const wakes = (dues: readonly number[]): Promise<readonly number[]> =>
  new Promise((resolve) => {
    const clock = monotonicClock();
    const late: number[] = [];
    const timer = opened(clock.now, () => {
      late.push(clock.now() - (dues[late.length] as number));
      if (late.length === dues.length) resolve(late);
      else timer.set(Instant(dues[late.length] as number));
    });
    timer.set(Instant(dues[0] as number));
  });

test("every deadline wakes once, never early, whole milliseconds away or fractions", async () => {
  const late = await wakes([300, 350, 1_500, 9_999, 10_000, 30_250]);
  expect(late).toHaveLength(6);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
});

test("a sooner deadline replaces a later one, a later one a sooner, and none cancels", async () => {
  const clock = monotonicClock();
  const woken: number[] = [];
  const done = new Promise<void>((resolve) => {
    const cancelled = opened(clock.now, () => woken.push(-1));
    cancelled.set(Instant(2_500));
    cancelled.set(undefined);
    const timer = opened(clock.now, () => {
      woken.push(clock.now());
      resolve();
    });
    timer.set(Instant(60_000_000));
    timer.set(Instant(1_000));
    timer.set(Instant(6_000));
  });
  await done;
  expect(woken).toHaveLength(1);
  expect(woken[0]).toBeGreaterThanOrEqual(6_000);
  expect(woken[0]).toBeLessThan(30_000_000);
});

test("a deadline is kept although the owner's clock starts over, by the new one", async () => {
  let clock = monotonicClock();
  const woken = await new Promise<number>((resolve) => {
    const timer = opened(
      () => clock.now(),
      () => resolve(clock.now()),
    );
    timer.set(Instant(20_000));
    setTimeout(() => {
      clock = monotonicClock();
    }, 10);
  });
  expect(woken).toBeGreaterThanOrEqual(20_000);
});

test("who waits for a deadline sleeps", async () => {
  const before = process.cpuUsage();
  // One every 1.7 ms for a second: spinning through the last of every wait would take 40 % of it.
  const late = await wakes(Array.from({ length: 600 }, (_, i) => 1_700 * (i + 1)));
  const { user, system } = process.cpuUsage(before);
  expect(late).toHaveLength(600);
  expect(user + system).toBeLessThan(250_000);
});
