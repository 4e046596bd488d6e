/**
 * Port mapping with a router that others have made: Debian's miniupnpd, in a namespace between a client's and the world's. By each of the three protocols a port is opened, a packet of a stranger outside comes in
 * through it, and none does once it is taken back.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installMissing, lacks, missingPackages, type Tool } from "./install.ts";

const execute = promisify(execFile);
const MINIUPNPD: Tool = { program: "miniupnpd", package: "miniupnpd-nftables", says: "--version" };
const FIXTURE = fileURLToPath(new URL("mapped-port.fixture.ts", import.meta.url));
/** Not one of those that are no public addresses (RFC 6890): miniupnpd opens no ports there. Nothing leaves the namespaces. */
const [OUTSIDE, STRANGER] = ["20.0.0.1", "20.0.0.9"];
const RULES = `table inet filter {
  chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "inner" accept; jump miniupnpd; }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "outer" masquerade; }
  chain postrouting_miniupnpd { }
}
`;
await installMissing(() => undefined, [MINIUPNPD]);
const missing = [...(await lacks()).map((one) => one.what), ...(await missingPackages([MINIUPNPD]))].join("; ");

const run = randomBytes(4).toString("hex");
const [client, router, world] = ["c", "r", "w"].map((who) => `mcpm-${run}-${who}`) as [string, string, string];
let folder = "";
const started: ChildProcess[] = [];
const within = (namespace: string, ...words: readonly string[]): Promise<unknown> =>
  execute("ip", ["netns", "exec", namespace, ...words]);

beforeAll(async () => {
  if (missing !== "") return;
  folder = await mkdtemp(join(tmpdir(), "midcall-port-mapping-"));
  await writeFile(join(folder, "rules"), RULES);
  for (const name of [client, router, world]) {
    await execute("ip", ["netns", "add", name]);
    await within(name, "ip", "link", "set", "lo", "up");
  }
  const join2 = async (a: string, name: string, host: string, b: string, other: string, otherHost: string): Promise<void> => {
    await execute("ip", ["link", "add", name, "netns", a, "type", "veth", "peer", "name", other, "netns", b]);
    await within(a, "sh", "-c", `ip addr add ${host}/24 dev ${name} && ip link set ${name} up`);
    await within(b, "sh", "-c", `ip addr add ${otherHost}/24 dev ${other} && ip link set ${other} up`);
  };
  await join2(client, "eth0", "192.168.77.2", router, "inner", "192.168.77.1");
  await join2(world, "eth0", STRANGER, router, "outer", OUTSIDE);
  await within(client, "ip", "route", "add", "default", "via", "192.168.77.1");
  await within(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await within(router, "nft", "-f", join(folder, "rules"));
});
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  if (missing !== "") return;
  for (const name of [client, router, world]) await execute("ip", ["netns", "delete", name]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

/** Lines that a process in a namespace has said, and the next one that begins so. */
function start(namespace: string, words: readonly string[]) {
  const child = spawn("ip", ["netns", "exec", namespace, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  started.push(child);
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  const waiting = new Set<() => void>();
  const hear = (piece: Buffer): void => {
    said += piece.toString();
    for (const look of waiting) look();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const line = (begins: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = said.split("\n").find((one) => one.includes(begins));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void gone.then(() => reject(new Error(`${words[0]} ended without ${begins}: ${said}`)));
    });
  return { child, gone, line, said: () => said };
}

/** A STUN-like packet with a text behind its header, which a socket hands on as it is. */
const SEND = `const [host, port, text] = process.argv.slice(1);
const packet = Buffer.concat([Buffer.from("0001000021 12a442".replace(" ", ""), "hex"), Buffer.alloc(12), Buffer.from(text)]);
packet.writeUInt16BE(text.length, 2);
const socket = require("node:dgram").createSocket("udp4");
socket.send(packet, Number(port), host, () => socket.close());`;

/** A search that is not heard: that of everybody, or that of the router alone. */
const deafTo = (host: string): string =>
  `table inet deaf { chain input { type filter hook input priority 0; iifname "inner" ip daddr ${host} udp dport 1900 counter drop; }; }`;

test.skipIf(missing !== "").each([
  ["pcp", "pcp", "enable_natpmp=yes\nenable_upnp=no", ""],
  ["nat-pmp", "nat-pmp", "enable_natpmp=yes\nenable_upnp=no", ""],
  ["upnp, searched for by multicast alone,", "upnp", "enable_natpmp=no\nenable_upnp=yes", deafTo("192.168.77.1")],
  ["upnp, searched for by unicast alone,", "upnp", "enable_natpmp=no\nenable_upnp=yes", deafTo("239.255.255.250")],
])(
  "by %s miniupnpd opens a port that strangers reach, and closes it when it is given back",
  async (_, protocol, speaks, deafness) => {
    await writeFile(join(folder, "deafness"), `table inet deaf\ndelete table inet deaf\n${deafness}\n`);
    await within(router, "nft", "-f", join(folder, "deafness"));
    const file = join(folder, `${protocol}.conf`);
    await writeFile(
      file,
      `ext_ifname=outer\nlistening_ip=inner\nport=5000\n${speaks}\nsecure_mode=yes\nsystem_uptime=no\nuuid=6d696463-616c-6c00-0000-000000000001\n` +
        "upnp_table_name=filter\nupnp_nat_table_name=filter\nallow 1024-65535 192.168.77.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n",
    );
    const daemon = start(router, ["miniupnpd", "-d", "-f", file, "-P", join(folder, "pid")]);
    await daemon.line("istening");
    const party = start(client, [process.execPath, FIXTURE, protocol, "192.168.77.1"]);
    const [, host = "", port = ""] = /mapped ([\d.]+):(\d+)/.exec(await party.line("mapped ")) ?? [];
    expect(host).toBe(OUTSIDE);
    await within(world, process.execPath, "-e", SEND, host, port, "knock");
    expect(await party.line("heard ")).toBe("heard knock");
    party.child.stdin.end();
    await party.gone;
    expect(party.said()).not.toContain("unexpected");
    const { stdout } = (await within(router, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")) as {
      stdout: string;
    };
    expect(stdout).not.toContain("dnat");
    if (deafness !== "") {
      const heard = (await within(router, "nft", "list", "table", "inet", "deaf")) as { stdout: string };
      expect(heard.stdout).toMatch(/counter packets [1-9]/);
    }
    daemon.child.kill();
    await daemon.gone;
  },
  60_000,
);
