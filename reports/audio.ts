/**
 * How each party's call sounded, from what its loudspeaker was given (`media-played`), never from what the network delivered.
 * A gap is a maximal run of frames that are concealed or silent, from the first source frame to the end of the call; recovered
 * frames count as source audio; comfort noise for a silent source is no gap, in place of lost speech it is one (unheard-speech.ts).
 */
import { CAPTURE_MS, LOOK_AHEAD_MS } from "../impl/base/metric/mouth-to-ear.ts";
import { instantsOf, type LogRecord, type StatsRecord } from "../impl/base/record.ts";
import { burstRatio, equipmentOf, meanOpinionScore, OPUS, rating } from "./e-model.ts";
import { FRAME_MICROS, FRAME_MS, gapsOf, isGap, isSource, type Playout, type Slot } from "./playout.ts";
import type { PartyAudio } from "./result.ts";
import { percentile, rounded } from "./statistic.ts";

/** A gap a listener takes for an interruption. chosen: about a syllable. */
export const INTERRUPTION_MS = 150;
/** E-model windows; ratings are averaged, not scores. */
const WINDOW_MICROS = 10_000_000;

/** `at` microseconds of play, `ms` from the mouth to the ear. */
export type Delay = { readonly at: number; readonly ms: number };

/** Audio measurements of every party that took part in a call; several calls of one party are taken together. */
export function measureAudio(
  records: readonly LogRecord[],
  playouts: readonly Playout[],
  delays: ReadonlyMap<Playout, readonly Delay[]>,
): Record<string, PartyAudio> {
  const [counted, spoken] = [countsOf(records), spokenIn(records)];
  const parties = [...new Set(playouts.map((playout) => playout.party))];
  return Object.fromEntries(
    parties.map((party) => {
      const own = playouts.filter((playout) => playout.party === party);
      const heard = partyAudio(own, new Map(own.map((playout) => [playout, delays.get(playout) ?? []])), spoken);
      return [party, { ...heard, ...(counted.get(party) ?? NOTHING_COUNTED) }];
    }),
  );
}

/** What is counted and not heard. */
type Counted = Pick<PartyAudio, "recoveredBy" | "lateDiscarded" | "fecPacketsDiscarded">;
const NOTHING_COUNTED: Counted = { recoveredBy: { lbrr: 0, red: 0, block: 0 }, lateDiscarded: 0, fecPacketsDiscarded: 0 };

/** By party: recovered frames by what gave them back, and what was thrown away, in all its calls. */
function countsOf(records: readonly LogRecord[]): Map<string, Counted> {
  const counts = new Map<string, { lbrr: number; red: number; block: number; readonly calls: Map<string, StatsRecord> }>();
  const of = (party: string) => {
    const known = counts.get(party) ?? { lbrr: 0, red: 0, block: 0, calls: new Map<string, StatsRecord>() };
    counts.set(party, known);
    return known;
  };
  for (const record of records) {
    if (record.ev === "stats") of(record.who).calls.set(record.call, record);
    else if (record.ev === "media-played" && record.kind === "recovered")
      of(record.who)[record.by === undefined ? "lbrr" : record.by === "red" ? "red" : "block"] += record.n;
  }
  return new Map(
    [...counts].map(([party, { lbrr, red, block, calls }]) => {
      const sum = (name: "lateDiscarded" | "fecPacketsDiscarded"): number =>
        [...calls.values()].reduce((total, one) => total + (one[name] ?? 0), 0);
      const [late, unneeded] = [sum("lateDiscarded"), sum("fecPacketsDiscarded")];
      return [party, { recoveredBy: { lbrr, red, block }, lateDiscarded: late, fecPacketsDiscarded: unneeded }];
    }),
  );
}

/** Upper ends of the classes of the gap histogram, milliseconds; above the last there is one more. chosen: a frame, what concealment bridges (60), an interruption (150), seconds. */
const GAP_CLASSES: readonly number[] = [20, 40, 60, 100, 140, 500, 1_000, 3_000];

const histogram = (gapsMs: readonly number[]): NonNullable<PartyAudio["gapHistogram"]> =>
  [...GAP_CLASSES, null].map((upToMs, i) => {
    const from = GAP_CLASSES[i - 1] ?? 0;
    return { upToMs, count: gapsMs.filter((ms) => ms > from && (upToMs === null || ms <= upToMs)).length };
  });

function partyAudio(
  playouts: readonly Playout[],
  delays: ReadonlyMap<Playout, readonly Delay[]>,
  spoken: Spoken,
): Omit<PartyAudio, keyof Counted> {
  const slots = playouts.flatMap((playout) => playout.slots);
  const gapsMs = playouts.flatMap((playout) => gapsOf(playout.slots).map((gap) => gap.frames * FRAME_MS));
  const mouthToEar = [...delays.values()].flatMap((list) => list.map((delay) => delay.ms));
  const count = (kind: Slot["kind"]): number => slots.reduce((n, slot) => n + (slot.kind === kind ? 1 : 0), 0);
  const concealed = count("concealed");
  const silent = count("silence");
  const first = playouts.flatMap((playout) => playout.slots.slice(0, 1))[0];
  return {
    longestGapMs: gapsMs.reduce((longest, ms) => Math.max(longest, ms), 0),
    gapCount: gapsMs.length,
    concealmentRatio: slots.length === 0 ? 0 : rounded((concealed + silent) / slots.length, 6),
    interruptionCount: gapsMs.filter((ms) => ms >= INTERRUPTION_MS).length,
    totalInterruptionMs: gapsMs.reduce((sum, ms) => sum + (ms >= INTERRUPTION_MS ? ms : 0), 0),
    gapHistogram: histogram(gapsMs),
    mouthToEarMs: { p50: percentile(mouthToEar, 0.5), p95: percentile(mouthToEar, 0.95) },
    ...estimate(playouts, delays, spoken),
    mosProvisional: true,
    framesExpected: playouts.reduce((n, playout) => n + expected(playout), 0),
    framesPlayed: slots.reduce((n, slot) => n + (isSource(slot.kind) ? 1 : 0), 0),
    framesRecovered: count("recovered"),
    framesConcealed: concealed,
    framesSilent: silent,
    framesComfort: count("comfort"),
    totalGapMs: gapsMs.reduce((sum, ms) => sum + ms, 0),
    firstSourceMs: first === undefined ? null : rounded(first.at / 1_000, 3),
  };
}

