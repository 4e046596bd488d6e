import fc from "fast-check";
import { expect, test } from "vitest";
import type { Address } from "../impl/base/address.ts";
import { randomness } from "../impl/base/random.ts";
import type { DropRecord, Saying } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import type { LinkModel, NatBehaviour, NatModel, PartyModel } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import type { Socket } from "./host.ts";
import { Kernel } from "./kernel.ts";
import { Network } from "./network.ts";

const PLAIN: LinkModel = { ...CLEAN, delay: 10_000 };
const NAT: NatModel = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "preserve",
  hairpin: "off",
  lifetime: 120_000_000,
  inboundRefresh: false,
  behind: null,
};
/** Interfaces by name, each behind the named NAT or none. */
const party = (interfaces: Record<string, string | null>, link: Partial<LinkModel> = {}): PartyModel => ({
  role: "client",
  interfaces: Object.fromEntries(
    Object.entries(interfaces).map(([name, nat]) => [name, { up: { ...PLAIN, ...link }, down: { ...PLAIN, ...link }, nat }]),
  ),
  driftPpm: 0,
});

type Got = { readonly at: number; readonly from: Address; readonly payload: unknown };

/** A network with one socket per party on port 4000, what each received, and every drop. */
function world(nats: Record<string, Partial<NatModel>>, parties: Record<string, PartyModel>, seed = 1) {
  const kernel = new Kernel();
  const drops: DropRecord[] = [];
  const network = new Network({
    kernel,
    randomness: randomness(seed),
    nats: Object.fromEntries(Object.entries(nats).map(([name, model]) => [name, { ...NAT, ...model }])),
    parties,
    say: (who: string, saying: Saying) => {
      expect(who).toBe("net");
      if (saying.ev === "drop") drops.push(saying);
    },
  });
  const got = new Map<string, Got[]>();
  const sockets = new Map<string, Socket>();
  for (const name of Object.keys(parties)) {
    const list: Got[] = [];
    got.set(name, list);
    sockets.set(
      name,
      network.socket(name, 4_000, (from, packet) => list.push({ at: kernel.now, from, payload: packet.payload })),
    );
  }
  const socket = (name: string) => sockets.get(name) as Socket;
  const send = (from: string, to: Address, payload: unknown = "x") => socket(from).send(to, { bytes: 100, payload });
  const inbox = (name: string) => got.get(name) as Got[];
  const last = (name: string) => inbox(name).at(-1) as Got;
  const run = (length: number) => kernel.run(Instant(kernel.now + length));
  /** Where `name` appears to `server`: what STUN would tell it. */
  const reflexive = (name: string, server: string): Address => {
    send(name, socket(server).local, "reflect");
    run(100_000);
    return last(server).from;
  };
  return { kernel, network, drops, socket, send, inbox, last, run, reflexive };
}

test("addresses follow the order of declaration", () => {
  const { network, socket, reflexive } = world(
    { home: {}, cgn: {}, flat: { behind: "cgn" } },
    {
      r1: party({ eth0: null }),
      alice: party({ wlan0: "home", wwan0: "cgn" }),
      bob: party({ eth0: "flat" }),
      r2: party({ eth0: null }),
    },
  );
  expect(["r1", "alice", "bob", "r2"].map((name) => network.addresses(name))).toEqual([
    ["198.51.100.1"],
    ["192.168.1.2", "192.168.2.2"],
    ["192.168.3.2"],
    ["198.51.100.2"],
  ]);
  expect(socket("alice").local).toBe("192.168.1.2:4000");
  expect(reflexive("alice", "r1")).toBe("203.0.113.1:4000");
  expect(reflexive("bob", "r1")).toBe("203.0.113.2:4000");
  expect(network.mappings("flat")).toMatchObject([{ internal: "192.168.3.2:4000", external: "100.64.2.2:4000" }]);
});

