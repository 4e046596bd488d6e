/**
 * One container: made, listened to and started. Everything it writes to standard error goes to this process and nowhere else, and the daemon removes it
 * as soon as it ends. It runs without privileges: no network of its own, no capabilities, nothing writable but what is mounted so.
 */
import { constants } from "node:os";
import type { Duplex, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { GenericContainer } from "testcontainers";
import type { Exit } from "../launcher.ts";
import { NetnsError, type NetnsErrorCode } from "../netns-error.ts";
import { stderrTail } from "../stderr-tail.ts";
import type { Engine } from "./engine.ts";
import { distinct, type Mount } from "./mounts.ts";

export type ContainerSpec = {
  /** Unique on this machine. */
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly folder?: string;
  /** The container whose network and process ids it shares; undefined: it has its own, with no interface but the loopback. */
  readonly inside?: string;
  /** It ends by itself when this process is gone: its standard input is then at its end. */
  readonly isTethered?: boolean;
};

export type Container = {
  readonly id: string;
  /** Of its first process, as seen from the daemon's machine; 0 when it ended sooner than that could be asked. */
  readonly pid: number;
  /** Resolves when it has ended and what it wrote has been read; never rejects. */
  readonly exited: Promise<Exit>;
  stderrTail(): string;
};

/** Milliseconds that the last words of a container may come after its end. chosen: they are in the daemon's hands by then. */
const LAST_WORDS = 1_000;

/** testcontainers' container, with the settings it has no methods for, and a word in between making and starting. */
class QuietContainer extends GenericContainer {
  private readonly created: (id: string) => Promise<void>;

  constructor(image: string, spec: ContainerSpec, created: (id: string) => Promise<void>) {
    super(image);
    this.created = created;
    const share = spec.inside === undefined ? undefined : `container:${spec.inside}`;
    this.withName(spec.name)
      .withEntrypoint([...spec.command])
      .withEnvironment({ ...spec.environment })
      .withLabels({ ...spec.labels })
      .withNetworkMode(share ?? "none")
      .withDroppedCapabilities("ALL")
      .withSecurityOpt("no-new-privileges")
      // What is left over is found by its labels, also after a crash; the reaper would be one more container, from a registry.
      .withAutoCleanup(false);
    if (spec.folder !== undefined) this.withWorkingDir(spec.folder);
    Object.assign(this.createOpts, spec.isTethered === true ? { OpenStdin: true, StdinOnce: true, AttachStdin: true } : {});
    Object.assign(this.hostConfig, {
      AutoRemove: true,
      ReadonlyRootfs: true,
      LogConfig: { Type: "none", Config: {} },
      Mounts: distinct(spec.mounts),
      ...(share === undefined ? {} : { PidMode: share }),
    });
  }

  protected override containerCreated(id: string): Promise<void> {
    return this.created(id);
  }
}

/** Rejects with NetnsError, and then nothing of it is left. */
export async function startContainer({ docker, image }: Engine, spec: ContainerSpec): Promise<Container> {
  const tail = stderrTail();
  let id = "";
  let exited: Promise<Exit> | undefined;
  const listen = async (made: string): Promise<void> => {
    id = made;
    const container = docker.getContainer(made);
    const hijack = spec.isTethered === true;
    const stream = await container.attach({ stream: true, stderr: true, stdin: hijack, hijack });
    exited = hear(container.wait({ condition: "next-exit" }), stream as Duplex, (sink) =>
      docker.modem.demuxStream(stream, sink, sink),
    );
  };
  const hear = async (over: Promise<Over>, stream: Duplex, demux: (sink: Writable) => void): Promise<Exit> => {
    demux({ write: (chunk: Buffer) => tail.add(chunk) } as unknown as Writable);
    const silent = new Promise<void>((resolve) => {
      stream.once("close", resolve).once("end", resolve);
      stream.once("error", () => resolve()); // the daemon hung up: `over` tells more
    });
    const exit = await over.then(exitOf, (cause: unknown): Exit => {
      tail.add(Buffer.from(`the Docker daemon lost it: ${(cause as Error).message}`));
      return { code: null, signal: null };
    });
    await Promise.race([silent, new Promise((resolve) => setTimeout(resolve, LAST_WORDS).unref())]);
    stream.destroy();
    return exit;
  };
  let pid = 0;
  try {
    await new QuietContainer(image, spec, listen).start();
    const { State } = await docker.getContainer(id).inspect();
    pid = State.Pid;
  } catch (cause) {
    // It may just have been quick: then it has an exit code, and the daemon has removed it before it could be looked at.
    const ended = isMissing(cause) ? await exited : undefined;
    if (ended === undefined) {
      if (id !== "") await removeContainer({ docker }, id).catch(() => undefined);
      throw new NetnsError(codeOf(cause), `${spec.name} cannot be started: ${(cause as Error).message.trim()}`, cause);
    }
  }
  return { id, pid, exited: exited ?? Promise.resolve({ code: null, signal: null }), stderrTail: tail.text };
}

/** Milliseconds between looks at a container that somebody else is removing, and how many: chosen, half a minute. */
const LOOK_EVERY = 10;
const LOOKS = 3_000;

/**
 * Ends and removes a container; resolves when the daemon has forgotten it. One that is gone is no error. A removal that is under way already (the daemon's own,
 * when the process has just ended) is looked at until it is done: to ask the daemon to tell of it is to wait for ever when the question comes between the
 * telling and the forgetting (CI met that).
 */
export async function removeContainer({ docker }: Pick<Engine, "docker">, id: string): Promise<void> {
  const container = docker.getContainer(id);
  const status = await container.remove({ force: true, v: true }).then(() => undefined, statusOrThrow);
  if (status !== CONFLICT) return;
  for (let look = 0; look < LOOKS; look++) {
    if ((await container.inspect().then(() => undefined, statusOrThrow)) === NOT_FOUND) return;
    await delay(LOOK_EVERY);
  }
  throw new NetnsError("daemon", `the Docker daemon does not finish removing container ${id}; see its log, and start it anew`);
}

/** Status codes of the Docker Engine API. */
const NOT_FOUND = 404;
const CONFLICT = 409;

type Over = { readonly StatusCode: number };

const statusOf = (error: unknown): number | undefined => (error as { readonly statusCode?: number }).statusCode;
const isMissing = (error: unknown): boolean => statusOf(error) === NOT_FOUND;

function statusOrThrow(error: unknown): number {
  const status = statusOf(error);
  if (status !== NOT_FOUND && status !== CONFLICT) throw error;
  return status;
}

const codeOf = (error: unknown): NetnsErrorCode => (statusOf(error) === CONFLICT ? "name-clash" : "launch");

/** Of names for one number the first: SIGABRT, and not SIGIOT. */
const SIGNALS = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number, name] as const)
    .reverse(),
);

/** Docker tells a signal as 128 and its number, as shells do: a program that exits with such a code itself is taken for one that was ended. */
const exitOf = ({ StatusCode }: Over): Exit => {
  const signal = SIGNALS.get(StatusCode - 128);
  return signal === undefined ? { code: StatusCode, signal: null } : { code: null, signal };
};
