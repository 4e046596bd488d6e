import { fork } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomness } from "../../impl/base/random.ts";
import type { StallRecord } from "../../impl/base/record.ts";
import { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../../scenarios/expanded.ts";
import { SLOT } from "../../scenarios/impairment/gilbert-elliott.ts";
import { CLEAN, Link } from "../../scenarios/impairment/link.ts";
import { offeredDrivers } from "./attach.ts";
import { ALICE, BOB, type CutCable, cutCable } from "./cut-cable.fixture.ts";
import { attachEmulator, deviceFolder } from "./emulator.ts";
import type { LinkOptions, Links, Wire } from "./links.ts";
import { ip } from "./namespace-tools.ts";
import type { Reader } from "./tap.ts";
import type { Arrival } from "./udp-end.fixture.ts";

let cable: CutCable | undefined;
let lacking = "network namespaces need root";

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  cable = await cutCable();
  if ((await offeredDrivers(cable.wire.namespace)).includes("emulator")) return;
  lacking = "the kernel has no macvtap";
  await cable.close();
  cable = undefined;
});
afterAll(() => cable?.close());

const bench = (context: { skip(note: string): never }): CutCable => cable ?? context.skip(lacking);

type Setup = {
  readonly up?: Partial<LinkModel>;
  readonly near?: readonly string[];
  readonly wire?: Wire;
  readonly reader?: Reader;
  readonly failed?: (error: Error) => void;
  readonly epoch?: number;
  readonly say?: LinkOptions["say"];
};

/** CLOCK_MONOTONIC, microseconds. */
const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);

const attach = (on: CutCable, setup: Setup): Promise<Links> => {
  const { up = {}, near = [], wire = on.wire, reader, failed, epoch = monotonic(), say = () => {} } = setup;
  const models = () => ({ up: { ...CLEAN, ...up }, down: CLEAN, nat: null });
  const rest = failed === undefined ? {} : { failed };
  return attachEmulator({ wires: [wire], models, seed: 7, epoch, say, driver: "emulator", near: () => near, ...rest }, reader);
};

const arrived = async (on: CutCable, count: number, wanted: number): Promise<readonly Arrival[]> => {
  await on.alice.send({ count, every: 1_000, bytes: 200 });
  const arrivals: Arrival[] = [];
  for (const deadline = Date.now() + 10_000; arrivals.length < wanted && Date.now() < deadline; )
    arrivals.push(...(await on.bob.take()));
  return arrivals;
};

/** Processes whose command line names the emulator's module and are children of `parent`. */
const emulators = async (parent: number = process.pid): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (!status.includes(`\nPPid:\t${parent}\n`)) continue;
    if ((await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes("emulator-main")) found.push(pid);
  }
  return found;
};

/** Not gone, and not a zombie that nobody has buried yet. */
const isRunning = async (pid: string | undefined): Promise<boolean> =>
  /^State:\t[^ZX]/m.test(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""));

test("of real packets exactly those are lost that are lost in virtual time, when luck has no part in it", async (context) => {
  const on = bench(context);
  // Luck belongs to the time, and when a real packet is sent nobody knows to the slot: drop lists and traces count packets.
  const model = { drop: [1, 17, 18, 19, 400, 799], trace: [0, 0, -1, 0, 0, 0, 0] };
  const twin = new Link("alice/wlan0/up", { ...CLEAN, ...model }, randomness(7));
  const survive = Array.from({ length: 800 }, (_, i) => i + 1).filter(() => twin.send(Instant(0), 200).ok);
  const links = await attach(on, { up: model });
  const arrivals = await arrived(on, 800, survive.length);
  await links.close();
  expect(arrivals.map(([number]) => number)).toEqual(survive);
});

test("of real packets in the middle of slots those are lost that chance takes in virtual time", async (context) => {
  const on = bench(context);
  const model = { ...CLEAN, loss: 0.3, burst: { p: 0.1, r: 0.3, lossGood: 0, lossBad: 1 } };
  const slotOf = (at: number): number => Math.floor(at / SLOT);
  /** From when to when a packet may have met the model, on the run's clock. */
  const met: { readonly from: number; readonly to: number; readonly ok: boolean }[] = [];
  const epoch = monotonic();
  // A drop is told when it is done: chosen, 2 ms for what may have come between.
  const links = await attach(on, {
    up: model,
    epoch,
    say: (at, { ev }) => ev === "drop" && met.push({ from: at - 2_000, to: at, ok: false }),
  });
  const first = slotOf(monotonic() - epoch) + 10;
  const packets = 200;
  await on.alice.send({ count: packets, every: SLOT, bytes: 200, from: epoch + (first + 0.5) * SLOT });
  await links.settled();
  const { delivered } = links.counters("alice", "wlan0").up;
  for (let left = delivered, until = Date.now() + 10_000; left > 0 && Date.now() < until; ) {
    const arrivals = await on.bob.take();
    left -= arrivals.length;
    for (const [, sent, received] of arrivals) met.push({ from: sent - epoch, to: received - epoch, ok: true });
  }
  await links.close();
  expect(met).toHaveLength(packets);

  // On a busy machine a packet is late: only a slot that one packet and no other can have met says what became of the first packet in it.
  const known = Array.from({ length: packets + 50 }, (_, i) => first + i).flatMap((slot) => {
    const [one, ...others] = met.filter(({ from, to }) => slotOf(from) <= slot && slot <= slotOf(to));
    return one !== undefined && others.length === 0 && slotOf(one.from) === slotOf(one.to) ? [{ slot, ok: one.ok }] : [];
  });
  const twin = new Link("alice/wlan0/up", model, randomness(7));
  const expected = known.map(({ slot }) => ({ slot, ok: twin.send(Instant((slot + 0.5) * SLOT), 200).ok }));
  expect(known).toEqual(expected);
  expect(known.length).toBeGreaterThan(packets / 4);
  expect(known.filter(({ ok }) => !ok).length).toBeGreaterThan(10);
});