test("a packet takes the up link's delay and the down link's, arrives as the same object, and is counted at both ends", () => {
  const { network, socket, send, inbox, run } = world({}, { a: party({ e: null }), b: party({ e: null }, { delay: 5_000 }) });
  const payload = { hello: 1 };
  send("a", socket("b").local, payload);
  run(100_000);
  expect(inbox("b")).toEqual([{ at: 15_000, from: "198.51.100.1:4000", payload }]);
  expect(inbox("b")[0]?.payload).toBe(payload);
  expect(network.counters("a")).toEqual({ sentPackets: 1, sentBytes: 100, receivedPackets: 0, receivedBytes: 0 });
  expect(network.counters("b")).toEqual({ sentPackets: 0, sentBytes: 0, receivedPackets: 1, receivedBytes: 100 });
});

test("an address nobody has, a port nobody opened and a process that is gone are told apart", () => {
  const { network, socket, send, drops, run } = world({ home: {} }, { a: party({ e: "home" }), b: party({ e: null }) });
  send("a", "192.0.2.9:1");
  send("a", "[2001:db8::1]:1");
  send("a", "198.51.100.1:5");
  socket("b").close(8);
  send("a", "198.51.100.1:4000");
  run(100_000);
  const told = { ev: "drop", bytes: 100 };
  expect(drops).toEqual([
    { ...told, where: "a", cause: "no-route" },
    { ...told, where: "internet", cause: "no-route" },
    { ...told, where: "b", cause: "port-closed" },
    { ...told, where: "b", cause: "process-down", fault: 8 },
  ]);
  network.socket("b", 4_000, () => {});
  send("a", "198.51.100.1:4000");
  run(100_000);
  expect(drops).toHaveLength(4);
});

// The five classes and the outcome for each pair: textbook, and confirmed with a kernel's NAT.
const CLASSES: Record<string, readonly [NatBehaviour, NatBehaviour]> = {
  FC: ["endpoint-independent", "endpoint-independent"],
  RC: ["endpoint-independent", "address-dependent"],
  PRC: ["endpoint-independent", "address-and-port-dependent"],
  ADM: ["address-dependent", "address-and-port-dependent"],
  SYM: ["address-and-port-dependent", "address-and-port-dependent"],
};
const PUNCHES = `
       FC   RC   PRC  ADM  SYM
  FC   yes  yes  yes  yes  yes
  RC   yes  yes  yes  yes  yes
  PRC  yes  yes  yes  -    -
  ADM  yes  yes  -    -    -
  SYM  yes  yes  -    -    -`;

test("the hole punching matrix comes out exactly, whichever side and port policy, in every one of 20 trials", () => {
  const names = Object.keys(CLASSES);
  const punches = (a: string, b: string, ports: NatModel["ports"], seed: number): boolean => {
    const nat = ([mapping, filtering]: readonly [NatBehaviour, NatBehaviour]) => ({ mapping, filtering, ports });
    const { send, inbox, run, reflexive } = world(
      { na: nat(CLASSES[a] as never), nb: nat(CLASSES[b] as never) },
      { server: party({ e: null }), a: party({ e: "na" }), b: party({ e: "nb" }) },
      seed,
    );
    const targets = { a: reflexive("b", "server"), b: reflexive("a", "server") };
    for (let round = 0; round < 4; round++) {
      for (const side of ["a", "b"] as const) {
        for (const to of new Set([targets[side], ...inbox(side).map((one) => one.from)])) send(side, to, "punch");
      }
      run(50_000);
    }
    expect(inbox("a").length > 0).toBe(inbox("b").length > 0);
    return inbox("a").length > 0;
  };
  for (let seed = 0; seed < 20; seed++) {
    const ports = (["preserve", "random", "sequential"] as const)[seed % 3] ?? "random";
    const rows = names.map((a) =>
      `  ${a.padEnd(5)}${names.map((b) => (punches(a, b, ports, seed) ? "yes" : "-").padEnd(5)).join("")}`.trimEnd(),
    );
    expect(["", `       ${names.map((name) => name.padEnd(5)).join("")}`.trimEnd(), ...rows].join("\n")).toBe(PUNCHES);
  }
});

