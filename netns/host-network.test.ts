import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, test, vi } from "vitest";
import type { NetworkInterface } from "../impl/core/effect.ts";
import { hostCandidates } from "../impl/core/ice/candidate-set.ts";
import { run } from "./command.ts";
import type { Topology } from "./topology.ts";
import { type Bench, HOME, party, withBench } from "./topology-bench.fixture.ts";

vi.setConfig({ testTimeout: 120_000 });

type Told = {
  readonly at?: number;
  readonly interfaces?: readonly NetworkInterface[];
  readonly gateway?: string;
  readonly note?: string;
};
type Watcher = {
  readonly child: ChildProcess;
  /** The first line from now on that `wanted` takes. */
  until(wanted: (told: Told) => boolean): Promise<Told>;
};

function watcher(topology: Topology, name: string, command: readonly string[] = []): Watcher {
  const fixture = new URL("./host-network.fixture.ts", import.meta.url).pathname;
  const child = spawn("ip", ["netns", "exec", topology.namespaceOf(name), process.execPath, fixture, ...command], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: Told[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Told);
    for (const look of waiting) look();
  });
  return {
    child,
    until: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          while (lines.length > 0) {
            const next = lines.shift() as Told;
            if (!wanted(next)) continue;
            waiting.delete(look);
            return resolve(next);
          }
        };
        waiting.add(look);
        look();
      }),
  };
}

const nameOfDefault = ({ interfaces }: Told): string | undefined => interfaces?.find((one) => one.isDefault)?.name;
const names = ({ interfaces }: Told): readonly string[] | undefined => interfaces?.map((one) => one.name);
const processesIn = async (namespace: string): Promise<readonly string[]> =>
  (await run("ip", ["netns", "pids", namespace])).split("\n").filter((pid) => pid !== "");

const PHONE = { alice: party({ wlan0: "home", cell0: null }), r1: party({ eth0: null }, "relay") };
const build = (bench: Bench): Promise<Topology> => bench.build({ home: HOME }, PHONE);

