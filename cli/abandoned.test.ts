import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

/** A process with a loopback run of its own, ended as `midcall bench sim` is. Its children are found by their place in /proc. */
const SCRIPT = `
const { runLoopback } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "loopback.ts")).href)});
const interrupted = new AbortController();
process.on("SIGTERM", () => interrupted.abort());
await runLoopback(interrupted.signal).catch((error) => console.error(error.message));
`;

let parent: ChildProcess | undefined;
afterEach(() => void parent?.kill("SIGKILL"));

/** Ids of the processes whose parent is `pid`. */
async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    if (Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === pid) found.push(Number(name));
  }
  return found;
}

const isRunning = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && stat.at(stat.lastIndexOf(")") + 2) !== "Z";
};

/** Looks every 50 ms until `holds`, for at most 20 s. */
async function until(holds: () => Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe.runIf(process.platform === "linux")("the relay and the clients of a loopback run", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)("end when their parent gets %s", async (signal) => {
    parent = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT], { stdio: "ignore" });
    const pid = parent.pid ?? 0;
    let children: number[] = [];
    expect(
      await until(async () => {
        children = await childrenOf(pid);
        return children.length === 3; // relay, bob, alice
      }),
    ).toBe(true);
    const ended = once(parent, "exit");
    parent.kill(signal);
    await ended;
    expect(await until(async () => !(await Promise.all(children.map(isRunning))).includes(true))).toBe(true);
  });
});