test("hosts behind one NAT reach each other's private address in 0.5 ms past their access links, and a blackout cuts that too", () => {
  const { network, socket, send, inbox, drops, run } = world(
    { home: {} },
    { a: party({ e: "home" }), b: party({ e: "home" }, { loss: 1 }) },
  );
  send("a", socket("b").local);
  run(1_000);
  expect(inbox("b")).toEqual([{ at: 500, from: "192.168.1.2:4000", payload: "x" }]);
  network.impair("b", "e", "down", { loss: 1 }, 3);
  send("a", socket("b").local);
  run(1_000);
  network.impair("a", "e", "up", { loss: 1 }, 4);
  send("a", socket("b").local);
  expect(drops).toEqual([
    { ev: "drop", where: "b/e/down", cause: "loss", bytes: 100, fault: 3 },
    { ev: "drop", where: "a/e/up", cause: "loss", bytes: 100, fault: 4 },
  ]);
});

test.each([
  ["off", undefined],
  ["internal-source", "192.168.1.2:4000"],
  ["external-source", "203.0.113.1:4000"],
] as const)("hairpin %s: a neighbour reached by its external address sees %s", (hairpin, seen) => {
  const { send, inbox, drops, run, reflexive } = world(
    { home: { hairpin, ports: "preserve" } },
    { server: party({ e: null }), a: party({ e: "home" }), b: party({ e: "home" }) },
  );
  reflexive("a", "server");
  const b = reflexive("b", "server");
  send("a", b);
  run(1_000);
  expect(inbox("b").map((one) => one.from)).toEqual(seen === undefined ? [] : [seen]);
  if (seen === undefined) expect(drops).toMatchObject([{ where: "nat home", cause: "no-route" }]);
});

test("behind two NATs: the server answers through both, and two homes of one carrier meet by its hairpin only", () => {
  for (const hairpin of ["off", "external-source"] as const) {
    const { socket, send, inbox, run, reflexive } = world(
      { cgn: { hairpin }, h1: { behind: "cgn" }, h2: { behind: "cgn" } },
      { server: party({ e: null }), a: party({ e: "h1" }), b: party({ e: "h2" }) },
    );
    const [a, b] = [reflexive("a", "server"), reflexive("b", "server")];
    expect(a).not.toBe(b);
    send("server", a, "answer");
    run(100_000);
    expect(inbox("a")).toMatchObject([{ from: socket("server").local, payload: "answer" }]);
    for (let round = 0; round < 3; round++) {
      send("a", b, "punch");
      send("b", a, "punch");
      run(50_000);
    }
    expect(inbox("b").some((one) => one.payload === "punch")).toBe(hairpin !== "off");
  }
});

test("what leaves a NAT's realm takes the access link again, also from a neighbour of that NAT", () => {
  const { kernel, network, send, inbox, drops, run, reflexive } = world(
    { cgn: {}, home: { behind: "cgn", filtering: "endpoint-independent" } },
    { server: party({ e: null }), phone: party({ e: "cgn" }), a: party({ e: "home" }) },
  );
  const a = reflexive("a", "server");
  const [mapping] = network.mappings("home");
  const start = kernel.now;
  send("phone", mapping?.external as Address); // 0.25 ms in the carrier's network, then the home's access link
  run(100_000);
  expect(inbox("a")).toMatchObject([{ at: start + 10_250 }]);
  network.renumber("home", 7);
  send("server", a);
  run(100_000);
  expect(drops).toEqual([{ ev: "drop", where: "nat cgn", cause: "no-route", bytes: 100, fault: 7 }]);
});

