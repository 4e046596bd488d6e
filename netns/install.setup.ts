/** vitest's global set-up: gets what the kernel laboratories need where that is possible. Where it is not, their tests say by name what they lack. */
import { isDaemonInstalled } from "./docker/daemon.ts";
import { DOCKER_TOOLS, dockerLacks } from "./docker/docker-lacks.ts";
import { installMissing, TOOLS } from "./install.ts";

export default async function setup(): Promise<void> {
  // A daemon that answers, or one to be started, is left alone, wherever it came from.
  const hasDaemon = isDaemonInstalled() || (await dockerLacks()).length === 0;
  // One after the other: where containers cannot be had, namespaces still can.
  for (const tools of hasDaemon ? [TOOLS] : [TOOLS, DOCKER_TOOLS]) {
    try {
      await installMissing((line) => console.log(line), tools);
    } catch (error) {
      console.log(error instanceof Error ? error.message : String(error));
    }
  }
}
