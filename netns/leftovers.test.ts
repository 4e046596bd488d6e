import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ipBatch } from "./command.ts";
import { CLAIMS, claim, namespacePrefix, namespaces, removeLeftovers } from "./leftovers.ts";
import { newRun, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

/** All that bears a run's name. */
const tracesOf = async (run: string): Promise<readonly string[]> =>
  [...(await namespaces()), ...(await readdir(CLAIMS))].filter((name) => name.includes(run));

/** A harness that is up, what it printed before, and the run it holds. */
async function harness(stop = ""): Promise<{ readonly child: ChildProcess; readonly run: string; readonly said: string }> {
  const run = newRun();
  const script = join(import.meta.dirname, "abandoned-run.fixture.ts");
  const child = spawn(process.execPath, [script, run, stop], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  while (!said.includes("up\n") && child.exitCode === null)
    await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit")]);
  return { child, run, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const isRunning = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
};

describe("a claim", () => {
  test("is for one run alone, and free again when it is released", (context) =>
    withBench(context, async () => {
      const run = newRun();
      const first = await claim(run);
      await expect(claim(run)).rejects.toMatchObject({ code: "name-clash", message: expect.stringContaining(run) });
      expect(await readdir(first.folder)).toEqual([]);
      await first.release();
      expect(await tracesOf(run)).toEqual([]);
      await (await claim(run)).release();
    }));

  test("of two that want one name at the same time, one gets it", (context) =>
    withBench(context, async () => {
      const run = newRun();
      const both = await Promise.allSettled([claim(run), claim(run)]);
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      for (const one of both) if (one.status === "fulfilled") await one.value.release();
      expect(await tracesOf(run)).toEqual([]);
    }));

  test("is refused while a namespace bears the name, which stays", (context) =>
    withBench(context, async () => {
      const run = newRun();
      const name = `${namespacePrefix(run)}someone`;
      await ipBatch([`netns add ${name}`]);
      try {
        await expect(claim(run)).rejects.toMatchObject({ code: "name-clash", message: expect.stringContaining(name) });
        await removeLeftovers();
        expect(await tracesOf(run)).toEqual([name]);
      } finally {
        await ipBatch([`netns del ${name}`]);
      }
    }));

  test.each(["", "abc", "ABCD", "0123456789abc", "../../x", "ab-cd"])("%j is no name", (run) =>
    expect(() => namespacePrefix(run)).toThrow(RangeError),
  );
});

describe("after SIGKILL", () => {
  test("the next start removes the run's namespaces, processes and files, and touches no other run", (context) =>
    withBench(context, async () => {
      const [dead, alive] = await Promise.all([harness(), harness()]);
      try {
        const orphan = Number.parseInt(dead.said, 10);
        expect(await isRunning(orphan)).toBe(true);
        await kill(dead.child);
        expect((await tracesOf(dead.run)).length).toBeGreaterThan(4);
        const before = await tracesOf(alive.run);
        expect(await removeLeftovers()).toContain(dead.run);
        expect(await tracesOf(dead.run)).toEqual([]);
        await expect.poll(() => isRunning(orphan), { timeout: 5_000 }).toBe(false);
        expect(await tracesOf(alive.run)).toEqual(before);
        expect(await isRunning(Number.parseInt(alive.said, 10))).toBe(true);
      } finally {
        await kill(alive.child);
        await removeLeftovers();
      }
      expect(await tracesOf(alive.run)).toEqual([]);
    }));

  test("halfway through the building, the same", (context) =>
    withBench(context, async () => {
      const { child, run } = await harness("half");
      await kill(child);
      expect((await tracesOf(run)).length).toBeGreaterThan(4);
      // several labs may start at once and find the same dead run
      await Promise.all([removeLeftovers(), removeLeftovers()]);
      expect(await tracesOf(run)).toEqual([]);
    }));
});
