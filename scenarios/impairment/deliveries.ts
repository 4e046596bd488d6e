/**
 * A transmitter that may send at recorded instants only, as a radio does: at each opportunity 1504 octets at most, and what is not used is gone. The format and its
 * meaning are mahimahi's (Netravali et al., USENIX ATC 2015; mm-link(1) and its LinkQueue): a large packet leaves over several
 * opportunities, several small ones share one, and after its last opportunity the recording begins again.
 */
import type { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../expanded.ts";

type Schedule = NonNullable<LinkModel["deliveries"]>;

/** Octets that leave at one opportunity: mahimahi's PACKET_SIZE, an Ethernet frame's payload and the header of its tunnel. */
export const OPPORTUNITY_BYTES = 1_504;

export class Deliveries {
  /** Number of the opportunity that the last accepted packet leaves at, since the schedule's start; what it has left there. */
  #next = 0;
  #left: number = OPPORTUNITY_BYTES;
  #schedule: Schedule | undefined;
  /** Packets that wait, and when they will have left. */
  #waiting: { readonly departs: number; readonly bytes: number }[] = [];

  /**
   * When a packet of `bytes` octets offered at `now` (never earlier than the call before) has left; undefined when the queue has no room. An empty queue
   * takes any packet.
   */
  offer(now: Instant, bytes: number, schedule: Schedule): Instant | undefined {
    if (schedule !== this.#schedule) {
      this.#schedule = schedule;
      this.#waiting = [];
      [this.#next, this.#left] = [0, OPPORTUNITY_BYTES];
    }
    this.#waiting = this.#waiting.filter(({ departs }) => departs > now);
    const queued = this.#waiting.reduce((sum, one) => sum + one.bytes, 0);
    if (this.#waiting.length > 0 && queued + bytes > schedule.queueBytes) return undefined;
    const first = firstFrom(schedule, now);
    if (first > this.#next) [this.#next, this.#left] = [first, OPPORTUNITY_BYTES];
    let rest = bytes;
    for (;;) {
      const sent = Math.min(rest, this.#left);
      rest -= sent;
      this.#left -= sent;
      if (rest === 0) break;
      this.#next++;
      this.#left = OPPORTUNITY_BYTES;
    }
    const departs = timeOf(schedule, this.#next);
    this.#waiting.push({ departs, bytes });
    return departs as Instant;
  }
}

const timeOf = ({ at, period }: Schedule, number: number): number =>
  Math.floor(number / at.length) * period + (at[number % at.length] ?? 0);

/** The first opportunity at `now` or later. */
function firstFrom({ at, period }: Schedule, now: number): number {
  // The last opportunity of a cycle is at the very instant at which the next begins.
  const cycle = Math.max(0, Math.ceil(now / period) - 1);
  const rest = now - cycle * period;
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((at[middle] as number) < rest) low = middle + 1;
    else high = middle;
  }
  return cycle * at.length + low;
}
