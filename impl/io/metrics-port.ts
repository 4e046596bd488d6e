/**
 * The HTTP port that Prometheus scrapes: the metric catalogue's values of one party, or of all parties of a laboratory, kept by prom-client, and
 * prom-client's own metrics of the process (CPU, memory, event loop). Bound where it is told to and nowhere else. Besides `GET /metrics` there are `/healthz`, which
 * answers as long as the process does, and `/readyz`, which answers 200 while the party takes in anybody and else 503 with the reason.
 */
import { createServer, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Address } from "../base/address.ts";
import { METRICS, type MetricName, type Source } from "../base/metric/catalogue.ts";
import { BUCKETS } from "../base/metric/domain.ts";
import type { Reading } from "../base/metric/reading.ts";
import { readMetrics } from "../base/metric/readings.ts";
import type { LogRecord } from "../base/record.ts";
import { IoError } from "./io-error.ts";

export type MetricsPortOptions = {
  /** A numeric address. */
  readonly host: string;
  /** TCP port; 0: any free one. */
  readonly port: number;
  /** Metrics of these alone are shown. */
  readonly sources: readonly Source[];
  /** Why the party takes in nobody now; undefined: it does. Absent: it always does. */
  readonly unready?: () => string | undefined;
  /** Labels of every series, besides those of the catalogue. */
  readonly labels?: Readonly<Record<string, string>>;
};

export type MetricsPort = {
  readonly local: Address;
  /** Takes the log's records in their order. */
  read(record: LogRecord): void;
  /** Closes the port; connections that are open end at once. */
  close(): Promise<void>;
};

/** chosen: a scrape has no body and few headers; whoever sends more slowly or more is no Prometheus. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 30_000, maxHeaderSize: 8_192 } as const;
/** chosen: a Prometheus, its spare, and a few people with curl. */
const CONNECTIONS = 16;

/** Opens the port. Rejects with IoError `bind` when it cannot be had. */
export async function openMetricsPort(options: MetricsPortOptions): Promise<MetricsPort> {
  const registry = new Registry();
  registry.setDefaultLabels({ ...options.labels });
  const take = registered(registry, options.sources);
  const record = readMetrics(take);
  const server = createServer(LIMITS, (request, response) => {
    const [path] = (request.url ?? "").split("?");
    if (path !== "/metrics" && path !== "/healthz" && path !== "/readyz")
      return reply(response, 404, "there is nothing but /metrics, /healthz and /readyz\n");
    if (request.method !== "GET" && request.method !== "HEAD") return reply(response, 405, "GET or HEAD\n");
    if (path === "/healthz") return reply(response, 200, "ok\n");
    if (path === "/readyz") {
      const reason = options.unready?.();
      return reply(response, reason === undefined ? 200 : 503, `${reason ?? "ready"}\n`);
    }
    registry.metrics().then(
      (text) =>
        response.writeHead(200, { "content-type": registry.contentType }).end(request.method === "HEAD" ? undefined : text),
      (error: unknown) => reply(response, 500, `${error instanceof Error ? error.message : String(error)}\n`),
    );
  });
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new IoError("bind", `cannot listen on TCP ${shown(options.host, options.port)}: choose another port or address`, cause),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  const bound = server.address();
  // The process's own metrics begin where the port is had, so that a port refused leaves no observer behind.
  collectDefaultMetrics({ register: registry });
  return {
    local: shown(options.host, bound !== null && typeof bound === "object" ? bound.port : options.port),
    read: record,
    close: () =>
      new Promise((resolve) => {
        registry.clear();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const shown = (host: string, port: number): Address => (isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`) as Address;

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}

/** Puts the catalogue's metrics of `sources` into `registry`; what comes back takes their readings and ignores all others. */
export function registered(registry: Registry, sources: readonly Source[]): (reading: Reading) => void {
  const sinks = new Map<MetricName, (labels: Readonly<Record<string, string>>, value: number) => void>();
  for (const [name, { type, source, labels, meaning, buckets }] of METRICS) {
    if (!sources.includes(source)) continue;
    const configuration = { name, help: meaning, labelNames: Object.keys(labels), registers: [registry] };
    if (type === "counter") {
      const counter = new Counter(configuration);
      sinks.set(name, (words, value) => counter.inc(words, value));
    } else if (type === "gauge") {
      const gauge = new Gauge(configuration);
      sinks.set(name, (words, value) => gauge.set(words, value));
    } else {
      const histogram = new Histogram({ ...configuration, buckets: buckets === undefined ? [] : [...BUCKETS[buckets]] });
      sinks.set(name, (words, value) => histogram.observe(words, value));
    }
  }
  return ({ metric, labels, value }) => sinks.get(metric)?.(labels, value);
}
