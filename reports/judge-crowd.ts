/** The oracle about a crowd: how it comes back after an outage, and what that costs its relay. */
import type { OracleParameters } from "../scenarios/oracles.ts";
import { broken, type Finding, held, inconclusive, inTime } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { healOf } from "./recovery.ts";
import { standingsOf } from "./signal.ts";

/** The stretch of time a relay's load is counted over. chosen: shorter than anybody waits, longer than a round trip. */
const STRETCH = 100_000;

/** When each client of the crowd was back, from the last heal; and how many registrations and new sessions a relay had in its busiest stretch. */
export function crowdReturns(evidence: Evidence, { within, peak }: OracleParameters["crowd-returns"]): Finding {
  const { records, scenario, conditions } = evidence;
  const { clients = 0 } = scenario.crowd ?? {};
  if (clients === 0) return inconclusive("the scenario has no crowd");
  const heals = conditions.flatMap((condition, i) => {
    const fault = scenario.faults[i];
    const heal = fault === undefined ? undefined : healOf(condition, fault);
    return heal === undefined ? [] : [heal];
  });
  const heal = Math.max(0, ...heals);
  const own = new Map<string, (typeof records)[number][]>();
  for (const record of records) {
    if (!record.who.startsWith("crowd-") || (record.ev !== "registration" && record.ev !== "process")) continue;
    own.set(record.who, [...(own.get(record.who) ?? []), record]);
  }
  const back: number[] = [];
  let lost = 0;
  for (const [who, seen] of own) {
    const standings = standingsOf(seen, who, scenario.duration);
    const isLost = standings.some((one, i) => i > 0 && one.state === "reconnecting");
    if (!isLost) continue;
    lost++;
    const again = standings.findLast((one) => one.state === "registered" && one.from >= heal && one.from < scenario.duration);
    if (again !== undefined) back.push(again.from - heal);
  }
  back.sort((a, b) => a - b);
  const at = (share: number): string => inTime(back[Math.min(back.length - 1, Math.floor(back.length * share))] ?? 0);
  const registered = busiest(
    records.flatMap((one) => (one.ev === "signal" && one.dir === "sent" && one.type === "RegisterAck" ? [one.t] : [])),
  );
  const accepted = busiest(records.flatMap((one) => (one.ev === "session" && one.state === "accepted" ? [one.t] : [])));
  const words = `${back.length} of ${lost} back, half after ${at(0.5)}, 95 % after ${at(0.95)}, the last after ${at(1)}; at most ${registered} registrations and ${accepted} new sessions in 100 ms (limit ${inTime(within)}, ${peak} registrations)`;
  if (lost === 0) return inconclusive(`nobody of ${clients} lost its registration`);
  if (back.length < lost || (back.at(-1) ?? 0) > within) return broken(words, heal + within);
  return registered > peak ? broken(words, heal) : held(words);
}

/** Most instants (ascending) in one stretch. */
function busiest(instants: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [i, at] of instants.entries()) {
    while (at - (instants[first] ?? at) >= STRETCH) first++;
    most = Math.max(most, i - first + 1);
  }
  return most;
}
