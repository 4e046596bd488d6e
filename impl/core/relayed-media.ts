/** Which sessions a relay passes a call's media between, for its log: a word for each new pair, and none for a packet. */
import type { Saying } from "../base/record.ts";
import type { Call } from "./call-registry.ts";
import type { SessionId } from "./session.ts";

/** Told of each packet; says what is new. Sessions of calls that are over are forgotten with them. */
export function relayedMedia(say: (saying: Saying) => void): (call: Call, from: SessionId, to: SessionId) => void {
  const known = new WeakMap<Call, Map<SessionId, SessionId>>();
  return (call, from, to) => {
    const ways = known.get(call) ?? new Map<SessionId, SessionId>();
    if (ways.get(from) === to) return;
    known.set(call, ways.set(from, to));
    say({ ev: "relayed", call: call.id, from, to });
  };
}
