import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import type { Launched, Launcher } from "../launcher.ts";
import { ownIdentity } from "../process-identity.ts";
import { removeDeadContainers } from "./container-leftovers.ts";
import { anyDaemon, type Daemon, isDaemonInstalled } from "./daemon.ts";
import { dockerLacks } from "./docker-lacks.ts";
import { type Engine, openEngine } from "./engine.ts";
import { containerLauncher } from "./launch-container.ts";

const [lack] = process.getuid?.() === 0 && isDaemonInstalled() ? [] : await dockerLacks();
const missing = process.getuid?.() === 0 ? lack?.what : "root: containers' processes are signalled from outside";
const needs = (context: TestContext): void => context.skip(missing !== undefined, missing);

let daemon: Pick<Daemon, "stop"> | undefined;
let engine: Engine;
let folder = "";
beforeAll(async () => {
  if (missing !== undefined) return;
  daemon = await anyDaemon();
  engine = await openEngine();
  folder = await mkdtemp(join(tmpdir(), "mc-launch-"));
});
afterAll(async () => {
  await daemon?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

const newRun = (): string => randomBytes(3).toString("hex");

/** Names of the containers of a run that the daemon knows. */
const containersOf = async (run: string): Promise<readonly string[]> => {
  const found = await engine.docker.listContainers({ all: true, filters: { label: [`midcall.run=${run}`] } });
  return found.flatMap(({ Names }) => Names);
};

/** A launcher with one party, alice, that runs a piece of JavaScript. */
async function bench(run = newRun()): Promise<{ launcher: Launcher; pid: number; play(script: string): Promise<Launched> }> {
  const launcher = containerLauncher();
  const adopted = await launcher.adopt?.(run, ["alice"], folder).catch(async (error: unknown) => {
    await launcher.close?.();
    throw error;
  });
  const play = async (script: string): Promise<Launched> => {
    const module = join(folder, `${newRun()}.mjs`);
    await writeFile(module, script);
    return launcher.start({ name: "alice", namespace: "", module, args: [], folder });
  };
  return { launcher, pid: adopted?.get("alice") ?? 0, play };
}

/** Says `up` in a file of its own, and lives on. */
const living = (file: string): string =>
  `import { writeFileSync } from "node:fs"; setInterval(() => {}, 1e3); writeFileSync(${JSON.stringify(file)}, "up");`;

const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  const limit = performance.now() + 15_000;
  while (!(await what())) {
    if (performance.now() > limit) throw new Error("it did not come to that in 15 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const stateOf = (pid: number): string | undefined => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

test("signals reach the party's process itself, and its end says which one it was", async (context) => {
  needs(context);
  const { launcher, play } = await bench();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const up = join(folder, signal);
    const launched = await play(living(up));
    await until(() => readFile(up, "utf8").then(Boolean, () => false));
    expect(readFileSync(`/proc/${launched.pid}/cmdline`, "utf8")).toContain(".mjs");
    launched.signal("SIGSTOP");
    await until(() => stateOf(launched.pid) === "T");
    launched.signal("SIGCONT");
    await until(() => stateOf(launched.pid) !== "T");
    launched.signal(signal);
    expect(await launched.exited).toEqual({ code: null, signal });
    launched.signal("SIGKILL"); // nothing comes of it
  }
  await launcher.close?.();
});

test("a process that ends by itself has an exit code, and the last of what it wrote is kept", async (context) => {
  needs(context);
  const { launcher, play } = await bench();
  const launched = await play(
    'import { writeSync } from "node:fs"; for (let i = 0; i < 4e4; i++) writeSync(2, "line " + i + " of many\\n"); process.exit(3);',
  );
  expect(await launched.exited).toEqual({ code: 3, signal: null });
  expect(launched.stderrTail()).toMatch(/^\(\d+ octets before this\).*line 39999 of many$/s);
  expect(launched.stderrTail().length).toBeLessThan(10_000);
  const quick = await play("process.exit(0);");
  expect(await quick.exited).toEqual({ code: 0, signal: null });
  const aborted = await play("process.abort();");
  expect(await aborted.exited).toEqual({ code: null, signal: "SIGABRT" });
  await launcher.close?.();
});

test("a party that is killed comes back into the same network namespace, in which nothing but the loopback is", async (context) => {
  needs(context);
  const { launcher, pid, play } = await bench();
  const [own, theirs] = [readlinkSync("/proc/self/ns/net"), readlinkSync(`/proc/${pid}/ns/net`)];
  expect(theirs).not.toBe(own);
  for (const round of ["first", "second"]) {
    const up = join(folder, round);
    const launched = await play(living(up));
    await until(() => readFile(up, "utf8").then(Boolean, () => false));
    expect(readlinkSync(`/proc/${launched.pid}/ns/net`)).toBe(theirs);
    launched.signal("SIGKILL");
    await launched.exited;
  }
  const interfaces = readFileSync(`/proc/${pid}/net/dev`, "utf8").match(/^\s*\w+(?=:)/gm);
  expect(interfaces?.map((name) => name.trim()).filter((name) => !/^(lo|sit0|tunl0|gre0|ip6tnl0)$/.test(name))).toEqual([]);
  await launcher.close?.();
});

test("a party has no capabilities, and can write to the run's folder alone", async (context) => {
  needs(context);
  const { launcher, play } = await bench();
  const seen = join(folder, "seen.json");
  const launched = await play(`
    import { readFileSync, writeFileSync } from "node:fs";
    const attempt = (path) => { try { writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
    const caps = /^CapEff:\\s+(\\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
    const writes = ["/usr/x", "/x", import.meta.filename, "/proc/sys/net/ipv4/ip_forward"].map(attempt);
    writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ caps, writes }));`);
  expect(await launched.exited).toEqual({ code: 0, signal: null });
  const { caps, writes } = JSON.parse(await readFile(seen, "utf8"));
  expect(caps).toBe("0000000000000000");
  // The module lies in the run's folder here.
  expect(writes).toEqual(["EROFS", "EROFS", "written", "EROFS"]);
  await launcher.close?.();
});

test("closing removes all containers of the run, also while one is being started, and nothing starts after it", async (context) => {
  needs(context);
  const [run, other] = [newRun(), newRun()];
  const [one, bystander] = await Promise.all([bench(run), bench(other)]);
  const frozen = await one.play(living(join(folder, "frozen")));
  frozen.signal("SIGSTOP");
  const module = join(folder, "late.mjs");
  await writeFile(module, living(join(folder, "late")));
  const late = one.launcher.start({ name: "alice", namespace: "", module, args: [], folder });
  const refused = expect(late).rejects.toMatchObject({ code: "launch", message: "the run is over" });
  await one.launcher.close?.();
  await refused;
  expect(await containersOf(run)).toEqual([]);
  expect(await frozen.exited).toEqual({ code: null, signal: "SIGKILL" });
  await expect(one.play("")).rejects.toMatchObject({ code: "launch" });
  expect(await containersOf(other)).toHaveLength(1);
  await bystander.launcher.close?.();
});

test("when the laboratory is killed, its containers end and vanish by themselves, frozen ones too", async (context) => {
  needs(context);
  const run = newRun();
  const module = join(folder, "stays.mjs");
  await writeFile(module, living(join(folder, "stays")));
  const fixture = join(import.meta.dirname, "launcher-that-dies.fixture.ts");
  const child = spawn(process.execPath, [fixture, run, module, folder], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  expect(await containersOf(run)).toHaveLength(2);
  child.kill("SIGKILL");
  await until(async () => (await containersOf(run)).length === 0);
});

test("what a dead process left is removed at the next start, and what belongs to a living or unknown one stays", async (context) => {
  needs(context);
  const owners = new Map([
    [newRun(), ownIdentity().replace(/ \d+ /, " 1 ")],
    [newRun(), ownIdentity()],
    [newRun(), "1 1 pid:[1]"],
  ]);
  for (const [run, owner] of owners) {
    const Labels = { "midcall.run": run, "midcall.owner": owner };
    await engine.docker.createContainer({ Image: engine.image, Entrypoint: ["cat"], Labels });
  }
  const [dead = "", ...others] = owners.keys();
  try {
    expect(await removeDeadContainers(engine)).toContain(dead);
    expect(await containersOf(dead)).toEqual([]);
    for (const run of others) expect(await containersOf(run)).toHaveLength(1);
  } finally {
    for (const run of others)
      for (const name of await containersOf(run)) await engine.docker.getContainer(name.slice(1)).remove({ force: true });
  }
});

test("a run whose name is taken is refused, and the one that has it goes on", async (context) => {
  needs(context);
  const run = newRun();
  const name = `mc-${run}-alice`;
  await engine.docker.createContainer({ name, Image: engine.image, Entrypoint: ["cat"], Labels: { "midcall.run": run } });
  try {
    await expect(bench(run)).rejects.toMatchObject({ code: "name-clash" });
    expect(await containersOf(run)).toEqual([`/${name}`]);
  } finally {
    await engine.docker.getContainer(name).remove({ force: true });
  }
});
