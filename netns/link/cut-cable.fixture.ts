/** Test bench of the link drivers: two hosts in network namespaces of their own, and the cable between them cut open in a third. */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { run as command } from "../command.ts";
import type { Wire } from "./links.ts";
import { ip, nft, receiveInOrder, tcShow } from "./namespace-tools.ts";
import type { Arrival, FromEnd, ToEnd } from "./udp-end.fixture.ts";

/** Hosts of the two ends. */
export const ALICE = "10.9.0.1";
export const BOB = "10.9.0.2";
const PORT = 7_000;
/** Link-layer addresses, of the locally administered kind. */
const MACS = { [ALICE]: "02:00:00:00:00:01", [BOB]: "02:00:00:00:00:02" } as const;

/**
 * `count` packets of `bytes` IP octets, one every `every` microseconds, numbered from `first` (1 unless said), the first one at `from`
 * (CLOCK_MONOTONIC microseconds; at once unless said).
 */
export type Traffic = {
  readonly count: number;
  readonly every: number;
  readonly bytes: number;
  readonly first?: number;
  readonly from?: number;
};

/**
 * Packets that may be under way without being read. Debian lets a socket buffer 425,984 octets, which is 332 small packets with the kernel's
 * book-keeping: more of them, on a machine too busy to run their receiver, are lost by the bench and not by the wire.
 */
export const WINDOW = 250;

/** One end's process. */
export type End = {
  /** Starts sending to the other end; resolves when all has been handed to the kernel. */
  send(traffic: Traffic): Promise<void>;
  /** Ends what `send` is doing. */
  stop(): void;
  /** What arrived since the last call, in order of arrival. */
  take(): Promise<readonly Arrival[]>;
};

export type CutCable = {
  /** The wire as a driver wants it; alice is its party. */
  readonly wire: Wire;
  readonly alice: End;
  readonly bob: End;
  /** Devices of the wire's namespace other than the two ends of the cable, and what nft and tc still hold there. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
};

/** Needs root. Rejects with nothing left behind. */
export async function cutCable(): Promise<CutCable> {
  const run = randomBytes(3).toString("hex");
  const [a, b, w] = [`mc-${run}-alice`, `mc-${run}-bob`, `mc-${run}-wires`] as const;
  const children: ChildProcess[] = [];
  const made: string[] = [];
  const close = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    for (const name of made.splice(0)) await command("ip", ["netns", "del", name]).catch(() => "");
  };
  try {
    for (const name of [a, b, w]) {
      await command("ip", ["netns", "add", name]);
      made.push(name);
    }
    for (const name of [a, b, w])
      await command("ip", ["netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
    await ip(w, [`link add v0 type veth peer name e0 netns ${a}`, `link add v1 type veth peer name e0 netns ${b}`]);
    await ip(w, ["link set v0 up", "link set v1 up"]);
    for (const [name, host, peer] of [
      [a, ALICE, BOB],
      [b, BOB, ALICE],
    ] as const)
      await ip(name, [
        `link set e0 address ${MACS[host]} gso_max_segs 1 up`,
        `addr add ${host}/24 dev e0`,
        // Known from the start: what waits for an answer to ARP is dropped beyond net.ipv4.neigh.default.unres_qlen_bytes, 92 packets of 1,000 octets.
        `neigh add ${peer} lladdr ${MACS[peer]} dev e0 nud permanent`,
        "link set lo up",
      ]);
    for (const name of [a, b]) await receiveInOrder(name, ["e0"]);
    const [alice, bob] = await Promise.all([end(a, ALICE, BOB, children), end(b, BOB, ALICE, children)]);
    return {
      wire: { party: "alice", interface: "wlan0", namespace: w, inner: "v0", outer: "v1" },
      alice,
      bob,
      leftovers: () => leftovers(w),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function end(namespace: string, own: string, peer: string, children: ChildProcess[]): Promise<End> {
  const child = fork(join(import.meta.dirname, "udp-end.fixture.ts"), [], {
    execPath: "ip",
    execArgv: ["netns", "exec", namespace, process.execPath],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  children.push(child);
  const said: FromEnd[] = [];
  const hear = async <T extends FromEnd["type"]>(type: T): Promise<Extract<FromEnd, { type: T }>> => {
    for (;;) {
      const at = said.findIndex((one) => one.type === type);
      if (at >= 0) return said.splice(at, 1)[0] as Extract<FromEnd, { type: T }>;
      await once(child, "message", { signal: AbortSignal.timeout(60_000) });
    }
  };
  child.on("message", (message: FromEnd) => said.push(message));
  const order = (message: ToEnd): void => {
    child.send(message);
  };
  await hear("ready");
  order({ type: "bind", host: own, port: PORT });
  await hear("bound");
  return {
    async send(traffic) {
      order({ type: "send", host: peer, port: PORT, first: 1, ...traffic });
      await hear("sent");
    },
    stop: () => order({ type: "stop" }),
    async take() {
      order({ type: "take" });
      return (await hear("taken")).arrivals;
    },
  };
}

async function leftovers(namespace: string): Promise<readonly string[]> {
  const links: readonly { ifname: string }[] = JSON.parse(await command("ip", ["-n", namespace, "-j", "link", "show"]));
  const devices = links.map(({ ifname }) => ifname).filter((name) => !["lo", "v0", "v1"].includes(name));
  const qdiscs = (await tcShow(namespace, ["qdisc", "show"])).split("\n").filter((line) => / (netem|tbf|htb) /.test(line));
  const rules = (await nft(namespace, ["list", "tables"])).split("\n").filter((line) => line !== "");
  return [...devices, ...qdiscs, ...rules];
}
