import fc from "fast-check";
import { expect, test } from "vitest";
import { randomness } from "../../impl/base/random.ts";
import { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../expanded.ts";
import { CLEAN, type Fate, Link } from "./link.ts";

const PLAIN: LinkModel = { ...CLEAN, delay: 20_000 };

const link = (model: Partial<LinkModel>, seed = 7): Link => new Link("alice/wlan0/up", { ...PLAIN, ...model }, randomness(seed));

/** Fates of `n` packets of 100 octets, one every `every` microseconds. */
const fates = (of: Link, n: number, every = 20_000, from = 0): Fate[] =>
  Array.from({ length: n }, (_, i) => of.send(Instant((from + i) * every), 100));

const lostAt = (all: readonly Fate[]): number[] => all.flatMap((fate, i) => (fate.ok ? [] : [i + 1]));
const arrivals = (all: readonly Fate[]): number[] => all.flatMap((fate) => (fate.ok ? [fate.at] : []));

test("a clean link delays every packet by exactly its delay", () => {
  expect(arrivals(fates(link({}), 3))).toEqual([20_000, 40_000, 60_000]);
});

test("independent loss comes at its share: within four standard errors of 5 % over 200,000 packets", () => {
  const share = lostAt(fates(link({ loss: 0.05 }), 200_000)).length / 200_000;
  expect(Math.abs(share - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 200_000));
  expect(lostAt(fates(link({ loss: 1 }), 100))).toHaveLength(100);
});

test.each([
  { p: 0.01, r: 0.1, lossGood: 0, lossBad: 1 },
  { p: 0.005, r: 0.25, lossGood: 0, lossBad: 1 },
  { p: 0.02, r: 0.2, lossGood: 0.001, lossBad: 0.7 },
])("Gilbert-Elliott $p/$r/$lossGood/$lossBad gives the loss and the bursts of its formulas", (burst) => {
  const { p, r, lossGood, lossBad } = burst;
  const n = 400_000;
  const lost = lostAt(fates(link({ burst }), n));
  const expected = (lossGood * r + lossBad * p) / (p + r);
  // Standard error of the share of a two-state chain: correlation 1-p-r from packet to packet widens it by (1+c)/(1-c).
  const widening = (2 - p - r) / (p + r);
  expect(Math.abs(lost.length / n - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected) * widening) / n));
  if (lossBad === 1 && lossGood === 0) {
    const bursts = lost.filter((at, i) => lost[i - 1] !== at - 1).length;
    expect(lost.length / bursts / (1 / r)).toBeCloseTo(1, 1); // mean burst 1/r within 5 %
  }
});

test("bursts come and last in time: a link with six packets a slot, or with pauses, loses what falls into the same slots", () => {
  const burst = { p: 0.1, r: 0.25, lossGood: 0, lossBad: 1 };
  const slots = (every: number, from: number): Set<number> =>
    new Set(
      lostAt(fates(link({ burst }), 60_000_000 / every, every)).flatMap((n) =>
        (n - 1) * every >= from ? [Math.floor(((n - 1) * every) / 20_000)] : [],
      ),
    );
  const [voice, busy] = [slots(20_000, 0), slots(3_000, 0)];
  expect(voice.size).toBeGreaterThan(300);
  expect(busy).toEqual(voice);
  const late = link({});
  late.lay({ burst }, 1);
  const seen = lostAt(fates(late, 1_500, 20_000, 1_500)).map((n) => n - 1 + 1_500);
  expect(new Set(seen)).toEqual(new Set([...voice].filter((slot) => slot >= 1_500)));
});

test("what was sent in earlier slots does not change a packet's luck", () => {
  const model = { loss: 0.2, jitter: 9_000, duplicate: 0.1, order: "free" } as const;
  const [quiet, busy] = [link(model), link(model)];
  fates(busy, 1_000, 1_000);
  expect(fates(busy, 200, 20_000, 50)).toEqual(fates(quiet, 200, 20_000, 50));
});

test("packets of one slot have draws of their own", () => {
  const lost = lostAt(fates(link({ loss: 0.5 }), 20_000, 10));
  expect(Math.abs(lost.length / 20_000 - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 20_000));
});

