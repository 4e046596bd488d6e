/**
 * Whether a limit asks for more than the mechanism behind it can do. Sound code needs its time: to miss three frames, to ask a relay again, for as many round trips as the protocol has. Where every book
 * balances and what was measured is within that, no part is to blame but the limit, and the figure beside it is what to write there instead.
 */
import { expected } from "../scenarios/oracles.ts";
import { firstAt } from "./call-log.ts";
import type { Books, Clue } from "./cause-books.ts";
import { inTime } from "./finding.ts";
import { FRAME_MICROS, gapsOf } from "./playout.ts";
import { lossesOf } from "./registration-loss.ts";
import type { OracleResult } from "./result.ts";
import { percentile } from "./statistic.ts";

/** A measured length of `party`'s that is above its limit, and what sound code may need for it here. Microseconds. */
type Excess = {
  readonly party: string;
  readonly took: number;
  readonly limit: number;
  readonly needs: number;
  readonly why: string;
};

/** Three frames that do not come make a direct path doubtful (impl/core/ice/path-watch.ts). */
const MISSES = 45_000;
/** A client that is away asks its relay for a sign of life so often (impl/core/client.ts). */
const ASKS = 100_000;
/** Frame, first delay and slack of the jitter buffer (impl/core/neteq/delay-target.ts, decision.ts). */
const PLAYS = 20_000 + 40_000 + 22_000;
/** How long a party waits for its own reflexive address before it answers without (impl/core/client.ts). */
const GATHERS = 500_000;
/** What a call takes to come back with its relay, round trips apart. chosen: to notice, to ask, and to find the delay of the voice anew. */
const NOTICES = 300_000;
/** From a fault to a silence that is of its making. chosen: what a buffer held plays on first. */
const FOLLOWS = 2_000_000;
/** An interruption, as the oracle counts it. */
const INTERRUPTION = 149_999;

/** Broken oracles whose every excess is what the mechanism takes. */
export function unreachable(books: Books): ReadonlyMap<OracleResult, readonly Excess[]> {
  const found = new Map<OracleResult, readonly Excess[]>();
  for (const [index, expectation] of books.evidence.scenario.expect.entries()) {
    const oracle = books.oracles[index];
    const one = expected(expectation);
    if (oracle?.verdict !== "broken" || oracle.name !== one.oracle) continue;
    const all = excessesOf(books, one);
    if (all.length > 0 && all.every(({ took, needs }) => took <= needs)) found.set(oracle, all);
  }
  return found;
}

/** One for the longest excess of each oracle that asks for too much. */
export const limitClues = (books: Books): readonly Clue[] =>
  [...unreachable(books)].flatMap(([oracle, all]): Clue[] => {
    const [worst] = all.toSorted((a, b) => b.took - a.took);
    if (worst === undefined) return [];
    const { party, took, limit, needs, why } = worst;
    const says = `did its duty, and the limit is too short: ${oracle.name} of ${party} took ${inTime(took)} (limit ${inTime(limit)}), and ${why} may take ${inTime(needs)} here`;
    return [{ at: (oracle.atMs ?? 0) * 1_000, component: "scenario", party, says, weight: "taste" }];
  });

/** Whether what an oracle asks is a length of time that is looked at here. */
export const isLimited = (oracle: string): boolean => LIMITED.has(oracle);

const LIMITED: ReadonlySet<string> = new Set([
  "longest-gap",
  "no-interruption",
  "media-recovers",
  "signalling-recovers",
  "call-connects",
  "mouth-to-ear",
]);

function excessesOf(books: Books, one: ReturnType<typeof expected>): readonly Excess[] {
  switch (one.oracle) {
    case "longest-gap":
      return gaps(books, one.party, one.max);
    case "no-interruption":
      return gaps(books, one.party, INTERRUPTION);
    case "media-recovers":
      return recoveries(books, one);
    case "signalling-recovers":
      return registrations(books, one.within);
    case "call-connects":
      return connections(books, one.within);
    case "mouth-to-ear":
      return delays(books, one.party, one.p95);
    default:
      return [];
  }
}

