/**
 * Services of the dashboards' compose file as containers that live as long as somebody wants them: each through testcontainers, on the host's network, and known by
 * labels, so that what a process that was killed left behind is removed by the next one. Nothing is kept: what they write goes with them.
 */
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type ContainerRuntimeClient, GenericContainer, getContainerRuntimeClient, ImageName, Wait } from "testcontainers";
import { DashboardsError } from "../dashboards/dashboards-error.ts";
import type { Service } from "../dashboards/provisioning.ts";
import { removeContainer } from "../netns/docker/container.ts";
import { removeDeadContainers, runContainers, runLabels } from "../netns/docker/container-leftovers.ts";
import { daemonVersion } from "../netns/docker/daemon-socket.ts";
import { daemonRemedy } from "../netns/docker/docker-lacks.ts";
import { stderrTail } from "../netns/stderr-tail.ts";

/** The name that the containers of `dashboards up` go by among those of runs. */
const RUN = "dashboards";
/** Milliseconds between looks at a server that is starting, and until it must be there. chosen: Grafana writes its database at first start. */
const LOOK_EVERY = 100;
const READY_WITHIN = 120_000;

/** A container; `over` resolves with what there is to say when it ends by itself, and never rejects. */
export type Running = { readonly id: string; readonly over: Promise<string> };

export type ServiceContainers = {
  /** Gets an image that is not here. Rejects with DashboardsError when it cannot be had. */
  pull(image: string): Promise<void>;
  /** Runs one program of the service's image to its end, with more files; returns the container, whose volumes others can use. */
  once(service: Service, program: readonly string[], files: readonly string[], volumesOf: string | undefined): Promise<string>;
  /** Starts a service and waits until `url` answers. `volumesOf`: a container whose volumes it uses. */
  start(service: Service, url: string, volumesOf?: string): Promise<Running>;
  /** Removes all of them, with what they wrote. */
  down(): Promise<void>;
};

/** testcontainers' container with the settings that it has no methods for. */
class ServiceContainer extends GenericContainer {
  readonly tail: ReturnType<typeof stderrTail> = stderrTail();

  constructor(service: Service, folder: string, files: readonly string[], volumesOf: string | undefined) {
    super(service.image);
    const all = [...service.volumes, ...files].map((word) => word.split(":"));
    const isFile = ([source = ""]: readonly string[]): boolean => source.startsWith(".") || source.startsWith("/");
    this.withLabels({ ...runLabels(RUN) })
      .withNetworkMode(service.network_mode)
      .withBindMounts(
        all.filter(isFile).map(([source = "", target = ""]) => ({ source: resolve(folder, source), target, mode: "ro" })),
      )
      .withEnvironment({ ...service.environment })
      // The reaper would be one more image to get; labels do.
      .withAutoCleanup(false)
      .withLogConsumer((stream: Readable) => stream.on("data", (line: string | Buffer) => this.tail.add(Buffer.from(line))));
    if (service.command !== undefined) this.withCommand([...service.command]);
    // A volume without a name goes with the last container that uses it.
    const volumes = all.filter((one) => !isFile(one)).map(([, target = ""]) => ({ Type: "volume" as const, Target: target }));
    Object.assign(this.hostConfig, volumesOf === undefined ? { Mounts: volumes } : { VolumesFrom: [volumesOf] });
  }
}

/** Connects to this machine's daemon, and removes what dead processes left there. `folder`: what the services' files are relative to. Rejects with DashboardsError. */
export async function openServiceContainers(folder: string, interrupted: AbortSignal): Promise<ServiceContainers> {
  const { container, image: images } = await connect();
  const engine = { docker: container.dockerode };
  await removeDeadContainers(engine);
  const started = async (made: ServiceContainer, doing: string): Promise<string> => {
    interrupted.throwIfAborted();
    try {
      return (await made.start()).getId();
    } catch (error) {
      const said = made.tail.text().split("\n").slice(-3).join(" | ");
      const why = said === "" ? messageOf(error) : said;
      throw new DashboardsError("tool-failed", `docker: ${doing}: ${why}`, null, error);
    }
  };
  return {
    async pull(image) {
      const name = ImageName.fromString(image);
      let why = "the registry does not give it";
      if (!(await images.exists(name)))
        await unlessAborted(interrupted, images.pull(name)).catch((error: unknown) => {
          interrupted.throwIfAborted();
          why = messageOf(error);
        });
      if (!(await images.exists(name))) throw new DashboardsError("image-missing", `docker has no image ${image}: ${why}`, null);
    },
    once(service, [program = "", ...words], files, volumesOf) {
      const made = new ServiceContainer({ ...service, command: words }, folder, files, volumesOf)
        .withEntrypoint([program])
        .withWaitStrategy(Wait.forOneShotStartup());
      return started(made, program);
    },
    async start(service, url, volumesOf) {
      const made = new ServiceContainer(service, folder, [], volumesOf);
      const id = await started(made, service.image);
      const over = engine.docker
        .getContainer(id)
        .wait()
        .then(
          ({ StatusCode }: { StatusCode: number }) =>
            `${service.image} ended with code ${StatusCode}: ${made.tail.text().split("\n").slice(-3).join(" | ")}`,
          (error: unknown) => `${service.image} is gone: ${messageOf(error)}`,
        );
      await answering(url, over, interrupted);
      return { id, over };
    },
    async down() {
      const ids = await runContainers(engine, RUN);
      await Promise.all(ids.map((id) => removeContainer(engine, id)));
    },
  };
}

/** Waits until a server answers `url` with 200. Rejects with DashboardsError when it ends instead, or takes too long. */
async function answering(url: string, over: Promise<string>, interrupted: AbortSignal): Promise<void> {
  let ended: string | undefined;
  void over.then((words) => (ended = words));
  for (const until = performance.now() + READY_WITHIN; ; await delay(LOOK_EVERY)) {
    interrupted.throwIfAborted();
    if (ended !== undefined) throw new DashboardsError("tool-failed", `docker: ${ended}`, null);
    const isThere = await fetch(url, { signal: AbortSignal.timeout(LOOK_EVERY * 20) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    if (performance.now() > until)
      throw new DashboardsError("tool-failed", `${url} does not answer within ${READY_WITHIN / 1_000} s`, null);
  }
}

async function connect(): Promise<ContainerRuntimeClient> {
  try {
    await daemonVersion();
    // No port is mapped, so nobody asks for the daemon's address: this spares testcontainers the search for it, which needs Docker's bridge network.
    process.env.TESTCONTAINERS_HOST_OVERRIDE ??= "localhost";
    return await getContainerRuntimeClient();
  } catch (error) {
    throw new DashboardsError("tool-missing", `docker cannot be used (${messageOf(error)})`, daemonRemedy(), error);
  }
}

function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", stop));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();
