/**
 * `npm run nothing-left`: runs the laboratories on a real kernel again and again, kills runs with SIGKILL at every stage of their lives while others go on, and
 * looks for everything that could be left behind. It does so in namespaces of its own for processes, network and mounts (unshare(1)), where whatever is found was
 * left by these runs. Needs root, and for containers a dockerd to start.
 * Usage: node .ci/nothing-left.ts [--runs 20] [--kills 6] [--lab netns|docker]
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { anyDaemon } from "../netns/docker/daemon.ts";
import { openEngine } from "../netns/docker/engine.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20" },
    kills: { type: "string", default: "6" },
    lab: { type: "string" },
    inside: { type: "boolean", default: false },
  },
});
const MAIN = join(import.meta.dirname, "../cli/main.ts");
/** Empty at the start, and seen by these processes alone. */
const RUN = "/run";
/** chosen: what the kernel and the daemon do after a process's end takes milliseconds; a busy machine takes longer. */
const SETTLES_WITHIN_MS = 15_000;

/** A call of two seconds between two homes. */
const SHORT = `import { expectConnect, kill, scenario } from "midcall";
export default scenario({
  name: "short", asks: "Does anything stay behind?", duration: "4s",
  parties: { alice: { nat: "home" }, bob: { nat: "home" } },
  calls: [{ at: "300ms", answerAfter: "100ms", hangUpAt: "3s", callerSays: "tone", calleeSays: "tone" }],
  faults: [kill("r1", { at: "1500ms", for: "500ms" })],
  expect: [expectConnect()],
});
`;

if (values.inside) await inside();
else await outside();

async function outside(): Promise<void> {
  const own = ["unshare", "--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"];
  const child = spawn(own[0] ?? "", [...own.slice(1), process.execPath, ...process.argv.slice(1), "--inside"], {
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
}

async function inside(): Promise<void> {
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755,size=2g", "tmpfs", RUN]);
  execFileSync("ip", ["link", "set", "lo", "up"]);
  process.env.TMPDIR = join(RUN, "tmp");
  mkdirSync(process.env.TMPDIR);
  mkdirSync(join(RUN, "out"));
  writeFileSync(join(RUN, "out", "short.ts"), SHORT);
  const labs = values.lab === undefined ? ["netns", "docker"] : [values.lab];
  const daemon = labs.includes("docker") ? await anyDaemon() : undefined;
  const engine = daemon === undefined ? undefined : await openEngine();
  const before = new Set(await traces());
  const containers = async (): Promise<readonly string[]> =>
    engine === undefined
      ? []
      : (await engine.docker.listContainers({ all: true })).map(({ Names }) => `container ${Names.join()}`);
  const left = async (): Promise<readonly string[]> => [
    ...(await traces()).filter((trace) => !before.has(trace)),
    ...(await containers()),
  ];
  let isClean = true;
  const check = async (what: string): Promise<void> => {
    const until = performance.now() + SETTLES_WITHIN_MS;
    let found = await left();
    while (found.length > 0 && performance.now() < until) {
      await delay(50);
      found = await left();
    }
    isClean &&= found.length === 0;
    console.log(`${found.length === 0 ? "nothing left" : "LEFT BEHIND "}  ${what}${found.map((one) => `\n    ${one}`).join("")}`);
  };
  for (const lab of labs) {
    const took: number[] = [];
    for (let run = 1; run <= Number(values.runs); run++) {
      const began = performance.now();
      isClean = (await ends(start(lab), `${lab} run ${run}`)) && isClean;
      took.push(performance.now() - began);
      await check(`${lab}: run ${run} of ${values.runs}`);
    }
    const whole = took.sort((a, b) => a - b)[took.length >> 1] ?? 6_000;
    for (let kill = 0; kill < Number(values.kills); kill++) {
      const at = (whole * (kill + 0.5)) / Number(values.kills);
      const bystander = start(lab);
      const victim = start(lab);
      const gone = once(victim, "exit");
      await delay(at);
      victim.kill("SIGKILL");
      await gone;
      // The next start, while the bystander lives.
      const next = start(lab);
      isClean = (await ends(bystander, `${lab} bystander ${kill + 1}`)) && isClean;
      isClean = (await ends(next, `${lab} next start ${kill + 1}`)) && isClean;
      await check(`${lab}: killed after ${(at / 1_000).toFixed(1)} s, and the next start`);
    }
  }
  await daemon?.stop();
  process.exitCode = isClean ? 0 : 1;
}

function start(lab: string): ChildProcess {
  const words = ["run", join(RUN, "out", "short.ts"), "--lab", lab, "--out", join(RUN, "out")];
  return spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Whether a run held. */
async function ends(child: ChildProcess, what: string): Promise<boolean> {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk));
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  if (child.exitCode !== 0) console.log(`FAILED        ${what}: exit code ${child.exitCode}\n${said}`);
  return child.exitCode === 0;
}

/** Everything there is in these namespaces, a line each: processes, interfaces, network namespaces, files, mounts. */
async function traces(): Promise<readonly string[]> {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      const command = readOrNothing(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
      return command === "" ? [] : [`process ${pid} ${command}`];
    });
  const interfaces = readdirSync("/proc/self/net/dev_snmp6").map((name) => `interface ${name}`);
  const namespaces = existsSync(join(RUN, "netns")) ? readdirSync(join(RUN, "netns")).map((name) => `namespace ${name}`) : [];
  const files = readdirSync(RUN, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() || /^(mc|midcall)-/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(RUN, "out/")) && !path.includes("/mc-dockerd-"));
  const devices = readdirSync("/dev").filter((name) => name.startsWith("mc-"));
  const mounts = readOrNothing("/proc/self/mounts")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    // `ip netns` makes its folder a mount of its own, once.
    .filter((path) => path !== "" && path !== join(RUN, "netns"));
  return [...processes, ...interfaces, ...namespaces, ...files, ...devices, ...mounts.map((path) => `mount ${path}`)];
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
