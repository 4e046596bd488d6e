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

/**
 * What sound code takes its time for, microseconds: constants of impl/core, from which this room imports nothing (docs/architecture.md), so cli/cause-bugs.test.ts holds them to be the same.
 * Three frames that do not come make a direct path doubtful (FIRST_PATIENCE of ice/path-watch.ts); a client that is away asks its relay for a sign of life so often (DEFAULT_PROBE of client.ts);
 * a party waits so long for its own reflexive address before it answers without (REFLEXIVE_PATIENCE of client.ts); a word of a set-up that nobody has answered is said again after so long (SAY_AGAIN of
 * call-setup.ts); the jitter buffer's first delay and its slack (START of neteq/delay-target.ts, SLACK of neteq/decision.ts).
 */
export const MECHANISM = {
  misses: 45_000,
  asks: 100_000,
  gathers: 500_000,
  again: 1_000_000,
  firstDelay: 40_000,
  slack: 22_000,
} as const;
const { misses: MISSES, asks: ASKS, gathers: GATHERS, again: AGAIN } = MECHANISM;
/** A frame, and what the jitter buffer keeps it. */
const PLAYS: number = FRAME_MICROS + MECHANISM.firstDelay + MECHANISM.slack;
/** What a call takes to come back with its relay, round trips apart. chosen: to notice, to ask, and to find the delay of the voice anew. */
const NOTICES = 300_000;
/** What relays take to hear of a call on both sides of them. chosen: a round trip between them. */
const BETWEEN_RELAYS = 100_000;
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

/** What a call takes to come back with its relay: to notice that, and to ask, shake hands and register, which half a second is enough for where round trips are short; and relays find each other again. */
export const comesBack = (books: Books): number =>
  Math.max(500_000, NOTICES + 3 * Math.max(...books.evidence.clients.map((who) => roundTrip(books, who)))) +
  (books.relays.length > 1 ? BETWEEN_RELAYS : 0);

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

/** Whether what `to` hears came directly from its peer when it fell silent, so that no relay had it in hands. */
const isDirect = ({ evidence: { media, records } }: Books, to: string, at: number): boolean =>
  media.streams.some(({ from, to: own, call }) => {
    const path = records.findLast((one) => one.ev === "path" && one.who === from && one.call === call && one.t <= at);
    return own === to && path?.ev === "path" && path.path === "direct";
  });

/**
 * What may be heard of a change: of one that is undone, until it is and what comes back with it; of one that stays, what it takes to notice and to go another way. What befalls a relay is no reason for
 * silence to who hears its peer directly.
 */
function silenceOf(books: Books, party: string, at: number, took: number): Pick<Excess, "needs" | "why"> {
  const { conditions, records, scenario } = books.evidence;
  const wasDirect = isDirect(books, party, at);
  const matters = conditions.flatMap((one, index) => {
    const fault = scenario.faults[index];
    const isRelays =
      (fault !== undefined && "target" in fault && books.isRelay(fault.target)) ||
      (fault?.kind === "partition" && books.isRelay(fault.other));
    return one.appliedMs === null || (wasDirect && isRelays) ? [] : [{ ...one, appliedMs: one.appliedMs, index }];
  });
  // A change that begins before what there was is over goes on with the silence of it, and so does a burst of loss: what asks meanwhile asks half as often each time, so it may be as long again (RFC 9002 section 6.2.1).
  const outages = [
    ...matters.flatMap(({ appliedMs, healedMs }) =>
      healedMs === null ? [] : [{ from: appliedMs * 1_000, to: healedMs * 1_000, more: 0 }],
    ),
    ...burstsOf(books, at, at + took).map(({ from, to }) => ({ from, to, more: to - from })),
  ].toSorted((a, b) => a.from - b.from);
  let [until, more] = [at, 0];
  for (const one of outages) {
    if (one.to > at + took) continue;
    const soon = until === at ? FRAME_MICROS : comesBack(books);
    if (one.from > until + soon || one.to <= until) continue;
    [until, more] = [one.to, one.more];
  }
  if (until > at) return { needs: until - at + more + comesBack(books), why: "the outage with the return of the call" };
  // One that waits for a flow to be old is felt when it drops the first packet.
  const bites = (index: number): boolean =>
    scenario.faults[index]?.kind === "late-kill" &&
    records.some((one) => one.ev === "drop" && one.fault === index && one.t > at - 2 * bothWays(books) && one.t < at + took);
  const isAfter = matters.some(
    ({ appliedMs, index }) =>
      (appliedMs * 1_000 <= at + took && at <= appliedMs * 1_000 + FOLLOWS) || (appliedMs * 1_000 <= at && bites(index)),
  );
  if (!isAfter) return { needs: wayOf(books, party, at, took), why: "what the way lost or delayed" };
  const takesUpAnew = ASKS + 3 * roundTrip(books, party) + bothWays(books) + PLAYS;
  if (!wasDirect) return { needs: takesUpAnew, why: "noticing it and taking up the call anew" };
  // Where the same change took the relay's way too, the call is only there when that is back; who is told of its network need not find out.
  const happens = (one: { readonly t: number }): boolean => one.t > at - FOLLOWS && one.t < at + took;
  const { clients } = books.evidence;
  const isBothGone = clients.some((who) => books.registrations(who).some((one) => one.state === "reconnecting" && happens(one)));
  const isTold = clients.some((who) => books.of(who).some((one) => one.ev === "interfaces" && happens(one)));
  return isBothGone && !isTold
    ? { needs: MISSES + takesUpAnew, why: "missing three frames and taking up the call anew" }
    : { needs: MISSES + bothWays(books) / 2, why: "missing three frames and having the next by the relay" };
}

