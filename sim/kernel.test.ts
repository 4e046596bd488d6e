import fc from "fast-check";
import { expect, test } from "vitest";
import { InvariantError } from "../impl/base/invariant.ts";
import { Instant, Micros } from "../impl/base/units.ts";
import { Kernel } from "./kernel.ts";

test("actions run in order of instant, and equal instants in order of scheduling", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(20), timer: fc.boolean() }), { maxLength: 200 }), (plan) => {
      const kernel = new Kernel();
      const ran: { at: number; index: number }[] = [];
      plan.forEach(({ at, timer }, index) => {
        const action = () => ran.push({ at: kernel.now, index });
        if (timer) kernel.at(Instant(at), action);
        else kernel.post(Instant(at), action);
      });
      kernel.run(Instant(20));
      const expected = plan.map(({ at }, index) => ({ at, index })).sort((a, b) => a.at - b.at || a.index - b.index);
      expect(ran).toEqual(expected);
      expect(kernel.executed).toBe(plan.length);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("a cancelled timer never runs and is not counted; cancelling after it ran is harmless", () => {
  const kernel = new Kernel();
  const ran: string[] = [];
  const first = kernel.after(Micros(5), () => ran.push("first"));
  const second = kernel.after(Micros(5), () => ran.push("second"));
  kernel.at(Instant(4), () => second.cancel());
  kernel.run(Instant(10));
  first.cancel();
  kernel.run(Instant(20));
  expect(ran).toEqual(["first"]);
  expect(kernel.executed).toBe(2);
});

test("run stops at its limit, includes it, and leaves the clock there", () => {
  const kernel = new Kernel();
  const ran: number[] = [];
  for (const at of [10, 11, 12]) kernel.post(Instant(at), () => ran.push(kernel.now));
  kernel.run(Instant(11));
  expect([ran, kernel.now]).toEqual([[10, 11], 11]);
  kernel.run(Instant(100));
  expect([ran, kernel.now]).toEqual([[10, 11, 12], 100]);
});

test("an action may schedule for its own instant and is followed by it", () => {
  const kernel = new Kernel();
  const ran: string[] = [];
  kernel.post(Instant(3), () => {
    kernel.after(Micros(0), () => ran.push(`again at ${kernel.now}`));
    ran.push("once");
  });
  kernel.run(Instant(3));
  expect(ran).toEqual(["once", "again at 3"]);
});

test("stop ends the run after the current action and a later run goes on", () => {
  const kernel = new Kernel();
  const ran: number[] = [];
  for (const at of [1, 2, 3]) {
    kernel.post(Instant(at), () => {
      ran.push(at);
      if (at === 2) kernel.stop();
    });
  }
  kernel.run(Instant(9));
  expect([ran, kernel.now]).toEqual([[1, 2], 2]);
  kernel.run(Instant(9));
  expect([ran, kernel.now]).toEqual([[1, 2, 3], 9]);
});

test("the past, broken instants and a run within a run are our own bugs", () => {
  const kernel = new Kernel();
  kernel.run(Instant(5));
  expect(() => kernel.post(4 as Instant, () => {})).toThrow(InvariantError);
  expect(() => kernel.at(Number.NaN as Instant, () => {})).toThrow(InvariantError);
  expect(() => kernel.post(5.5 as Instant, () => {})).toThrow(InvariantError);
  expect(() => kernel.run(Instant(4))).toThrow(RangeError);
  kernel.post(Instant(6), () => kernel.run(Instant(7)));
  expect(() => kernel.run(Instant(8))).toThrow(InvariantError);
});

test("actions that keep time from moving on end the run as our own bug", () => {
  const kernel = new Kernel();
  const again = (): void => kernel.post(kernel.now, again);
  kernel.post(Instant(3), again);
  expect(() => kernel.run(Instant(4))).toThrow(/time stands still at 3/);
});

test("step runs one action and leaves the clock at its instant; nothing is due after the limit", () => {
  const kernel = new Kernel();
  const ran: string[] = [];
  kernel.post(Instant(3), () => ran.push("a"));
  kernel.at(Instant(4), () => ran.push("called off")).cancel();
  kernel.post(Instant(5), () => kernel.after(Micros(0), () => ran.push("same instant")));
  expect(kernel.step(Instant(10))).toBe(true);
  expect([kernel.now, ran]).toEqual([3, ["a"]]);
  expect(kernel.step(Instant(4))).toBe(false);
  expect(kernel.now).toBe(3);
  expect(kernel.step(Instant(10))).toBe(true);
  expect([kernel.now, ran]).toEqual([5, ["a"]]);
  expect(kernel.step(Instant(10))).toBe(true);
  expect(ran).toEqual(["a", "same instant"]);
  expect(kernel.step(Instant(10))).toBe(false);
});
