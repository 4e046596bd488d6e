/**
 * What a client's log says of its sessions once a second: the round trip as its transport has it now, and packets so far. Names and units of W3C webrtc-stats,
 * candidate-pair. Left out on purpose: relays, which have a thousand sessions and whose clients tell the same of each.
 */
import type { Saying } from "../base/record.ts";
import type { Micros } from "../base/units.ts";
import type { SessionId } from "./session.ts";

/** What every driver knows of a session that is connected: the smoothed round trip (RFC 9002 section 5.3), and packets since it began. */
export type TransportFacts = { readonly rtt: Micros; readonly sent: number; readonly received: number; readonly lost: number };

/** One client's: takes what its driver knows of each connected session now, gives a record for each on which packets have come or gone since it last asked. */
export function sessionStatistics(): (sessions: Iterable<readonly [SessionId, TransportFacts]>) => Saying[] {
  let known = new Map<SessionId, number>();
  return (sessions) => {
    const sayings: Saying[] = [];
    const next = new Map<SessionId, number>();
    for (const [session, { rtt, sent, received, lost }] of sessions) {
      next.set(session, sent + received);
      if (known.get(session) === sent + received) continue;
      sayings.push({
        ev: "session-stats",
        session,
        currentRoundTripTime: Math.round(rtt) / 1e6,
        packetsSent: sent,
        packetsReceived: received,
        packetsLost: lost,
      });
    }
    known = next;
    return sayings;
  };
}
