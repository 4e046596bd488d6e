/** The laboratory in containers is held to what the one in plain namespaces is held to. */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { lacks } from "../install.ts";
import { labContract } from "../lab.contract.ts";
import { labPartyContract } from "../lab-party.contract.ts";
import { removeLeftovers } from "../leftovers.ts";
import { removeDeadContainers } from "./container-leftovers.ts";
import { anyDaemon, type Daemon, isDaemonInstalled } from "./daemon.ts";
import { dockerLacks } from "./docker-lacks.ts";
import { type Engine, openEngine } from "./engine.ts";
import { containerLauncher } from "./launch-container.ts";

const found = [...(await lacks()), ...(isDaemonInstalled() ? [] : await dockerLacks())];
const missing = found.length === 0 ? undefined : found.map(({ what, command }) => `${what} (${command})`).join("; ");

let daemon: Pick<Daemon, "stop"> | undefined;
let engine: Engine;
beforeAll(async () => {
  if (missing !== undefined) return;
  daemon = await anyDaemon();
  engine = await openEngine();
});
afterAll(() => daemon?.stop(), 60_000);

labPartyContract("containers", missing, containerLauncher);

labContract({
  lab: "docker",
  missing,
  open: containerLauncher,
  launcher: { name: "containerLauncher", module: join(import.meta.dirname, "launch-container.ts"), made: "launcher()" },
  nextStart: async () => {
    await removeLeftovers();
    await removeDeadContainers(engine);
  },
  traces: async (id) => {
    const containers = await engine.docker.listContainers({ all: true, filters: { name: [`mc-${id}`] } });
    return containers.flatMap(({ Names }) => Names);
  },
});
