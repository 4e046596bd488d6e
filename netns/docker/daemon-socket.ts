/**
 * Where the Docker daemon listens, and whether it does. Only a Unix socket counts: a daemon elsewhere cannot serve, because the laboratory wires its
 * containers' network namespaces by process id.
 */
import { request } from "node:http";
import { NetnsError } from "../netns-error.ts";

/** Where the daemon listens unless DOCKER_HOST says otherwise (dockerd(8)). */
const USUAL_SOCKET = "/var/run/docker.sock";
/** Milliseconds for the daemon to say that it is there. chosen: it answers in one or two; a machine that boots may keep it waiting. */
const PATIENCE = 5_000;

/** The daemon's Unix socket. NetnsError when DOCKER_HOST names something else. */
export function daemonSocket(host: string | undefined = process.env.DOCKER_HOST): string {
  if (host === undefined || host === "") return USUAL_SOCKET;
  if (host.startsWith("unix://")) return host.slice("unix://".length);
  throw new NetnsError("daemon", `DOCKER_HOST=${host}: the docker laboratory needs a daemon of this machine, as unix:///PATH`);
}

/** The daemon's version. Rejects with NetnsError `daemon` when none answers. */
export async function daemonVersion(host?: string): Promise<string> {
  const socketPath = daemonSocket(host);
  const answer = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath, path: "/version", timeout: PATIENCE, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer in ${PATIENCE / 1_000} s`)));
    asked.on("error", reject);
    asked.end();
  }).catch((cause: unknown) => {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such socket" : code === "ECONNREFUSED" ? "nobody listens" : message;
    throw new NetnsError("daemon", `no Docker daemon answers at ${socketPath}: ${why}`, cause);
  });
  const version = /"Version":\s*"([^"]+)"/.exec(answer)?.[1];
  if (version === undefined) throw new NetnsError("daemon", `what listens at ${socketPath} is no Docker daemon`);
  return version;
}
