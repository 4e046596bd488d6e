/** The Docker daemon through testcontainers, with the image that containers start from. */
import { Readable } from "node:stream";
import { type ContainerRuntimeClient, getContainerRuntimeClient } from "testcontainers";
import { NetnsError } from "../netns-error.ts";
import { daemonSocket, daemonVersion } from "./daemon-socket.ts";

/** The image of the Dockerfile beside this file: used when somebody has built it. */
export const OWN_IMAGE = "midcall-party:node24";
/** An image with nothing in it, made on the spot: programs and libraries are mounted from this machine. */
const EMPTY_IMAGE = "midcall-empty:1";
/** The shortest archive there is (tar(5)): two records of zeros. */
const EMPTY_ARCHIVE = Buffer.alloc(1_024);

export type Engine = {
  readonly docker: ContainerRuntimeClient["container"]["dockerode"];
  readonly image: string;
  /** Containers are empty: programs, libraries and Node.js come from this machine. */
  readonly isEmpty: boolean;
};

/** Connects, and makes the image where it is missing. Rejects with NetnsError `daemon`. */
export async function openEngine(): Promise<Engine> {
  await daemonVersion();
  // No port is ever mapped, so nobody asks for the daemon's address: this spares testcontainers the search for it, which needs Docker's bridge network.
  process.env.TESTCONTAINERS_HOST_OVERRIDE ??= "localhost";
  const { container } = await getContainerRuntimeClient().catch((cause: unknown) => {
    throw new NetnsError("daemon", `testcontainers cannot use the Docker daemon at ${daemonSocket()}: ${String(cause)}`, cause);
  });
  const docker = container.dockerode;
  const has = (image: string): Promise<boolean> =>
    docker
      .getImage(image)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  if (await has(OWN_IMAGE)) return { docker, image: OWN_IMAGE, isEmpty: false };
  if (!(await has(EMPTY_IMAGE))) await importEmpty(docker);
  return { docker, image: EMPTY_IMAGE, isEmpty: true };
}

async function importEmpty(docker: Engine["docker"]): Promise<void> {
  const [repo, tag] = EMPTY_IMAGE.split(":");
  try {
    const progress = await docker.importImage(Readable.from([EMPTY_ARCHIVE]), { repo, tag });
    for await (const _ of progress); // it is there when the daemon has said all
  } catch (cause) {
    throw new NetnsError("daemon", `the Docker daemon refuses an empty image: ${(cause as Error).message}`, cause);
  }
}
