import { expect, test } from "vitest";
import { clearQueue, DATAGRAM_QUEUE, dequeue, enqueue, oldest, startQueue } from "./datagram-queue.ts";

test("datagrams leave in order, and the newest pushes out the oldest", () => {
  const q = startQueue();
  for (let i = 0; i < DATAGRAM_QUEUE; i++) expect(enqueue(q, Uint8Array.of(i))).toBe(true);
  expect(enqueue(q, Uint8Array.of(99))).toBe(false);
  expect([q.size, oldest(q)?.[0]]).toEqual([DATAGRAM_QUEUE, 1]);
  for (let i = 1; i < DATAGRAM_QUEUE; i++) dequeue(q);
  expect(oldest(q)?.[0]).toBe(99);
  clearQueue(q);
  dequeue(q);
  expect([q.size, oldest(q)]).toEqual([0, undefined]);
});