test("a duplicate made on the up link may be doubled again on the down link", () => {
  const { network, socket, send, inbox, run } = world(
    {},
    { a: party({ e: null }, { duplicate: 1 }), b: party({ e: null }, { duplicate: 1 }) },
  );
  send("a", socket("b").local);
  run(100_000);
  expect(inbox("b")).toHaveLength(4);
  expect(network.counters("b").receivedPackets).toBe(4);
});

test("when the preferred interface goes down, packets leave by the next one and both sides of the change are evidence", () => {
  const { network, socket, send, inbox, drops, run } = world(
    { home: {} },
    { a: party({ wlan0: "home", wwan0: null }), b: party({ e: null }) },
  );
  const changes: (readonly string[])[] = [];
  const ending = network.onAddressChange("a", () => changes.push(network.addresses("a")));
  send("a", socket("b").local);
  run(100_000);
  send("b", "203.0.113.1:4000"); // on its way while the interface goes down
  run(15_000);
  network.setInterface("a", "wlan0", false, 2);
  expect(socket("a").local).toBe("198.51.100.1:4000");
  run(100_000);
  send("a", socket("b").local);
  run(100_000);
  expect(inbox("b").map((one) => one.from)).toEqual(["203.0.113.1:4000", "198.51.100.1:4000"]);
  expect(drops).toEqual([{ ev: "drop", where: "a/wlan0/down", cause: "link-down", bytes: 100, fault: 2 }]);
  expect(network.touched(2)).toBe(1);
  network.setInterface("a", "wwan0", false, 3);
  send("a", socket("b").local);
  expect(drops.at(-1)).toMatchObject({ where: "a/wlan0/up", cause: "link-down", fault: 2 });
  expect(network.addresses("a")).toEqual([]);
  network.setInterface("a", "wlan0", false, 4);
  network.setInterface("a", "wlan0", true, 2);
  expect(network.addresses("a")).toEqual([]); // fault 4 still holds it
  network.setInterface("a", "wlan0", true, 4);
  ending();
  network.setInterface("a", "wwan0", true);
  expect(changes).toEqual([["198.51.100.1"], [], ["192.168.1.2"]]);
  expect(network.addresses("a")).toEqual(["192.168.1.2", "198.51.100.1"]);
});

test("a preferred interface carries while it is up, the latest wish first, and is the default that processes are told of", () => {
  const { network, socket, send, inbox, run } = world(
    { home: {} },
    { a: party({ wlan0: "home", cell0: null, eth0: null }), b: party({ e: null }) },
  );
  const way = (): string | undefined => network.hostNetwork("a", 4_000).interfaces.find((one) => one.isDefault)?.name;
  let changes = 0;
  network.onAddressChange("a", () => changes++);
  expect(way()).toBe("wlan0");
  const first = network.prefer("a", "cell0", 1);
  expect(way()).toBe("cell0");
  expect(network.addresses("a")).toHaveLength(3); // nothing went down
  send("a", socket("b").local);
  const second = network.prefer("a", "eth0", 2);
  send("a", socket("b").local);
  run(100_000);
  expect(inbox("b").map((one) => one.from)).toEqual(["198.51.100.1:4000", "198.51.100.2:4000"]);
  expect([network.touched(1), network.touched(2)]).toEqual([1, 1]);
  network.setInterface("a", "eth0", false, 3);
  expect(way()).toBe("cell0");
  network.setInterface("a", "eth0", true, 3);
  second();
  first();
  first();
  expect(way()).toBe("wlan0");
  expect(changes).toBe(6);
});

test("a paused process gets what waited, in order, when it runs again; beyond 256 packets the buffer drops", () => {
  const { network, socket, send, inbox, drops, run } = world({}, { a: party({ e: null }), b: party({ e: null }) });
  socket("b").hold(1);
  for (let i = 0; i < 300; i++) send("a", socket("b").local, i);
  run(100_000);
  expect([inbox("b"), network.counters("b").receivedPackets, network.touched(1)]).toEqual([[], 0, 256]);
  expect(drops).toHaveLength(44);
  expect(drops[0]).toEqual({ ev: "drop", where: "b", cause: "queue", bytes: 100, fault: 1 });
  socket("b").release();
  expect(inbox("b").map((one) => one.payload)).toEqual(Array.from({ length: 256 }, (_, i) => i));
  send("a", socket("b").local, "after");
  run(100_000);
  expect(inbox("b")).toHaveLength(257);
});

