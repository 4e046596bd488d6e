import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stream } from "../../base/random.ts";
import { Instant } from "../../base/units.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "../codec.ts";
import { jitterBufferContract } from "../jitter-buffer.contract.ts";
import { jitterBuffer } from "../jitter-buffers.ts";
import { jitterRepairsContract } from "../jitter-repairs.contract.ts";
import {
  expectLawful,
  kinds,
  ms,
  PLAIN,
  REDUNDANT,
  run,
  SECOND,
  sentAt,
  sourceSeqs,
  stream,
  stub,
} from "../jitter-run.contract.ts";
import type { JitterStatistics } from "../jitter-statistics.ts";
import { NETEQ_BOUNDS } from "./neteq-buffer.ts";

const buffer = "neteq";
/** What a stretch changes in mode sized (neteq-buffer.ts). */
const SIZED_PERIOD = 480;

jitterBufferContract(buffer);
jitterRepairsContract(buffer);

/** Plays `packets` frames that each take `delay(seq)`, without keeping what came out; `each` sees the delay of every named frame. */
function listen(
  packets: number,
  delay: (seq: number) => number,
  each: (now: number, mouthToEar: number) => void,
  tick = FRAME_MICROS,
): JitterStatistics {
  const receiver = jitterBuffer(buffer, { decoder: stub(1_000), mode: "sized" });
  let next = 0;
  for (let k = 0; k * tick < packets * FRAME_MICROS; k++) {
    const now = Math.round(7_000 + k * tick);
    for (
      let at = Math.round(sentAt(next) + delay(next));
      next < packets && at <= now;
      at = Math.round(sentAt(next) + delay(next))
    ) {
      receiver.insert(Instant(at), { seq: next, timestamp: next * FRAME_SAMPLES, payload: new Uint8Array(1) });
      next++;
    }
    const seq = receiver.playout(Instant(now))?.seq;
    if (seq !== undefined) each(now, now - sentAt(seq));
  }
  return receiver.stats();
}

describe("clock drift", () => {
  it.each([-200, 200])("of %i ppm is absorbed for an hour: the delay never grows and nothing is missing", (ppm) => {
    const delays = { first: 0, last: 0, most: 0 };
    const stats = listen(
      180_000,
      () => ms(30),
      (now, delay) => {
        if (now > 5 * SECOND && now < 60 * SECOND) delays.first = Math.max(delays.first, delay);
        if (now > 60 * SECOND) delays.most = Math.max(delays.most, delay);
        delays.last = delay;
      },
      FRAME_MICROS * (1 + ppm / 1e6),
    );
    expect(delays.most).toBeLessThan(delays.first + ms(30));
    expect(delays.last).toBeLessThan(ms(30 + 70));
    expect(stats.concealedSamples).toBeLessThanOrEqual(2 * FRAME_SAMPLES);
    // 200 ppm of an hour are 720 ms, taken or given by stretches and by nothing else.
    const [gained, lost] = [stats.insertedSamplesForDeceleration / 48, stats.removedSamplesForAcceleration / 48];
    expect(Math.abs((ppm < 0 ? gained - lost : lost - gained) - 720)).toBeLessThan(60);
    expect(Math.min(gained, lost)).toBeLessThan(60);
  });
});

it("neighbours that change places leave no gap and stretch nothing once settled", () => {
  const r = run({ buffer, arrivals: stream(1_000, (seq) => (seq % 2 === 0 ? ms(55) : ms(20))), until: ms(19_900) });
  expectLawful(r);
  const late = r.ticks.filter(({ now, played }) => now > 2 * SECOND && played?.kind !== "source");
  expect(late).toEqual([]);
});

it("the delay comes down again after an episode of jitter", () => {
  const draw = new Stream(1, "episode");
  const late = Array.from({ length: 8_000 }, (_, seq) => (seq >= 1_000 && seq < 1_500 ? draw.nextUnit() * ms(150) : 0));
  const means = { during: [] as number[], after: [] as number[] };
  listen(
    8_000,
    (() => {
      let newest = 0;
      return (seq: number): number => {
        newest = Math.max(newest, sentAt(seq) + ms(20) + (late[seq] ?? 0));
        return newest - sentAt(seq);
      };
    })(),
    (now, delay) => {
      if (now > 25 * SECOND && now < 30 * SECOND) means.during.push(delay);
      if (now > 150 * SECOND) means.after.push(delay);
    },
  );
  const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
  expect(mean(means.during)).toBeGreaterThan(ms(20 + 90));
  expect(mean(means.after)).toBeLessThan(ms(20 + 60));
});

