import { execFileSync } from "node:child_process";
import { expect, test, vi } from "vitest";
import type { AddressFamily } from "../impl/base/address.ts";
import { type Refusal, watchRefusals } from "./refusals.ts";
import { HOME, party, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

/** Families of which the device has an address that others can reach. */
function families(namespace: string, device: string): readonly AddressFamily[] {
  const said = execFileSync("ip", ["-n", namespace, "-j", "addr", "show", "dev", device, "scope", "global"], {
    encoding: "utf8",
  });
  const addresses = (JSON.parse(said) as { addr_info?: { family?: string }[] }[]).flatMap((one) => one.addr_info ?? []);
  return (["v4", "v6"] as const).filter((one) => addresses.some(({ family }) => family === (one === "v4" ? "inet" : "inet6")));
}

test("of faults that change an interface's families the latest that is not healed is in force, whichever heals first", (context) =>
  withBench(context, async (bench) => {
    const parties = { alice: party({ wlan0: "home" }), r1: party({ eth0: null }, "relay") };
    const topology = await bench.build({ home: HOME }, parties, { willHaveV6: true });
    const namespace = topology.namespaceOf("alice");
    const now = (): readonly AddressFamily[] => families(namespace, topology.deviceOf("alice", "wlan0"));
    expect(now()).toEqual(["v4"]);
    // The one beneath heals first.
    const [both, six] = [
      await topology.setFamilies("alice", "wlan0", ["v4", "v6"], 0),
      await topology.setFamilies("alice", "wlan0", ["v6"], 1),
    ];
    expect(now()).toEqual(["v6"]);
    await both.undo();
    expect(now()).toEqual(["v6"]);
    await six.undo();
    expect(now()).toEqual(["v4"]);
    // The one on top heals first.
    const [lone, again] = [
      await topology.setFamilies("alice", "wlan0", ["v6"], 2),
      await topology.setFamilies("alice", "wlan0", ["v4", "v6"], 3),
    ];
    expect(now()).toEqual(["v4", "v6"]);
    await again.undo();
    expect(now()).toEqual(["v6"]);
    await lone.undo();
    expect(now()).toEqual(["v4"]);
  }));

test("what comes for an address that is gone is lost to the fault in force, and to none when another has given it back", (context) =>
  withBench(context, async (bench) => {
    const parties = { alice: party({ wlan0: null }), r1: party({ eth0: null }, "relay") };
    const topology = await bench.build({}, parties, { willHaveV6: true });
    const [alice, relay] = [await bench.end(topology, "alice"), await bench.end(topology, "r1")];
    const [client, server] = [await alice.open(), await relay.open()];
    const to = `${topology.addressOf("alice")}:${client.port}`;
    const told: Refusal[] = [];
    const watch = watchRefusals(topology.namespaceOf("alice"), (refusal) => told.push(refusal));
    try {
      await watch.up;
      const first = await topology.setFamilies("alice", "wlan0", ["v6"], 5);
      await server.send(to, "lost");
      await vi.waitUntil(() => told.length === 1, { timeout: 30_000 });
      const second = await topology.setFamilies("alice", "wlan0", ["v4", "v6"], 6);
      await server.send(to, "heard");
      expect(await client.hear("heard")).toBeDefined();
      await second.undo();
      await server.send(to, "lost once more");
      await vi.waitUntil(() => told.length === 2, { timeout: 30_000 });
      await first.undo();
      await server.send(to, "heard again");
      expect(await client.hear("heard again")).toBeDefined();
      expect(told.map(({ cause, fault, bytes }) => [cause, fault, bytes - 28])).toEqual([
        ["no-route", 5, 4],
        ["no-route", 5, 14],
      ]);
    } finally {
      await watch.close();
    }
  }));