test("a process killed while paused takes what waited with it", () => {
  const { socket, send, inbox, drops, run } = world({}, { a: party({ e: null }), b: party({ e: null }) });
  const target = socket("b").local;
  socket("b").hold(1);
  send("a", target);
  run(100_000);
  socket("b").close(2);
  socket("b").release();
  socket("b").send(target, { bytes: 1, payload: 0 });
  send("a", target);
  run(100_000);
  expect(inbox("b")).toEqual([]);
  expect(drops.map(({ cause, fault }) => [cause, fault])).toEqual([
    ["process-down", 2],
    ["process-down", 2],
  ]);
});

test("after a rebind, packets to the old port and packets a peer's filter no longer knows are blamed on it", () => {
  const { network, send, inbox, drops, run, reflexive } = world(
    { na: {}, nb: {} },
    { server: party({ e: null }), a: party({ e: "na" }), b: party({ e: "nb" }) },
  );
  const [a, b] = [reflexive("a", "server"), reflexive("b", "server")];
  for (let round = 0; round < 2; round++) {
    send("a", b);
    send("b", a);
    run(100_000);
  }
  const before = { drops: drops.length, b: inbox("b").length };
  const [moved] = network.rebind("na", 5);
  send("b", a);
  send("a", b);
  run(100_000);
  expect(drops.slice(before.drops)).toEqual([
    { ev: "drop", where: "nat na", cause: "nat-no-mapping", bytes: 100, fault: 5 },
    { ev: "drop", where: "nat nb", cause: "nat-filtering", bytes: 100, fault: 5 },
  ]);
  expect(reflexive("a", "server")).toBe(moved?.external);
  send("b", moved?.external as Address);
  run(100_000);
  send("a", b);
  run(100_000);
  expect(inbox("b").at(-1)?.from).toBe(moved?.external);
  expect(network.touched(5)).toBe(3);
});

test("after a renumbering the old address leads nowhere, also for packets under way, and the fault is named", () => {
  const { network, send, drops, run, reflexive } = world({ home: {} }, { server: party({ e: null }), a: party({ e: "home" }) });
  const old = reflexive("a", "server");
  send("server", old);
  expect(network.renumber("home", 4)).toBe("203.0.113.2");
  run(100_000);
  expect(drops).toEqual([{ ev: "drop", where: "internet", cause: "no-route", bytes: 100, fault: 4 }]);
  expect(reflexive("a", "server")).toBe("203.0.113.2:4000");
  network.expire("home", 5);
  send("server", "203.0.113.2:4000");
  run(100_000);
  expect(drops.at(-1)).toMatchObject({ where: "nat home", cause: "nat-no-mapping", fault: 5 });
});

test("impairments act in their direction only, name their fault, and end when they are taken off", () => {
  const { network, socket, send, inbox, drops, run } = world({}, { a: party({ e: null }), b: party({ e: null }) });
  const healed = network.impair("a", "e", "up", { loss: 1 }, 0);
  const slow = network.impair("b", "e", "both", { delay: 90_000 }, 1);
  send("a", socket("b").local);
  send("b", socket("a").local);
  run(200_000);
  expect(inbox("a")).toMatchObject([{ at: 100_000 }]);
  expect(drops).toEqual([{ ev: "drop", where: "a/e/up", cause: "loss", bytes: 100, fault: 0 }]);
  expect([network.touched(0), network.touched(1)]).toEqual([0, 1]);
  healed();
  slow();
  send("a", socket("b").local);
  run(200_000);
  expect(inbox("b")).toMatchObject([{ at: 220_000 }]);
});

