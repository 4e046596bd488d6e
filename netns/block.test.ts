import { expect, test, vi } from "vitest";
import { type Refusal, watchRefusals } from "./refusals.ts";
import { HOME, party, type Sock, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

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
      const unblockQuic = await topology.block("home", "quic", 3);
      // Until the monitor listens nothing is told: packets of another size, until one is.
      while (told.length === 0) {
        await client.send(at, "quic");
        await cross("0 fence", client, at, server);
      }
      await client.send(at, "quic out");
      expect(await cross("1 out", client, at, server)).toBe(back);
      await server.send(back, "quic in!");
      expect(await cross("1 in", server, back, client)).toBe(at);
      expect(await client.hear("quic in!", 1)).toBeUndefined();
      expect(await server.hear("quic out", 1)).toBeUndefined();
      const unblockUdp = await topology.block("home", "udp", 4);
      await unblockQuic();
      await client.send(at, "2 out of no use");
      await vi.waitUntil(() => told.some(({ bytes }) => bytes === 28 + 15), { timeout: 30_000 });
      await unblockUdp();
      expect(await cross("3 in", server, back, client)).toBe(at);
      expect(await server.hear("2 out of no use", 1)).toBeUndefined();
      const ours = told
        .filter(({ bytes }) => bytes !== 28 + 4)
        .map(({ cause, fault, to, bytes }) => [cause, fault, to, bytes - 28]);
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
