import fc from "fast-check";
import { expect, it } from "vitest";
import type { Micros } from "../base/units.ts";
import { Instant } from "../base/units.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import { jitterBufferContract } from "./jitter-buffer.contract.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import { jitterRepairsContract } from "./jitter-repairs.contract.ts";
import { expectLawful, mouthToEar, ms, REDUNDANT, run, SECOND, sentAt, sourceSeqs, stream, stub } from "./jitter-run.contract.ts";

const buffer = "ema";

jitterBufferContract(buffer);
jitterRepairsContract(buffer);

it("on a quiet network every frame plays two frames after it came", () => {
  const r = run({ buffer, arrivals: stream(250, () => ms(30)), until: 5 * SECOND });
  expect(mouthToEar(r, 100)).toBeGreaterThanOrEqual(ms(70));
  expect(mouthToEar(r, 100)).toBeLessThan(ms(90));
  expect(r.target).toBe(ms(40));
  const { jitterBufferDelay, jitterBufferEmittedCount, jitterBufferTargetDelay } = r.stats;
  expect(jitterBufferDelay / jitterBufferEmittedCount).toBeCloseTo(0.05, 5);
  expect(jitterBufferTargetDelay / jitterBufferEmittedCount).toBeCloseTo(0.04, 5);
});

it("of two lost in a row the second is recovered", () => {
  const arrivals = stream(200, (seq) => (seq === 100 || seq === 101 ? undefined : ms(30)), REDUNDANT);
  const r = run({ buffer, arrivals, until: ms(3_900) });
  const at = r.ticks.findIndex(({ played }) => played?.seq === 99);
  const next = r.ticks.slice(at, at + 4).map(({ played }) => [played?.kind, played?.seq]);
  expect(next).toEqual([
    ["source", 99],
    ["concealed", undefined],
    ["recovered", 101],
    ["source", 102],
  ]);
  expect(r.stats.concealedSamples).toBe(960);
});

it("where a frame is left out the next one begins as the missing one did", () => {
  const decode = (packet: Uint8Array): Int16Array => new Int16Array(FRAME_SAMPLES).fill((packet[0] as number) * 100);
  const buffer = jitterBuffer("ema", { decoder: { ...stub(0), decode }, mode: "real" });
  let [next, before, spliced] = [0, -1, 0];
  for (let now = 0; now < 12 * SECOND; now += FRAME_MICROS) {
    for (; sentAt(next) + ms(next < 200 ? 150 : 50) <= now; next++) {
      const frame = { seq: next, timestamp: next * FRAME_SAMPLES, payload: Uint8Array.of(50 + (next % 2) * 100) };
      buffer.insert(Instant(sentAt(next) + ms(next < 200 ? 150 : 50)), frame);
    }
    const played = buffer.playout(Instant(now));
    if (played?.seq === undefined) continue;
    if (before >= 0 && played.seq === before + 2) {
      const [own, dropped] = played.seq % 2 === 0 ? [5_000, 15_000] : [15_000, 5_000];
      expect(Math.abs((played.pcm[0] as number) - dropped)).toBeLessThan(100);
      expect(played.pcm[FRAME_SAMPLES / 2]).toBe(own);
      spliced++;
    }
    before = played.seq;
  }
  expect(spliced).toBeGreaterThanOrEqual(2);
});

/** Senders that keep counting on a network without tricks: played and skipped time adds up. */
it("the position accounts for every sample held, inserted and left out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 400_000 }), { nil: undefined, freq: 6 }), {
        minLength: 20,
        maxLength: 300,
        size: "max",
      }),
      (delays) => {
        const r = run({ buffer, arrivals: stream(delays.length, (seq) => delays[seq]), until: ms(delays.length * 20 + 1_000) });
        expectLawful(r);
        const start = r.ticks.findIndex(({ played }) => played !== undefined);
        const seqs = sourceSeqs(r);
        const last = r.ticks.findLastIndex(({ played }) => played?.seq !== undefined);
        if (start < 0 || last < 0) return;
        const until = run({
          buffer,
          arrivals: stream(delays.length, (seq) => delays[seq]),
          until: (r.ticks[last] as { now: number }).now,
        });
        const { insertedSamplesForDeceleration: inserted, removedSamplesForAcceleration: removed } = until.stats;
        const elapsed = (last - start + 1) * FRAME_SAMPLES;
        expect(((seqs.at(-1) as number) - (seqs[0] as number) + 1) * FRAME_SAMPLES).toBe(elapsed - inserted + removed);
      },
    ),
    { seed: 20_261_121, numRuns: 300 },
  );
});

it("bounds that make no sense are the caller's mistake", () => {
  const bounds = { minTarget: 500_000 as Micros, maxTarget: 400_000 as Micros };
  expect(() => jitterBuffer("ema", { decoder: stub(0), mode: "real", bounds })).toThrow(RangeError);
});
