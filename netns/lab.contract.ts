/** What a run on a real kernel promises, whatever launches its parties: one log, what was heard, and nothing left behind, however it ends. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { scenario } from "../scenarios/index.ts";
import { runNetns } from "./lab.ts";
import type { Launcher } from "./launcher.ts";
import { CLAIMS } from "./leftovers.ts";

/** A call of a second between two homes. */
const short = scenario({
  name: "short",
  asks: "?",
  duration: "3s",
  parties: { alice: { nat: "home" } },
  calls: [{ at: "200ms", answerAfter: "100ms", callerSays: "tone", calleeSays: "tone" }],
  expect: [],
});

export type LabUnderTest = {
  /** What the log calls the laboratory. */
  readonly lab: "netns" | "docker";
  /** Why this machine cannot be asked; undefined: it can. */
  readonly missing: string | undefined;
  /** A launcher for one run. */
  open(): Launcher;
  /** The same for a process that is to die: what it imports, from which module, and the expression that makes a launcher of it. */
  readonly launcher: { readonly name: string; readonly module: string; readonly made: string };
  /** Removes what dead runs left, as the start of a run does. */
  nextStart(): Promise<unknown>;
  /** What a run has left beyond namespaces, processes and files. */
  traces(id: string): Promise<readonly string[]>;
};

