/**
 * A real Prometheus on loopback for as long as it is needed: blocks made from runs' metrics.om by promtool, processes to scrape, PromQL over HTTP. The
 * programs are those of Debian's package `prometheus`; flags and API are those of Prometheus 2.40 and later.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { DashboardsError } from "./dashboards-error.ts";
import { prometheusConfig, type ScrapeTarget } from "./prometheus-config.ts";

const execute = promisify(execFile);

/** The Debian package of both programs, and how to get it. */
export const PROMETHEUS_PACKAGE = "prometheus";
const INSTALL = `apt-get install -y --no-install-recommends ${PROMETHEUS_PACKAGE}`;

/** chosen: Prometheus starts in well under a second; a machine that needs longer is one that swaps. */
const START_MS = 30_000;
/** How long it may take to end by itself. chosen: it writes its head to disk first. */
const STOP_MS = 10_000;

/** One series of an answer: its labels, and its samples as [seconds since 1970, value]. */
export type Answer = { readonly labels: ReadonlyMap<string, string>; readonly samples: readonly (readonly [number, number])[] };

/** What became of a question: `reason` is what Prometheus says against it. */
export type Asked = { readonly ok: true; readonly series: readonly Answer[] } | { readonly ok: false; readonly reason: string };

export type Prometheus = {
  readonly url: string;
  /** PromQL at an instant, seconds since 1970. */
  at(expr: string, time: number): Promise<Asked>;
  /** PromQL over a span, a value each `step` seconds. */
  over(expr: string, from: number, to: number, step: number): Promise<Asked>;
  /** Words that `label` has in the series that `matcher` selects, in the span. */
  words(label: string, matcher: string, from: number, to: number): Promise<readonly string[]>;
  /** Ends the process. */
  close(): Promise<void>;
};

/** That both programs are there, said before any work is done for them. Rejects with DashboardsError. */
export async function findPrometheus(): Promise<void> {
  for (const program of ["prometheus", "promtool"])
    try {
      await execute(program, ["--version"]);
    } catch (error) {
      throw wrong(program, error);
    }
}

/** Makes Prometheus blocks in `folder` of the metrics.om file `file`. Rejects with DashboardsError. */
export async function loadRun(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    await execute("promtool", ["tsdb", "create-blocks-from", "openmetrics", "--quiet", file, folder]);
  } catch (error) {
    throw wrong("promtool", error);
  }
}

/** Starts Prometheus on a free port of loopback, with its data in `folder`. Rejects with DashboardsError. */
export async function startPrometheus(folder: string, scraped: readonly ScrapeTarget[] = []): Promise<Prometheus> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, "prometheus.yml");
  await writeFile(config, prometheusConfig(scraped));
  const child = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}`,
      // A run of last year is as good as one of today.
      "--storage.tsdb.retention.time=50y",
      "--web.listen-address=127.0.0.1:0",
      "--log.level=info",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async (): Promise<void> => {
    if (child.pid === undefined) return;
    const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    child.kill("SIGTERM");
    await exited;
    clearTimeout(patience);
  };
  const tail: string[] = [];
  let address = "";
  let isReady = false;
  const ready = new Promise<string>((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`not ready within ${START_MS / 1_000} s`)), START_MS);
    const settle = (act: () => void): void => {
      clearTimeout(patience);
      act();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("close", (code) => settle(() => reject(new Error(`ended with code ${code}: ${tail.join(" | ")}`))));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (tail.push(line) > 5) tail.shift();
      address = /msg="Listening on" address=(\S+)/.exec(line)?.[1] ?? address;
      isReady ||= line.includes("Server is ready to receive web requests");
      // Said by two of its parts, in either order.
      if (isReady && address !== "") settle(() => resolve(address));
    });
  });
  try {
    const url = `http://${await ready}`;
    return { url, ...asking(url), close };
  } catch (error) {
    await close();
    throw wrong("prometheus", error);
  }
}

function asking(url: string): Pick<Prometheus, "at" | "over" | "words"> {
  const ask = async (path: string, fields: Readonly<Record<string, string>>): Promise<Reply> => {
    const response = await fetch(`${url}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(fields) });
    return (await response.json()) as Reply;
  };
  return {
    at: async (expr, time) => read(await ask("query", { query: expr, time: String(time) })),
    over: async (expr, from, to, step) =>
      read(await ask("query_range", { query: expr, start: String(from), end: String(to), step: String(step) })),
    words: async (label, matcher, from, to) => {
      const query = new URLSearchParams({ "match[]": matcher, start: String(from), end: String(to) });
      const response = await fetch(`${url}/api/v1/label/${label}/values?${query}`);
      const reply = (await response.json()) as { readonly status: string; readonly data?: readonly string[] };
      return reply.data ?? [];
    },
  };
}

/** The reply of Prometheus' query API, as far as it is read here. */
type Reply = {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: {
    readonly resultType: "matrix" | "vector" | "scalar" | "string";
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
};

function read(reply: Reply): Asked {
  const { data } = reply;
  if (reply.status !== "success" || data === undefined) return { ok: false, reason: reply.error ?? "no reason given" };
  if (data.resultType !== "matrix" && data.resultType !== "vector")
    return { ok: false, reason: `a ${data.resultType}, not series` };
  return {
    ok: true,
    series: data.result.map(({ metric, value, values }) => ({
      labels: new Map(Object.entries(metric)),
      samples: (values ?? (value === undefined ? [] : [value])).map(([time, text]) => [time, Number(text)] as const),
    })),
  };
}

function wrong(program: string, error: unknown): DashboardsError {
  const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
  if (code === "ENOENT") return new DashboardsError("tool-missing", `${program} is not in the PATH`, INSTALL, error);
  const said = stderr?.trim() || (error instanceof Error ? error.message : String(error));
  return new DashboardsError("tool-failed", `${program}: ${said.split("\n").slice(-3).join(" | ")}`, null, error);
}