/** A round trip between `who` and its relay. chosen: 100 ms where none was measured. */
function roundTrip({ of, sessions }: Books, who: string): number {
  const measured = of(who).flatMap((one) => (one.ev === "session-stats" ? [one.currentRoundTripTime * 1e6] : []));
  const first = of(who).flatMap((one) => (one.ev === "session" && one.rttMs !== undefined ? [one.rttMs * 1_000] : []));
  return sessions(who).length === 0 ? 100_000 : (percentile(measured, 0.9) ?? percentile(first, 0.9) ?? 100_000);
}

/** From one party by its relay to the other and back. */
const bothWays = (books: Books): number => books.evidence.clients.reduce((sum, who) => sum + roundTrip(books, who), 0);

/** What a call takes to come back with its relay: to notice that, and to ask, shake hands and register, which half a second is enough for where round trips are short. */
export const comesBack = (books: Books): number =>
  Math.max(500_000, NOTICES + 3 * Math.max(...books.evidence.clients.map((who) => roundTrip(books, who))));

function gaps(books: Books, party: string | undefined, limit: number): readonly Excess[] {
  return books.evidence.playouts
    .filter((one) => party === undefined || one.party === party)
    .flatMap((one) =>
      gapsOf(one.slots).flatMap((gap): Excess[] => {
        const took = gap.frames * FRAME_MICROS;
        return took <= limit ? [] : [{ party: one.party, took, limit, ...silenceOf(books, one.party, gap.at, took) }];
      }),
    );
}

/** What may be heard of a change: of one that is undone, until it is and what comes back with it; of one that stays, what it takes to notice and to go another way. */
function silenceOf(books: Books, party: string, at: number, took: number): Pick<Excess, "needs" | "why"> {
  // A change that begins before what there was is over goes on with the silence of it.
  let until = at;
  for (const { appliedMs, healedMs } of books.evidence.conditions.toSorted((a, b) => (a.appliedMs ?? 0) - (b.appliedMs ?? 0))) {
    if (appliedMs === null || healedMs === null || healedMs * 1_000 > at + took) continue;
    const soon = until === at ? FRAME_MICROS : comesBack(books);
    if (appliedMs * 1_000 <= until + soon) until = Math.max(until, healedMs * 1_000);
  }
  if (until > at) return { needs: until - at + comesBack(books), why: "the outage with the return of the call" };
  const isAfter = books.evidence.conditions.some(
    ({ appliedMs }) => appliedMs !== null && appliedMs * 1_000 <= at + took && at <= appliedMs * 1_000 + FOLLOWS,
  );
  if (!isAfter) return { needs: wayOf(books, party, at, took), why: "what the way lost or delayed" };
  const path = books.of(party).findLast((one) => one.ev === "path" && one.t <= at);
  return path?.ev === "path" && path.path === "direct"
    ? { needs: MISSES + bothWays(books) / 2, why: "missing three frames and having the next by the relay" }
    : { needs: ASKS + 3 * roundTrip(books, party) + bothWays(books) + PLAYS, why: "noticing it and taking up the call anew" };
}

/** Drops that no party had a choice about. */
const BY_CHANCE: ReadonlySet<string> = new Set(["loss", "queue", "corrupt", "mtu"]);

/**
 * Of a silence at no fault's time: as long as it was, when the packets of that time were dropped on their way or came later than the others; without redundancy, of which more could be asked. What came in
 * time and was not played is in no book of the way.
 */
