/** Whose containers are whose: every one carries its run and the process that made it as labels, and what a dead process left is removed by them. */

import { isProcessAlive, ownIdentity } from "../process-identity.ts";
import { removeContainer } from "./container.ts";
import type { Engine } from "./engine.ts";

const RUN_LABEL = "midcall.run";
const OWNER_LABEL = "midcall.owner";

/** Labels of every container that this process makes for `run`. */
export const runLabels = (run: string): Readonly<Record<string, string>> => ({ [RUN_LABEL]: run, [OWNER_LABEL]: ownIdentity() });

/** Ids of the containers of a run of this process, started or not. */
export const runContainers = async (engine: Pick<Engine, "docker">, run: string): Promise<readonly string[]> =>
  (await labelled(engine, [`${RUN_LABEL}=${run}`, `${OWNER_LABEL}=${ownIdentity()}`])).map(({ Id }) => Id);

/** Removes the containers of runs whose process is dead, and no others; returns those runs. */
export async function removeDeadContainers(engine: Pick<Engine, "docker">): Promise<readonly string[]> {
  const dead = (await labelled(engine, [RUN_LABEL])).filter(({ Labels }) => isProcessAlive(Labels[OWNER_LABEL] ?? "") === false);
  await Promise.all(dead.map(({ Id }) => removeContainer(engine, Id)));
  return [...new Set(dead.map(({ Labels }) => Labels[RUN_LABEL] ?? ""))];
}

const labelled = ({ docker }: Pick<Engine, "docker">, label: string[]): ReturnType<Engine["docker"]["listContainers"]> =>
  docker.listContainers({ all: true, filters: { label } });
