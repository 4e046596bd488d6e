/** What `midcall dashboards check` does: runs loaded into a real Prometheus, a real relay and client scraped by it, and all panels asked. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkDashboards, type Finding, type HeldRun, namesOf, spanOf } from "../dashboards/check.ts";
import { DashboardsError } from "../dashboards/dashboards-error.ts";
import { findPrometheus, loadRun, type Prometheus, startPrometheus } from "../dashboards/prometheus.ts";
import { LIVE_RUN, type ScrapeTarget } from "../dashboards/prometheus-config.ts";
import { DASHBOARDS } from "../dashboards/provisioning.ts";
import type { Address } from "../impl/base/address.ts";
import { runLabel } from "../reports/openmetrics.ts";
import { CliError, usage } from "./exit.ts";
import { type LabJob, openLaboratory } from "./laboratory.ts";
import { chooseScenarios } from "./scenario-choice.ts";
import { formatSeed } from "./seed.ts";
import type { Terminal } from "./terminal.ts";
import { commit } from "./version.ts";

/** Runs that together fill every panel: a call without faults, a relay's restart twice, for the campaign, one with candidate generations, and relays that federate: one restarts, one drains. */
const MADE: readonly (readonly [scenario: string, seed: number])[] = [
  ["baseline", 1],
  ["relay-restart", 1],
  ["relay-restart", 2],
  ["stale-messages", 1],
  ["federation-relay-restart", 1],
  ["drain", 1],
];

/** How long until Prometheus has seen enough of the scraped processes. chosen: five scrapes, on a machine that has other things to do. */
const SEEN_MS = 30_000;

/** Runs by the path of their metrics.om, and what a scraped process is called. */
type Loaded = HeldRun & { readonly file: string };

/**
 * Checks the dashboards with the runs in the folders `words`, or with runs and processes made for it when there are none. Rejects with
 * CliError: `lacking` without Prometheus, `usage` for a folder that holds no run.
 */
