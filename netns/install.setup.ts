/** vitest's global set-up: gets what the kernel laboratories need where that is possible. Where it is not, their tests say by name what they lack. */
import { DOCKER_TOOLS } from "./docker/docker-lacks.ts";
import { installMissing, TOOLS } from "./install.ts";

export default async function setup(): Promise<void> {
  // One after the other: where containers cannot be had, namespaces still can.
  for (const tools of [TOOLS, DOCKER_TOOLS]) {
    try {
      await installMissing((line) => console.log(line), tools);
    } catch (error) {
      console.log(error instanceof Error ? error.message : String(error));
    }
  }
}
