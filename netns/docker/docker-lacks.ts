/** What the docker laboratory needs beyond plain namespaces: a Docker daemon on this machine. */
import { existsSync } from "node:fs";
import { installCommand, type Lack, type Tool } from "../install.ts";
import { isDaemonInstalled } from "./daemon.ts";
import { daemonSocket, daemonVersion } from "./daemon-socket.ts";

/** Programs of the docker laboratory, beside those of plain namespaces: no client, because the laboratory talks to the daemon itself. */
export const DOCKER_TOOLS: readonly Tool[] = [{ program: "dockerd", package: "docker.io", says: "--version" }];

/** What this machine lacks to run parties in containers, plain namespaces aside; empty: nothing. Never rejects. */
export async function dockerLacks(): Promise<Lack[]> {
  try {
    await daemonVersion();
    return [];
  } catch (error) {
    return [{ what: `a Docker daemon (${(error as Error).message})`, command: daemonRemedy() }];
  }
}

/** The command that gets a daemon of this machine running: forgets one elsewhere, installs it, or starts the one there is, by systemd where that runs the machine (sd_booted(3)). */
export function daemonRemedy(): string {
  if (!isLocal()) return "unset DOCKER_HOST";
  if (!isDaemonInstalled()) return installCommand(["docker.io"]);
  return existsSync("/run/systemd/system") ? "systemctl start docker" : "service docker start";
}

/** Whether DOCKER_HOST, if anything, names a socket. */
function isLocal(): boolean {
  try {
    return daemonSocket() !== "";
  } catch {
    return false;
  }
}
