import { describe, expect, test, vi } from "vitest";
import type { NatBehaviour, NatModel } from "../scenarios/expanded.ts";
import type { Topology } from "./topology.ts";
import { type Bench, type End, HOME, party, type Sock, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

const RELAY = party({ eth0: null }, "relay");

/** A client behind one NAT, and a server. */
type Pair = {
  readonly topology: Topology;
  readonly alice: End;
  readonly server: Sock;
  readonly other: Sock;
  readonly at: string;
  readonly otherAt: string;
};

async function pair(bench: Bench, model: NatModel): Promise<Pair> {
  const topology = await bench.build({ home: model }, { alice: party({ wlan0: "home" }), r1: RELAY });
  const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
  const [server, other] = [await relay.open(), await relay.open()];
  const host = topology.addressOf("r1");
  return { topology, alice, server, other, at: `${host}:${server.port}`, otherAt: `${host}:${other.port}` };
}

let texts = 0;
/** Where `server` sees `client`. */
async function seen(client: Sock, at: string, server: Sock): Promise<string> {
  const text = `seen ${texts++}`;
  await client.send(at, text);
  const source = await server.hear(text);
  if (source === undefined) throw new Error(`${text}: nothing arrived at ${at}`);
  return source;
}
/** Whether a packet to `to` reaches `client`; `known` is a way that is open, `[from, to]`. */
async function arrives(from: Sock, to: string, client: Sock, known: readonly [Sock, string]): Promise<boolean> {
  const text = `try ${texts++}`;
  await from.send(to, text);
  for (let fence = 0; fence < 2; fence++) {
    await known[0].send(known[1], `${text} fence ${fence}`);
    expect(await client.hear(`${text} fence ${fence}`)).toBeDefined();
  }
  return (await client.hear(text, 1)) !== undefined;
}

const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];

