import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { run } from "./command.ts";
import { CLAIMS, namespaces } from "./leftovers.ts";
import { NetnsError } from "./netns-error.ts";
import { buildTopology } from "./topology.ts";
import { HOME, newRun, party, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

/** Everything on this machine that carries the name of a run. */
async function tracesOf(name: string): Promise<readonly string[]> {
  const claims = await readdir(CLAIMS).catch(() => []);
  return [...(await namespaces()), ...claims].filter((one) => one.includes(name));
}

const HOMES = { home: HOME, office: HOME };
const PEOPLE = { alice: party({ wlan0: "home" }), bob: party({ wlan0: "office" }), r1: party({ eth0: null }, "relay") };

describe("a topology", () => {
  test("gives the addresses of sim, and everybody behind a NAT reaches everybody in public", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build(HOMES, PEOPLE);
      expect(["alice", "bob", "r1"].map((name) => topology.addressOf(name))).toEqual([
        "192.168.1.2",
        "192.168.2.2",
        "198.51.100.1",
      ]);
      const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [client, server] = [await alice.open(), await relay.open()];
      await client.send(`198.51.100.1:${server.port}`, "hello");
      const source = await server.hear("hello");
      expect(source).toBe(`203.0.113.1:${client.port}`);
      await server.send(source ?? "", "welcome");
      expect(await client.hear("welcome")).toBe(`198.51.100.1:${server.port}`);
    }));

  test("passes nothing until its wires are joined", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build(HOMES, PEOPLE);
      const { wires } = topology;
      expect(wires.map(({ party: owner, interface: name }) => `${owner}/${name}`)).toEqual([
        "alice/wlan0",
        "bob/wlan0",
        "r1/eth0",
      ]);
      const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [client, server] = [await alice.open(), await relay.open()];
      await run("ip", ["-n", wires[0]?.namespace ?? "", "link", "set", wires[0]?.inner ?? "", "nomaster"]);
      await client.send(`198.51.100.1:${server.port}`, "lost");
      await run("ip", ["-n", wires[0]?.namespace ?? "", "link", "set", wires[0]?.inner ?? "", "master", "b0"]);
      await client.send(`198.51.100.1:${server.port}`, "found");
      expect(await server.hear("found")).toBeDefined();
      expect(await server.hear("lost", 1)).toBeUndefined();
    }));

  test("a pulled cable moves traffic to the next interface, and back when it is plugged in", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build(
        { home: HOME },
        { ...PEOPLE, alice: party({ wlan0: "home", cell0: null }), bob: party({ eth0: null }) },
      );
      const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [client, server] = [await alice.open(), await relay.open()];
      const ask = async (text: string): Promise<string | undefined> => {
        const said = await client.send(`${topology.addressOf("r1")}:${server.port}`, text);
        return said === "" ? server.hear(text) : said;
      };
      expect(await ask("wlan")).toBe(`203.0.113.1:${client.port}`);
      await topology.setInterface("alice", "wlan0", false);
      expect(topology.addressOf("alice")).toBe("198.51.100.1");
      expect(await ask("cell")).toBe(`198.51.100.1:${client.port}`);
      await topology.setInterface("alice", "cell0", false);
      expect(await ask("none")).toBe("ENETUNREACH");
      await topology.setInterface("alice", "cell0", true);
      await topology.setInterface("alice", "wlan0", true);
      expect(await ask("back")).toBe(`203.0.113.1:${client.port}`);
      expect(topology.addressOf("alice")).toBe("192.168.1.2");
    }));

  test("a socket bound to the address of a pulled interface reaches nobody, though the other interface's NAT would translate it", (context) =>
    withBench(context, async (bench) => {
      const alice = party({ wlan0: "home", cell0: "office" });
      const topology = await bench.build(HOMES, { ...PEOPLE, alice });
      const [end, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [bound, free, server] = [await end.open("192.168.1.2"), await end.open(), await relay.open()];
      const to = `${topology.addressOf("r1")}:${server.port}`;
      await topology.setInterface("alice", "wlan0", false);
      expect(await bound.send(to, "dead")).toBe("");
      await free.send(to, "alive");
      expect(await server.hear("alive")).toBeDefined();
      expect(await server.hear("dead", 1)).toBeUndefined();
    }));

  test("a closed port is silence: no error comes back to who wrote", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build({}, { ...PEOPLE_IN_PUBLIC });
      const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
      const [client, server] = [await alice.open(), await relay.open()];
      const host = topology.addressOf("r1");
      await client.send(`${host}:9`, "nobody");
      await client.send(`${host}:${server.port}`, "somebody");
      expect(await server.hear("somebody")).toBeDefined();
      const count = async (party: string, name: string): Promise<number> => {
        const counted = await run("ip", ["netns", "exec", topology.namespaceOf(party), "cat", "/proc/net/snmp"]);
        const [names, values] = counted.split("\n").flatMap((line) => (line.startsWith("Icmp:") ? [line.split(" ")] : []));
        return Number(values?.[names?.indexOf(name) ?? 0]);
      };
      expect(await count("r1", "OutDestUnreachs")).toBe(1);
      expect(await count("alice", "InDestUnreachs")).toBe(0);
    }));

  test("two neighbours behind one NAT reach each other without it", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build({ home: HOME }, { ...PEOPLE, bob: party({ wlan0: "home" }) });
      expect(topology.near("alice", "wlan0")).toEqual(["192.168.1.0/24", "100.64.1.0/24", "203.0.113.1"]);
      expect(topology.near("r1", "eth0")).toEqual([]);
      const [alice, bob] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "bob")]);
      const [one, other] = [await alice.open(), await bob.open()];
      await one.send(`192.168.1.3:${other.port}`, "neighbour");
      expect(await other.hear("neighbour")).toBe(`192.168.1.2:${one.port}`);
    }));

  test("adopts a namespace that a process brings, and leaves that namespace clean", (context) =>
    withBench(context, async (bench) => {
      const guest = spawn("unshare", ["--net", "sleep", "600"], { stdio: "ignore" });
      try {
        await once(guest, "spawn");
        const pid = guest.pid ?? 0;
        // unshare has a namespace of its own before it becomes `sleep`
        while ((await readlink(`/proc/${pid}/ns/net`)) === (await readlink("/proc/self/ns/net"))) await new Promise(setImmediate);
        const topology = await bench.build(HOMES, PEOPLE, { adopt: new Map([["alice", pid]]) });
        expect(await readlink(`/proc/${pid}/ns/net`)).toMatch(/^net:/);
        const devices = async (): Promise<string> => run("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", "-br", "link"]);
        expect(await devices()).toContain("wlan0");
        const [alice, relay] = await Promise.all([bench.end(topology, "alice"), bench.end(topology, "r1")]);
        const [client, server] = [await alice.open(), await relay.open()];
        await client.send(`198.51.100.1:${server.port}`, "hello");
        expect(await server.hear("hello")).toBeDefined();
        await topology.close();
        await expect.poll(devices, { timeout: 5_000 }).not.toContain("wlan0");
      } finally {
        guest.kill("SIGKILL");
      }
    }));

  test("two runs at once do not meet, and twenty in a row leave nothing", (context) =>
    withBench(context, async () => {
      const names: string[] = [];
      const build = async (): Promise<{ close(): Promise<void> }> => {
        const name = newRun();
        names.push(name);
        return buildTopology({ run: name, nats: HOMES, parties: PEOPLE, seed: 1 });
      };
      for (let n = 0; n < 10; n++) await Promise.all((await Promise.all([build(), build()])).map((one) => one.close()));
      for (const name of names) expect(await tracesOf(name)).toEqual([]);
    }));
});

