/** What `midcall dashboards up` does once its files are written: runs into Prometheus, both servers up until the user ends it, and where to look. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { DashboardsError } from "../dashboards/dashboards-error.ts";
import { DASHBOARDS, IMAGES, type Ports, services } from "../dashboards/provisioning.ts";
import { found, toCliError } from "./dashboards-check.ts";
import { usage } from "./exit.ts";
import { openServiceContainers, type ServiceContainers } from "./service-containers.ts";
import type { Terminal } from "./terminal.ts";

const WITHOUT = "Without them, midcall dashboards check asks the same questions of Debian's Prometheus";
/** Milliseconds to remove the containers after Ctrl-C. chosen: a daemon that is busy takes a few seconds for each. */
const DOWN_MS = 15_000;

/**
 * Brings up the services of the compose file in `folder` as containers of its own, and takes them down when the user ends it. Rejects with CliError `lacking` when
 * there is no Docker daemon or an image cannot be had.
 */
export async function bringUp(folder: string, ports: Ports, words: readonly string[], terminal: Terminal): Promise<void> {
  const runs = await Promise.all(words.map((word) => found(word, terminal)));
  const { prometheus, grafana } = services(ports);
  let containers: ServiceContainers | undefined;
  try {
    containers = await openServiceContainers(folder, terminal.interrupted);
    await free(ports.prometheus, "--prometheus-port");
    await free(ports.grafana, "--grafana-port");
    for (const { image } of [prometheus, grafana]) {
      terminal.progress({ stage: `image ${image}` });
      await containers.pull(image);
    }
    // Prometheus takes up blocks when it starts, and promtool is in its image.
    let loaded: string | undefined;
    for (const { file, run } of runs) {
      terminal.progress({ stage: `loading ${run}` });
      const load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "/metrics.om", "/prometheus"];
      const id = await containers.once(prometheus, load, [`${file}:/metrics.om:ro`], loaded);
      loaded ??= id;
    }
    terminal.progress({ stage: `starting ${prometheus.image} and ${grafana.image}` });
    const up = await Promise.all([
      containers.start(prometheus, `http://127.0.0.1:${ports.prometheus}/-/ready`, loaded),
      containers.start(grafana, `http://127.0.0.1:${ports.grafana}/api/health`),
    ]);
    terminal.quiet();
    const site = `http://127.0.0.1:${ports.grafana}`;
    for (const { uid, title } of DASHBOARDS) terminal.out(`${title}: ${site}/d/${uid}`);
    for (const { run, from, to } of runs) {
      const query = new URLSearchParams({
        "var-run": run,
        from: String(Math.floor(from * 1e3)),
        to: String(Math.ceil(to * 1e3)),
      });
      terminal.out(`${run}: ${site}/d/${DASHBOARDS[0]?.uid}?${query}`);
    }
    const file = join(relative(terminal.folder, folder), "compose.yaml");
    terminal.out(`up until Ctrl-C, and then gone with all they hold (to keep them: docker compose -f ${file} up)`);
    const ended = new AbortController();
    const interrupted = once(terminal.interrupted, "abort", { signal: ended.signal }).then(
      () => undefined,
      () => undefined,
    );
    const said = await Promise.race([interrupted, ...up.map(({ over }) => over)]);
    ended.abort();
    if (said !== undefined) throw new DashboardsError("tool-failed", `docker: ${said}`, null);
  } catch (error) {
    if (!terminal.interrupted.aborted) throw toCliError(withRemedy(error));
  } finally {
    terminal.quiet();
    terminal.grant?.(DOWN_MS);
    await containers?.down();
  }
}

/** Whoever listens there already would be taken for the server that is started. */
async function free(port: number, option: string): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch (error) {
    throw usage(`127.0.0.1:${port} is taken (${(error as NodeJS.ErrnoException).code})`, `want another port by ${option}`);
  }
  server.close();
  await once(server, "close");
}

function withRemedy(error: unknown): unknown {
  if (!(error instanceof DashboardsError) || error.code !== "image-missing") return error;
  const wanted = `want a daemon that can pull ${Object.values(IMAGES).join(" and ")}, or that has them (docker load)`;
  return new DashboardsError(error.code, `${error.message}; ${wanted}. ${WITHOUT}`, null, error.cause);
}
