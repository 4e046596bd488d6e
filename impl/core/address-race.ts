/**
 * Happy Eyeballs for a server with several addresses (RFC 8305 sections 4 and 5): the addresses are dialled one after the other, a short delay apart or as soon as one
 * fails, and the first handshake that is complete wins; the others are dropped. A winner that then does not say what it was dialled for is in doubt, and
 * the others are dialled beside it. Each address is dialled once in a race. It knows addresses, not sessions.
 */
import type { Address } from "../base/address.ts";
import { Instant, Micros, millis } from "../base/units.ts";

export type State = {
  /** Not dialled yet, the next one first. */
  readonly untried: readonly Address[];
  /** Dialled and not ended, the winner among them. */
  readonly open: readonly Address[];
  readonly winner: Address | undefined;
  /** When the next one is dialled. */
  readonly nextAt: Instant | undefined;
};

export type Input =
  /** The handshake is complete; `rtt`: the round trip that it has seen. */
  | { readonly type: "completed"; readonly way: Address; readonly rtt: Micros }
  /** Its session has ended. */
  | { readonly type: "ended"; readonly way: Address }
  /** The server has been heard at this address, beside any session: it is the next one to be dialled, and at once. */
  | { readonly type: "alive"; readonly way: Address }
  | { readonly type: "wake" };

export type Effect =
  | { readonly type: "dial"; readonly way: Address }
  | { readonly type: "drop"; readonly way: Address }
  /** From now on this one is to be used. */
  | { readonly type: "won"; readonly way: Address }
  /** None is left. */
  | { readonly type: "lost" };

/** Connection Attempt Delay: the value recommended by RFC 8305 section 8. */
const DELAY: Micros = millis(250);
/** So long a winner may take to answer before it is in doubt. chosen: twice the delay, for a relay that has much to do answers late and is asked no sooner by another way. */
const DOUBT: Micros = millis(500);
/** And that many of its own round trips: one is the answer's, and a packet may be lost (RFC 9002 section 6.2). */
const DOUBT_ROUND_TRIPS = 3;

type Step = readonly [State, readonly Effect[]];

/** Dials the first of `ways`. RangeError for none. */
export function start(ways: readonly Address[], now: Instant): Step {
  if (ways.length === 0) throw new RangeError("ways: want at least one address, got none");
  return dialNext({ untried: ways, open: [], winner: undefined, nextAt: undefined }, now);
}

export const deadline = (s: State): Instant | undefined => s.nextAt;

export function step(s: State, now: Instant, input: Input): Step {
  switch (input.type) {
    case "completed": {
      const { way } = input;
      if (!s.open.includes(way) || s.winner === way) return [s, []];
      // Those dropped before they could answer come back when the winner does not keep what it promised; a winner that has not is not asked again.
      const dropped = s.open.filter((one) => one !== way);
      const untried = [...dropped.filter((one) => one !== s.winner), ...s.untried];
      const wait = Micros(Math.max(DOUBT, DOUBT_ROUND_TRIPS * input.rtt));
      const nextAt = untried.length === 0 ? undefined : Instant.after(now, wait);
      const drops = dropped.map((one): Effect => ({ type: "drop", way: one }));
      return [{ untried, open: [way], winner: way, nextAt }, [...drops, { type: "won", way }]];
    }
    case "ended": {
      if (!s.open.includes(input.way)) return [s, []];
      const open = s.open.filter((one) => one !== input.way);
      const isWinner = s.winner === input.way;
      const next: State = { ...s, open, winner: isWinner ? undefined : s.winner };
      // Who ends a session that was up is there: another address of it says nothing else.
      if (open.length === 0 && (isWinner || s.untried.length === 0)) return [{ ...next, nextAt: undefined }, [{ type: "lost" }]];
      return next.winner === undefined && s.untried.length > 0 ? dialNext(next, now) : [next, []];
    }
    case "alive": {
      const { way } = input;
      if (!s.untried.includes(way)) return [s, []];
      return dialNext({ ...s, untried: [way, ...s.untried.filter((one) => one !== way)] }, now);
    }
    case "wake":
      return s.nextAt === undefined || now < s.nextAt ? [s, []] : dialNext(s, now);
  }
}

function dialNext(s: State, now: Instant): Step {
  const [way, ...untried] = s.untried;
  if (way === undefined) return [{ ...s, nextAt: undefined }, []];
  const nextAt = untried.length === 0 ? undefined : Instant.after(now, DELAY);
  return [{ ...s, untried, open: [...s.open, way], nextAt }, [{ type: "dial", way }]];
}
