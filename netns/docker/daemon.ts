/**
 * A Docker daemon of one's own, for machines on which none runs: started by hand in a folder of its own, without any network, and stopped again with all it
 * made. It touches neither the machine's firewall nor its interfaces, nor another daemon.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { NetnsError } from "../netns-error.ts";
import { stderrTail } from "../stderr-tail.ts";
import { daemonVersion } from "./daemon-socket.ts";

const execute = promisify(execFile);

export type Daemon = {
  /** For DOCKER_HOST. */
  readonly host: string;
  readonly pid: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
};

/** Milliseconds for a daemon to answer, and between looks. chosen: it takes a few hundred on an idle machine, and seconds on one that is busy. */
const UP_WITHIN = 30_000;
const LOOK_EVERY = 50;
/** Milliseconds for a daemon to end once told to. chosen: it stops its containers first. */
const DOWN_WITHIN = 15_000;

/** Where packages put the daemon, which is often not in the PATH. */
const PLACES = ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd", "/usr/local/sbin/dockerd"] as const;

/** Where the daemon is; undefined: not installed. */
export const daemonProgram = (): string | undefined => PLACES.find((place) => existsSync(place));

/** Whether there is a daemon to start. */
export const isDaemonInstalled = (): boolean => daemonProgram() !== undefined;

/** Starts a daemon; needs root. Rejects with NetnsError when there is none or it does not come up, and then nothing of it is left. */
export async function startDaemon(): Promise<Daemon> {
  const program = daemonProgram();
  if (program === undefined) throw new NetnsError("tool-missing", "dockerd is not installed: apt-get install -y docker.io");
  const folder = await mkdtemp(join(tmpdir(), "mc-dockerd-"));
  const host = `unix://${join(folder, "socket")}`;
  const tail = stderrTail();
  // It dies with the thread that started it (PR_SET_PDEATHSIG, prctl(2)), however that ends: politely, so that it unmounts what it mounted.
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "TERM", "--", program, "--host", host, "--pidfile", join(folder, "pid")],
      ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
      ...["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
    ],
    { stdio: ["ignore", "ignore", "pipe"], detached: true },
  );
  child.stderr.on("data", (chunk: Buffer) => tail.add(chunk));
  let isOver = false;
  const over = new Promise<void>((resolve) => {
    const end = (): void => {
      isOver = true;
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  const stop = async (): Promise<void> => {
    if (!isOver) child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), DOWN_WITHIN);
    await over;
    clearTimeout(late);
    // Containers on the host's network leave it mounted here.
    await execute("umount", [join(folder, "exec/netns/default")]).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  for (const until = performance.now() + UP_WITHIN; ; ) {
    if (await daemonVersion(host).then(Boolean, () => false)) return { host, pid: child.pid ?? 0, stop };
    if (isOver || performance.now() > until) break;
    await delay(LOOK_EVERY);
  }
  await stop();
  throw new NetnsError("daemon", `dockerd does not come up:\n${tail.text()}`);
}

/** The daemon of this machine when one answers, and otherwise one of one's own, which DOCKER_HOST then names in this process. */
export async function anyDaemon(): Promise<Pick<Daemon, "stop">> {
  if (await daemonVersion().then(Boolean, () => false)) return { stop: () => Promise.resolve() };
  const daemon = await startDaemon();
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = daemon.host;
  return {
    stop: async () => {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
      await daemon.stop();
    },
  };
}
