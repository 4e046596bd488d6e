/**
 * What is promised of every jitter buffer. Limits are those a listener would set; how near each buffer comes to the best possible is what
 * `midcall bench jitter` measures.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import { Stream } from "../base/random.ts";
import { Instant } from "../base/units.ts";
import { type Decoder, FRAME_MICROS, FRAME_SAMPLES } from "./codec.ts";
import { CONCEALED_FRAMES } from "./concealment.ts";
import { jitterBuffer } from "./jitter-buffers.ts";
import {
  type Arrival,
  BROKEN,
  expectLawful,
  kinds,
  mouthToEar,
  ms,
  PLAIN,
  REDUNDANT,
  type Run,
  run,
  SECOND,
  sentAt,
  sourceSeqs,
  stream,
  stub,
  type Trace,
} from "./jitter-run.contract.ts";

const settings = { seed: 20_261_121, numRuns: 300 };

export function jitterBufferContract(buffer: JitterBufferName): void {
  const played = (trace: Omit<Trace, "buffer">): Run => {
    const r = run({ buffer, ...trace });
    expectLawful(r);
    return r;
  };

  describe("a sender that falls silent", () => {
    type Options = { readonly lost?: readonly number[]; readonly delay?: (at: number) => number; readonly comfort?: boolean };
    /** Speaks for 1 s, says nothing for 1 s but for the descriptions of a sender, speaks for 1 s again. Frames 0..49 and 100..149. */
    function turn({ lost = [], delay = () => 30_000, comfort = true }: Options): Run {
      const own = jitterBuffer(buffer, { decoder: stub(1_000), mode: "real" });
      const events: { at: number; go(now: Instant): void }[] = [];
      let packet = 0;
      for (let frame = 0; frame < 150; frame++) {
        const [at, timestamp] = [sentAt(frame) + delay(frame), frame * FRAME_SAMPLES];
        if (frame < 50 || frame >= 100) {
          const shape = { codec: 0, units: 1, part: 0, opens: frame === 100 };
          const one = { seq: frame, packet: packet++, timestamp, payload: Uint8Array.of(PLAIN), shape };
          if (!lost.includes(frame)) events.push({ at, go: (now) => own.insert(now, one) });
        } else if (comfort && !lost.includes(frame) && (frame < 53 || (frame - 53) % 9 === 8))
          events.push({ at, go: (now) => own.rest(now, timestamp, { level: 60, since: frame - 50 }) });
      }
      events.sort((a, b) => a.at - b.at);
      const ticks: { now: number; played: ReturnType<typeof own.playout> }[] = [];
      for (let now = 1_000; now < 3_000_000; now += FRAME_MICROS) {
        for (let next = events[0]; next !== undefined && next.at <= now; next = events[0]) {
          events.shift();
          next.go(Instant(next.at));
        }
        ticks.push({ now, played: own.playout(Instant(now)) });
      }
      return { buffer, ticks, stats: own.stats(), target: own.target };
    }

    it("is heard as noise, which is no concealment, and every frame of both spurts is played", () => {
      const r = turn({});
      expect(kinds(r).concealed ?? 0).toBe(0);
      expect(kinds(r).silence ?? 0).toBe(0);
      expect(kinds(r).comfort).toBeGreaterThanOrEqual(48);
      // What is sent last may still wait at the end.
      expect(r.stats.jitterBufferEmittedCount).toBeGreaterThanOrEqual(95 * FRAME_SAMPLES);
      expect(r.stats.packetsDiscarded).toBe(0);
      expect(r.stats.concealmentEvents).toBe(0);
      expect(r.stats.generatedNoiseSamples).toBeGreaterThan(45 * FRAME_SAMPLES);
      const loud = r.ticks.flatMap(({ played }) => (played?.kind === "comfort" ? [played.pcm.some((x) => x !== 0)] : []));
      expect(loud.filter((one) => !one).length).toBeLessThanOrEqual(1);
    });

    it("is concealed where its first descriptions are lost, until one comes", () => {
      const r = turn({ lost: [50, 51, 52] });
      expect(kinds(r).comfort).toBeGreaterThan(35);
      const made = (kinds(r).concealed ?? 0) + (kinds(r).silence ?? 0);
      expect(made).toBeGreaterThanOrEqual(6);
      expect(made).toBeLessThanOrEqual(13);
    });

    it("lost words at the end of silence are concealment, lost descriptions are none", () => {
      const r = turn({ lost: [61, 100, 101] });
      expect(kinds(r).concealed ?? 0).toBeGreaterThanOrEqual(1);
      expect(kinds(r).concealed ?? 0).toBeLessThanOrEqual(2);
      expect(r.stats.concealmentEvents).toBe(1);
    });

    it("words that come later than silence let expect are waited for and not thrown away", () => {
      const r = turn({ delay: (frame) => (frame < 100 ? 30_000 : 90_000) });
      expect(r.stats.packetsDiscarded).toBe(0);
      expect(kinds(r).concealed ?? 0).toBe(0);
    });

    it("an older sender says nothing of it, and is concealed as before", () => {
      const r = turn({ comfort: false });
      expect(kinds(r).comfort ?? 0).toBe(0);
      expect((kinds(r).concealed ?? 0) + (kinds(r).silence ?? 0)).toBeGreaterThan(40);
    });
  });

  describe("a quiet network", () => {
    it("plays every frame in order, at most three frames after it came", () => {
      const r = played({ arrivals: stream(250, () => ms(30)), until: 5 * SECOND });
      expect(r.stats.concealedSamples).toBe(0);
      expect(sourceSeqs(r).slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
      expect(mouthToEar(r, 200)).toBeGreaterThanOrEqual(ms(30));
      expect(mouthToEar(r, 200)).toBeLessThan(ms(90));
      const { jitterBufferDelay, jitterBufferEmittedCount, jitterBufferTargetDelay, jitter } = r.stats;
      expect(jitterBufferDelay / jitterBufferEmittedCount).toBeLessThan(0.06);
      expect(jitterBufferTargetDelay / jitterBufferEmittedCount).toBeLessThanOrEqual(0.04);
      expect(jitter).toBe(0);
    });

    it("plays nothing before the first packet, and nothing until the target delay has passed", () => {
      expect(played({ arrivals: [], until: SECOND }).ticks.every((tick) => tick.played === undefined)).toBe(true);
      const r = played({ arrivals: stream(10, () => 0), until: SECOND });
      expect(r.ticks.find((tick) => tick.played !== undefined)?.now).toBe(ms(60));
    });
  });

  describe("loss", () => {
    it("one lost frame is one concealed frame", () => {
      const r = played({ arrivals: stream(200, (seq) => (seq === 100 ? undefined : ms(30))), until: ms(3_900) });
      expect(kinds(r).concealed).toBe(1);
      expect(r.stats.concealedSamples).toBeLessThanOrEqual(FRAME_SAMPLES);
      expect(r.stats).toMatchObject({ packetsLost: 1, concealmentEvents: 1, interruptionCount: 0, packetsDiscarded: 0 });
      expect(sourceSeqs(r)).not.toContain(100);
    });

    it("of frames lost here and there those that the next packet repeats are recovered under their own numbers", () => {
      const r = played({
        arrivals: stream(1_000, (seq) => (seq % 10 === 5 ? undefined : ms(30)), REDUNDANT),
        until: ms(19_900),
      });
      const recovered = r.ticks.flatMap((tick) => (tick.played?.kind === "recovered" ? [tick.played.seq ?? -1] : []));
      expect(recovered.every((seq) => seq % 10 === 5)).toBe(true);
      // The first may be needed to learn that waiting is worth it.
      expect(r.stats.fecPacketsReceived).toBeGreaterThanOrEqual(97);
      expect(r.stats.concealmentEvents).toBeLessThanOrEqual(3);
    });

    it("the packet of a recovered frame does not play again, whatever time it claims", () => {
      const arrivals = stream(1_000, (seq) => (seq % 10 === 5 ? undefined : ms(30)), REDUNDANT);
      const recovered = played({ arrivals, until: ms(19_000) }).ticks.findLast((tick) => tick.played?.kind === "recovered");
      const seq = recovered?.played?.seq ?? Number.NaN;
      const late = { at: (recovered?.now ?? Number.NaN) + 1, seq, timestamp: (seq + 1) * FRAME_SAMPLES, what: PLAIN };
      const r = played({ arrivals: [...arrivals, late], until: ms(19_900) });
      expect(r.stats.packetsDiscarded).toBe(1);
    });

    it("a frame that does not decode is concealed and counted as discarded", () => {
      const arrivals = stream(100, () => ms(30)).map((one) => (one.seq === 50 ? { ...one, what: BROKEN } : one));
      const r = played({ arrivals, until: ms(1_900) });
      expect(r.stats).toMatchObject({ packetsDiscarded: 1, packetsLost: 0, concealmentEvents: 1 });
      expect(r.stats.concealedSamples).toBeLessThanOrEqual(FRAME_SAMPLES);
      expect(sourceSeqs(r)).not.toContain(50);
    });

    it.each([0.05, 0.2, 0.5])("independent loss of %f conceals no more, and moves the delay by nothing in the end", (share) => {
      const draw = new Stream(1, "loss");
      const r = played({ arrivals: stream(2_000, () => (draw.nextChance(share) ? undefined : ms(30))), until: ms(39_900) });
      const { packetsLost, concealedSamples: concealed, insertedSamplesForDeceleration: inserted } = r.stats;
      expect(concealed / r.stats.totalSamplesReceived).toBeCloseTo(share, 1);
      // Stretched speech may stand in for what is lost, and for nothing else; and the first delay comes down to the one that is needed.
      expect(Math.abs(concealed + inserted - FRAME_SAMPLES * packetsLost)).toBeLessThanOrEqual(2 * FRAME_SAMPLES);
      expect(Math.abs(r.stats.removedSamplesForAcceleration - inserted)).toBeLessThanOrEqual(2 * FRAME_SAMPLES);
      expect(r.stats.packetsDiscarded).toBe(0);
    });
  });

  describe("order and copies", () => {
    it("neighbours that change places are played in order", () => {
      const r = played({ arrivals: stream(200, (seq) => (seq % 2 === 0 ? ms(50) : ms(20))), until: ms(3_900) });
      expect(r.stats.concealedSamples).toBe(0);
      expect(sourceSeqs(r).slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it("copies change nothing, also those of frames already played", () => {
      const once = stream(200, () => ms(30));
      const twice = [
        ...once,
        ...once.map((one) => ({ ...one, at: one.at + ms(1) })),
        ...once.map((one) => ({ ...one, at: one.at + ms(400) })),
      ];
      const [a, b] = [played({ arrivals: once, until: ms(3_900) }), played({ arrivals: twice, until: ms(3_900) })];
      expect(b.stats).toEqual(a.stats);
      expect(sourceSeqs(b)).toEqual(sourceSeqs(a));
    });

    it("a straggler behind the position is discarded and counted", () => {
      const r = played({ arrivals: stream(200, (seq) => (seq === 100 ? ms(150) : ms(30))), until: ms(3_900) });
      expect(r.stats).toMatchObject({ packetsDiscarded: 1, packetsLost: 0, concealmentEvents: 1 });
    });
  });

  describe("jitter", () => {
    it.each([
      [10, 0.002],
      [25, 0.01],
      [60, 0.02],
    ])("uniform jitter of +-%i ms conceals less than %f once settled, at a delay in proportion", (half, limit) => {
      const draw = new Stream(3, `jitter ${half}`);
      const delays = Array.from({ length: 3_000 }, () => ms(100 - half) + draw.nextUnit() * ms(2 * half));
      const r = played({ arrivals: stream(3_000, (seq) => delays[seq]), until: ms(59_900) });
      const settled = r.ticks.slice(200).filter((tick) => tick.played?.kind !== "source").length / (r.ticks.length - 200);
      expect(settled).toBeLessThan(limit);
      const spent = r.stats.jitterBufferDelay / r.stats.jitterBufferEmittedCount;
      expect(spent).toBeLessThan(Math.max(0.065, (half * 3.2) / 1_000));
      expect(r.target).toBeLessThanOrEqual(ms(400));
      expect(r.stats.jitter).toBeGreaterThan(half / 2_500);
      expect(r.stats.jitter).toBeLessThan(half / 1_000);
    });

    it("the delay grows until stragglers are in time", () => {
      const r = played({
        arrivals: stream(500, (seq) => ms(seq >= 100 && seq % 3 === 0 ? 150 : 50)),
        until: ms(9_900),
        level: 5_000,
      });
      const late = r.ticks.filter((tick) => tick.now > sentAt(300) && tick.played?.kind !== "source");
      expect(late).toEqual([]);
      expect(r.stats.packetsDiscarded).toBeLessThan(40);
    });
  });

  describe("outages", () => {
    it.each([200, 1_000, 3_000])("after %i ms of nothing the first frame plays soon after its arrival", (outage) => {
      const from = 150;
      const to = from + outage / 20;
      const r = played({
        arrivals: stream(to + 100, (seq) => (seq >= from && seq < to ? undefined : ms(30))),
        until: ms((to + 90) * 20),
      });
      expect(mouthToEar(r, to) - ms(30)).toBeLessThanOrEqual(ms(40) + FRAME_MICROS);
      const after = r.ticks.filter((tick) => tick.played !== undefined && tick.now > sentAt(to) + ms(100));
      expect(after.every((tick) => tick.played?.kind === "source")).toBe(true);
      expect(r.stats.interruptionCount).toBe(1);
      expect(r.stats.totalInterruptionDurationMs).toBeGreaterThan(outage - 40);
      expect(r.stats.totalInterruptionDurationMs).toBeLessThanOrEqual(outage);
      const silent = r.stats.silentConcealedSamples / FRAME_SAMPLES;
      expect(silent).toBeGreaterThan(outage / 20 - CONCEALED_FRAMES - 2);
      expect(silent).toBeLessThanOrEqual(outage / 20 - CONCEALED_FRAMES);
    });

    it.each([-200, -80, 60, 200])("after an outage that changed the path by %i ms playing goes on soon", (change) => {
      const [from, to] = [150, 300];
      const delay = (seq: number): number | undefined => (seq < from ? ms(250) : seq < to ? undefined : ms(250 + change));
      const r = played({ arrivals: stream(500, delay), until: ms(9_900) });
      const first = r.ticks.find((tick) => (tick.played?.seq ?? -1) >= to);
      expect(first?.played?.seq).toBe(to);
      expect((first?.now ?? Number.NaN) - sentAt(to) - ms(250 + change)).toBeLessThanOrEqual(ms(60) + FRAME_MICROS);
    });

    it("a second of packets held back and let go at once does not leave a second of delay behind", () => {
      const [from, to] = [150, 200];
      const delay = (seq: number): number => (seq >= from && seq < to ? sentAt(to) + ms(30) - sentAt(seq) : ms(30));
      const r = played({ arrivals: stream(700, delay), until: ms(13_900) });
      const resumed = r.ticks.find((tick) => (tick.played?.seq ?? -1) >= from)?.now ?? Number.NaN;
      expect(resumed - sentAt(to)).toBeLessThan(ms(30) + 2 * FRAME_MICROS);
      expect(mouthToEar(r, 260)).toBeLessThan(ms(30 + 440));
      expect(mouthToEar(r, 600)).toBeLessThan(ms(30 + 120));
    });
  });

  describe("a decoder whose frames do not all play", () => {
    /** A second held back and let go at once; of it `lost` never comes. Nothing plays for the second, and some of it never will. */
    const heldBack = (lost: (seq: number) => boolean): { decoded: number; concealed: number; r: Run } => {
      const calls = { decoded: 0, concealed: 0 };
      const inner = stub(1_000);
      const decoder: Decoder = {
        ...inner,
        decode: (packet) => {
          calls.decoded++;
          return inner.decode(packet);
        },
        conceal: () => {
          calls.concealed++;
          return inner.conceal();
        },
      };
      const delay = (seq: number): number | undefined =>
        lost(seq) ? undefined : seq >= 150 && seq < 200 ? sentAt(200) + ms(30) - sentAt(seq) : ms(30);
      const r = played({ arrivals: stream(700, delay), until: 15 * SECOND, decoder });
      return { ...calls, r };
    };

    it("hears those too that are left out", () => {
      const { decoded, r } = heldBack(() => false);
      expect(r.stats.packetsReceived - r.stats.packetsDiscarded).toBe(700);
      expect(kinds(r).source).toBeLessThan(700 - 10);
      expect(decoded).toBe(700);
    });

    it("is told of slots passed over that nobody filled", () => {
      const { concealed, r } = heldBack((seq) => seq >= 155 && seq < 195);
      expect(concealed - (kinds(r).concealed ?? 0)).toBeGreaterThanOrEqual(CONCEALED_FRAMES);
    });
  });

  describe("a path that changes", () => {
    it("slower by 100 ms: playing again within 200 ms, nothing concealed from a second on", () => {
      const r = played({ arrivals: stream(500, (seq) => (seq < 200 ? ms(50) : ms(150))), until: ms(9_900) });
      const concealed = r.ticks.filter(
        (tick) => tick.now > sentAt(200) && tick.played !== undefined && tick.played.kind !== "source",
      );
      expect(concealed.length).toBeLessThanOrEqual(10);
      expect(r.stats.insertedSamplesForDeceleration).toBeGreaterThanOrEqual(3 * FRAME_SAMPLES);
      expect(concealed.at(-1)?.now ?? 0).toBeLessThan(sentAt(250) + ms(150));
      expect(mouthToEar(r, 480)).toBeLessThan(ms(150 + 80));
    });

    it.each([
      ["quiet", 10, 3],
      ["loud", 5_000, 8],
    ])("faster by 100 ms, %s voice: the delay follows within seconds and next to nothing is concealed", (_, level, within) => {
      const r = played({ arrivals: stream(1_000, (seq) => (seq < 200 ? ms(150) : ms(50))), until: ms(19_900), level });
      expect(mouthToEar(r, 199 + within * 50)).toBeLessThan(ms(50 + 110));
      expect(r.stats.removedSamplesForAcceleration).toBeGreaterThanOrEqual(2 * FRAME_SAMPLES);
      expect(r.stats.concealedSamples).toBeLessThan(FRAME_SAMPLES / 2);
    });

    it.each([-300, -200, 200, 300])("a receiver clock %i ppm off is followed for ten minutes", (ppm) => {
      const arrivals = stream(30_000, () => ms(30));
      const r = played({ arrivals, until: 599 * SECOND, tick: FRAME_MICROS * (1 + ppm / 1e6) });
      for (const from of [1_000, 10_000, 29_000]) {
        // A stretched frame may be named by no tick; its neighbour is.
        const near = [from, from + 1, from + 2].map((seq) => mouthToEar(r, seq)).find((delay) => !Number.isNaN(delay));
        expect(near).toBeGreaterThanOrEqual(ms(30));
        expect(near).toBeLessThan(ms(30 + 110));
      }
      // 300 ppm of ten minutes are nine frames.
      const { concealedSamples, removedSamplesForAcceleration, insertedSamplesForDeceleration } = r.stats;
      expect(concealedSamples + removedSamplesForAcceleration).toBeLessThanOrEqual(12 * FRAME_SAMPLES);
      expect(insertedSamplesForDeceleration).toBeLessThanOrEqual(12 * FRAME_SAMPLES);
    });

    it.each([1_000_003, -1_000_003, 480_000, 2 ** 32 - 5_000_000])(
      "a sender clock that jumps by %i samples costs at most 100 ms",
      (jump) => {
        const arrivals = stream(400, () => ms(30)).map((one) => ({
          ...one,
          timestamp: one.timestamp + 10_000_000 + (one.seq < 200 ? 0 : jump),
        }));
        const r = played({ arrivals, until: ms(7_900) });
        expect(r.stats.concealedSamples).toBeLessThanOrEqual(5 * FRAME_SAMPLES);
        expect(mouthToEar(r, 250)).toBeLessThan(ms(30 + 110));
        expect(sourceSeqs(r)).toContain(201);
      },
    );

    it("ticks that stop for a second do not leave a second of delay behind", () => {
      const receiver = jitterBuffer(buffer, { decoder: stub(1_000), mode: "real" });
      let next = 0;
      let last: { now: number; seq: number } | undefined;
      for (let now = 0; now < 8 * SECOND; now += FRAME_MICROS) {
        for (; sentAt(next) + ms(30) <= now; next++) {
          receiver.insert(Instant(sentAt(next) + ms(30)), {
            seq: next,
            timestamp: next * FRAME_SAMPLES,
            payload: Uint8Array.of(PLAIN),
          });
        }
        if (now > 3 * SECOND && now < 4 * SECOND) continue;
        const one = receiver.playout(Instant(now));
        if (one?.seq !== undefined) last = { now, seq: one.seq };
        if (now === 5 * SECOND && last !== undefined) expect(now - sentAt(last.seq)).toBeLessThan(ms(30 + 130));
      }
      expect(last).toBeDefined();
    });
  });

  describe("whatever the network does", () => {
    it("no frame plays twice or out of order, and every tick is accounted for", () => {
      fc.assert(
        fc.property(anyTrace, (trace) => {
          played(trace);
        }),
        settings,
      );
    });

    it("packets played and discarded are packets that came, and those that did not come are lost", () => {
      fc.assert(
        fc.property(anyTrace, (trace) => {
          const { stats } = played(trace);
          const came = trace.arrivals.filter(
            ({ at }) => at <= Math.floor(trace.until / FRAME_MICROS) * FRAME_MICROS - FRAME_MICROS,
          );
          const seqs = trace.arrivals.filter(({ at }) => at <= trace.until).map(({ seq }) => seq);
          expect(stats.packetsReceived).toBeGreaterThanOrEqual(new Set(came.map(({ seq }) => seq)).size);
          expect(stats.packetsReceived).toBeLessThanOrEqual(seqs.length);
          const own = stats.jitterBufferEmittedCount / FRAME_SAMPLES - stats.fecPacketsReceived;
          expect(own + stats.packetsDiscarded).toBeLessThanOrEqual(stats.packetsReceived);
          if (came.length === seqs.length && seqs.length > 0) {
            expect(stats.packetsLost).toBe(Math.max(...seqs) - Math.min(...seqs) + 1 - stats.packetsReceived);
          }
        }),
        settings,
      );
    });

    it("the same packets at the same times play the same", () => {
      fc.assert(
        fc.property(anyTrace, (trace) => {
          expect(played(trace)).toEqual(played(trace));
        }),
        { ...settings, numRuns: 50 },
      );
    });
  });
}

/** Any network at all: lost, late, out of order, twice, jumping clocks, undecodable, at any drift. */
const anyTrace: fc.Arbitrary<Omit<Trace, "buffer">> = fc
  .record({
    packets: fc.array(
      fc.record({
        delay: fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 2_000_000 })),
        lost: fc.integer({ min: 0, max: 9 }),
        twice: fc.boolean(),
        what: fc.constantFrom(PLAIN, PLAIN, REDUNDANT, BROKEN),
        jump: fc.oneof(
          { weight: 30, arbitrary: fc.constant(0) },
          { weight: 3, arbitrary: fc.integer({ min: -1_000, max: 1_000 }) },
          { weight: 1, arbitrary: fc.integer({ min: -(2 ** 32), max: 2 ** 32 }) },
        ),
        skip: fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_000 }) }),
      }),
      { maxLength: 300, size: "max" },
    ),
    ppm: fc.integer({ min: -300, max: 300 }),
    phase: fc.integer({ min: 0, max: 19_999 }),
    level: fc.constantFrom(0, 5_000),
  })
  .map(({ packets, ppm, phase, level }) => {
    const arrivals: Arrival[] = [];
    let [seq, timestamp] = [0, 2 ** 33];
    for (const [i, one] of packets.entries()) {
      seq += 1 + one.skip;
      timestamp += FRAME_SAMPLES + one.jump;
      const arrival = { at: sentAt(i) + one.delay, seq, timestamp, what: one.what };
      if (one.lost > 0) arrivals.push(arrival);
      if (one.twice) arrivals.push({ ...arrival, at: arrival.at + one.delay });
    }
    return { arrivals, until: 8 * SECOND, tick: FRAME_MICROS * (1 + ppm / 1e6), phase, level };
  });
