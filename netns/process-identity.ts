/**
 * Which process a process id means: the kernel gives ids again, so an id counts together with the instant its process began (proc_pid_stat(5)).
 * Read at once and not in turn, because a signal follows on the answer.
 */
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Clock ticks from the start of the machine to the start of the process; undefined when there is none of that id, or one that has ended and was not yet
 * waited for.
 */
export function startTicks(pid: number): number | undefined {
  const stat = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The second field, a command name in parentheses, may hold anything: what follows the last one is fields 3 and on.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state, ticks] = [fields[0], fields[22 - 3]];
  return ticks === undefined || state === "Z" || state === "X" ? undefined : Number(ticks);
}

/** The name of this process for others to ask `isProcessAlive` about: process id, its start, and the process id namespace they hold in. */
export const ownIdentity = (): string => `${process.pid} ${startTicks(process.pid)} ${ownPidNamespace()}`;

/**
 * Whether the process that called itself `identity` lives; undefined when that cannot be told, because it lived in another process id namespace or
 * the text is no identity.
 */
export function isProcessAlive(identity: string): boolean | undefined {
  const [, pid, ticks, namespace] = /^(\d+) (\d+) (pid:\[\d+\])$/.exec(identity) ?? [];
  if (pid === undefined || namespace !== ownPidNamespace()) return undefined;
  return startTicks(Number(pid)) === Number(ticks);
}

/** Whether the environment that a process was started with holds `name=value`: tells a process of ours from another one of the same id elsewhere. */
export function hasVariable(pid: number, name: string, value: string): boolean {
  const environment = readOrNothing(() => readFileSync(`/proc/${pid}/environ`, "utf8"));
  return environment?.split("\0").includes(`${name}=${value}`) === true;
}

const ownPidNamespace = (): string | undefined => readOrNothing(() => readlinkSync("/proc/self/ns/pid"));

function readOrNothing(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