/** Describes the contract for one laboratory. */
export function labContract({ lab, missing, open, launcher, nextStart, traces }: LabUnderTest): void {
  describe(`a run: ${lab}`, () => {
    let folder = "";
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "midcall-lab-"));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const linesOf = async (program: string, ...args: string[]): Promise<string[]> =>
      (await promisify(execFile)(program, args)).stdout.split("\n").filter((line) => line !== "");
    /** What run `id` in `folder` has left behind: namespaces, interfaces, processes, files. */
    async function leftOf(id: string): Promise<string[]> {
      const namespaces = (await linesOf("ip", "netns", "list")).filter((line) => line.includes(id));
      const processes = (await linesOf("ps", "-eo", "args")).filter((line) => line.includes(`${folder}/`));
      const files = (await readdir(folder)).filter((name) => name.startsWith("mc-"));
      const folders = await Promise.all([CLAIMS, "/dev"].map((one) => readdir(one).catch(() => [])));
      const claims = folders.flat().filter((name) => name.includes(id));
      const interfaces = (await linesOf("ip", "-o", "link")).filter((line) => line.includes(id));
      return [...namespaces, ...interfaces, ...processes, ...files, ...claims, ...(await traces(id))];
    }
    const nextId = (): string => randomBytes(3).toString("hex");
    /** A run in a process of its own, which is killed when the run says the first `ev`. */
    async function killedHalfway(id: string, asked: Scenario, ev: LogRecord["ev"]): Promise<void> {
      const module = pathToFileURL(join(import.meta.dirname, "lab.ts")).href;
      await writeFile(
        join(folder, "doomed.mjs"),
        `import { runNetns } from ${JSON.stringify(module)};
     import { ${launcher.name} as launcher } from ${JSON.stringify(pathToFileURL(launcher.module).href)};
     const onLine = (_, record) => record.ev === "${ev}" && process.kill(process.pid, "SIGKILL");
     await runNetns({ ...${JSON.stringify({ id, scenario: asked, seed: 1, folder })}, speech: new Map(), onLine, launcher: ${launcher.made} });`,
      );
      await expect(promisify(execFile)(process.execPath, [join(folder, "doomed.mjs")])).rejects.toMatchObject({
        signal: "SIGKILL",
      });
    }

    test("a call between two processes through a real NAT: one log in order, what was heard, and nothing left behind", async (context) => {
      context.skip(missing !== undefined, missing);
      const id = nextId();
      const { records, lines, audio, crashed, stderr, driver } = await runNetns({
        ...{ id, scenario: short, seed: 1, folder, speech: new Map(), launcher: open() },
      });
      expect([crashed, [...stderr]]).toEqual([undefined, []]);
      expect(["emulator", "netem", "nft"]).toContain(driver);
      expect(records[0]).toMatchObject({ ev: "run", lab, scenario: "short" });
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

    test("a call begins when the scenario says so, although the laboratory's own thread is kept from running", async (context) => {
      context.skip(missing !== undefined, missing);
      const { records } = await runNetns({
        ...{ id: nextId(), scenario: short, seed: 1, folder, speech: new Map(), launcher: open() },
        onReady: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000),
      });
      const begun = records.find((one) => one.who === "alice" && one.ev === "call")?.t ?? 0;
      expect(begun).toBeGreaterThanOrEqual(200_000);
      expect(begun).toBeLessThan(records.find((one) => one.who === "lab" && one.ev === "stall")?.t ?? 0);
    });

    test("a party that crashes at start fails that run, with what it wrote to standard error", async (context) => {
      context.skip(missing !== undefined, missing);
      const id = nextId();
      const module = join(folder, "broken.mjs");
      await writeFile(module, 'throw new Error("no such codec");');
      const { crashed, records, stderr } = await runNetns({
        ...{ id, scenario: short, seed: 1, folder, speech: new Map(), launcher: open() },
        entry: { module, args: [] },
      });
      expect(crashed).toMatch(/^(alice|bob|r1) ended before it was ready \(exit code 1\); it wrote:\n[\s\S]*no such codec/);
      expect(records.at(-1)).toMatchObject({ ev: "end", reason: "crashed", detail: crashed });
      expect([...stderr.values()].join()).toContain("no such codec");
      expect(await leftOf(id)).toEqual([]);
    });

    test("interrupted, it rejects with the reason and leaves nothing behind", async (context) => {
      context.skip(missing !== undefined, missing);
      const id = nextId();
      const controller = new AbortController();
      const run = runNetns({
        ...{ id, scenario: short, seed: 1, folder, speech: new Map(), launcher: open() },
        signal: controller.signal,
        onLine: (_, record) => record.ev === "call" && controller.abort(new Error("enough")),
      });
      await expect(run).rejects.toThrow("enough");
      expect(await leftOf(id)).toEqual([]);
    });

    test("interrupted while it is still being built, it leaves nothing behind either", async (context) => {
      context.skip(missing !== undefined, missing);
      const id = nextId();
      const controller = new AbortController();
      const run = runNetns({
        ...{ id, scenario: short, seed: 1, folder, speech: new Map(), launcher: open() },
        signal: controller.signal,
        onLine: () => setImmediate(() => controller.abort(new Error("enough"))),
      });
      await expect(run).rejects.toThrow("enough");
      expect(await leftOf(id)).toEqual([]);
    });

    test("killed halfway, its parties die with it, and the next start removes what it left", async (context) => {
      context.skip(missing !== undefined, missing);
      const id = nextId();
      await killedHalfway(id, short, "call");
      await nextStart();
      await expect.poll(() => leftOf(id), { timeout: 10_000 }).toEqual([]);
    });

    test("of twenty runs in a row, four of them killed halfway, nothing is left after the next start", async (context) => {
      context.skip(missing !== undefined, missing);
      const brief = { ...short, duration: 300_000 };
      const ids = Array.from({ length: 20 }, nextId);
      for (const [k, id] of ids.entries()) {
        if (k % 5 === 4)
          await killedHalfway(id, brief, (["run", "process", "session", "registration"] as const)[(k - 4) / 5] ?? "run");
        else {
          const { crashed } = await runNetns({ id, scenario: brief, seed: k, folder, speech: new Map(), launcher: open() });
          expect(crashed).toBeUndefined();
        }
      }
      await nextStart();
      await expect.poll(async () => (await Promise.all(ids.map(leftOf))).flat(), { timeout: 10_000 }).toEqual([]);
    });

    test("two runs at the same time do not meet, and a third whose parties crash fails alone", async (context) => {
      context.skip(missing !== undefined, missing);
      const module = join(folder, "broken.mjs");
      await writeFile(module, 'throw new Error("no such codec");');
      const [third, ...runs] = await Promise.all(
        [{ entry: { module, args: [] } }, {}, {}].map((more, seed) =>
          runNetns({ ...{ scenario: short, seed, folder, speech: new Map(), launcher: open() }, ...more }),
        ),
      );
      expect(third?.crashed).toContain("no such codec");
      for (const { records, crashed } of runs) {
        expect(crashed).toBeUndefined();
        const calls = new Set(records.flatMap((one) => (one.ev === "call" ? [one.call] : [])));
        expect(calls.size).toBe(1);
      }
    });
  });
}