test.for(["pipe", "thread-pool"] as const)(
  "frames read by the %s reader arrive whole, once and in order",
  async (reader, context) => {
    const on = bench(context);
    const links = await attach(on, { reader });
    const arrivals = await arrived(on, 400, 400);
    await links.close();
    expect(arrivals.map(([number]) => number)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect(links.counters("alice", "wlan0").up).toMatchObject({ packets: 400, bytes: 80_000, delivered: 400 });
  },
);

test("hosts that are near skip the model, until others are", async (context) => {
  const on = bench(context);
  const links = await attach(on, { up: { loss: 1 }, near: [BOB] });
  expect(await arrived(on, 20, 20)).toHaveLength(20);
  links.setNear("alice", "wlan0", [`${ALICE}/32`]);
  await links.settled();
  await on.alice.send({ count: 20, every: 500, bytes: 200 });
  await links.settled();
  await links.close();
  expect(links.counters("alice", "wlan0").up).toMatchObject({ packets: 40, lost: 20, delivered: 20 });
  expect(await on.bob.take()).toEqual([]);
});

test("an emulator that dies is told once, and closing still takes everything down", async (context) => {
  const on = bench(context);
  const errors: Error[] = [];
  const links = await attach(on, { failed: (error) => errors.push(error) });
  const [pid] = await emulators();
  process.kill(Number(pid), "SIGKILL");
  await expect(links.settled()).rejects.toMatchObject({ name: "NetnsError", code: "link" });
  await links.close();
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("SIGKILL")]);
  expect(await on.leftovers()).toEqual([]);
  expect(await emulators()).toEqual([]);
});

test("a wire that cannot be joined leaves no device, process or file behind", async (context) => {
  const on = bench(context);
  const files = async (): Promise<readonly string[]> => (await readdir("/dev")).filter((name) => name.startsWith("mc-taps-"));
  const before = await files();
  await expect(attach(on, { wire: { ...on.wire, outer: "v9" } })).rejects.toMatchObject({ name: "NetnsError" });
  await expect(attach(on, { up: { loss: 0.5 }, near: ["not a host"] })).rejects.toMatchObject({
    name: "NetnsError",
    code: "link",
  });
  expect(await on.leftovers()).toEqual([]);
  expect(await emulators()).toEqual([]);
  expect((await files()).filter((name) => !before.includes(name))).toEqual([]);
});

test.for(["pipe", "thread-pool"] as const)("a killed lab takes its emulator with it (%s reader)", async (reader, context) => {
  const on = bench(context);
  const folder = deviceFolder(`${process.pid}-${reader}`);
  const lab = fork(join(import.meta.dirname, "lab-that-dies.fixture.ts"), [JSON.stringify(on.wire), reader, folder], {
    execArgv: [],
  });
  expect(await once(lab, "message")).toEqual(["attached", undefined]);
  const [pid] = await emulators(lab.pid);
  expect(await isRunning(pid)).toBe(true);
  lab.kill("SIGKILL");
  await once(lab, "exit");
  for (const deadline = Date.now() + 10_000; (await isRunning(pid)) && Date.now() < deadline; );
  expect(await isRunning(pid)).toBe(false);
  await ip(on.wire.namespace, ["link del lt0i", "link del lt0o"]); // a killed lab's devices are left to the next start
  await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" }); // device files are needed to open the devices, and no longer
});

test("kept from running while a run goes on, it tells for how long, and that it computed nothing", async (context) => {
  const on = bench(context);
  const { promise, resolve } = Promise.withResolvers<StallRecord>();
  const say: LinkOptions["say"] = (_, saying) => {
    if (saying.ev === "stall" && saying.micros >= 300_000) resolve(saying);
  };
  const links = await attach(on, { say });
  try {
    links.begin(monotonic());
    await links.settled();
    const [pid] = await emulators();
    process.kill(Number(pid), "SIGSTOP");
    await delay(400);
    process.kill(Number(pid), "SIGCONT");
    const { micros, cpuMicros } = await promise;
    expect(micros).toBeGreaterThanOrEqual(370_000);
    expect(cpuMicros).toBeLessThan(micros / 2);
  } finally {
    await links.close();
  }
});