describe("the port policy", () => {
  test("preserve keeps the port, and gives a second host with the same port another one", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build(
        { home: HOME },
        { alice: party({ wlan0: "home" }), bob: party({ wlan0: "home" }), r1: RELAY },
      );
      const [alice, bob, relay] = await Promise.all(["alice", "bob", "r1"].map((name) => bench.end(topology, name)));
      const [one, other, server] = [
        await alice?.open("0.0.0.0", 4433),
        await bob?.open("0.0.0.0", 4433),
        await relay?.open(),
      ] as [Sock, Sock, Sock];
      const at = `${topology.addressOf("r1")}:${server.port}`;
      expect(await seen(one, at, server)).toBe("203.0.113.1:4433");
      const second = await seen(other, at, server);
      expect(second).toMatch(/^203\.0\.113\.1:/);
      expect(second).not.toBe("203.0.113.1:4433");
      await server.send(second, "to bob");
      await server.send("203.0.113.1:4433", "to alice");
      expect(await other.hear("to bob")).toBeDefined();
      expect(await one.hear("to alice")).toBeDefined();
    }));

  test("sequential counts from 50000, and goes on counting after a rebind", (context) =>
    withBench(context, async (bench) => {
      const { topology, alice, server, at } = await pair(bench, { ...HOME, ports: "sequential" });
      const ports: string[] = [];
      for (let n = 0; n < 3; n++) ports.push(await seen(await alice.open(), at, server));
      expect(ports).toEqual([50_000, 50_001, 50_002].map((port) => `203.0.113.1:${port}`));
      expect((await topology.rebind("home")).map((one) => one.external)).toEqual(
        [50_003, 50_004, 50_005].map((port) => `203.0.113.1:${port}`),
      );
      expect(await seen(await alice.open(), at, server)).toBe("203.0.113.1:50006");
    }));

  test("random gives the ports of the seed, and the same ones to nobody else", (context) =>
    withBench(context, async (bench) => {
      const drawn: (readonly string[])[] = [];
      for (let n = 0; n < 2; n++) {
        const { topology, alice, server, at } = await pair(bench, { ...HOME, ports: "random" });
        const ports: string[] = [];
        for (let socket = 0; socket < 20; socket++) ports.push(await seen(await alice.open(), at, server));
        expect(new Set(ports).size).toBe(20);
        drawn.push(ports);
        await topology.close();
      }
      expect(drawn[0]).toEqual(drawn[1]);
    }));

  test("blocks give each subscriber ports of its own, and nothing when they are used up or when there is no block left", (context) =>
    withBench(context, async (bench) => {
      const inner = { alice: party({ wlan0: "home" }), bob: party({ wlan0: "carrier" }), carol: party({ wlan0: "carrier" }) };
      const carrier: NatModel = { ...HOME, ports: "block", portBlock: { size: 9, blocks: 2 } };
      const topology = await bench.build({ carrier, home: { ...HOME, behind: "carrier" } }, { ...inner, r1: RELAY });
      const [alice, bob, carol, relay] = await Promise.all(
        ["alice", "bob", "carol", "r1"].map((name) => bench.end(topology, name)),
      );
      if (alice === undefined || bob === undefined || carol === undefined || relay === undefined) throw new Error("nobody");
      const server = await relay.open();
      const at = `${topology.addressOf("r1")}:${server.port}`;
      const range = (first: number): number[] => Array.from({ length: 9 }, (_, k) => first + k);
      const drawn = async (from: End): Promise<number[]> => {
        const ports: number[] = [];
        for (let n = 0; n < 9; n++) ports.push(Number((await seen(await from.open(), at, server)).split(":")[1]));
        return ports.sort((a, b) => a - b);
      };
      // the NAT behind it is the first subscriber
      expect(await drawn(bob)).toEqual(range(1_033));
      expect(await drawn(alice)).toEqual(range(1_024));
      const before = (await topology.counters("carrier")).exhausted;
      await (await bob.open()).send(at, "one too many");
      await (await carol.open()).send(at, "no block");
      expect(await server.hear("no block", 200)).toBeUndefined();
      expect((await topology.counters("carrier")).exhausted - before).toBe(2);
      // the first subscriber's block goes with it to another address
      await topology.renumber("home");
      await topology.expire("carrier");
      expect(await drawn(alice)).toEqual(range(1_024));
    }));

  test("a block is tried to its last port: the only one that is free again is found", (context) =>
    withBench(context, async (bench) => {
      const model: NatModel = { ...HOME, ports: "block", portBlock: { size: 9 }, lifetime: 2_000_000 };
      const { topology, alice, server, at } = await pair(bench, model);
      const sockets: Sock[] = [];
      const ports: string[] = [];
      for (let n = 0; n < 9; n++) {
        const socket = await alice.open();
        sockets.push(socket);
        ports.push(await seen(socket, at, server));
      }
      // the ninth falls silent; the others, with as many packets on their way as it takes, do not
      const kept = sockets.slice(0, 8).map((socket) => socket.stream(at, "alive", 100, 1_000));
      const isFree = async (): Promise<boolean> => (await topology.mappings("home")).length === 8;
      await vi.waitUntil(isFree, { timeout: 30_000, interval: 100 });
      expect(await seen(await alice.open(), at, server)).toBe(ports[8]);
      await Promise.all(sockets.slice(0, 8).map((socket) => socket.stop()));
      await Promise.all(kept);
    }));

  test("every mapping keeps its port while it lives, and no two share one", (context) =>
    withBench(context, async (bench) => {
      for (const mapping of BEHAVIOURS) {
        const { topology, alice, server, other, at, otherAt } = await pair(bench, { ...HOME, mapping });
        const client = await alice.open();
        const [first, second] = [await seen(client, at, server), await seen(client, otherAt, other)];
        expect(first === second).toBe(mapping !== "address-and-port-dependent");
        for (let again = 0; again < 5; again++)
          expect([await seen(client, at, server), await seen(client, otherAt, other)]).toEqual([first, second]);
        const remote = {
          "endpoint-independent": "",
          "address-dependent": topology.addressOf("r1"),
          "address-and-port-dependent": at,
        }[mapping];
        expect(await topology.mappings("home")).toContainEqual(
          expect.objectContaining({ internal: `192.168.1.2:${client.port}`, remote, external: first }),
        );
        await topology.close();
      }
    }));
});

