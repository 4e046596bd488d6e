import { expect, test } from "vitest";
import { randomness } from "../../impl/base/random.ts";
import type { DropRecord } from "../../impl/base/record.ts";
import { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../../scenarios/expanded.ts";
import { CLEAN, Link } from "../../scenarios/impairment/link.ts";
import { type EmulatedWire, emulatedWire, type Held } from "./emulated-wire.ts";
import { VNET_HEADER } from "./frame.ts";
import { frameOf } from "./frame-sample.fixture.ts";

type Bench = { readonly wire: EmulatedWire; readonly held: Held[]; readonly drops: Omit<DropRecord, "ev">[] };

const bench = (up: Partial<LinkModel>, near: readonly string[] = []): Bench => {
  const held: Held[] = [];
  const drops: Omit<DropRecord, "ev">[] = [];
  const setup = { party: "alice", interface: "wlan0", up: { ...CLEAN, ...up }, down: { ...CLEAN, delay: 9_000 }, near };
  const wire = emulatedWire(setup, randomness(7), { hold: (one) => held.push(one), drop: (one) => drops.push(one) });
  return { wire, held, drops };
};

const arp = frameOf(60, (frame) => frame.set([0x08, 0x06], VNET_HEADER + 12));
const dues = (held: readonly Held[]): number[] => held.map(({ due }) => due);

test("packets fare exactly as those of a simulated link of the same name, seed and model", () => {
  const model = { ...CLEAN, delay: 20_000, jitter: 5_000, loss: 0.2, duplicate: 0.1, rate: { bps: 200_000, queueBytes: 3_000 } };
  const { wire, held, drops } = bench(model);
  const twin = new Link("alice/wlan0/up", model, randomness(7));
  const expected: number[] = [];
  let causes = 0;
  for (let i = 0; i < 500; i++) {
    const at = Instant(i * 5_000);
    wire.offer(at, "up", frameOf(200));
    const fate = twin.send(at, 200);
    if (!fate.ok) causes++;
    else expected.push(fate.at, ...(fate.copyAt === undefined ? [] : [fate.copyAt]));
  }
  expect(dues(held)).toEqual(expected);
  expect(drops).toHaveLength(causes);
  expect(causes).toBeGreaterThan(100);
});

test("each direction has its own model, and a drop names it and the fault", () => {
  const { wire, held, drops } = bench({ delay: 1_000 });
  wire.offer(Instant(0), "up", frameOf(200));
  wire.offer(Instant(0), "down", frameOf(200));
  expect(held.map(({ way, due }) => [way, due])).toEqual([
    ["up", 1_000],
    ["down", 9_000],
  ]);
  const undo = wire.lay("down", { loss: 1 }, 3);
  wire.offer(Instant(1), "up", frameOf(200));
  wire.offer(Instant(1), "down", frameOf(120));
  expect(drops).toEqual([{ where: "alice/wlan0/down", cause: "loss", bytes: 120, fault: 3 }]);
  undo();
  wire.offer(Instant(2), "down", frameOf(120));
  expect(held).toHaveLength(4);
});

test("what stays inside the NAT takes a LAN hop of 0.25 ms, by the other end's address, and faults hold there too", () => {
  const { wire, held, drops } = bench({ delay: 50_000, loss: 1 }, ["203.0.113.0/24"]);
  wire.offer(Instant(0), "up", frameOf(200)); // to 203.0.113.9: near
  wire.offer(Instant(0), "down", frameOf(200)); // from 192.168.1.2: far
  expect(dues(held)).toEqual([250, 9_000]);
  wire.near(["192.168.1.0/24"]);
  wire.offer(Instant(10), "up", frameOf(200));
  wire.offer(Instant(10), "down", frameOf(200));
  expect(dues(held).slice(2)).toEqual([260]);
  wire.lay("both", { loss: 1 }, 5);
  wire.offer(Instant(20), "down", frameOf(200));
  expect(drops.map(({ where, fault }) => [where, fault])).toEqual([
    ["alice/wlan0/up", undefined],
    ["alice/wlan0/down", 5],
  ]);
});

test("what is not of the call passes at once and is never counted, unless the direction is blacked out", () => {
  const { wire, held, drops } = bench({ delay: 50_000, drop: [1] });
  wire.offer(Instant(5), "up", arp);
  expect(dues(held)).toEqual([5]);
  wire.offer(Instant(6), "up", frameOf(200));
  expect(drops).toHaveLength(1);
  const undo = wire.lay("up", { loss: 1 }, 0);
  wire.offer(Instant(7), "up", arp);
  wire.offer(Instant(7), "down", arp);
  undo();
  wire.offer(Instant(8), "up", arp);
  expect(dues(held)).toEqual([5, 7, 8]);
  expect(wire.counters().up).toMatchObject({ packets: 1, others: 3, lost: 1 });
  expect(drops).toHaveLength(1);
});

test("severing drops what comes and what is under way as link-down, until the last who severed lets go", () => {
  const { wire, held, drops } = bench({ delay: 1_000 });
  wire.offer(Instant(0), "up", frameOf(200));
  const [first, second] = [wire.sever(1), wire.sever(undefined)];
  wire.offer(Instant(1), "up", frameOf(100));
  wire.offer(Instant(1), "up", arp);
  expect(held).toHaveLength(1);
  expect(held.map((one) => wire.release(Instant(1_000), one))).toEqual([false]);
  first();
  wire.offer(Instant(2), "up", frameOf(100));
  second();
  wire.offer(Instant(3), "up", frameOf(100));
  expect(drops.map(({ cause, bytes, fault }) => [cause, bytes, fault])).toEqual([
    ["link-down", 100, 1],
    ["link-down", 200, 1],
    ["link-down", 100, undefined],
  ]);
  expect(held.slice(1).map((one) => wire.release(Instant(1_103), one))).toEqual([true]);
  expect(wire.counters().up).toMatchObject({ packets: 4, severed: 3, delivered: 1, meanDelay: 1_100 });
  expect(wire.counters().up.lateness).toEqual({ packets: 1, p50: 100, p99: 100, max: 100 });
});

test("an altered packet goes on its way with one bit of its payload flipped, and is told as a drop that it will be", () => {
  const { wire, held, drops } = bench({});
  wire.lay("up", { corrupt: 1 }, 2);
  const frame = frameOf(200, (octets) => octets.fill(0, octets.length - 172));
  for (let i = 0; i < 200; i++) wire.offer(Instant(i * 1_000), "up", frame);
  expect(held).toHaveLength(200);
  const flips = held.map((one) => [...one.frame].flatMap((octet, at) => (octet === frame[at] ? [] : [[at, octet]])));
  expect(flips.every((one) => one.length === 1)).toBe(true);
  expect(new Set(flips.map((one) => one[0]?.[1]))).toEqual(new Set([1, 2, 4, 8, 16, 32, 64, 128]));
  const places = flips.map((one) => one[0]?.[0] as number);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(frame.length - 172);
  expect(new Set(places).size).toBeGreaterThan(80);
  expect(drops).toHaveLength(200);
  expect(drops[0]).toEqual({ where: "alice/wlan0/up", cause: "corrupt", bytes: 200, fault: 2 });
  expect(wire.counters().up).toMatchObject({ packets: 200, altered: 200, lost: 0, severed: 0 });
});

test("a packet that is too large for the link is lost and told", () => {
  const { wire, held, drops } = bench({ mtu: 1_280 });
  wire.offer(Instant(0), "up", frameOf(1_280));
  wire.offer(Instant(0), "up", frameOf(1_281));
  expect(held).toHaveLength(1);
  expect(drops).toEqual([{ where: "alice/wlan0/up", cause: "mtu", bytes: 1_281 }]);
});
