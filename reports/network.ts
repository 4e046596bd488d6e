/** UDP traffic per party, and how much of it is known to have been dropped. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { PartyNetwork } from "./result.ts";

type Counters = { sentPackets: number; sentBytes: number; receivedPackets: number; receivedBytes: number };
const COUNTERS = ["sentPackets", "sentBytes", "receivedPackets", "receivedBytes"] as const;

/**
 * Totals per party. The counters in the log are cumulative per process: one that falls has started again, and what it had
 * reached is added. `lostPackets` counts `drop` records of the party's own links, of the NAT it alone sits behind and of its
 * process being down, both directions; a laboratory that cannot see drops reports 0. What congestion control
 * kept back was never a packet.
 */
export function measureNetwork(records: readonly LogRecord[], scenario: Scenario): Record<string, PartyNetwork> {
  const owner = ownersOf(scenario);
  const totals = new Map<string, { before: Counters; now: Counters; lost: number }>();
  for (const party of Object.keys(scenario.parties)) totals.set(party, { before: zero(), now: zero(), lost: 0 });
  for (const record of records) {
    if (record.ev === "network") {
      const total = totals.get(record.who);
      if (total === undefined) continue;
      const restarted = COUNTERS.some((name) => record[name] < total.now[name]);
      for (const name of COUNTERS) {
        if (restarted) total.before[name] += total.now[name];
        total.now[name] = record[name];
      }
    } else if (record.ev === "drop" && record.cause !== "congestion") {
      const total = totals.get(owner(record.where) ?? "");
      if (total !== undefined) total.lost++;
    }
  }
  return Object.fromEntries(
    [...totals].map(([party, { before, now, lost }]) => [
      party,
      {
        sentPackets: before.sentPackets + now.sentPackets,
        sentBytes: before.sentBytes + now.sentBytes,
        receivedPackets: before.receivedPackets + now.receivedPackets,
        receivedBytes: before.receivedBytes + now.receivedBytes,
        lostPackets: lost,
      },
    ]),
  );
}

const zero = (): Counters => ({ sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 });

/** From the place a packet was dropped (`alice/wlan0/up`, `nat home`, `r1`) to the one party it concerns, if it is one. */
function ownersOf(scenario: Scenario): (where: string) => string | undefined {
  const behind = new Map<string, Set<string>>();
  for (const [party, model] of Object.entries(scenario.parties))
    for (const face of Object.values(model.interfaces)) {
      if (face.nat === null) continue;
      behind.set(face.nat, (behind.get(face.nat) ?? new Set()).add(party));
    }
  return (where) => {
    const place = where.split("/")[0] ?? where;
    if (Object.hasOwn(scenario.parties, place)) return place;
    const parties = behind.get(place.startsWith("nat ") ? place.slice(4) : place);
    return parties?.size === 1 ? [...parties][0] : undefined;
  };
}