describe("a party notices by itself", () => {
  test("what it has, a cable pulled, a default route moved, an address gone, IPv6 appearing", (context) =>
    withBench(context, async (bench) => {
      const topology = await build(bench);
      const [namespace, wires] = [topology.namespaceOf("alice"), topology.plan.wires];
      const { until, child } = watcher(topology, "alice");
      const first = await until((told) => told.interfaces !== undefined);
      expect(first.interfaces).toEqual([
        { name: "cell0", addresses: ["198.51.100.1"], isDefault: false },
        { name: "wlan0", addresses: ["192.168.1.2"], isDefault: true },
      ]);
      expect(first.gateway).toBe("192.168.1.1");

      const inner = topology.wires.find((wire) => wire.party === "alice" && wire.interface === "wlan0")?.inner ?? "";
      await run("ip", ["-n", wires, "link", "set", inner, "down"]);
      const pulled = await until((told) => nameOfDefault(told) === "cell0");
      expect([names(pulled), pulled.gateway]).toEqual([["cell0"], "169.254.0.1"]);
      await run("ip", ["-n", wires, "link", "set", inner, "up"]);
      expect(names(await until((told) => nameOfDefault(told) === "wlan0"))).toEqual(["cell0", "wlan0"]);

      await run("ip", ["-n", namespace, "route", "del", "default", "dev", "wlan0"]);
      expect(names(await until((told) => nameOfDefault(told) === "cell0"))).toEqual(["cell0", "wlan0"]);

      await run("ip", ["-n", namespace, "addr", "flush", "dev", "wlan0"]);
      expect(names(await until((told) => names(told)?.length === 1))).toEqual(["cell0"]);

      await run("ip", ["netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.cell0.disable_ipv6=0"]);
      await run("ip", ["-n", namespace, "addr", "add", "2001:db8:1::2/64", "dev", "cell0", "nodad"]);
      const dual = await until((told) => told.interfaces?.[0]?.addresses.includes("2001:db8:1::2") === true);
      expect(dual.interfaces?.[0]?.addresses).toContain("198.51.100.1");
      child.stdin?.end();
      expect(await once(child, "exit")).toEqual([0, null]);
      expect(await processesIn(namespace)).toEqual([]);
    }));

  test("which of its IPv6 addresses are not its own yet, temporary or deprecated", (context) =>
    withBench(context, async (bench) => {
      const topology = await build(bench);
      const namespace = topology.namespaceOf("alice");
      const { until, child } = watcher(topology, "alice");
      await until((told) => told.interfaces !== undefined);
      const ip = (...words: readonly string[]): Promise<unknown> => run("ip", ["-n", namespace, ...words]);
      const set = (...settings: readonly string[]): Promise<unknown> =>
        run("ip", ["netns", "exec", namespace, "sysctl", "-qw", ...settings.map((one) => `net.ipv6.conf.cell0.${one}`)]);
      const cell = ({ interfaces }: Told): NetworkInterface | undefined => interfaces?.find((one) => one.name === "cell0");
      await set("disable_ipv6=0", "use_tempaddr=2", "dad_transmits=1");
      await ip("addr", "add", "2001:db8:1::2/64", "dev", "cell0", "nodad", "mngtmpaddr");
      const first = await until((told) => (cell(told)?.temporary?.length ?? 0) > 0);
      const [temporary = ""] = cell(first)?.temporary ?? [];
      expect(cell(first)?.addresses).toEqual(expect.arrayContaining(["2001:db8:1::2", temporary]));
      expect(hostCandidates({ port: 9, interfaces: first.interfaces ?? [] })).toContain(`[${temporary}]:9`);
      expect(hostCandidates({ port: 9, interfaces: first.interfaces ?? [] })).not.toContain("[2001:db8:1::2]:9");

      // Asked about for as long as it takes another one to come, and taken by nobody: so long it is not told, and then it is.
      await set("dad_transmits=2");
      await ip("addr", "add", "2001:db8:1::7/64", "dev", "cell0");
      await ip("addr", "add", "2001:db8:1::8/64", "dev", "cell0", "nodad");
      const meanwhile = await until((told) => cell(told)?.addresses.includes("2001:db8:1::8") === true);
      expect(cell(meanwhile)?.addresses).not.toContain("2001:db8:1::7");
      await until((told) => cell(told)?.addresses.includes("2001:db8:1::7") === true);

      await ip("addr", "change", "2001:db8:1::8/64", "dev", "cell0", "preferred_lft", "0");
      expect(cell(await until((told) => (cell(told)?.deprecated?.length ?? 0) > 0))?.deprecated).toEqual(["2001:db8:1::8"]);
      child.stdin?.end();
      await once(child, "exit");
    }));

  test("within a tenth of a second, and no monitor outlives a process that is killed", (context) =>
    withBench(context, async (bench) => {
      const topology = await build(bench);
      const { until, child } = watcher(topology, "alice");
      await until((told) => told.interfaces !== undefined);
      const inner = topology.wires.find((wire) => wire.party === "alice" && wire.interface === "wlan0")?.inner ?? "";
      const late: number[] = [];
      for (let round = 0; round < 10; round++) {
        const isUp = round % 2 === 1;
        const before = Number(process.hrtime.bigint() / 1_000n);
        await run("ip", ["-n", topology.plan.wires, "link", "set", inner, isUp ? "up" : "down"]);
        const { at = 0 } = await until((told) => nameOfDefault(told) === (isUp ? "wlan0" : "cell0"));
        late.push((at - before) / 1_000);
      }
      late.sort((a, b) => a - b);
      process.stderr.write(`noticed after ${late.map((ms) => ms.toFixed(1)).join(", ")} ms\n`);
      expect(late[5]).toBeLessThan(100);
      child.kill("SIGKILL");
      await once(child, "exit");
      await vi.waitFor(async () => expect(await processesIn(topology.namespaceOf("alice"))).toEqual([]), { timeout: 5_000 });
    }));

  test("without ip, and it says so", (context) =>
    withBench(context, async (bench) => {
      const topology = await build(bench);
      const { until, child } = watcher(topology, "alice", ["no-such-ip"]);
      const { note } = await until((told) => told.note !== undefined);
      expect(note).toBe("network changes are looked for every 100 ms: no-such-ip is not installed (iproute2)");
      await topology.setInterface("alice", "wlan0", false);
      await until((told) => nameOfDefault(told) === "cell0");
      child.stdin?.end();
      await once(child, "exit");
    }));
});