it("the delay comes down again although most of what is waited for is missing", () => {
  const draw = new Stream(3, "missing");
  const lost = Array.from({ length: 3_000 }, () => draw.nextChance(0.6));
  const late = Array.from({ length: 3_000 }, (_, seq) => (seq < 200 ? 200_000 : 0) + 40_000 * draw.nextUnit());
  // The path is slower for the first four seconds.
  const r = run({
    buffer,
    arrivals: stream(3_000, (seq) => (lost[seq] ? undefined : ms(20) + (late[seq] ?? 0))),
    until: 59 * SECOND,
  });
  const delays = r.ticks.flatMap(({ now, played }) =>
    played?.kind === "source" && played.seq !== undefined && now > 30 * SECOND ? [now - sentAt(played.seq)] : [],
  );
  expect(delays.length).toBeGreaterThan(300);
  expect(delays.reduce((sum, one) => sum + one, 0) / delays.length).toBeLessThan(r.target + ms(20 + 30));
});

it("a frame that comes while its place is being made up plays there, if the delay may grow", () => {
  const r = run({ buffer, arrivals: stream(200, (seq) => (seq >= 100 ? ms(58) : ms(20))), until: ms(3_900) });
  expectLawful(r);
  expect(sourceSeqs(r)).toContain(100);
  expect(r.stats.packetsDiscarded).toBe(0);
  expect(kinds(r).concealed).toBeLessThanOrEqual(3);
});

it("only as much is made up as is missing", () => {
  // Two stretches put the edge of a frame inside a tick; a late frame is then missing for less than a tick.
  const made = run({ buffer, arrivals: stream(400, (seq) => ms(seq === 300 ? 75 : 20)), until: ms(7_900), level: 3_000 });
  expectLawful(made);
  expect(made.stats.concealedSamples).toBeLessThan(3 * FRAME_SAMPLES);
});

it.each([
  ["comes 105 ms after it was sent", 105, 480],
  ["comes too late", 140, FRAME_SAMPLES - 1],
])(
  "speech is lengthened right before a frame that is missing while later ones are there: one that %s costs less than a frame",
  (_, late, most) => {
    // A tenth of the packets is 70 ms late, so that later frames are there when one is missing.
    const arrivals = stream(1_000, (seq) => ms(seq === 800 ? late : seq % 10 === 5 ? 90 : 20));
    const [before, until] = [15_990, 16_600].map((end) => run({ buffer, arrivals, until: ms(end) }).stats);
    const more = (name: keyof JitterStatistics): number => (until?.[name] ?? 0) - (before?.[name] ?? 0);
    expect(more("insertedSamplesForDeceleration")).toBeGreaterThanOrEqual(SIZED_PERIOD);
    expect(more("concealedSamples")).toBeGreaterThan(0);
    expect(more("concealedSamples")).toBeLessThanOrEqual(most);
  },
);

const inMicros = (delay: number | undefined): number | undefined => (delay === undefined ? undefined : ms(delay));
it.each<readonly [string, isLengthened: boolean, what: number, usual: (seq: number) => number | undefined]>([
  ["is lengthened under jitter", true, PLAIN, (seq) => (seq % 10 === 2 || seq % 10 === 5 ? 90 : 20)],
  [
    "stays as it is where packets are lost, given back and never late",
    false,
    REDUNDANT,
    (seq) => (seq % 8 === 3 ? undefined : 20),
  ],
])("when nothing is left although more should be there, speech %s", (_, isLengthened, what, usual) => {
  // From packet 800 on everything waits for the same instant, when the last frame before it has long been played.
  const delay = (seq: number): number | undefined => (seq < 800 ? usual(seq) : Math.max(20, 180 - 20 * (seq - 800)));
  const arrivals = stream(1_000, (seq) => inMicros(delay(seq)), what);
  const at = (end: number): JitterStatistics => run({ buffer, arrivals, until: ms(end), phase: ms(5) }).stats;
  const before = at(15_985);
  let [end, last, next] = [16_005, before, at(16_005)];
  while (next.concealedSamples === before.concealedSamples) {
    [end, last] = [end + 20, next];
    next = at(end);
  }
  expect(last.insertedSamplesForDeceleration > before.insertedSamplesForDeceleration).toBe(isLengthened);
});

