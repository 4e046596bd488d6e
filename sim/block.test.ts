import { expect, test } from "vitest";
import type { AddressFamily } from "../impl/base/address.ts";
import { randomness } from "../impl/base/random.ts";
import type { DropRecord } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import type { NatModel, PartyModel } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import type { Middlebox } from "../scenarios/middlebox.ts";
import { NAT_PRESETS } from "../scenarios/nats.ts";
import { Kernel } from "./kernel.ts";
import { type Crossing, Network } from "./network.ts";

const party = (nat: string | null, families: readonly AddressFamily[] = ["v4"]): PartyModel => ({
  role: "client",
  interfaces: { x: { up: { ...CLEAN, delay: 10_000 }, down: { ...CLEAN, delay: 10_000 }, nat, families } },
  driftPpm: 0,
});

const UDP: Middlebox = { what: "udp", answer: undefined, lives: undefined, other: undefined };
const QUIC: Middlebox = { ...UDP, what: "quic" };
const HOME = NAT_PRESETS.get("home")?.model as NatModel;

test("a NAT lets no UDP across, or no QUIC alone, both ways and not within its inside; its mappings outlast that", () => {
  const kernel = new Kernel();
  const drops: DropRecord[] = [];
  const network = new Network({
    kernel,
    randomness: randomness(1),
    nats: { home: HOME },
    parties: { a: party("home"), b: party(null), c: party("home") },
    say: (_, saying) => {
      if (saying.ev === "drop") drops.push(saying);
    },
  });
  const got = { a: 0, b: 0, c: 0 };
  let back = "";
  const open = (name: "a" | "b" | "c") =>
    network.socket(name, 4_000, (from) => {
      got[name]++;
      if (name === "b") back = from;
    });
  const [a, b, c] = [open("a"), open("b"), open("c")];
  const run = (): void => kernel.run(Instant(kernel.now + 1_000_000));
  const both = (payload: unknown): void => {
    a.send(b.local, { bytes: 100, payload });
    b.send(back, { bytes: 100, payload });
    a.send(c.local, { bytes: 100, payload });
    run();
  };
  const stun = new Uint8Array([0, 1]);
  a.send(b.local, { bytes: 100, payload: "quic" });
  run();
  const mapped = back;

  const unblockQuic = network.block("home", QUIC, 3);
  both("quic");
  const told = { ev: "drop", where: "nat home", cause: "blocked", bytes: 100 };
  expect(drops.splice(0)).toEqual([
    { ...told, fault: 3 },
    { ...told, fault: 3 },
  ]);
  both(stun);
  expect([drops, got]).toEqual([[], { a: 1, b: 2, c: 2 }]);

  const unblockUdp = network.block("home", UDP, 4);
  unblockQuic();
  both(stun);
  expect(drops.splice(0)).toEqual([
    { ...told, fault: 4 },
    { ...told, fault: 4 },
  ]);
  unblockUdp();
  both("quic");
  expect([drops, got, back]).toEqual([[], { a: 2, b: 3, c: 4 }, mapped]);
});

test("a box that lets flows live kills each when it is so old, and leaves those with others alone", () => {
  const kernel = new Kernel();
  const drops: DropRecord[] = [];
  const network = new Network({
    kernel,
    randomness: randomness(1),
    nats: { home: HOME, other: { ...HOME, filtering: "endpoint-independent" } },
    parties: { a: party("home"), b: party("other"), r: party(null) },
    say: (_, saying) => {
      if (saying.ev === "drop") drops.push(saying);
    },
  });
  const from = { a: "", b: "", r: "" };
  const open = (name: "a" | "b" | "r", port = 4_000) => network.socket(name, port, (source) => (from[name] = source));
  const [a, b, r] = [open("a"), open("b"), open("r")];
  const run = (ms: number): void => kernel.run(Instant(kernel.now + ms * 1_000));
  b.send(r.local, { bytes: 100, payload: "" });
  run(100);
  const peer = from.r;
  const lift = network.block("home", { ...UDP, lives: 1_000_000, other: "b" }, 5);
  const packet = { bytes: 100, payload: "" };
  a.send(peer, packet);
  run(900);
  b.send(from.b, packet);
  run(50);
  expect([drops, from.a]).toEqual([[], peer]);
  run(100);
  b.send(from.b, packet);
  a.send(peer, packet);
  a.send(r.local, packet);
  run(100);
  expect(drops.splice(0)).toMatchObject([
    { where: "nat home", cause: "blocked", fault: 5 },
    { where: "nat home", cause: "blocked", fault: 5 },
  ]);
  expect(from.r).toBe(from.b); // the flow to the relay passes, by the same mapping
  open("a", 4_001).send(peer, packet);
  lift();
  b.send(from.b, packet);
  run(100);
  expect(drops).toEqual([]);
});

test.for([
  ["v4", "198.51.100.1:5000", "192.168.1.1:0", 56],
  ["v6", "[2001:db8::1]:5000", "[2001:db8:1::1]:0", 148],
] as const)(
  "a box that answers sends an ICMP error, which the capture of the sender inside shows and no process hears: %s",
  ([family, to, router, bytes]) => {
    const kernel = new Kernel();
    const crossed: Crossing[] = [];
    const network = new Network({
      kernel,
      randomness: randomness(1),
      nats: { home: HOME },
      parties: { a: party("home", [family]), b: party(null, [family]) },
      say: () => undefined,
      crossed: (one) => crossed.push(one),
    });
    const a = network.socket("a", 4_000, () => expect.unreachable());
    network.block("home", { ...UDP, answer: "admin-prohibited" }, 3);
    a.send(to, { bytes: 100, payload: new Uint8Array([0, 1]) });
    kernel.run(Instant(1_000_000));
    const [sent, error] = crossed;
    expect(crossed).toHaveLength(2);
    expect(error).toMatchObject({ interface: "a/x", way: "down", at: 20_000, from: router, to: sent?.from });
    expect(error?.packet).toMatchObject({ bytes, payload: { proto: "icmp", answer: "admin-prohibited" } });
  },
);