test("a drop list drops exactly its packets, counted from the laying", () => {
  const one = link({ drop: [2, 3, 9] });
  expect(lostAt(fates(one, 20))).toEqual([2, 3, 9]);
  const undo = one.lay({ drop: [1, 4] }, 3);
  const under = fates(one, 6, 20_000, 20);
  expect(lostAt(under)).toEqual([1, 4]);
  expect(under[0]).toEqual({ ok: false, cause: "loss", fault: 3 });
  undo();
  expect(lostAt(fates(one, 20, 20_000, 26))).toEqual([]);
});

test("a trace gives each packet its extra delay or loss, and starts over", () => {
  const all = fates(link({ delay: 1_000, trace: [0, 500, -1], order: "free" }), 7, 10_000);
  expect(lostAt(all)).toEqual([3, 6]);
  expect(arrivals(all)).toEqual([1_000, 11_500, 31_000, 41_500, 61_000]);
});

test("the trace of an overlay starts when it is laid and hides the base's until it is taken off", () => {
  const one = link({ delay: 1_000, trace: [100], order: "free" });
  fates(one, 4);
  const undo = one.lay({ trace: [0, 500, -1] }, 9);
  const under = fates(one, 3, 20_000, 4);
  expect(arrivals(under)).toEqual([81_000, 101_500]);
  expect(under[2]).toEqual({ ok: false, cause: "loss", fault: 9 });
  undo();
  expect(arrivals(fates(one, 1, 20_000, 7))).toEqual([141_100]);
});

test("with order kept no packet overtakes, however wild the jitter; with order free some do", () => {
  const wild = { delay: 50_000, jitter: 50_000, jitterShape: "normal" } as const;
  const sorted = (all: number[]) => all.every((at, i) => i === 0 || at >= (all[i - 1] as number));
  expect(sorted(arrivals(fates(link({ ...wild, order: "keep" }), 5_000, 5_000)))).toBe(true);
  expect(sorted(arrivals(fates(link({ ...wild, order: "free" }), 5_000, 5_000)))).toBe(false);
});