/** Frames due from the first source frame to the end of the call. */
function expected(playout: Playout): number {
  const first = playout.slots[0];
  return first === undefined ? 0 : Math.ceil((playout.end - first.at) / FRAME_MICROS);
}

/**
 * Delay of each source frame played: instant of play - instant its packet was ready at the peer, plus the frame it had to be
 * captured for and the codec's look-ahead. The packet is the newest with that number the peer had sent by then (a call that
 * changes keys may count from zero again). Frames whose sending is not in the log are left out.
 */
export function delaysOf(records: readonly LogRecord[], playouts: readonly Playout[]): Map<Playout, Delay[]> {
  /** Instants by packet number. */
  const sent = new Map<string, Map<string, number[]>>();
  for (const record of records) {
    if (record.ev !== "media-sent") continue;
    const name = `${record.call} ${record.who}`;
    const keys = sent.get(name) ?? new Map<string, number[]>();
    sent.set(name, keys);
    const instants = keys.get(record.key) ?? [];
    keys.set(record.key, instants);
    // A packet of several frames leaves once its last one is captured; its number is that of the first.
    const earlier = ((record.units ?? 1) - 1) * FRAME_MICROS;
    let { seq } = record;
    for (const at of instantsOf(record)) instants[seq++] = at - earlier;
  }
  return new Map(
    playouts.map((playout) => {
      const keys = [...(sent.get(`${playout.call} ${playout.peer}`)?.values() ?? [])];
      const delays: Delay[] = [];
      for (const slot of playout.slots) {
        const ms = slot.seq === -1 ? undefined : delayOf(slot, keys);
        if (ms !== undefined) delays.push({ at: slot.at, ms });
      }
      return [playout, delays];
    }),
  );
}

/** Milliseconds. */
function delayOf(slot: Slot, keys: readonly (readonly number[])[]): number | undefined {
  let newest: number | undefined;
  for (const instants of keys) {
    const at = instants[slot.seq];
    if (at !== undefined && at <= slot.at && (newest === undefined || at > newest)) newest = at;
  }
  return newest === undefined ? undefined : (slot.at - newest) / 1_000 + CAPTURE_MS + LOOK_AHEAD_MS;
}

/** What each party spoke in, by call and name, from when on: nothing for a call that stayed in the best tier. */
type Spoken = ReadonlyMap<string, readonly { readonly t: number; readonly coding: string }[]>;
const spokenIn = (records: readonly LogRecord[]): Spoken =>
  Map.groupBy(
    records.filter((record) => record.ev === "tier"),
    (record) => `${record.call} ${record.who}`,
  );

type Score = Pick<PartyAudio, "mos" | "mosRatedRatio">;

/**
 * Estimated MOS over windows of 10 s of each call, what is heard in different codings apart; a shorter window weighs by its length. Speech in a coding of which nothing is published is left
 * out, and `mosRatedRatio` says how much that is; null without any that counts.
 */
function estimate(playouts: readonly Playout[], delays: ReadonlyMap<Playout, readonly Delay[]>, spoken: Spoken): Score {
  let [sum, rated, all] = [0, 0, 0];
  for (const playout of playouts) {
    const start = playout.slots[0]?.at ?? 0;
    const told = spoken.get(`${playout.call} ${playout.peer}`) ?? [];
    const codings = told.map(({ coding }) => coding);
    /** The window, and in what was spoken then: 0 for nothing told of, else the place of its first mention from 1 on. */
    const key = (at: number): number => {
      const last = told.findLastIndex(({ t }) => t <= at);
      const place = last < 0 ? 0 : codings.indexOf(codings[last] as string) + 1;
      return Math.floor((at - start) / WINDOW_MICROS) * (codings.length + 1) + place;
    };
    const delayed = Map.groupBy(delays.get(playout) ?? [], (delay) => key(delay.at));
    let delayMs = 0;
    for (const [name, slots] of Map.groupBy(playout.slots, (slot) => key(slot.at))) {
      const here = delayed.get(name) ?? [];
      // A window without a single source frame keeps the delay of the one before: its loss says everything there is to say.
      if (here.length > 0) delayMs = here.reduce((total, delay) => total + delay.ms, 0) / here.length;
      all += slots.length;
      const coding = codings[(name % (codings.length + 1)) - 1];
      const equipment = coding === undefined ? OPUS : equipmentOf(coding);
      if (equipment === undefined) continue;
      const lost = slots.reduce((n, slot) => n + (isGap(slot.kind) ? 1 : 0), 0);
      const gaps = gapsOf(slots).length;
      const ratio = lost / slots.length;
      sum += rating(ratio, gaps === 0 ? 1 : burstRatio(lost / gaps, ratio), delayMs, equipment) * slots.length;
      rated += slots.length;
    }
  }
  return {
    mos: rated === 0 ? null : rounded(meanOpinionScore(sum / rated), 3),
    mosRatedRatio: all === 0 ? 0 : rounded(rated / all, 6),
  };
}
