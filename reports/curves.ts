/**
 * What a run's statistics say over time, as curves on its time axis: jitter buffer, loss, round trips, traffic, mouth to ear, and the
 * ladder of candidate generations. From the cumulative readings of `stats` and `network` as W3C webrtc-stats means them to be read: a
 * point is the difference of two readings.
 */
import type { LogRecord, NetworkRecord, StatsRecord } from "../impl/base/record.ts";
import type { Evidence } from "./measure.ts";
import type { Playout } from "./playout.ts";

/** `at` microseconds; null: nothing to be known there, the curve has a hole. */
export type Point = readonly [at: number, value: number | null];

/** `isSoft`: what was aimed at rather than what was, drawn dashed. */
export type Curve = { readonly party: string; readonly name: string; readonly isSoft?: true; readonly points: readonly Point[] };

export type CurveGroup = { readonly name: string; readonly unit: "ms" | "%" | "kbit/s"; readonly curves: readonly Curve[] };

/** One step of the ladder. */
export type Rung = {
  readonly at: number;
  readonly party: string;
  readonly action: "sent" | "delivered" | "applied" | "refused";
  readonly generation: number;
};

/** Points of a delay curve at most. */
const DELAY_POINTS = 300;

/** Every group that has a point, in the order they are drawn. */
export function curvesOf(evidence: Evidence): CurveGroup[] {
  const { records, clients } = evidence;
  const each = (make: (party: string) => readonly Curve[]): Curve[] => clients.flatMap(make);
  const all: CurveGroup[] = [
    { name: "mouth to ear", unit: "ms", curves: evidence.playouts.flatMap((playout) => delayCurve(evidence, playout)) },
    { name: "jitter buffer", unit: "ms", curves: each((party) => bufferCurves(records, party)) },
    { name: "packets lost", unit: "%", curves: each((party) => [lossCurve(records, party)]) },
    { name: "round trip", unit: "ms", curves: each((party) => roundTrips(records, party)) },
    { name: "sent", unit: "kbit/s", curves: each((party) => [rateCurve(records, party)]) },
  ];
  return all
    .map((group) => ({ ...group, curves: group.curves.filter(({ points }) => points.some(([, value]) => value !== null)) }))
    .filter(({ curves }) => curves.length > 0);
}

/** Every step of every party's candidate generations, in the order of the log. */
export const ladderOf = (records: readonly LogRecord[]): Rung[] =>
  records.flatMap((record) =>
    record.ev === "generation" ? [{ at: record.t, party: record.who, action: record.action, generation: record.generation }] : [],
  );

type Reading<R> = LogRecord & R;

/** Pairs of readings in a row: those of one call, and of one life of a process, whose counters begin anew. */
function pairs<R extends StatsRecord | NetworkRecord>(
  readings: readonly Reading<R>[],
  goesOn: (before: Reading<R>, after: Reading<R>) => boolean,
  value: (before: Reading<R>, after: Reading<R>) => number | null,
): Point[] {
  return readings.flatMap((after, index): Point[] => {
    const before = readings[index - 1];
    if (before === undefined) return [];
    return [[after.t, goesOn(before, after) ? value(before, after) : null]];
  });
}

const statsOf = (records: readonly LogRecord[], party: string): Reading<StatsRecord>[] =>
  records.flatMap((record) => (record.ev === "stats" && record.who === party ? [record] : []));

const sameCall = (before: StatsRecord, after: StatsRecord): boolean =>
  before.call === after.call && after.totalSamplesReceived >= before.totalSamplesReceived;

function bufferCurves(records: readonly LogRecord[], party: string): Curve[] {
  const readings = statsOf(records, party);
  // Mean over the interval: delay summed over samples, by the samples that left.
  const mean = (of: (one: StatsRecord) => number): readonly Point[] =>
    pairs(readings, sameCall, (before, after) => {
      const samples = after.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
      return samples <= 0 ? null : rounded((1_000 * (of(after) - of(before))) / samples);
    });
  return [
    { party, name: "level", points: mean((one) => one.jitterBufferDelay) },
    { party, name: "target", isSoft: true, points: mean((one) => one.jitterBufferTargetDelay) },
  ];
}

function lossCurve(records: readonly LogRecord[], party: string): Curve {
  const points = pairs(statsOf(records, party), sameCall, (before, after) => {
    const lost = Math.max(0, after.packetsLost - before.packetsLost);
    const all = lost + Math.max(0, after.packetsReceived - before.packetsReceived);
    return all === 0 ? null : rounded((100 * lost) / all);
  });
  return { party, name: "to it", points };
}

/** As each session's transport has it, and by the reports of the call's media. Where the log tells of handshakes alone (of before `session-stats`), theirs. */
function roundTrips(records: readonly LogRecord[], party: string): Curve[] {
  const own = records.filter((record) => record.who === party);
  const direct = new Set(own.flatMap((one) => (one.ev === "candidate-pair" ? [one.session] : [])));
  const told = own.flatMap((one) => (one.ev === "session-stats" ? [one] : []));
  const path = (name: string, isIt: (session: number) => boolean): Curve => ({
    ...{ party, name },
    points: told.flatMap((one): Point[] => (isIt(one.session) ? [[one.t, rounded(1_000 * one.currentRoundTripTime)]] : [])),
  });
  const handshakes = own.flatMap((one): Point[] =>
    one.ev === "session" && one.rttMs !== undefined ? [[one.t, rounded(one.rttMs)]] : [],
  );
  const reported = own.flatMap((one): Point[] =>
    one.ev === "stats" && one.roundTripTime !== undefined ? [[one.t, rounded(1_000 * one.roundTripTime)]] : [],
  );
  return [
    ...(told.length === 0 ? [{ party, name: "of handshakes", points: handshakes }] : []),
    path("to the relay", (session) => !direct.has(session)),
    path("to the peer", (session) => direct.has(session)),
    { party, name: "end to end", isSoft: true, points: reported },
  ];
}

function rateCurve(records: readonly LogRecord[], party: string): Curve {
  const readings = records.flatMap((record) => (record.ev === "network" && record.who === party ? [record] : []));
  const points = pairs(
    readings,
    (before, after) => after.sentBytes >= before.sentBytes && after.t > before.t,
    (before, after) => rounded((8_000 * (after.sentBytes - before.sentBytes)) / (after.t - before.t)),
  );
  return { party, name: "UDP payload", points };
}

/** Median of each bucket of half a second, or of as much as keeps the curve short; `at` is the bucket's middle. */
export function delayCurve({ delays, runEnd }: Evidence, playout: Playout): Curve[] {
  const all = delays.get(playout) ?? [];
  if (all.length === 0) return [];
  const width = Math.max(500_000, Math.ceil(runEnd / DELAY_POINTS));
  const buckets = Map.groupBy(all, (delay) => Math.floor(delay.at / width));
  const first = Math.floor((all[0]?.at ?? 0) / width);
  const last = Math.floor((all.at(-1)?.at ?? 0) / width);
  const points = Array.from({ length: last - first + 1 }, (_, i): Point => {
    const sorted = (buckets.get(first + i) ?? []).map((delay) => delay.ms).sort((a, b) => a - b);
    return [(first + i + 0.5) * width, sorted[Math.floor(sorted.length / 2)] ?? null];
  });
  return [{ party: playout.party, name: "median", points }];
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
