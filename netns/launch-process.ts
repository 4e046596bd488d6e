/**
 * Launches parties as plain processes in network namespaces. `setpriv` and `nsenter` replace themselves by the program they start, so
 * the process id is that of Node.js itself; it dies with the thread that started it (PR_SET_PDEATHSIG, prctl(2)), however that ends.
 */
import { spawn } from "node:child_process";
import type { Exit, Launched, Launcher, LaunchSpec } from "./launcher.ts";
import { NetnsError } from "./netns-error.ts";
import { WITHOUT_HELPERS } from "./precedence.ts";
import { stderrTail } from "./stderr-tail.ts";

/** Variables a party gets from the lab's environment; the rest could change how it behaves. */
const ENVIRONMENT = ["PATH", "HOME", "TMPDIR", "LANG", "NODE_COMPILE_CACHE"] as const;

/** Where `ip netns` keeps its namespaces (ip-netns(8)). */
const namespaceFile = (name: string): string => `/run/netns/${name}`;

/** Parties as processes of this machine, in namespaces. Needs root. */
export const processLauncher: Launcher = launcherBehind((spec) => [
  ...["setpriv", "--pdeathsig", "KILL", "--"],
  ...["nsenter", `--net=${namespaceFile(spec.namespace)}`, "--"],
]);

/** A launcher that puts `prefix` in front of `node FLAGS MODULE ARGS`; every program in it must replace itself by the next. */
export function launcherBehind(prefix: (spec: LaunchSpec) => readonly string[]): Launcher {
  return {
    lab: "netns",
    start: (spec) => start(spec, [...prefix(spec), process.execPath, ...WITHOUT_HELPERS, spec.module, ...spec.args]),
  };
}

async function start(spec: LaunchSpec, [program = "", ...words]: readonly string[]): Promise<Launched> {
  const child = spawn(program, words, {
    cwd: spec.folder,
    env: Object.fromEntries(ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
    // A process group of its own: Ctrl-C is for the lab, which then stops its parties in order.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const tail = stderrTail();
  child.stderr.on("data", (chunk: Buffer) => tail.add(chunk));
  const exited = new Promise<Exit>((resolve) => {
    // `close` and not `exit`: what it wrote last has then been read.
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(new NetnsError("launch", `${spec.name} cannot be started: ${cause.message}`, cause)));
  });
  const { pid } = child;
  if (pid === undefined) throw new NetnsError("launch", `${spec.name} cannot be started: the system gave no process id`);
  return {
    pid,
    signal: (name) => void (child.exitCode === null && child.signalCode === null && child.kill(name)),
    exited,
    stderrTail: tail.text,
  };
}
