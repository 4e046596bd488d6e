/** Datagrams that wait for the congestion window: a ring in which the newest pushes out the oldest, since late voice is useless. */

/** As many as in the real driver's queue. A power of two. */
export const DATAGRAM_QUEUE = 16;

export type DatagramQueue = {
  readonly slots: (Uint8Array | undefined)[];
  /** Position of the oldest; grows without end. */
  head: number;
  size: number;
};

export const startQueue = (): DatagramQueue => ({
  slots: new Array<Uint8Array | undefined>(DATAGRAM_QUEUE).fill(undefined),
  head: 0,
  size: 0,
});

/** False when the oldest had to go. */
export function enqueue(q: DatagramQueue, bytes: Uint8Array): boolean {
  const fits = q.size < DATAGRAM_QUEUE;
  if (!fits) dequeue(q);
  q.slots[(q.head + q.size) & (DATAGRAM_QUEUE - 1)] = bytes;
  q.size++;
  return fits;
}

/** The oldest, or undefined. */
export const oldest = (q: DatagramQueue): Uint8Array | undefined => q.slots[q.head & (DATAGRAM_QUEUE - 1)];

/** Removes the oldest; nothing when there is none. */
export function dequeue(q: DatagramQueue): void {
  if (q.size === 0) return;
  q.slots[q.head & (DATAGRAM_QUEUE - 1)] = undefined;
  q.head++;
  q.size--;
}

export function clearQueue(q: DatagramQueue): void {
  while (q.size > 0) dequeue(q);
}
