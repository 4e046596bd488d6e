/**
 * Launches parties as containers. A party has one container that does nothing but hold its network namespace, whose wires the laboratory lays from outside by
 * process id, and one container for every process, which lives in there: a party that is killed and comes back finds its wires as they were.
 *
 * The holder reads a stream whose other end is this process. When this process is gone, however it ended, the holder comes to the stream's end and ends,
 * and with it, as the first process of the party's process id namespace, all the party's processes; the daemon removes their containers.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Launched, Launcher, LaunchSpec } from "../launcher.ts";
import { NetnsError } from "../netns-error.ts";
import { WITHOUT_HELPERS } from "../precedence.ts";
import { hasVariable, startTicks } from "../process-identity.ts";
import { type Container, removeContainer, startContainer } from "./container.ts";
import { removeDeadContainers, runContainers, runLabels } from "./container-leftovers.ts";
import { type Engine, openEngine } from "./engine.ts";
import { type Mount, moduleMounts, readOnly, systemMounts, writable } from "./mounts.ts";
import { joinProcessorGroup } from "./processor-group.ts";

export type ContainerLauncherOptions = {
  /** Files and folders outside of the run's folder that jobs name: recordings to be spoken. */
  readonly reads?: readonly string[];
  /** Milliseconds before a daemon that does not answer is given up. Default: half a minute. */
  readonly patienceMs?: number;
};

/** chosen: a hundred times what a container takes to start on an idle machine. */
const PATIENCE = 30_000;

/** Variable that tells a process of this run from others. */
const RUN = "MIDCALL_RUN";
/** Ends when its standard input does, and does nothing before that. */
const HOLDER = ["cat"] as const;

/** Milliseconds between looks at a holder that starts, and how many. chosen: two seconds, for a machine that is busy; it takes one or two looks. */
const LOOK_EVERY = 5;
const LOOKS = 400;

/** A launcher for one run. Needs a Docker daemon on this machine, and root. */
export function containerLauncher(options: ContainerLauncherOptions = {}): Launcher {
  let engine: Engine | undefined;
  let run = "";
  let started = 0;
  let closing: Promise<void> | undefined;
  const { reads = [], patienceMs = PATIENCE } = options;
  const holders = new Map<string, Container>();
  const starting = new Set<Promise<unknown>>();

  /** Nothing is started once the run is being taken down, and what is being started then is waited for. */
  const begin = async <T>(what: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) throw new NetnsError("launch", "the run is over");
    const attempt = within(patienceMs, what());
    starting.add(attempt);
    const result = await attempt.finally(() => starting.delete(attempt));
    if (closing !== undefined) throw new NetnsError("launch", "the run is over");
    return result;
  };

  async function adopt(id: string, parties: readonly string[]): Promise<ReadonlyMap<string, number>> {
    run = id;
    const open = await openEngine();
    engine = open;
    await removeDeadContainers(open);
    const held = await Promise.allSettled(parties.map((party) => hold(open, party)));
    const failed = held.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return new Map([...holders].map(([party, holder]) => [party, holder.pid]));
  }

  async function hold(open: Engine, party: string): Promise<void> {
    const holder = await startContainer(open, {
      name: nameOf(run, party),
      command: HOLDER,
      environment: { ...environmentOf(open), [RUN]: run },
      labels: runLabels(run),
      mounts: open.isEmpty ? systemMounts() : [],
      isTethered: true,
    });
    if (!(await isOurs(holder))) {
      throw new NetnsError("daemon", "the Docker daemon is not on this machine, or in a process id namespace of its own");
    }
    holders.set(party, holder);
  }

  /** The daemon tells the process id a moment before the process becomes the program it was told to run. */
  async function isOurs(holder: Container): Promise<boolean> {
    for (let look = 0; look < LOOKS; look++) {
      if (hasVariable(holder.pid, RUN, run)) return true;
      await delay(LOOK_EVERY);
    }
    return false;
  }

  async function start(spec: LaunchSpec): Promise<Launched> {
    const holder = holders.get(spec.name);
    if (engine === undefined || holder === undefined) throw new RangeError(`name: no party ${spec.name} was adopted`);
    const container = await startContainer(engine, {
      name: `${nameOf(run, spec.name)}-${++started}`,
      command: [engine.isEmpty ? process.execPath : "node", ...WITHOUT_HELPERS, spec.module, ...spec.args],
      environment: environmentOf(engine),
      labels: runLabels(run),
      mounts: mountsOf(engine, spec, reads),
      folder: spec.folder,
      inside: holder.id,
    });
    joinProcessorGroup(container.pid);
    return launched(container);
  }

  async function close(): Promise<void> {
    await Promise.allSettled([...starting]);
    if (engine === undefined) return;
    const open = engine;
    const remove = async (): Promise<unknown> =>
      Promise.all((await runContainers(open, run)).map((id) => removeContainer(open, id)));
    await within(patienceMs, remove());
  }

  return {
    lab: "docker",
    adopt: (id, parties) => begin(() => adopt(id, parties)),
    start: (spec) => begin(() => start(spec)),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Rejects with NetnsError when `answer` takes longer than `ms`. What it may still become ends with this process, as every container of it. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined); // too late to be told
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new NetnsError(
      "daemon",
      `the Docker daemon does not answer: ${ms / 1_000} s were not enough; see its log, and start it anew`,
    );
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}

function launched({ pid, exited, stderrTail }: Container): Launched {
  const began = startTicks(pid);
  return {
    pid,
    // By the kernel and not by the daemon, which takes its time; only to the very process that was started.
    signal: (name) => {
      if (began === undefined || startTicks(pid) !== began) return;
      try {
        process.kill(pid, name);
      } catch {
        // it ended by itself
      }
    },
    exited,
    stderrTail,
  };
}

const nameOf = (run: string, party: string): string => `mc-${run}-${party}`;

/** Where this Node.js keeps what it compiled, for the same one in a container from nothing, which reads it: a party is up with less than half the work. */
const compiled = (): readonly string[] => [process.env.NODE_COMPILE_CACHE ?? ""].filter((folder) => folder !== "");

/** An image of its own says itself where its programs are, and has a Node.js of its own. */
const environmentOf = (engine: Engine): Readonly<Record<string, string>> => {
  if (!engine.isEmpty) return {};
  const [cache] = compiled();
  return { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/", ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) };
};

const mountsOf = (engine: Engine, spec: LaunchSpec, reads: readonly string[]): readonly Mount[] => [
  ...(engine.isEmpty ? [...systemMounts(), ...readOnly(compiled())] : []),
  ...moduleMounts(spec.module),
  ...readOnly(reads),
  writable(spec.folder),
];
