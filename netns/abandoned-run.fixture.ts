/** A harness for tests to kill: builds a topology and holds it. Arguments: the run's name, and `half` to stop for ever halfway. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ipBatch } from "./command.ts";
import { claim } from "./leftovers.ts";
import { buildTopology } from "./topology.ts";
import { HOME, party } from "./topology-bench.fixture.ts";
import { creation } from "./topology-commands.ts";
import { planTopology } from "./topology-plan.ts";

const [run = "", stop = ""] = process.argv.slice(2);
const [nats, parties] = [{ home: HOME }, { alice: party({ wlan0: "home" }), r1: party({ eth0: null }, "relay") }];

if (stop === "half") {
  await claim(run);
  await ipBatch(creation(planTopology(run, nats, parties), new Map()));
} else {
  const topology = await buildTopology({ run, nats, parties, seed: 1 });
  await writeFile(join(topology.folder, "something"), "left behind");
  const orphan = spawn("ip", ["netns", "exec", topology.namespaceOf("alice"), "sleep", "600"], {
    stdio: "ignore",
    detached: true,
  });
  console.log(orphan.pid);
}
console.log("up");
setInterval(() => {}, 60_000);