export async function tryDashboards(words: readonly string[], terminal: Terminal): Promise<readonly Finding[]> {
  const scratch = await mkdtemp(join(tmpdir(), "midcall-dashboards-"));
  const data = join(scratch, "prometheus");
  let live: Awaited<ReturnType<typeof openProcesses>> | undefined;
  let prometheus: Prometheus | undefined;
  try {
    await findPrometheus();
    if (words.length === 0) live = await openProcesses(scratch);
    const runs =
      words.length === 0 ? await make(scratch, terminal) : await Promise.all(words.map((word) => found(word, terminal)));
    terminal.progress({ stage: "Prometheus", detail: `${runs.length} runs` });
    for (const { file } of runs) await loadRun(file, data);
    prometheus = await startPrometheus(data, live?.targets);
    const scraped = live === undefined ? [] : [await seen(prometheus)];
    terminal.progress({ stage: "dashboards" });
    return await checkDashboards(prometheus, DASHBOARDS, [...runs, ...scraped]);
  } catch (error) {
    throw toCliError(error);
  } finally {
    terminal.quiet();
    await prometheus?.close();
    await live?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The machine's trouble as the command line tells it. */
export function toCliError(error: unknown): unknown {
  if (!(error instanceof DashboardsError)) return error;
  const remedy = error.command === null ? "" : `; to get it: ${error.command}`;
  return new CliError("lacking", `${error.message}${remedy}`, error);
}

/** The run in a folder of the user's. */
export async function found(word: string, terminal: Terminal): Promise<Loaded> {
  const { readRun } = await import("./finished-run.ts");
  const { folder, result } = await readRun(word, terminal.folder);
  const file = join(folder, "metrics.om");
  const text = await readFile(file, "utf8").catch(() => {
    throw usage(
      `${word}: metrics.om is not there`,
      "want a run of this version (midcall run), or its pages made again (midcall report)",
    );
  });
  return { file, run: runLabel(result), ...spanOf(text), names: namesOf(text) };
}

/** Makes the runs of the check. */
async function make(scratch: string, terminal: Terminal): Promise<Loaded[]> {
  const laboratory = openLaboratory();
  try {
    const out: Loaded[] = [];
    for (const [name, seed] of MADE) {
      const [scenario] = await chooseScenarios([name], terminal.folder);
      if (scenario === undefined) throw new Error(`${name} is not in the catalogue`);
      terminal.progress({ stage: `${name} seed ${formatSeed(seed)}` });
      const folder = await mkdtemp(join(scratch, `${name}-${seed}-`));
      const job: LabJob = {
        lab: "sim",
        scenario,
        seed,
        // No figure of metrics.om is of what was said, and coding it takes most of the time.
        codec: "sized",
        crypto: "real",
        folder,
        dir: folder,
        wantLines: false,
        commit: commit(),
        sabotage: null,
      };
      const { result } = await laboratory.run(job, { signal: terminal.interrupted });
      const file = join(folder, "metrics.om");
      const text = await readFile(file, "utf8");
      out.push({ file, run: runLabel(result), ...spanOf(text), names: namesOf(text) });
    }
    return out;
  } finally {
    await laboratory.close();
  }
}

/** A relay and a registered client on loopback, both serving their metrics. */
async function openProcesses(scratch: string): Promise<{ readonly targets: readonly ScrapeTarget[]; close(): Promise<void> }> {
  const [{ runRelay }, { runClient }, { identityFromSecret }, { nodeCrypto }] = await Promise.all([
    import("../impl/bin/relay.ts"),
    import("../impl/bin/client.ts"),
    import("../impl/core/identity.ts"),
    import("../impl/io/node-crypto.ts"),
  ]);
  const metrics = { host: "127.0.0.1", port: 0 };
  const relay = await runRelay({ name: "relay", host: "127.0.0.1", port: 0, stateDir: join(scratch, "relay"), metrics });
  const client = await runClient({
    name: "client",
    identity: identityFromSecret(nodeCrypto, new Uint8Array(randomBytes(32))),
    relay: { address: relay.local, pin: relay.pin },
    answer: undefined,
    voice: "silence",
    metrics,
  }).catch(async (error: unknown) => {
    await relay.stop();
    throw error;
  });
  const target = (address: Address | undefined): ScrapeTarget[] => (address === undefined ? [] : [{ address, run: LIVE_RUN }]);
  return {
    targets: [...target(relay.metrics), ...target(client.metrics)],
    close: async () => {
      await client.stop();
      await relay.stop();
    },
  };
}

/** The scraped processes as a run, once Prometheus can tell rates of the relay and has seen the client registered. */
async function seen(prometheus: Prometheus): Promise<HeldRun> {
  const from = Math.floor(Date.now() / 1e3) - 1;
  const questions = [
    `rate(process_cpu_seconds_total{run="${LIVE_RUN}",party="relay"}[4s])`,
    `rate(midcall_udp_packets_total{run="${LIVE_RUN}",party="client"}[4s])`,
    `midcall_relay_registrations{run="${LIVE_RUN}"} == 1`,
    `midcall_client_registration_state{run="${LIVE_RUN}",state="registered"} == 1`,
  ];
  const limit = performance.now() + SEEN_MS;
  for (;;) {
    // Whole seconds, as `from` is: a range question has its last value at `to` itself.
    const to = Math.floor(Date.now() / 1e3);
    const answers = await Promise.all(questions.map((expr) => prometheus.at(expr, to)));
    if (answers.every((answer) => answer.ok && answer.series.length > 0)) {
      const names = await prometheus.words("__name__", `{run="${LIVE_RUN}"}`, from, to);
      return { run: LIVE_RUN, from, to, names: new Set(names) };
    }
    if (performance.now() > limit) {
      const missing = questions.filter((_, index) => !(answers[index]?.ok && answers[index].series.length > 0));
      throw new DashboardsError("tool-failed", `prometheus: not seen within ${SEEN_MS / 1e3} s: ${missing.join(", ")}`, null);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