/** Bursts of loss by chance on one link in a span: packet after packet, with no more between two drops than three frames take, for longer than a call comes back without them. chosen. */
function burstsOf({ evidence: { records } }: Books, since: number, until: number): readonly { from: number; to: number }[] {
  const bursts: { where: string; from: number; to: number }[] = [];
  for (const one of records) {
    if (one.ev !== "drop" || one.cause !== "loss" || one.fault !== undefined || one.t < since || one.t > until) continue;
    const last = bursts.findLast(({ where }) => where === one.where);
    if (last !== undefined && one.t - last.to <= 3 * FRAME_MICROS) last.to = one.t;
    else bursts.push({ where: one.where, from: one.t, to: one.t });
  }
  return bursts.filter(({ from, to }) => to - from >= NOTICES);
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
  // As long as the last frame before it waited: what a buffer learns later it did not know then.
  const last = played.findLastIndex((one) => one !== undefined && one.at < at);
  const delay = (played[last]?.at ?? 0) - (sentAt[last] ?? 0);
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
        needs: lasted + comesBack(books) + lateWords(books, appliedMs),
        why: "the return of a call with its relay or its network",
      },
    ];
  });
}

/** A call comes back by a registration and a resumption: as long as a fault makes a client's words late, each of them is. */
function lateWords({ evidence: { scenario, conditions } }: Books, appliedMs: number | null): number {
  const late = scenario.faults.flatMap((fault, index) => {
    const { appliedMs: from = null, healedMs = null } = conditions[index] ?? {};
    const isOn = from !== null && appliedMs !== null && from <= appliedMs && (healedMs ?? Number.POSITIVE_INFINITY) >= appliedMs;
    return fault.kind === "signalling" && isOn ? [fault.effect.delay ?? 0] : [];
  });
  return 2 * Math.max(0, ...late);
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
      const needs = GATHERS + 2 * bothWays(books);
      const due = plan.at + plan.answerAfter;
      // Begun again when what happened meanwhile is undone.
      const undone = books.evidence.conditions.flatMap(({ appliedMs, healedMs }) =>
        appliedMs !== null &&
        healedMs !== null &&
        appliedMs * 1_000 <= (at ?? 0) &&
        healedMs * 1_000 > plan.at &&
        healedMs * 1_000 <= (at ?? 0)
          ? [healedMs * 1_000]
          : [],
      );
      if (took <= limit) return [];
      return undone.length === 0
        ? [{ party, took, limit, needs, why: "an answer by way of the relay and its set-up" }]
        : [
            {
              ...{ party, took, limit },
              needs: Math.max(0, Math.max(...undone) - due) + comesBack(books) + AGAIN + needs,
              why: "what was undone meanwhile and an answer by way of the relay",
            },
          ];
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
    const way = Math.max(0, ...ways);
    return [{ party: to, took: p95 * 1_000, limit, needs: way + PLAYS + held(to), why: "its packets' way and a jitter buffer" }];
  });
}
