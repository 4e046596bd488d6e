import { expect, test } from "vitest";
import { delaysOf, measureAudio } from "./audio.ts";
import { aLog, CALL_ID } from "./log-builder.ts";
import type { Playout, Slot } from "./playout.ts";
import { measureTiers, PACKET_OVERHEAD } from "./tiers.ts";

const tier = (name: "good" | "degraded" | "catastrophic", coding: string, payloadBytes: number, sealedPackets: number) => ({
  ev: "tier" as const,
  ...{ call: CALL_ID, tier: name, coding, scheme: "none", payloadBytes, sealedPackets },
  ...{ sealedBytes: payloadBytes + 20 * sealedPackets, reason: "begun" },
});

/** Source frames of the peer every 20 ms from `from` to `to` seconds, every `missing`-th concealed. */
const slots = (from: number, to: number, missing: number): Slot[] =>
  Array.from({ length: (to - from) * 50 }, (_, i) => ({
    at: from * 1e6 + i * 20_000,
    kind: (i + 1) % missing === 0 ? "concealed" : "source",
    seq: (i + 1) % missing === 0 ? -1 : i,
  }));

test("each tier has its own rates and score, and Codec2 has none", () => {
  const records = aLog()
    .say(0, "alice", tier("good", "opus 24k 20 ms", 0, 0))
    .say(10e6, "alice", tier("degraded", "opus 6k 40 ms", 30_000, 500))
    .say(20e6, "alice", tier("catastrophic", "codec2 1.2k 80 ms", 37_500, 750))
    .say(30e6, "alice", tier("catastrophic", "codec2 1.2k 80 ms", 39_000, 875))
    .records();
  const playout: Playout = {
    ...{ call: CALL_ID, party: "bob", peer: "alice", end: 30e6 },
    slots: [...slots(0, 10, 1_000), ...slots(10, 20, 1_000), ...slots(20, 30, 10)],
  };
  const delays = new Map([[playout, playout.slots.map(({ at }) => ({ at, ms: 90 }))]]);
  const [good, degraded, catastrophic] = measureTiers(records, [playout], delays).alice ?? [];
  expect(good).toMatchObject({ tier: "good", forMs: 10_000, payloadKbps: 24 });
  expect(good?.wireKbps).toBeCloseTo(24 + (500 * (20 + PACKET_OVERHEAD) * 8) / 10_000, 3);
  expect(degraded).toMatchObject({ coding: "opus 6k 40 ms", payloadKbps: 6 });
  expect(catastrophic).toMatchObject({ payloadKbps: 1.2, mos: null, mosProvisional: true });
  expect(good?.mos).toBeGreaterThan(4.2);
  // 1.9 by POLQA (see e-model.ts).
  expect(degraded?.mos).toBeGreaterThan(1.8);
  expect(degraded?.mos).toBeLessThan(2.1);
});

test("the first frame of a packet of four is 60 ms older than the packet", () => {
  const sent = (units: number) =>
    aLog()
      .say(1e6, "alice", {
        ev: "media-sent",
        call: CALL_ID,
        key: "k",
        seq: 0,
        n: 1,
        at: 1e6,
        step: 0,
        ...(units === 1 ? {} : { units }),
      })
      .records();
  const playout: Playout = {
    call: CALL_ID,
    party: "bob",
    peer: "alice",
    end: 2e6,
    slots: [{ at: 1.1e6, kind: "source", seq: 0 }],
  };
  const msOf = (units: number): number | undefined => delaysOf(sent(units), [playout]).get(playout)?.[0]?.ms;
  expect(msOf(1)).toBe(126.5);
  expect(msOf(4)).toBe(186.5);
});

test("a call's score is of what it was spoken in: 6 kbit/s is worth less than 24, and speech that nobody can rate does not count", () => {
  const of = (...spoken: readonly (readonly [at: number, coding: string])[]) => {
    const log = aLog();
    for (const [at, coding] of spoken) log.say(at, "alice", tier("good", coding, 0, 0));
    const playout: Playout = { ...{ call: CALL_ID, party: "bob", peer: "alice", end: 30e6 }, slots: slots(0, 30, 1_000) };
    const delays = new Map([[playout, playout.slots.map(({ at }) => ({ at, ms: 90 }))]]);
    return measureAudio(log.records(), [playout], delays).bob;
  };
  const untold = of();
  const good = of([0, "opus 24k 20 ms"]);
  expect(good).toEqual(untold);
  expect(good).toMatchObject({ mosRatedRatio: 1 });
  const degraded = of([0, "opus 6k 40 ms"]);
  expect(degraded?.mos).toBeGreaterThan(1.8);
  expect(degraded?.mos).toBeLessThan(2.1);
  const half = of([0, "opus 24k 20 ms"], [15e6, "opus 6k 60 ms"]);
  expect(half?.mos).toBeGreaterThan(degraded?.mos ?? 5);
  expect(half?.mos).toBeLessThan(good?.mos ?? 0);
  const third = of([0, "opus 24k 20 ms"], [10e6, "codec2 1.2k 80 ms"]);
  expect(third).toMatchObject({ mosRatedRatio: 0.333333 });
  expect(third?.mos).toBeCloseTo(good?.mos ?? 0, 1);
  expect(of([0, "codec2 1.2k 80 ms"])).toMatchObject({ mos: null, mosRatedRatio: 0 });
});
