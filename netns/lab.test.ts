import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, type TestContext, test } from "vitest";
import { scenario } from "../scenarios/index.ts";
import { lacks } from "./install.ts";
import { runNetns } from "./lab.ts";
import { removeLeftovers } from "./leftovers.ts";

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const needsKernel = (context: TestContext): void => {
  if (missing !== "") context.skip(missing);
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-lab-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A call of a second between two homes. */
const short = scenario({
  name: "short",
  asks: "?",
  duration: "3s",
  parties: { alice: { nat: "home" } },
  calls: [{ at: "200ms", answerAfter: "100ms", callerSays: "tone", calleeSays: "tone" }],
  expect: [],
});

const linesOf = async (program: string, ...args: string[]): Promise<string[]> =>
  (await promisify(execFile)(program, args)).stdout.split("\n").filter((line) => line !== "");
/** What run `id` in `folder` has left behind: namespaces, processes, files. */
async function leftOf(id: string): Promise<string[]> {
  const namespaces = (await linesOf("ip", "netns", "list")).filter((line) => line.includes(id));
  const processes = (await linesOf("ps", "-eo", "args")).filter((line) => line.includes(`${folder}/`));
  return [...namespaces, ...processes, ...(await readdir(folder)).filter((name) => name.startsWith("mc-"))];
}
const nextId = (): string => randomBytes(3).toString("hex");

test("a call between two processes through a real NAT: one log in order, what was heard, and nothing left behind", async (context) => {
  needsKernel(context);
  const id = nextId();
  const { records, lines, audio, crashed, stderr, driver } = await runNetns({
    scenario: short,
    seed: 1,
    folder,
    speech: new Map(),
  });
  expect([crashed, [...stderr]]).toEqual([undefined, []]);
  expect(["emulator", "netem", "nft"]).toContain(driver);
  expect(records[0]).toMatchObject({ ev: "run", lab: "netns", scenario: "short" });
  expect(records.at(-1)).toMatchObject({ ev: "end", reason: "finished" });
  expect(lines).toHaveLength(records.length);
  expect(records.map((one) => one.t)).toEqual(records.map((one) => one.t).sort((a, b) => a - b));
  for (const who of ["alice", "bob"]) {
    const own = records.filter((one) => one.who === who);
    expect(
      own.some((one) => one.ev === "call" && one.state === "active"),
      who,
    ).toBe(true);
    expect(
      own.find((one) => one.ev === "held"),
      who,
    ).toMatchObject({ sessions: 0, calls: 0, supervisors: 0 });
    const heard = audio.get(who) ?? new Int16Array();
    expect(heard.length / 48_000, who).toBeGreaterThan(2.5);
    expect(Math.max(...heard.subarray(48_000)), who).toBeGreaterThan(1_000);
  }
  expect(await leftOf(id)).toEqual([]);
});

test("a party that crashes at start fails that run, with what it wrote to standard error", async (context) => {
  needsKernel(context);
  const id = nextId();
  const module = join(folder, "broken.mjs");
  await writeFile(module, 'throw new Error("no such codec");');
  const { crashed, records, stderr } = await runNetns({
    ...{ id, scenario: short, seed: 1, folder, speech: new Map() },
    entry: { module, args: [] },
  });
  expect(crashed).toMatch(/^(alice|bob|r1) ended before it was ready \(exit code 1\); it wrote:\n[\s\S]*no such codec/);
  expect(records.at(-1)).toMatchObject({ ev: "end", reason: "crashed", detail: crashed });
  expect([...stderr.values()].join()).toContain("no such codec");
  expect(await leftOf(id)).toEqual([]);
});

test("interrupted, it rejects with the reason and leaves nothing behind", async (context) => {
  needsKernel(context);
  const id = nextId();
  const controller = new AbortController();
  const run = runNetns({
    ...{ id, scenario: short, seed: 1, folder, speech: new Map() },
    signal: controller.signal,
    onLine: (_, record) => record.ev === "call" && controller.abort(new Error("enough")),
  });
  await expect(run).rejects.toThrow("enough");
  expect(await leftOf(id)).toEqual([]);
});

test("interrupted while it is still being built, it leaves nothing behind either", async (context) => {
  needsKernel(context);
  const id = nextId();
  const controller = new AbortController();
  const run = runNetns({
    ...{ id, scenario: short, seed: 1, folder, speech: new Map() },
    signal: controller.signal,
    onLine: () => setImmediate(() => controller.abort(new Error("enough"))),
  });
  await expect(run).rejects.toThrow("enough");
  expect(await leftOf(id)).toEqual([]);
});

test("killed halfway, its parties die with it, and the next start removes what it left", async (context) => {
  needsKernel(context);
  const id = nextId();
  const module = pathToFileURL(join(import.meta.dirname, "lab.ts")).href;
  const asked = JSON.stringify({ id, scenario: short, seed: 1, folder });
  await writeFile(
    join(folder, "doomed.mjs"),
    `import { runNetns } from ${JSON.stringify(module)};
     const onLine = (_, record) => record.ev === "call" && process.kill(process.pid, "SIGKILL");
     await runNetns({ ...${asked}, speech: new Map(), onLine });`,
  );
  await expect(promisify(execFile)(process.execPath, [join(folder, "doomed.mjs")])).rejects.toMatchObject({ signal: "SIGKILL" });
  await removeLeftovers();
  expect(await leftOf(id)).toEqual([]);
});

test("two runs at the same time do not meet", async (context) => {
  needsKernel(context);
  const runs = await Promise.all([1, 2].map((seed) => runNetns({ scenario: short, seed, folder, speech: new Map() })));
  for (const { records, crashed } of runs) {
    expect(crashed).toBeUndefined();
    const calls = new Set(records.flatMap((one) => (one.ev === "call" ? [one.call] : [])));
    expect(calls.size).toBe(1);
  }
});
