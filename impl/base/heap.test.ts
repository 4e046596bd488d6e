import fc from "fast-check";
import { expect, it } from "vitest";
import { TimeHeap } from "./heap.ts";

it("leaves in order of time, and in order of arrival where times are equal", () => {
  const operation = fc.oneof({ weight: 3, arbitrary: fc.nat(20) }, { weight: 2, arbitrary: fc.constant(-1) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
      const heap = new TimeHeap<number>();
      const twin: { time: number; order: number }[] = []; // the readable twin: a sorted list
      operations.forEach((time, order) => {
        if (time >= 0) {
          heap.push(time, order);
          twin.push({ time, order });
          twin.sort((a, b) => a.time - b.time || a.order - b.order);
        } else if (twin.length > 0) {
          expect(heap.peek()).toBe(twin[0]?.time);
          expect(heap.pop()).toBe(twin.shift()?.order);
        }
        expect(heap.size).toBe(twin.length);
      });
    }),
    { seed: 4, numRuns: 300 },
  );
});

it("grows past its first capacity without losing an entry", () => {
  const heap = new TimeHeap<number>();
  for (let i = 0; i < 5_000; i++) heap.push((i * 7_919) % 5_000, i);
  let last = -1;
  for (let i = 0; i < 5_000; i++) {
    const time = heap.peek() ?? -1;
    expect(time).toBeGreaterThanOrEqual(last);
    last = time;
    heap.pop();
  }
  expect(heap.size).toBe(0);
});

it("popping an empty heap is our bug", () => {
  expect(() => new TimeHeap().pop()).toThrow(/empty heap/);
});
