/** Runs a job in a laboratory on a real kernel, and says what the machine lacks when it cannot. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LogRecord } from "../impl/base/record.ts";
import { dockerLacks } from "../netns/docker/docker-lacks.ts";
import { lacks } from "../netns/install.ts";
import { type NetnsOutcome, type NetnsRun, runNetns } from "../netns/lab.ts";
import type { Launcher } from "../netns/launcher.ts";
import { NetnsError } from "../netns/netns-error.ts";
import { CliError } from "./exit.ts";
import type { LabJob } from "./laboratory.ts";
import { speechFiles } from "./speech.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** Throws a CliError (exit code 5) when the machine cannot run it. The run is torn down when `signal` aborts, and its reason thrown. */
export async function runReal(
  job: LabJob,
  watch: { readonly signal: AbortSignal; onLine(line: string, record: LogRecord): void } & Pick<NetnsRun, "onReady">,
): Promise<NetnsOutcome> {
  const [lack] = [...(await lacks()), ...(job.lab === "docker" ? await dockerLacks() : [])];
  if (lack !== undefined) {
    const remedy = lack.command === null ? "" : `; to get it: ${lack.command}`;
    throw new CliError("lacking", `the ${job.lab} laboratory needs ${lack.what}${remedy} (what else there is: midcall doctor)`);
  }
  const { scenario, seed } = job;
  const folder = job.folder ?? (await mkdtemp(join(tmpdir(), "midcall-run-")));
  const speech = await speechFiles(scenario, folder);
  const capture = job.capture === true && job.folder !== null ? join(job.folder, "capture") : undefined;
  if (capture !== undefined) await mkdir(capture);
  try {
    return await runNetns({
      scenario,
      seed,
      folder,
      speech,
      signal: watch.signal,
      onLine: watch.onLine,
      ...(watch.onReady === undefined ? {} : { onReady: watch.onReady }),
      driver: job.linkDriver ?? "auto",
      ...(job.lab === "docker" ? { launcher: await containers([...speech.values()]) } : {}),
      ...(capture === undefined ? {} : { capture }),
      ...(job.sabotage === null ? {} : { entry: { module: SABOTAGED, args: [job.sabotage] } }),
    });
  } catch (error) {
    if (error instanceof NetnsError) throw new CliError("lacking", error.message, error);
    throw error;
  } finally {
    if (job.folder === null) await rm(folder, { recursive: true, force: true });
  }
}

/** Imported when it is wanted: it brings testcontainers along, which takes a quarter of a second. */
const containers = async (reads: readonly string[]): Promise<Launcher> =>
  (await import("../netns/docker/launch-container.ts")).containerLauncher({ reads });

/** The party process with one of the bugs of scenarios/mutations.ts in it. */
const SABOTAGED = fileURLToPath(new URL(`./sabotaged-party${MODULE_EXTENSION}`, import.meta.url));
