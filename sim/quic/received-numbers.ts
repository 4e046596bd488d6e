/**
 * Which packet numbers of one space have arrived, and when an ACK for them is due (RFC 9000 section 13.2).
 * Also the duplicate filter: a number is taken once.
 */
import { MAX_ACK_DELAY } from "./round-trip.ts";

/** An ACK is due with the second ack-eliciting packet (section 13.2.2). */
const ACK_EVERY = 2;
/** Ranges remembered. chosen: section 13.2.3 asks for a limit and names none; older gaps are given up and their numbers refused. */
const MAX_RANGES = 32;

export type ReceivedNumbers = {
  /** Ranges ascending, as smallest and largest. */
  readonly low: number[];
  readonly high: number[];
  /** Numbers below are refused. */
  floor: number;
  /** When the largest number arrived. */
  largestAt: number;
  /** Ack-eliciting packets since the last ACK went out. */
  waiting: number;
  /** When an ACK must leave; Infinity when none is owed. */
  due: number;
};

export const startReceived = (): ReceivedNumbers => ({
  low: [],
  high: [],
  floor: 0,
  largestAt: 0,
  waiting: 0,
  due: Number.POSITIVE_INFINITY,
});

/** Notes a packet; false when its number was taken before or is too old. `patient`: the ACK may wait (application space only). */
export function take(r: ReceivedNumbers, number: number, now: number, eliciting: boolean, patient: boolean): boolean {
  const last = r.high.length - 1;
  const largest = last < 0 ? -1 : (r.high[last] as number);
  if (number > largest) {
    if (last >= 0 && number === largest + 1) r.high[last] = number;
    else append(r, number);
    r.largestAt = now;
  } else if (!insert(r, number)) return false;
  if (!eliciting) return true;
  r.waiting++;
  if (!patient || r.waiting >= ACK_EVERY || number !== largest + 1)
    r.due = now; // out of order: at once (section 13.2.1)
  else if (r.due > now + MAX_ACK_DELAY) r.due = now + MAX_ACK_DELAY;
  return true;
}

/** An ACK with everything so far went out. */
export function acked(r: ReceivedNumbers): void {
  r.waiting = 0;
  r.due = Number.POSITIVE_INFINITY;
}

/** The peer has seen our ACK of everything up to `number`: no need to say it again (section 13.2.4). */
export function forget(r: ReceivedNumbers, number: number): void {
  while (r.high.length > 1 && (r.high[0] as number) <= number) {
    r.floor = (r.high[0] as number) + 1;
    r.low.shift();
    r.high.shift();
  }
}

/** At most `limit` ranges below the largest one, as (largest, smallest) downwards; undefined when there are none. */
export function olderRanges(r: ReceivedNumbers, limit: number): number[] | undefined {
  if (r.low.length < 2 || limit < 1) return undefined;
  const out: number[] = [];
  for (let i = r.low.length - 2; i >= 0 && out.length < 2 * limit; i--) out.push(r.high[i] as number, r.low[i] as number);
  return out;
}

function append(r: ReceivedNumbers, number: number): void {
  r.low.push(number);
  r.high.push(number);
  if (r.low.length > MAX_RANGES) {
    r.floor = (r.high[0] as number) + 1;
    r.low.shift();
    r.high.shift();
  }
}

function insert(r: ReceivedNumbers, number: number): boolean {
  if (number < r.floor) return false;
  let at = r.low.length - 1;
  while (at >= 0 && (r.low[at] as number) > number) at--;
  if (at >= 0 && (r.high[at] as number) >= number) return false;
  const touchesBelow = at >= 0 && (r.high[at] as number) === number - 1;
  const touchesAbove = (r.low[at + 1] as number) === number + 1;
  if (touchesBelow && touchesAbove) {
    r.high[at] = r.high[at + 1] as number;
    r.low.splice(at + 1, 1);
    r.high.splice(at + 1, 1);
  } else if (touchesBelow) r.high[at] = number;
  else if (touchesAbove) r.low[at + 1] = number;
  else {
    r.low.splice(at + 1, 0, number);
    r.high.splice(at + 1, 0, number);
  }
  return true;
}
