/** What the docker laboratory needs beyond plain namespaces: a Docker daemon on this machine. */
import { existsSync } from "node:fs";
import { installCommand, type Lack, type Tool } from "../install.ts";
import { daemonProgram } from "./daemon.ts";
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

/**
 * The command that gets a daemon of this machine running: forgets one elsewhere, installs it, or starts the one there is, by systemd where that runs the machine (sd_booted(3)). Where it
 * does not, by hand: Debian's own script (`service docker start`) raises its limits first and gives up where it may not, as in most containers, though the daemon needs no more than there is.
 */
export function daemonRemedy(
  program: string | undefined = daemonProgram(),
  hasSystemd: boolean = existsSync("/run/systemd/system"),
): string {
  if (!isLocal()) return "unset DOCKER_HOST";
  if (program === undefined) return installCommand(["docker.io"]);
  return hasSystemd ? "systemctl start docker" : `start-stop-daemon --start --oknodo --background --exec ${program}`;
}

/** Whether DOCKER_HOST, if anything, names a socket. */
function isLocal(): boolean {
  try {
    return daemonSocket() !== "";
  } catch {
    return false;
  }
}