function wayOf(books: Books, party: string, at: number, took: number): number {
  const { media, records, scenario } = books.evidence;
  if (Object.values(scenario.parties).some((one) => (one.fec?.scheme ?? "none") !== "none")) return 0;
  // Who has two ways chooses among them.
  if (records.some((one) => one.ev === "path" && one.path === "direct")) return 0;
  const stream = media.streams.find(({ to }) => to === party);
  if (stream === undefined) return 0;
  const { sentAt, openedAt, played } = stream;
  const delays = played.flatMap((one, seq) => (one === undefined ? [] : [one.at - (sentAt[seq] ?? one.at)]));
  const delay = percentile(delays, 0.5) ?? 0;
  let [sealed, inTime, late] = [0, 0, 0];
  for (const [seq, sent] of sentAt.entries()) {
    if (sent === undefined || sent + delay < at || sent + delay >= at + took) continue;
    sealed++;
    if ((openedAt[seq] ?? Number.POSITIVE_INFINITY) <= sent + delay - 2 * FRAME_MICROS) inTime++;
    else if (openedAt[seq] !== undefined) late++;
  }
  const lost = records.filter(
    (one) => one.ev === "drop" && BY_CHANCE.has(one.cause) && one.t > at - delay - FRAME_MICROS && one.t < at + took,
  ).length;
  return inTime <= sealed / 2 && lost + late >= Math.max(1, sealed - inTime) / 2 ? took : 0;
}

function recoveries(books: Books, one: ReturnType<typeof expected> & { readonly oracle: "media-recovers" }): readonly Excess[] {
  return books.evidence.measurements.recovery.flatMap((own): Excess[] => {
    if (one.fault !== undefined && own.fault !== one.fault) return [];
    const ms = one.from === "heal" ? own.fromHealMs : own.fromFaultMs;
    const limit = one.within;
    if (ms === null) return [{ party: own.party, took: Number.POSITIVE_INFINITY, limit, needs: 0, why: "" }];
    const took = ms * 1_000;
    if (took <= limit) return [];
    const { appliedMs = null, healedMs = null } = books.evidence.conditions[own.fault] ?? {};
    const lasted = one.from === "heal" || appliedMs === null || healedMs === null ? 0 : (healedMs - appliedMs) * 1_000;
    return [
      {
        party: own.party,
        took,
        limit,
        needs: lasted + comesBack(books),
        why: "the return of a call with its relay or its network",
      },
    ];
  });
}

function registrations(books: Books, limit: number): readonly Excess[] {
  return books.evidence.clients.flatMap((party) =>
    lossesOf(books.evidence, party).flatMap(({ since, to, isRestored }): Excess[] => {
      const took = Math.max(0, to - since);
      if (took <= limit) return [];
      const needs = isRestored ? ASKS + 3 * roundTrip(books, party) + ASKS / 2 : 0;
      return [{ party, took, limit, needs, why: "a question to the relay, a handshake and a registration" }];
    }),
  );
}

function connections(books: Books, limit: number): readonly Excess[] {
  const { scenario, calls } = books.evidence;
  return scenario.calls.flatMap((plan, index) =>
    [plan.caller, plan.callee].flatMap((party): Excess[] => {
      const call = calls.find((one) => one.plan === index);
      const at = call === undefined ? undefined : firstAt(call, party, "active");
      const took = at === undefined ? Number.POSITIVE_INFINITY : at - plan.at - plan.answerAfter;
      const why = "an answer by way of the relay and its set-up";
      return took <= limit ? [] : [{ party, took, limit, needs: GATHERS + 2 * bothWays(books), why }];
    }),
  );
}

function delays(books: Books, party: string | undefined, limit: number): readonly Excess[] {
  const held = (who: string): number =>
    books.of(who).reduce((most, one) => (one.ev === "fec" ? Math.max(most, one.holdMs * 1_000) : most), 0);
  return books.evidence.media.streams.flatMap(({ to, sentAt, openedAt }): Excess[] => {
    const p95 = to === undefined ? undefined : books.evidence.measurements.audio[to]?.mouthToEarMs.p95;
    if (to === undefined || (party !== undefined && party !== to) || p95 == null || p95 * 1_000 <= limit) return [];
    const ways = openedAt.flatMap((at, seq) => (at === undefined || sentAt[seq] === undefined ? [] : [at - (sentAt[seq] ?? 0)]));
    const way = percentile(ways, 0.99) ?? 0;
    return [{ party: to, took: p95 * 1_000, limit, needs: way + PLAYS + held(to), why: "its packets' way and a jitter buffer" }];
  });
}
