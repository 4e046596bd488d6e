/**
 * The bench jitter buffers are driven on, and the laws of whatever comes out: a sender with a steady clock, packets that arrive when a
 * test says, ticks at the receiver's own rate. Shared by the contract suite and by each buffer's own tests.
 */
import { expect } from "vitest";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import { Instant } from "../base/units.ts";
import type { Decoder } from "./codec.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import type { Played } from "./jitter-buffer.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import type { JitterStatistics } from "./jitter-statistics.ts";

/** Packet contents: what the stub decoder does with it. */
export const PLAIN = 0;
export const REDUNDANT = 1;
export const BROKEN = 2;

/** Decodes to a frame as loud as asked; nothing is audible about it, only which calls were made. */
export const stub = (level: number): Decoder => ({
  decode: (packet) => (packet[0] === BROKEN ? undefined : new Int16Array(FRAME_SAMPLES).fill(level)),
  recover: (next) => (next[0] === REDUNDANT ? new Int16Array(FRAME_SAMPLES).fill(level) : undefined),
  repeats: (next) => next[0] === REDUNDANT,
  conceal: () => new Int16Array(FRAME_SAMPLES),
  free: () => {},
});

/** One packet and the microsecond it arrives; `what` is one of the contents above. */
export type Arrival = { readonly at: number; readonly seq: number; readonly timestamp: number; readonly what: number };

/** What came of a trace, tick by tick. */
export type Run = {
  readonly buffer: JitterBufferName;
  readonly ticks: readonly { readonly now: number; readonly played: Played | undefined }[];
  readonly stats: JitterStatistics;
  readonly target: number;
};

/** What is put in. */
export type Trace = {
  readonly buffer: JitterBufferName;
  readonly arrivals: readonly Arrival[];
  readonly until: number;
  /** Microseconds between ticks. */
  readonly tick?: number;
  /** Instant of the first tick. */
  readonly phase?: number;
  readonly level?: number;
  /** In place of the stub. */
  readonly decoder?: Decoder;
};

/** The sender's first sample is at 0; frame `i` is complete and sent at (i + 1) x 20 ms. */
export function run({
  buffer: name,
  arrivals,
  until,
  tick = FRAME_MICROS,
  phase = 0,
  level = 1_000,
  decoder = stub(level),
}: Trace): Run {
  const buffer = jitterBuffer(name, { decoder, mode: "real" });
  const queue = arrivals.toSorted((a, b) => a.at - b.at);
  const ticks: { now: number; played: Played | undefined }[] = [];
  let next = 0;
  for (let k = 0; phase + k * tick <= until; k++) {
    const now = Math.round(phase + k * tick);
    for (let packet = queue[next]; packet !== undefined && packet.at <= now; packet = queue[++next]) {
      const { seq, timestamp, what } = packet;
      buffer.insert(Instant(packet.at), { seq, timestamp, payload: Uint8Array.of(what) });
    }
    ticks.push({ now, played: buffer.playout(Instant(now)) });
  }
  return { buffer: name, ticks, stats: buffer.stats(), target: buffer.target };
}

/** When frame `seq` is complete and sent. */
export const sentAt = (seq: number): number => (seq + 1) * FRAME_MICROS;

/** `count` packets whose `i`-th takes `delay(i)` microseconds; undefined: lost. */
export const stream = (count: number, delay: (seq: number) => number | undefined, what: number = PLAIN): Arrival[] => {
  const out: Arrival[] = [];
  for (let seq = 0; seq < count; seq++) {
    const took = delay(seq);
    if (took !== undefined) out.push({ at: Math.round(sentAt(seq) + took), seq, timestamp: seq * FRAME_SAMPLES, what });
  }
  return out;
};

/** How many ticks played each kind. */
export const kinds = (r: Run): Record<string, number> => {
  const out: Record<string, number> = {};
  for (const { played } of r.ticks) if (played !== undefined) out[played.kind] = (out[played.kind] ?? 0) + 1;
  return out;
};