describe("what goes wrong", () => {
  test("a name that is taken is refused, and who has it keeps it", (context) =>
    withBench(context, async (bench) => {
      const name = newRun();
      const topology = await bench.build({}, PEOPLE_IN_PUBLIC, { run: name });
      await expect(bench.build({}, PEOPLE_IN_PUBLIC, { run: name })).rejects.toMatchObject({ code: "name-clash" });
      expect(await namespaces()).toContain(topology.namespaceOf("alice"));
    }));

  test("an error halfway leaves nothing behind", (context) =>
    withBench(context, async () => {
      const name = newRun();
      // A device that cannot be called so: the namespaces exist by then.
      const parties = { ...PEOPLE_IN_PUBLIC, bob: party({ "not/a/device": null }) };
      const failed = await buildTopology({ run: name, nats: {}, parties, seed: 1 }).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(NetnsError);
      expect(failed).toMatchObject({ code: "command-failed", message: expect.stringContaining("not/a/device") });
      expect(await tracesOf(name)).toEqual([]);
    }));

  test("a process in the laboratory's own namespace is not adopted", (context) =>
    withBench(context, async () => {
      const name = newRun();
      const adopt = new Map([["alice", process.pid]]);
      await expect(buildTopology({ run: name, nats: {}, parties: PEOPLE_IN_PUBLIC, seed: 1, adopt })).rejects.toThrow(
        /^adopt: alice's process/,
      );
      expect(await tracesOf(name)).toEqual([]);
    }));

  test("a run's name that is none, an unknown NAT and a circle of NATs are the caller's mistakes", async () => {
    const build = (over: object): Promise<unknown> =>
      buildTopology({ run: newRun(), nats: {}, parties: PEOPLE_IN_PUBLIC, seed: 1, ...over });
    await expect(build({ run: "../etc" })).rejects.toThrow(/^run: want 4 to 12 hexadecimal digits, got \.\.\/etc/);
    await expect(build({ parties: { alice: party({ eth0: "nowhere" }) } })).rejects.toThrow("alice/eth0: no NAT named nowhere");
    await expect(build({ nats: { a: { ...HOME, behind: "b" }, b: { ...HOME, behind: "a" } } })).rejects.toThrow(RangeError);
  });
});

const PEOPLE_IN_PUBLIC = { alice: party({ eth0: null }), r1: party({ eth0: null }, "relay") };
