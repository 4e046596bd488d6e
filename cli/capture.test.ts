/** What `run --capture` writes, in virtual time and on a real kernel: the packets that the log counts, and nothing that changes the run. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lacks } from "../netns/install.ts";
import type { Result } from "../reports/result.ts";
import { EXIT } from "./exit.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-capture-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Packet = { readonly at: number; readonly isSent: boolean; readonly kept: number; readonly length: number };

/** Packets of a capture; the blocks before them have no instants. */
async function packetsOf(run: string, name: string): Promise<Packet[]> {
  const file = await readFile(join(folder, run, "capture", name));
  const packets: Packet[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== 6) continue;
    const block = file.subarray(at, at + file.readUInt32LE(at + 4));
    packets.push({
      at: block.readUInt32LE(12) * 2 ** 32 + block.readUInt32LE(16),
      isSent: block.readUInt32LE(block.length - 12) === 2,
      kept: block.readUInt32LE(20),
      length: block.readUInt32LE(24),
    });
  }
  return packets;
}
const resultOf = async (run: string): Promise<Result> => JSON.parse(await readFile(join(folder, run, "result.json"), "utf8"));

/** The log counts once a second, and the run lets go after its end: a capture has what is counted, and a little more. */
const expectAsCounted = (captured: number, counted: number): void => {
  expect(captured).toBeGreaterThanOrEqual(counted);
  expect(captured - counted).toBeLessThan(150);
};

const SHORT = ["run", "nat-rebind", "--capture", "--set", "duration=6s", "--set", "faults.0.when.at=3s"];

test("in virtual time: one file an interface, every packet with its headers, and the run as without", async () => {
  const said = await midcall(folder, [...SHORT, "--codec", "sized", "--crypto", "null"]);
  expect([said.err, said.code]).toEqual(["", EXIT.held]);
  const run = "out/nat-rebind/sim-0x1";
  expect((await readdir(join(folder, run, "capture"))).sort()).toEqual([
    "alice-eth0.pcapng",
    "bob-eth0.pcapng",
    "r1-eth0.pcapng",
  ]);
  const result = await resultOf(run);
  for (const party of ["alice", "bob", "r1"]) {
    const packets = await packetsOf(run, `${party}-eth0.pcapng`);
    const counted = result.measurements.network[party];
    expectAsCounted(packets.filter(({ isSent }) => isSent).length, counted?.sentPackets ?? Number.NaN);
    expectAsCounted(packets.filter(({ isSent }) => !isSent).length, counted?.receivedPackets ?? Number.NaN);
    expect(packets.map(({ at }) => at)).toEqual(packets.map(({ at }) => at).sort((a, b) => a - b));
    for (const { kept, length } of packets) expect([kept >= 28, length >= kept]).toEqual([true, true]);
  }
  const plain = SHORT.filter((word) => word !== "--capture");
  await midcall(folder, [...plain, "--codec", "sized", "--crypto", "null"]);
  expect((await resultOf("out/nat-rebind/sim-0x1-2")).hash).toBe(result.hash);
  expect(await readdir(join(folder, "out/nat-rebind/sim-0x1-2"))).not.toContain("capture");
});

test("on a real kernel: the same files with whole frames, and the kernel's own drivers say that they cannot", async (context) => {
  const missing = (await lacks()).map(({ what }) => what).join("; ");
  if (missing !== "") context.skip(missing);
  const said = await midcall(folder, [...SHORT, "--lab", "netns"]);
  expect(said.code, said.out + said.err).toBe(EXIT.held);
  const run = "out/nat-rebind/netns-0x1";
  expect((await readdir(join(folder, run, "capture"))).sort()).toEqual([
    "alice-eth0.pcapng",
    "bob-eth0.pcapng",
    "r1-eth0.pcapng",
  ]);
  const result = await resultOf(run);
  for (const party of ["alice", "bob", "r1"]) {
    const packets = await packetsOf(run, `${party}-eth0.pcapng`);
    expectAsCounted(packets.filter(({ isSent }) => isSent).length, result.measurements.network[party]?.sentPackets ?? Number.NaN);
    for (const { kept, length } of packets) expect(kept).toBe(length);
  }
  const refused = await midcall(folder, ["run", "one-way-loss", "--lab", "netns", "--link-driver", "nft", "--capture"]);
  expect(refused.code).toBe(EXIT.lacking);
  expect(refused.err).toContain("the nft driver cannot do captures; the emulator can");
});
