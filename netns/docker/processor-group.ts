/**
 * Gives a container's process its share of the processor from the laboratory's own control group instead of the container's. A group may refuse real-time
 * classes to its processes (cpu.rt_runtime_us, sched-rt-group in the kernel's documentation), and a container's does by default where the kernel counts them
 * by group: the laboratory could then not put its parties first. Only cgroups of version 1 do that (cgroups(7)).
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Where the processor's control groups are, in the order of trying (cgroups(7)). */
const HIERARCHIES = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"] as const;

/** Moves process `pid` with all its threads; a machine without such groups, or one that refuses, leaves it where it is. Never throws. */
export function joinProcessorGroup(pid: number): void {
  for (const hierarchy of HIERARCHIES) {
    try {
      writeFileSync(`${hierarchy}${ownGroup()}/cgroup.procs`, String(pid));
      return;
    } catch {
      // not here, or not allowed
    }
  }
}

/** Path of this process's group, for the controller `cpu`. */
function ownGroup(): string {
  for (const line of readFileSync("/proc/self/cgroup", "utf8").split("\n")) {
    const [, controllers = "", path = ""] = line.split(":");
    if (controllers.split(",").includes("cpu")) return path === "/" ? "" : path;
  }
  return "";
}
