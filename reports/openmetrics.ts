/**
 * `metrics.om`: a run as OpenMetrics text with timestamps (https://prometheus.io/docs/specs/om/open_metrics_spec/), for
 * `promtool tsdb create-blocks-from openmetrics`. The run's clock is laid on the calendar, instant 0 at result.json's `startedAt`. Sampled once a second of that
 * clock, as a Prometheus would have; a second in which nothing at all was logged is left out. About a quarter of a recording of the same length.
 */
import { METRICS, type MetricName } from "../impl/base/metric/catalogue.ts";
import { gate } from "../impl/base/metric/reading.ts";
import { readMetrics } from "../impl/base/metric/readings.ts";
import type { LogRecord } from "../impl/base/record.ts";
import { boundsOf, type Series, seriesStore } from "./metric-series.ts";
import type { Result } from "./result.ts";
import { tellResult } from "./run-metrics.ts";

/** Distance between samples, microseconds. chosen: what the provisioned Prometheus scrapes with (dashboards/). */
const SAMPLE_MICROS = 1_000_000;

/** What a run is called among others in one Prometheus: scenario and last part of its folder, `relay-restart/sim-0x2a`. */
export const runLabel = (result: Pick<Result, "scenario" | "dir" | "lab" | "seed">): string =>
  `${result.scenario}/${result.dir.split(/[\\/]/).findLast((part) => part !== "" && part !== ".") ?? `${result.lab}-${result.seed}`}`;

/** The text of metrics.om. `records` in the order of the log; `startedAtMs`: their instant 0, milliseconds since
 * 1970-01-01. */
export function openMetrics(records: readonly LogRecord[], result: Result, startedAtMs: number): string {
  const run = runLabel(result);
  const store = seriesStore();
  const stamps: string[] = [];
  const look = (t: number): void => {
    store.look();
    stamps.push(((startedAtMs + t / 1e3) / 1e3).toFixed(3));
  };
  const read = readMetrics(store.read);
  let due = 0;
  for (const record of records) {
    if (record.t > due) {
      look(due);
      due = Math.ceil(record.t / SAMPLE_MICROS) * SAMPLE_MICROS;
    }
    read(record);
  }
  tellResult(result, gate(store.read));
  look(due);

  const out: string[] = [];
  const byMetric = Map.groupBy(store.series(), (one) => one.metric);
  for (const [name, series] of byMetric) family(out, name, series, stamps, run);
  out.push("# EOF\n");
  return out.join("\n");
}

/** One metric: what it is, then its series one after the other, each in the order of time. */
function family(out: string[], name: MetricName, all: readonly Series[], stamps: readonly string[], run: string): void {
  const metric = METRICS.get(name);
  if (metric === undefined) return;
  const base = metric.type === "counter" ? name.replace(/_total$/, "") : name;
  out.push(`# TYPE ${base} ${metric.type}`);
  if (metric.unit !== null) out.push(`# UNIT ${base} ${metric.unit}`);
  out.push(`# HELP ${base} ${escaped(metric.meaning)}`);
  const bounds = boundsOf(name);
  for (const { labels, rows } of all) {
    const pairs = Object.entries({ run, ...labels }).map(([label, word]) => `${label}="${escaped(word)}"`);
    const heads =
      bounds === undefined
        ? [`${name}{${pairs}}`]
        : [
            ...[...bounds, "+Inf"].map((bound) => `${name}_bucket{${[...pairs, `le="${inOpenMetrics(bound)}"`]}}`),
            `${name}_sum{${pairs}}`,
            `${name}_count{${pairs}}`,
          ];
    const shown = bounds === undefined ? rows : [...rows, ...rows.slice(bounds.length, bounds.length + 1)];
    const [first] = rows;
    if (first === undefined) continue;
    // A metric point's samples stay together, so that a histogram is read as one.
    for (const index of first.values.keys())
      for (const [which, head] of heads.entries())
        out.push(`${head} ${shown[which]?.values[index] ?? 0} ${stamps[first.from + index]}`);
  }
}

/** `le` values are floats in OpenMetrics, and are compared as text: `1` is written `1.0`. */
const inOpenMetrics = (bound: number | string): string => (Number.isInteger(bound) ? `${bound}.0` : String(bound));

/** Text of a label or of HELP. What is no Unicode becomes U+FFFD. */
const escaped = (text: string): string => text.toWellFormed().replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
