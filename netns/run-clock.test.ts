import { expect, test } from "vitest";
import { runClock } from "./run-clock.ts";

test("timers fire in order and never early; before it begins the clock stands at zero", async () => {
  const clock = runClock();
  expect(clock.now()).toBe(0);
  const epoch = clock.begin();
  expect(Math.abs(Number(process.hrtime.bigint() / 1_000n) - epoch)).toBeLessThan(1_000_000);
  const fired: [due: number, at: number][] = [];
  const firing = (due: number): Promise<void> =>
    new Promise((resolve) => {
      clock.at(due, () => {
        fired.push([due, clock.now()]);
        resolve();
      });
    });
  await Promise.all([9_300, 1_700, 4_999].map(firing));
  expect(fired.map(([due]) => due)).toEqual([1_700, 4_999, 9_300]);
  for (const [due, at] of fired) expect(at).toBeGreaterThanOrEqual(due);
});

test("nothing fires once the clock has stopped", async () => {
  const clock = runClock();
  clock.begin();
  let fired = 0;
  clock.at(1_000, () => fired++);
  clock.stop();
  clock.at(1_000, () => fired++);
  const other = runClock();
  other.begin();
  await other.reached(10_000);
  expect(fired).toBe(0);
});