describe("rebinding", () => {
  for (const ports of ["preserve", "random", "sequential", "block"] as const) {
    test(`with ${ports} ports moves every mapping, kills the old port and shuts the filter until the inside sends`, (context) =>
      withBench(context, async (bench) => {
        const { topology, alice, server, at } = await pair(bench, {
          ...HOME,
          ports,
          ...(ports === "block" ? { portBlock: { size: 16 } } : {}),
        });
        const client = await alice.open();
        const [free, witness] = [await alice.open(), await alice.open()];
        const before = await seen(client, at, server);
        await seen(free, at, server);
        const moved = await topology.rebind("home");
        expect(moved.map((one) => one.internal).sort()).toEqual([client, free].map(({ port }) => `192.168.1.2:${port}`).sort());
        const after = moved.find((one) => one.internal === `192.168.1.2:${client.port}`);
        expect(after?.external).not.toBe(before);
        expect(await topology.mappings("home")).toContainEqual(expect.objectContaining({ external: after?.external }));
        const known = [server, await seen(witness, at, server)] as const;
        for (const dead of [before, after?.external ?? ""]) {
          const text = `into ${dead}`;
          await server.send(dead, text);
          for (let fence = 0; fence < 2; fence++) {
            await known[0].send(known[1], `${text} ${fence}`);
            expect(await witness.hear(`${text} ${fence}`)).toBeDefined();
          }
          expect(await client.hear(text, 1)).toBeUndefined();
        }
        expect(await seen(client, at, server)).toBe(after?.external);
        await server.send(after?.external ?? "", "open again");
        expect(await client.hear("open again")).toBeDefined();
        expect((await topology.counters("home")).filtered).toBe(1);
        await topology.expire("home");
        expect(await seen(client, at, server)).not.toBe(before);
      }));
  }

  test("under traffic both ways: from one packet to the next the port is new and stays", (context) =>
    withBench(context, async (bench) => {
      const { topology, alice, server, at } = await pair(bench, HOME);
      const client = await alice.open();
      const retired = new Set<string>();
      let last = await seen(client, at, server);
      await server.sources();
      for (let trial = 0; trial < 25; trial++) {
        const streams = [client.stream(at, `up ${trial}`, 1, 60_000), server.stream(last, "down", 1, 60_000)];
        expect(await server.hear(`up ${trial}`)).toBe(last);
        await topology.rebind("home");
        await seen(client, at, server);
        await Promise.all([client.stop(), server.stop(), ...streams]);
        await seen(client, at, server);
        const sources = await server.sources();
        retired.add(last);
        expect(sources).toHaveLength(2);
        expect(sources[0]).toBe(last);
        expect(retired).not.toContain(sources[1]);
        last = sources[1] ?? "";
      }
    }));

  test("of one flow alone moves its mapping; those to others keep port and filter", (context) =>
    withBench(context, async (bench) => {
      for (const ports of ["random", "block"] as const) {
        const symmetric: NatModel = {
          ...HOME,
          mapping: "address-and-port-dependent",
          ports,
          ...(ports === "block" ? { portBlock: { size: 3 } } : {}),
        };
        const parties = { alice: party({ wlan0: "home" }), r1: RELAY, r2: RELAY };
        const topology = await bench.build({ home: symmetric }, parties);
        const [alice, first, second] = [
          await bench.end(topology, "alice"),
          await bench.end(topology, "r1"),
          await bench.end(topology, "r2"),
        ];
        const [client, one, other] = [await alice.open(), await first.open(), await second.open()];
        const [at, otherAt] = [`${topology.addressOf("r1")}:${one.port}`, `${topology.addressOf("r2")}:${other.port}`];
        const [before, stays] = [await seen(client, at, one), await seen(client, otherAt, other)];
        const moved = await topology.rebind("home", "r1");
        expect(moved.map(({ remote }) => remote)).toEqual([at]);
        // without a word from inside: the filter for the other flow is as it was
        await other.send(stays, `kept ${ports}`);
        expect(await client.hear(`kept ${ports}`)).toBe(otherAt);
        expect(await arrives(one, before, client, [other, stays])).toBe(false);
        expect(await arrives(one, moved[0]?.external ?? "", client, [other, stays])).toBe(false);
        expect(await seen(client, at, one)).toBe(moved[0]?.external);
        expect(moved[0]?.external).not.toBe(before);
        expect(await seen(client, otherAt, other)).toBe(stays);
        await topology.close();
      }
    }));

  test("renumbering moves the NAT to the next address, and the old one leads nowhere", (context) =>
    withBench(context, async (bench) => {
      const { topology, alice, server, at } = await pair(bench, { ...HOME, filtering: "endpoint-independent" });
      const client = await alice.open();
      expect(await seen(client, at, server)).toBe(`203.0.113.1:${client.port}`);
      expect(await topology.renumber("home")).toBe("203.0.113.2");
      expect(topology.near("alice", "wlan0")).toContain("203.0.113.2");
      expect(await topology.mappings("home")).toEqual([]);
      const now = await seen(client, at, server);
      expect(now).toBe(`203.0.113.2:${client.port}`);
      expect(await arrives(server, `203.0.113.1:${client.port}`, client, [server, now])).toBe(false);
    }));

  test("expiry forgets mappings and filters, and preserve gives the same port again", (context) =>
    withBench(context, async (bench) => {
      const { topology, alice, server, at } = await pair(bench, HOME);
      const [client, witness] = [await alice.open(), await alice.open()];
      const before = await seen(client, at, server);
      await topology.expire("home");
      expect(await topology.mappings("home")).toEqual([]);
      const known = [server, await seen(witness, at, server)] as const;
      await server.send(before, "too late");
      await server.send(known[1], "fence");
      expect(await witness.hear("fence")).toBeDefined();
      expect(await client.hear("too late", 1)).toBeUndefined();
      expect(await seen(client, at, server)).toBe(before);
      expect((await topology.counters("home")).unmapped).toBe(1);
    }));

  test("behind another NAT: each has its own mappings, and either can move", (context) =>
    withBench(context, async (bench) => {
      const carrier: NatModel = { ...HOME, filtering: "endpoint-independent", ports: "random" };
      const nats = { home: { ...HOME, behind: "carrier" }, carrier };
      const topology = await bench.build(nats, { alice: party({ wlan0: "home" }), bob: party({ cell0: "carrier" }), r1: RELAY });
      const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [client, server] = [await alice.open(), await relay.open()];
      const at = `${topology.addressOf("r1")}:${server.port}`;
      const first = await seen(client, at, server);
      expect(await topology.mappings("home")).toMatchObject([
        { internal: `192.168.1.2:${client.port}`, external: `100.64.2.2:${client.port}` },
      ]);
      expect(await topology.mappings("carrier")).toMatchObject([{ internal: `100.64.2.2:${client.port}`, external: first }]);
      const [inner] = await topology.rebind("home");
      const second = await seen(client, at, server);
      expect(second).not.toBe(first);
      expect(await topology.mappings("carrier")).toContainEqual(
        expect.objectContaining({ internal: inner?.external, external: second }),
      );
      await topology.rebind("carrier");
      expect([first, second]).not.toContain(await seen(client, at, server));
      expect(await topology.renumber("home")).toBe("100.64.2.3");
      await seen(client, at, server);
      expect(await topology.mappings("carrier")).toContainEqual(
        expect.objectContaining({ internal: `100.64.2.3:${client.port}` }),
      );
    }));
});

