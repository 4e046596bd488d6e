/** What becomes of the media of a relay's calls, for its log: a word for each new pair of sessions they pass between, and how many there was nobody for. */
import type { Saying } from "../base/record.ts";
import type { Call } from "./call-registry.ts";
import type { SessionId } from "./session.ts";

export type RelayedMedia = {
  /** A packet has gone from one session to the other. */
  passed(call: Call, from: SessionId, to: SessionId): void;
  /** A packet was dropped: the other party is not here. */
  undelivered(call: Call): void;
};

/** Says what is new, and nothing of a packet alone. Sessions of calls that are over are forgotten with them. */
export function relayedMedia(say: (saying: Saying) => void): RelayedMedia {
  const known = new WeakMap<Call, Map<SessionId, SessionId>>();
  /** Calls that packets were dropped of, until one is passed on. */
  const waiting = new WeakSet<Call>();
  let [count, told] = [0, 0];
  const tell = (): void => {
    if (told === count) return;
    told = count;
    say({ ev: "undelivered", reason: "absent", count });
  };
  return {
    passed: (call, from, to) => {
      const ways = known.get(call) ?? new Map<SessionId, SessionId>();
      if (told !== count && waiting.delete(call)) tell();
      if (ways.get(from) === to) return;
      known.set(call, ways.set(from, to));
      say({ ev: "relayed", call: call.id, from, to });
    },
    undelivered: (call) => {
      waiting.add(call);
      count++;
      if ((count & (count - 1)) === 0) tell();
    },
  };
}
