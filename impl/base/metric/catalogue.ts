/**
 * The metric catalogue: every number that relay, client and laboratory show to Prometheus, with its meaning. Names follow Prometheus' conventions
 * (https://prometheus.io/docs/practices/naming/): one prefix, base units, `_total` for what only grows. The values come from the event
 * log alone (`readings.ts`), so that a metric says the same in virtual time, in namespaces and in a process somebody scrapes.
 */
import type { BucketsName, DomainName } from "./domain.ts";
import { LABORATORY_METRICS } from "./laboratory-metrics.ts";
import { CLIENT_METRICS, PROCESS_METRICS, RELAY_METRICS } from "./party-metrics.ts";

/** Who tells it: every party, the relay, the client, or the laboratory. */
export type Source = "process" | "relay" | "client" | "laboratory";

export type Metric = {
  readonly type: "counter" | "gauge" | "histogram";
  /** Base unit, which the name ends in (before `_total`); null: a number, a state or the thing the name says. */
  readonly unit: "seconds" | "bytes" | "packets" | "frames" | "samples" | "ratio" | null;
  readonly source: Source;
  /** Label -> which words it may take. */
  readonly labels: { readonly [label: string]: DomainName };
  /** One sentence. */
  readonly meaning: string;
  /** Of a histogram. */
  readonly buckets?: BucketsName;
};

type Rows = typeof PROCESS_METRICS & typeof RELAY_METRICS & typeof CLIENT_METRICS & typeof LABORATORY_METRICS;

export type MetricName = keyof Rows;

/** The labels of a metric, each with a word. */
export type LabelsOf<Name extends MetricName> = { readonly [Label in keyof Rows[Name]["labels"]]: string };

const of = (source: Source, rows: { readonly [name: string]: Omit<Metric, "source"> }): [MetricName, Metric][] =>
  Object.entries(rows).map(([name, row]) => [name as MetricName, { ...row, source }]);

/** Name -> metric, in the order they are shown in. */
export const METRICS: ReadonlyMap<MetricName, Metric> = new Map([
  ...of("process", PROCESS_METRICS),
  ...of("relay", RELAY_METRICS),
  ...of("client", CLIENT_METRICS),
  ...of("laboratory", LABORATORY_METRICS),
]);
