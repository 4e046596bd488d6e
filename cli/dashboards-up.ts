/** What `midcall dashboards up` does once its files are written: runs into Prometheus' volume, both containers up, and where to look. */
import { execFile } from "node:child_process";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { DashboardsError } from "../dashboards/dashboards-error.ts";
import { DASHBOARDS, IMAGES, PORTS } from "../dashboards/provisioning.ts";
import { found, toCliError } from "./dashboards-check.ts";
import type { Terminal } from "./terminal.ts";

const execute = promisify(execFile);

/** Both come with Debian's docker.io and docker-compose; Docker's own packages call the second docker-compose-plugin. */
const INSTALL = "apt-get install -y docker.io docker-compose";

/** How docker says that it cannot get an image: no network, no registry, nothing there. */
const NO_IMAGE =
  /no such host|dial tcp|i\/o timeout|manifest|pull access denied|failed to resolve|toomanyrequests|TLS handshake|unable to get image/i;
const WITHOUT = "Without them, midcall dashboards check asks the same questions of Debian's Prometheus";

/** Brings up the compose file in `folder`. Rejects with CliError `lacking` when docker, its compose command or its daemon is not there. */
export async function bringUp(folder: string, words: readonly string[], terminal: Terminal): Promise<void> {
  const file = join(folder, "compose.yaml");
  const runs = await Promise.all(words.map((word) => found(word, terminal)));
  try {
    const compose = await composeCommand();
    const run = (...words: readonly string[]): Promise<unknown> => docker([...compose, "-f", file, ...words], terminal);
    if (runs.length > 0) {
      // Prometheus takes up blocks when it starts, and promtool is in its image.
      await run("stop", "prometheus");
      for (const { file: metrics } of runs) {
        const load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "/metrics.om", "/prometheus"];
        const [program = "", ...rest] = load;
        await run("run", "--rm", "--no-deps", "-v", `${metrics}:/metrics.om:ro`, "--entrypoint", program, "prometheus", ...rest);
      }
    }
    await run("up", "--detach", "--wait");
  } catch (error) {
    throw toCliError(error);
  }
  const site = `http://127.0.0.1:${PORTS.grafana}`;
  for (const { uid, title } of DASHBOARDS) terminal.out(`${title}: ${site}/d/${uid}`);
  for (const { run, from, to } of runs) {
    const query = new URLSearchParams({ "var-run": run, from: String(Math.floor(from * 1e3)), to: String(Math.ceil(to * 1e3)) });
    terminal.out(`${run}: ${site}/d/${DASHBOARDS[0]?.uid}?${query}`);
  }
  terminal.out(`to end it: docker compose -f ${join(relative(terminal.folder, folder), "compose.yaml")} down`);
}

/** `docker compose`, or the older `docker-compose` that is a program of its own. */
async function composeCommand(): Promise<readonly string[]> {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    const [program = "", ...words] = command;
    const works = await execute(program, [...words, "version"]).then(
      () => true,
      () => false,
    );
    if (works) return command;
  }
  throw new DashboardsError("tool-missing", "docker compose is not there", INSTALL);
}

async function docker([program = "", ...words]: readonly string[], terminal: Terminal): Promise<void> {
  terminal.progress({ stage: `docker ${words.join(" ")}` });
  try {
    await execute(program, words, { signal: terminal.interrupted, maxBuffer: 1 << 26 });
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    const said = stderr?.trim().split("\n").slice(-2).join(" | ") || (error instanceof Error ? error.message : String(error));
    const remedy = NO_IMAGE.test(stderr ?? "")
      ? `; want a daemon that can pull ${Object.values(IMAGES).join(" and ")}. ${WITHOUT}`
      : "";
    throw new DashboardsError("tool-failed", `docker: ${said}${remedy}`, null, error);
  } finally {
    terminal.quiet();
  }
}