/** Packet numbers in the order their audio played. */
export const sourceSeqs = (r: Run): number[] => r.ticks.flatMap(({ played }) => (played?.seq === undefined ? [] : [played.seq]));

/** Delay from sending to playout tick, of `seq` or the first packet after it that a tick is named after. */
export function mouthToEar(r: Run, seq: number): number {
  const tick = r.ticks.find(({ played }) => (played?.seq ?? -1) >= seq);
  return tick === undefined ? Number.NaN : tick.now - sentAt(tick.played?.seq ?? 0);
}

/** Microseconds of a second. */
export const SECOND = 1_000_000;
/** Microseconds from milliseconds. */
export const ms = (value: number): number => value * 1_000;

/**
 * The laws that hold for any input whatsoever: every tick from the first on is whole, packets come out in order and once, and the
 * statistics say what was played. `ema` plays whole frames, so there both agree exactly; a stretched frame does not end with a tick, so
 * there each change between real and made-up audio may be a tick off, and what still waits is counted already.
 */
export function expectLawful(r: Run): void {
  const started = r.ticks.findIndex(({ played }) => played !== undefined);
  const played = started < 0 ? [] : r.ticks.slice(started).map((tick) => tick.played);
  expect(played.every((one) => one !== undefined && one.pcm.length === FRAME_SAMPLES)).toBe(true);
  const seqs = sourceSeqs(r);
  for (let i = 1; i < seqs.length; i++) expect(seqs[i] as number).toBeGreaterThan(seqs[i - 1] as number);
  const count = kinds(r);
  const [source, recovered] = [count.source ?? 0, count.recovered ?? 0];
  const [concealed, silence] = [count.concealed ?? 0, count.silence ?? 0];
  expect(source + recovered + concealed + silence).toBe(played.length);
  const { stats } = r;
  expect(stats.totalSamplesReceived).toBe(played.length * FRAME_SAMPLES);
  const gaps = gapsOf(played);
  if (r.buffer === "ema") {
    expect(stats.jitterBufferEmittedCount).toBe((source + recovered) * FRAME_SAMPLES);
    expect(stats.fecPacketsReceived).toBe(recovered);
    expect(stats.concealedSamples).toBe((concealed + silence) * FRAME_SAMPLES);
    expect(stats.silentConcealedSamples).toBe(silence * FRAME_SAMPLES);
    const long = gaps.filter((frames) => frames * 20 >= 150);
    expect(stats.concealmentEvents).toBe(gaps.length);
    expect(stats.interruptionCount).toBe(long.length);
    expect(stats.totalInterruptionDurationMs).toBe(long.reduce((sum, frames) => sum + frames * 20, 0));
    return;
  }
  const { insertedSamplesForDeceleration: inserted, removedSamplesForAcceleration: removed } = stats;
  const events = stats.concealmentEvents;
  expect(gaps.length).toBeLessThanOrEqual(events);
  const made = (concealed + silence) * FRAME_SAMPLES;
  expect(Math.abs(stats.concealedSamples - made)).toBeLessThanOrEqual(events * FRAME_SAMPLES);
  expect(Math.abs(stats.silentConcealedSamples - silence * FRAME_SAMPLES)).toBeLessThanOrEqual(events * FRAME_SAMPLES);
  const real = stats.jitterBufferEmittedCount;
  // At most as much is taken out of real audio, and put in, as the statistics say; a stretched frame and the one after may wait.
  expect(real + stats.concealedSamples - removed).toBeLessThanOrEqual(stats.totalSamplesReceived + 2 * FRAME_SAMPLES);
  expect(real + stats.concealedSamples + inserted).toBeGreaterThanOrEqual(stats.totalSamplesReceived);
}

/** Lengths of the runs of ticks that were concealed or silent. */
const gapsOf = (played: readonly (Played | undefined)[]): number[] => {
  const gaps: number[] = [];
  let length = 0;
  for (const one of [...played, undefined]) {
    if (one?.kind === "concealed" || one?.kind === "silence") length++;
    else if (length > 0) {
      gaps.push(length);
      length = 0;
    }
  }
  return gaps;
};
