/**
 * Which packet numbers of one space have arrived, and when an ACK for them is due (RFC 9000 section 13.2).
 * Also the duplicate filter: a number is taken once. The two are apart, as in quiche: what the peer knows we have need not be told again, but a
 * packet that was overtaken by that knowledge is no duplicate.
 */
import { MAX_ACK_DELAY } from "./round-trip.ts";

/** An ACK is due with the second ack-eliciting packet (section 13.2.2). */
const ACK_EVERY = 2;
/** Ranges told of. chosen: section 13.2.3 asks for a limit and names none; older ones are given up. */
const MAX_RANGES = 32;
/** Numbers below the largest that may still arrive; what is older counts as a duplicate (section 12.3 allows it). quiche's `PktNumWindow`: 128 bits. */
const WINDOW = 128;
const WORDS = WINDOW / 32;

export type ReceivedNumbers = {
  /** Ranges ascending, as smallest and largest. */
  readonly low: number[];
  readonly high: number[];
  /** One bit for each of the last 128 numbers up to the largest, by its remainder. */
  readonly seen: Uint32Array;
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
  seen: new Uint32Array(WORDS),
  largestAt: 0,
  waiting: 0,
  due: Number.POSITIVE_INFINITY,
});

/** The number left the window: nobody can tell a packet that arrives only now from a duplicate. */
export const isTooOld = (r: ReceivedNumbers, number: number): boolean => number <= (r.high.at(-1) ?? -1) - WINDOW;

/** Notes a packet; false when its number was taken before or is too old. `patient`: the ACK may wait (application space only). */
export function take(r: ReceivedNumbers, number: number, now: number, eliciting: boolean, patient: boolean): boolean {
  const last = r.high.length - 1;
  const largest = last < 0 ? -1 : (r.high[last] as number);
  if (number > largest) {
    advance(r, largest, number);
    if (last >= 0 && number === largest + 1) r.high[last] = number;
    else append(r, number);
    r.largestAt = now;
  } else if (isTooOld(r, number) || isSeen(r, number)) return false;
  else insert(r, number);
  mark(r, number);
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
    r.low.shift();
    r.high.shift();
  }
}

const wordOf = (number: number): number => Math.floor(number / 32) % WORDS;
const isSeen = (r: ReceivedNumbers, number: number): boolean =>
  (((r.seen[wordOf(number)] as number) >>> (number % 32)) & 1) === 1;
function mark(r: ReceivedNumbers, number: number): void {
  const word = wordOf(number);
  r.seen[word] = (r.seen[word] as number) | (1 << (number % 32));
}
/** Room for `number`, the new largest: those that leave the window give up their bits. */
function advance(r: ReceivedNumbers, largest: number, number: number): void {
  if (number - largest >= WINDOW) r.seen.fill(0);
  else for (let n = largest + 1; n <= number; n++) r.seen[wordOf(n)] = (r.seen[wordOf(n)] as number) & ~(1 << (n % 32));
}

/** Adds a number below the largest that is in no range yet. */
function insert(r: ReceivedNumbers, number: number): void {
  let at = r.low.length - 1;
  while (at >= 0 && (r.low[at] as number) > number) at--;
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
    if (r.low.length > MAX_RANGES) {
      r.low.shift();
      r.high.shift();
    }
  }
}