test.each([
  ["uniform", 10_000 / Math.sqrt(3)],
  ["normal", 0.8796 * 5_000], // sigma of a normal distribution cut at two sigma
] as const)("%s jitter stays within its half-width and has its spread", (jitterShape, spread) => {
  const n = 50_000;
  const delays = arrivals(fates(link({ jitter: 10_000, jitterShape, order: "free" }), n)).map(
    (at, i) => at - i * 20_000 - 20_000,
  );
  expect(Math.max(...delays.slice(0, 50_000))).toBeLessThanOrEqual(10_000);
  expect(Math.min(...delays.slice(0, 50_000))).toBeGreaterThanOrEqual(-10_000);
  const mean = delays.reduce((a, b) => a + b, 0) / n;
  const sigma = Math.sqrt(delays.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
  expect(Math.abs(mean)).toBeLessThan((4 * spread) / Math.sqrt(n));
  expect(sigma / spread).toBeCloseTo(1, 1.5);
});

test("jitter wider than the delay never delivers before the packet was sent", () => {
  for (const [i, fate] of fates(link({ delay: 1_000, jitter: 5_000, order: "free" }), 1_000).entries()) {
    expect(fate.ok && fate.at).toBeGreaterThanOrEqual(i * 20_000);
  }
});

test("held-back packets are overtaken also where order is kept, and do not hold the others back", () => {
  const all = fates(link({ reorder: { share: 0.1, by: 50_000 } }), 10_000);
  const late = arrivals(all).filter((at, i) => at === i * 20_000 + 70_000).length;
  expect(late / 10_000).toBeCloseTo(0.1, 1.5);
  expect(arrivals(all).filter((at, i) => at === i * 20_000 + 20_000).length + late).toBe(10_000);
});

test("duplicates come at their share, never before the original where order is kept", () => {
  const all = fates(link({ duplicate: 0.2, jitter: 15_000 }), 10_000);
  const copied = all.flatMap((fate) => (fate.ok && fate.copyAt !== undefined ? [fate.copyAt - fate.at] : []));
  expect(copied.length / 10_000).toBeCloseTo(0.2, 1.5);
  expect(Math.min(...copied)).toBeGreaterThanOrEqual(0);
});

test("a full queue drops with cause queue, and the fault is that of the overlay which set the rate", () => {
  const one = link({ delay: 0, rate: { bps: 8_000_000, queueBytes: 250 } });
  expect(Array.from({ length: 3 }, () => one.send(Instant(0), 100))).toEqual([
    { ok: true, at: 100, copyAt: undefined },
    { ok: true, at: 200, copyAt: undefined },
    { ok: false, cause: "queue", fault: undefined },
  ]);
  one.lay({ rate: { bps: 8_000, queueBytes: 100 } }, 4);
  expect(one.send(Instant(10_000), 100)).toEqual({ ok: true, at: 110_000, copyAt: undefined });
  expect(one.send(Instant(10_000), 100)).toEqual({ ok: false, cause: "queue", fault: 4 });
});

test("a drop names the fault of the overlay that caused it, and none when the base model did", () => {
  const one = link({ loss: 1 });
  expect(one.send(Instant(0), 100)).toMatchObject({ ok: false, fault: undefined });
  const healing = one.lay({ loss: 0 }, 1);
  expect(one.send(Instant(1), 100)).toMatchObject({ ok: true });
  const blackout = one.lay({ loss: 1 }, 2);
  one.lay({ loss: 0.1 }, 3);
  expect(one.send(Instant(2), 100)).toEqual({ ok: false, cause: "loss", fault: 2 });
  blackout();
  blackout();
  healing();
  one.lay({ burst: { p: 1, r: 0, lossGood: 0, lossBad: 1 } }, 5);
  expect(one.send(Instant(3), 100)).toEqual({ ok: false, cause: "loss", fault: 5 });
});

test("what is in force tells every knob's value and the fault it comes from, for as long as the overlay is laid", () => {
  const burst = { p: 0.1, r: 0.5, lossGood: 0, lossBad: 1 };
  const one = link({ burst, loss: 0.01, drop: [4] });
  const before = one.inForce;
  expect(before.model).toMatchObject({ delay: 20_000, loss: 0.01 });
  expect(before.losers).toEqual([{ fault: undefined, drop: [4], trace: [], burst }]);
  const undo = one.lay({ drop: [2], delay: 50_000 }, 3);
  one.lay({ loss: 1 }, 4)();
  const blackout = one.lay({ loss: 1 }, 5);
  one.lay({ loss: 0.5 }, 6);
  expect(one.inForce.model).toMatchObject({ delay: 50_000, loss: 1 });
  expect(one.inForce.by).toMatchObject({ loss: 5, rate: undefined });
  expect(one.inForce.shapers).toEqual([3]);
  expect(one.inForce.losers).toEqual([
    { fault: 3, drop: [2], trace: [], burst: null },
    { fault: undefined, drop: [], trace: [], burst },
  ]);
  undo();
  blackout();
  expect(one.inForce.losers).toEqual(before.losers);
  expect(one.inForce.by.loss).toBe(6);
});

test("an overlay counts the packets it altered, also after it is gone; one that changes nothing counts none", () => {
  const one = link({ order: "free" });
  const undo = one.lay({ delay: 90_000 }, 0);
  const harmless = one.lay({ loss: 0 }, 1);
  fates(one, 10);
  undo();
  harmless();
  one.lay({ delay: 20_000 }, 2); // the base's own delay
  fates(one, 10, 20_000, 10);
  expect([one.touched(0), one.touched(1), one.touched(2)]).toEqual([10, 0, 0]);
});

const models = fc.record({
  jitter: fc.constantFrom(0, 3_000, 30_000),
  jitterShape: fc.constantFrom("uniform" as const, "normal" as const),
  loss: fc.constantFrom(0, 0.02, 0.3),
  burst: fc.constantFrom(null, { p: 0.1, r: 0.3, lossGood: 0, lossBad: 0.9 }),
  duplicate: fc.constantFrom(0, 0.1),
  reorder: fc.constantFrom(null, { share: 0.2, by: 30_000 }),
  trace: fc.constantFrom([], [0, 1_000, -1, 7]),
  drop: fc.constantFrom([], [1, 17, 40]),
});

test("outside the time an overlay is laid, every packet fares exactly as if it had never been", () => {
  fc.assert(
    fc.property(models, models, fc.nat(50), fc.nat(50), fc.nat(1_000), (base, overlay, before, during, seed) => {
      const [plain, faulted] = [link({ ...base, order: "free" }, seed), link({ ...base, order: "free" }, seed)];
      const reference = fates(plain, 150);
      const head = fates(faulted, before);
      const undo = faulted.lay(overlay, 0);
      fates(faulted, during, 20_000, before);
      undo();
      const tail = fates(faulted, 150 - before - during, 20_000, before + during);
      expect(head).toEqual(reference.slice(0, before));
      expect(tail).toEqual(reference.slice(before + during));
    }),
    { seed: 3, numRuns: 200 },
  );
});

test("turning one knob leaves the draws of the others as they were", () => {
  const [calm, lossy] = [
    link({ jitter: 9_000, order: "free" }),
    link({ jitter: 9_000, order: "free", loss: 0.3, duplicate: 0.2 }),
  ];
  const [reference, thinned] = [fates(calm, 500), fates(lossy, 500)];
  thinned.forEach((fate, i) => {
    if (fate.ok) expect(fate.at).toBe((reference[i] as { at: number }).at);
  });
});

test("the same name and seed give the same fates, another name or seed others", () => {
  const lossy = { ...CLEAN, loss: 0.5 };
  const pattern = (name: string, seed: number) => lostAt(fates(new Link(name, lossy, randomness(seed)), 200)).join();
  expect(pattern("a/up", 1)).toBe(pattern("a/up", 1));
  expect(pattern("a/up", 1)).not.toBe(pattern("a/down", 1));
  expect(pattern("a/up", 1)).not.toBe(pattern("a/up", 2));
});

test("a packet larger than the link carries is lost, and an overlay's limit is blamed on it", () => {
  const one = link({ mtu: 99 });
  expect(fates(one, 1)[0]).toEqual({ ok: false, cause: "mtu", fault: undefined });
  expect(one.send(Instant(40_000), 99).ok).toBe(true);
  const undo = one.lay({ mtu: 50 }, 4);
  expect(one.send(Instant(60_000), 51)).toEqual({ ok: false, cause: "mtu", fault: 4 });
  undo();
  expect(one.send(Instant(80_000), 51).ok).toBe(true);
});

test("packets are altered at their share, in bits all over, and are neither lost nor late", () => {
  const all = fates(link({ corrupt: 0.1 }), 20_000);
  const bits = all.flatMap((fate) => (fate.ok && fate.corrupt !== undefined ? [fate.corrupt.bit] : []));
  expect(Math.abs(bits.length / 20_000 - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 20_000));
  expect(bits.filter((bit) => bit < 0.5).length / bits.length).toBeCloseTo(0.5, 1);
  expect(arrivals(all)).toEqual(arrivals(fates(link({}), 20_000)));
});

test("a rate laid over recorded deliveries takes their place until it is taken off, and the other way round", () => {
  const deliveries = { at: [10_000], period: 10_000, queueBytes: 10_000 };
  const rate = { bps: 800_000, queueBytes: 10_000 }; // 100 octets a millisecond
  const recorded = link({ deliveries, delay: 0 });
  expect(arrivals(fates(recorded, 1))).toEqual([10_000]);
  const undo = recorded.lay({ rate }, 1);
  expect(arrivals(fates(recorded, 1, 20_000, 1))).toEqual([21_000]);
  undo();
  expect(arrivals(fates(recorded, 1, 20_000, 2))).toEqual([40_000]);
  const steady = link({ rate, delay: 0 });
  steady.lay({ deliveries }, 1);
  expect(arrivals([steady.send(Instant(1), 100)])).toEqual([10_000]);
});