it("redundancy is waited for once loss makes it worth while, and given up when loss ends", () => {
  const lossy = (until: number) => (seq: number) => (seq < until && seq % 8 === 3 ? undefined : ms(20));
  const during = run({ buffer, arrivals: stream(500, lossy(500), REDUNDANT), until: ms(9_900) });
  expect(during.target).toBe(20_000);
  const after = run({ buffer, arrivals: stream(9_000, lossy(500), REDUNDANT), until: ms(179_900) });
  expect(after.target).toBe(NETEQ_BOUNDS.minTarget);
});

/** Senders that keep counting on a network without tricks: what was played and skipped adds up to the media time that passed. */
it("the position accounts for every sample made up, put in and taken out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 400_000 }), { nil: undefined, freq: 6 }), {
        minLength: 20,
        maxLength: 300,
        size: "max",
      }),
      (delays) => {
        const arrivals = stream(delays.length, (seq) => delays[seq]);
        const whole = run({ buffer, arrivals, until: ms(delays.length * 20 + 1_000) });
        expectLawful(whole);
        const start = whole.ticks.findIndex(({ played }) => played !== undefined);
        const last = whole.ticks.findLastIndex(({ played }) => played?.seq !== undefined);
        if (start < 0 || last < 0) return;
        const r = run({ buffer, arrivals, until: (whole.ticks[last] as { now: number }).now });
        const { insertedSamplesForDeceleration: inserted, removedSamplesForAcceleration: removed } = r.stats;
        const seqs = sourceSeqs(r);
        const passed = ((seqs.at(-1) as number) - (seqs[0] as number) + 1) * FRAME_SAMPLES;
        // A tick names the packet most of it is of and may begin another; a stretched frame and a join may wait.
        const waiting = passed - ((last - start + 1) * FRAME_SAMPLES - inserted + removed);
        expect(Math.abs(waiting)).toBeLessThanOrEqual(4 * FRAME_SAMPLES);
      },
    ),
    { seed: 20_261_121, numRuns: 100 },
  );
});

it("audio comes out as it went in when nothing is stretched or missing", () => {
  const draw = new Stream(2, "audio");
  const whole = Int16Array.from({ length: 300 * FRAME_SAMPLES }, () => 5_000 * (2 * draw.nextUnit() - 1));
  const decoder = {
    ...stub(0),
    decode: (packet: Uint8Array) => {
      const from = (((packet[0] as number) << 8) | (packet[1] as number)) * FRAME_SAMPLES;
      return whole.slice(from, from + FRAME_SAMPLES);
    },
  };
  const receiver = jitterBuffer(buffer, { decoder, mode: "real" });
  const out: number[] = [];
  let edits = -1;
  for (let seq = 0; seq < 300; seq++) {
    receiver.insert(Instant(sentAt(seq)), { seq, timestamp: seq * FRAME_SAMPLES, payload: Uint8Array.of(seq >> 8, seq & 255) });
    const played = receiver.playout(Instant(sentAt(seq) + 1_000));
    const { insertedSamplesForDeceleration, removedSamplesForAcceleration } = receiver.stats();
    if (edits !== insertedSamplesForDeceleration + removedSamplesForAcceleration) {
      edits = insertedSamplesForDeceleration + removedSamplesForAcceleration;
      out.length = 0;
    } else out.push(...(played?.pcm ?? []));
  }
  expect(out.length).toBeGreaterThan(100 * FRAME_SAMPLES);
  const at = whole.length - FRAME_SAMPLES - out.length;
  const found = Array.from({ length: 2 * FRAME_SAMPLES }, (_, i) => at + i - FRAME_SAMPLES).find((from) =>
    out.slice(0, 50).every((x, j) => x === whole[from + j]),
  );
  expect(found).toBeDefined();
  expect(out).toEqual([...whole.subarray(found, (found ?? 0) + out.length)]);
});