type Step = { readonly kind: number; readonly who: number; readonly wait: number };

/** A run in which everything happens to three parties; returns every drop and arrival as one text, and whether the packets add up. */
function storm(steps: readonly Step[], seed: number): { log: string; missing: number } {
  const lossy = { loss: 0.1, jitter: 8_000, order: "free", rate: { bps: 200_000, queueBytes: 500 } } as const;
  const { network, socket, send, inbox, drops, run } = world(
    { na: {}, nb: { mapping: "address-and-port-dependent", ports: "random", behind: "na" } },
    { a: party({ x: "na", y: null }, lossy), b: party({ x: "nb" }, lossy), c: party({ x: null }) },
    seed,
  );
  const names = ["a", "b", "c"];
  const undo: (() => void)[] = [];
  steps.forEach(({ kind, who, wait }, fault) => {
    const name = names[who] as string;
    const seen = names.flatMap((other) => [socket(other).local, ...inbox(other).map((one) => one.from)]);
    for (const to of new Set(seen)) send(name, to, fault);
    if (kind === 0) network.rebind(who === 0 ? "na" : "nb", fault);
    else if (kind === 1) network.renumber(who === 0 ? "na" : "nb", fault);
    else if (kind === 2) network.expire("na", fault);
    else if (kind === 3) network.setInterface("a", "x", who > 0, who > 0 ? undefined : fault);
    else if (kind === 4)
      undo.push(network.impair(name, "x", "both", { delay: 50_000, burst: { p: 0.5, r: 0.5, lossGood: 0, lossBad: 1 } }, fault));
    else if (kind === 5) undo.shift()?.();
    else if (kind === 6) socket(name).hold(fault);
    else socket(name).release();
    run(wait);
  });
  for (const name of names) socket(name).release();
  run(60_000_000);
  for (const name of names) socket(name).release();
  const sent = names.reduce((sum, name) => sum + network.counters(name).sentPackets, 0);
  const received = names.reduce((sum, name) => sum + network.counters(name).receivedPackets, 0);
  return { log: JSON.stringify([drops, names.map(inbox)]), missing: sent - received - drops.length };
}

const steps = fc.array(fc.record({ kind: fc.nat(7), who: fc.nat(2), wait: fc.nat(40_000) }), { maxLength: 25 });

test("whatever happens, every packet sent is either received or told as dropped", () => {
  fc.assert(
    fc.property(steps, fc.nat(1_000), (plan, seed) => {
      expect(storm(plan, seed).missing).toBe(0);
    }),
    { seed: 4, numRuns: 150 },
  );
});

test("the same seed and steps give the same run to the last field", () => {
  fc.assert(
    fc.property(steps, fc.nat(1_000), (plan, seed) => {
      expect(storm(plan, seed).log).toBe(storm(plan, seed).log);
    }),
    { seed: 5, numRuns: 50 },
  );
});

test("misuse is refused by name", () => {
  const { network, socket } = world({}, { a: party({ e: null }) });
  expect(() => network.socket("nobody", 1, () => {})).toThrow(/nobody/);
  expect(() => network.socket("a", 0, () => {})).toThrow(RangeError);
  expect(() => network.socket("a", 4_000, () => {})).toThrow(/already open/);
  expect(() => socket("a").send("nowhere", { bytes: 1, payload: 0 })).toThrow(TypeError);
  expect(() => network.setInterface("a", "f", false)).toThrow(/f$/);
  expect(() => network.rebind("home")).toThrow(/home/);
  expect(() => world({}, { a: party({ e: "home" }) })).toThrow(/no NAT named home/);
  expect(() => world({ x: { behind: "y" }, y: { behind: "x" } }, {})).toThrow(/behind itself/);
  expect(() => world({}, { a: party({}) })).toThrow(/needs an interface/);
});
