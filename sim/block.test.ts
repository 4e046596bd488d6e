import { expect, test } from "vitest";
import { randomness } from "../impl/base/random.ts";
import type { DropRecord } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import type { NatModel, PartyModel } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import { NAT_PRESETS } from "../scenarios/nats.ts";
import { Kernel } from "./kernel.ts";
import { Network } from "./network.ts";

const party = (nat: string | null): PartyModel => ({
  role: "client",
  interfaces: { x: { up: { ...CLEAN, delay: 10_000 }, down: { ...CLEAN, delay: 10_000 }, nat } },
  driftPpm: 0,
});

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

  const unblockQuic = network.block("home", "quic", 3);
  both("quic");
  const told = { ev: "drop", where: "nat home", cause: "blocked", bytes: 100 };
  expect(drops.splice(0)).toEqual([
    { ...told, fault: 3 },
    { ...told, fault: 3 },
  ]);
  both(stun);
  expect([drops, got]).toEqual([[], { a: 1, b: 2, c: 2 }]);

  const unblockUdp = network.block("home", "udp", 4);
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
