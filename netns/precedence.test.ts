import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { launcherBehind } from "./launch-process.ts";
import { putBack, putFirst } from "./precedence.ts";

/** The scheduling of a thread as chrt(1) words it: "SCHED_RR 2". */
function standing(thread: string): string {
  const said = execFileSync("chrt", ["--pid", thread], { encoding: "utf8" });
  return [...said.matchAll(/: (\S+)$/gm)].map(([, word]) => word).join(" ");
}

const mayRun = (): boolean => {
  try {
    execFileSync("chrt", ["--rr", "1", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

test.for([
  ["party", "SCHED_RR 2"],
  ["link", "SCHED_RR 3"],
] as const)("a %s goes first, and before what V8 does beside it", async ([as, wanted], context) => {
  if (!mayRun()) return context.skip("the round-robin class is refused here, or chrt(1) is missing");
  const child = spawn(process.execPath, ["-e", "console.log('up'); setTimeout(() => {}, 60_000)"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    await putFirst(child.pid as number, as);
    const threads = readdirSync(`/proc/${child.pid}/task`).map((thread) => ({
      name: readFileSync(`/proc/${child.pid}/task/${thread}/comm`, "utf8").trim(),
      standing: standing(thread),
    }));
    const helpers = threads.filter(({ name }) => name === "V8Worker");
    expect(helpers.length).toBeGreaterThan(0);
    expect(new Set(helpers.map((one) => one.standing))).toEqual(new Set(["SCHED_RR 1"]));
    expect(new Set(threads.filter((one) => !helpers.includes(one)).map((one) => one.standing))).toEqual(new Set([wanted]));
    await putBack(child.pid as number);
    const after = readdirSync(`/proc/${child.pid}/task`).map(standing);
    expect(new Set(after)).toEqual(new Set(["SCHED_OTHER 0"]));
  } finally {
    child.kill("SIGKILL");
  }
});

test("a process that is gone is no trouble", async () => {
  const child = spawn("true");
  await once(child, "exit");
  await expect(putFirst(child.pid as number)).resolves.toBeUndefined();
});

test("a party that goes first does not wait for V8's helpers, who go last", async (context) => {
  if (!mayRun()) return context.skip("the round-robin class is refused here, or chrt(1) is missing");
  const module = fileURLToPath(new URL("./growing-heap.fixture.ts", import.meta.url));
  const { start } = launcherBehind(() => []);
  const { exited } = await start({ name: "alice", namespace: "", module, args: [], folder: tmpdir() });
  // It needs some 3 %, and what it collects now and then; waiting for helpers takes all of it.
  const { code } = await exited;
  expect(code).toBeGreaterThan(0);
  expect(code).toBeLessThan(45);
});
