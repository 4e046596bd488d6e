import { expect, test, vi } from "vitest";
import { address } from "../impl/base/address.ts";
import type { PartyModel } from "../scenarios/expanded.ts";
import type { Middlebox } from "../scenarios/middlebox.ts";
import { type Refusal, watchRefusals } from "./refusals.ts";
import { HOME, party, plug, type Sock, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

const UDP: Middlebox = { what: "udp", answer: undefined, lives: undefined, other: undefined };
const QUIC: Middlebox = { ...UDP, what: "quic" };

/** First letters decide: `q` has QUIC's fixed bit, digits have it not, as STUN. */
test("a NAT lets no QUIC across, or no UDP, both ways; each packet is told as its fault's; mappings outlast it", (context) =>
  withBench(context, async (bench) => {
    const topology = await bench.build({ home: HOME }, { alice: party({ wlan0: "home" }), r1: party({ eth0: null }, "relay") });
    const [alice, relay] = [await bench.end(topology, "alice"), await bench.end(topology, "r1")];
    const [client, server] = [await alice.open(), await relay.open()];
    const at = `${topology.addressOf("r1")}:${server.port}`;
    const cross = async (text: string, from: Sock, to: string, by: Sock): Promise<string | undefined> => {
      await from.send(to, text);
      return by.hear(text);
    };
    const back = (await cross("0 opens", client, at, server)) ?? "";
    expect(back).not.toBe("");
    const told: Refusal[] = [];
    const namespace = topology.boxes.get("home")?.plan.namespace ?? "";
    const watch = watchRefusals(namespace, (refusal) => told.push(refusal));
    try {
      const unblockQuic = await topology.block("home", QUIC, 3);
      await watch.up;
      await client.send(at, "quic out");
      expect(await cross("1 out", client, at, server)).toBe(back);
      await server.send(back, "quic in!");
      expect(await cross("1 in", server, back, client)).toBe(at);
      expect(await client.hear("quic in!", 1)).toBeUndefined();
      expect(await server.hear("quic out", 1)).toBeUndefined();
      const unblockUdp = await topology.block("home", UDP, 4);
      await unblockQuic();
      await client.send(at, "2 out of no use");
      await vi.waitUntil(() => told.some(({ bytes }) => bytes === 28 + 15), { timeout: 30_000 });
      await unblockUdp();
      expect(await cross("3 in", server, back, client)).toBe(at);
      expect(await server.hear("2 out of no use", 1)).toBeUndefined();
      const ours = told.map(({ cause, fault, to, bytes }) => [cause, fault, to, bytes - 28]);
      const inside = `${topology.addressOf("alice")}:${client.port}`;
      expect(ours).toEqual([
        ["blocked", 3, at, 8],
        ["blocked", 3, inside, 8],
        ["blocked", 4, at, 15],
      ]);
    } finally {
      await watch.close();
    }
  }));

test.for([
  ["v4", "EHOSTUNREACH"],
  ["v6", "EACCES"],
] as const)(
  "a middlebox that answers tells a connected socket inside, and one that does not tells it nothing: %s",
  ([family, prohibited], context) =>
    withBench(context, async (bench) => {
      const alone = (nat: string | null): PartyModel["interfaces"][string] => ({ ...plug(nat), families: [family] });
      const topology = await bench.build(
        { home: HOME },
        {
          alice: { ...party({}), interfaces: { wlan0: alone("home") } },
          r1: { ...party({}, "relay"), interfaces: { eth0: alone(null) } },
        },
      );
      const alice = await bench.end(topology, "alice");
      const at = address(topology.hostsOf("r1")[0] ?? "", 4_000);
      const silent = await topology.block("home", UDP, 3);
      expect(await alice.refused(at, 200)).toBeUndefined();
      await silent();
      for (const [answer, code] of [
        ["admin-prohibited", prohibited],
        ["port-unreachable", "ECONNREFUSED"],
      ] as const) {
        const lift = await topology.block("home", { ...UDP, answer }, 4);
        expect(await alice.refused(at)).toBe(code);
        await lift();
      }
    }),
);

test("a box that lets flows live kills each when it is so old, both ways, and leaves those with others alone", (context) =>
  withBench(context, async (bench) => {
    const parties = { alice: party({ wlan0: "home" }), bob: party({ eth0: "other" }), r1: party({ eth0: null }, "relay") };
    const topology = await bench.build({ home: HOME, other: { ...HOME, filtering: "endpoint-independent" } }, parties);
    const [alice, bob, relay] = [
      await bench.end(topology, "alice"),
      await bench.end(topology, "bob"),
      await bench.end(topology, "r1"),
    ];
    const [client, peer, server] = [await alice.open(), await bob.open(), await relay.open()];
    const at = `${topology.addressOf("r1")}:${server.port}`;
    let n = 0;
    const cross = async (from: Sock, to: string, by: Sock, within?: number): Promise<string | undefined> => {
      const text = `crosses ${n++}`;
      await from.send(to, text);
      return by.hear(text, within);
    };
    const peerAt = (await cross(peer, at, server)) ?? "";
    const lift = await topology.block("home", { ...UDP, lives: 1_500_000, other: "bob" }, 5);
    const back = (await cross(client, peerAt, peer)) ?? "";
    expect(await cross(peer, back, client)).toBe(peerAt);
    const began = performance.now();
    while ((await cross(client, peerAt, peer, 300)) !== undefined) expect(performance.now() - began).toBeLessThan(60_000);
    // what comes in belongs to the same flow, traffic does not bring it back, and other flows are none of its business
    expect(await cross(peer, back, client, 100)).toBeUndefined();
    expect(await cross(client, peerAt, peer, 100)).toBeUndefined();
    expect(await cross(client, at, server)).toBe(back);
    expect(await cross(await alice.open(), peerAt, peer)).toBeDefined();
    await lift();
    expect(await cross(peer, back, client)).toBe(peerAt);
  }));

test("a partition cuts off a party behind a NAT, in one direction if so, also at another address, and opens what it opened", (context) =>
  withBench(context, async (bench) => {
    const parties = { alice: party({ wlan0: "home" }), r1: party({ eth0: null }, "relay"), r2: party({ eth0: null }, "relay") };
    const topology = await bench.build({ home: HOME }, parties);
    const [alice, one, two] = [
      await bench.end(topology, "alice"),
      await bench.end(topology, "r1"),
      await bench.end(topology, "r2"),
    ];
    const [client, server, other] = [await alice.open(), await one.open(), await two.open()];
    const [at, otherAt] = [`${topology.addressOf("r1")}:${server.port}`, `${topology.addressOf("r2")}:${other.port}`];
    let n = 0;
    /** Sent before a packet that arrives, and not there when that is. */
    const isCut = async (from: Sock, to: string, by: Sock, fence: readonly [Sock, string, Sock]): Promise<boolean> => {
      const text = `cut? ${n++}`;
      await from.send(to, text);
      await fence[0].send(fence[1], `fence ${text}`);
      expect(await fence[2].hear(`fence ${text}`)).toBeDefined();
      return (await by.hear(text, 50)) === undefined;
    };
    const open = async (): Promise<string> => {
      await client.send(otherAt, `open ${n}`);
      return (await other.hear(`open ${n++}`)) ?? "";
    };
    let back = await open();
    const heal = await topology.partition("alice", "r1", "up", 6);
    expect(await isCut(client, at, server, [client, otherAt, other])).toBe(true);
    // one way: the filter is open for the answer to what was cut
    expect(await isCut(server, back, client, [other, back, client])).toBe(false);
    await topology.renumber("home");
    back = await open();
    expect(await isCut(client, at, server, [client, otherAt, other])).toBe(true);
    await heal();
    expect(await isCut(client, at, server, [client, otherAt, other])).toBe(false);
    const healBoth = await topology.partition("r1", "alice", "both", 7);
    expect(await isCut(client, at, server, [client, otherAt, other])).toBe(true);
    expect(await isCut(server, back, client, [other, back, client])).toBe(true);
    await healBoth();
    expect(await isCut(server, back, client, [other, back, client])).toBe(false);
  }));