describe("lifetimes", () => {
  for (const inboundRefresh of [true, false]) {
    test(`packets from outside ${inboundRefresh ? "keep a mapping alive" : "do not keep a mapping alive"}`, (context) =>
      withBench(context, async (bench) => {
        const kinds = BEHAVIOURS.flatMap((mapping, m) =>
          BEHAVIOURS.map((filtering, f) => ({ name: `nat${m}${f}`, mapping, filtering })),
        );
        const nats = Object.fromEntries(
          kinds.map(({ name, ...behaviour }) => [name, { ...HOME, ...behaviour, inboundRefresh, lifetime: 2_000_000 }]),
        );
        const clients = Object.fromEntries(kinds.map(({ name }) => [`in-${name}`, party({ eth0: name })]));
        const topology = await bench.build(nats, { ...clients, r1: RELAY });
        const relay = await bench.end(topology, "r1");
        const alive = await Promise.all(
          kinds.map(async ({ name }) => {
            const [client, server] = [await (await bench.end(topology, `in-${name}`)).open(), await relay.open()];
            const at = `${topology.addressOf("r1")}:${server.port}`;
            const before = await seen(client, at, server);
            // far longer than the lifetime
            await server.stream(before, "keep", 20, 200);
            const { length } = await topology.mappings(name);
            if (inboundRefresh) expect(await seen(client, at, server)).toBe(before);
            return length === 1;
          }),
        );
        expect(alive).toEqual(kinds.map(() => inboundRefresh));
      }));
  }

  test("a mapping that nothing refreshes is gone after its lifetime, and not before", (context) =>
    withBench(context, async (bench) => {
      const { topology, alice, server, at } = await pair(bench, { ...HOME, lifetime: 3_000_000 });
      const client = await alice.open();
      const began = process.hrtime.bigint();
      await seen(client, at, server);
      let idle = 0;
      for (let mappings = await topology.mappings("home"); mappings.length > 0; mappings = await topology.mappings("home"))
        idle = mappings[0]?.idle ?? 0;
      const took = Number(process.hrtime.bigint() - began) / 1e6;
      expect(took).toBeGreaterThan(2_990);
      // the looks themselves take time on a loaded machine
      expect(took).toBeLessThan(30_000);
      expect(idle).toBeGreaterThan(0);
    }));
});
