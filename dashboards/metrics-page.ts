/** docs/metrics.md: the metric catalogue for a reader, and what a label may say. */
import { METRICS, type Metric, type MetricName, type Source } from "../impl/base/metric/catalogue.ts";
import { BUCKETS, type BucketsName, DOMAINS, type DomainName, LONGEST_WORD, OTHER } from "../impl/base/metric/domain.ts";
import { mostSeries } from "../impl/base/metric/reading.ts";
import { code, table } from "../reports/summary.ts";

const SOURCES: readonly (readonly [source: Source, heading: string, text: string])[] = [
  [
    "process",
    "Every party",
    "Served by `midcall relay --metrics` and `midcall client --metrics`, and in metrics.om for each party.",
  ],
  ["relay", "The relay", "Served by `midcall relay --metrics`, and in metrics.om for each relay."],
  ["client", "The client", "Served by `midcall client --metrics`, and in metrics.om for each client."],
  ["laboratory", "The laboratory", "In metrics.om alone: no party knows them. `midcall_run_*` have one value, at the run's end."],
];

/** The page as Markdown. */
export function metricsPage(): string {
  const all = [...METRICS];
  return [
    "# Metrics",
    "",
    "Every metric of midcall, made from the metric catalogue (impl/base/metric/) by `MIDCALL_WRITE=1 npx vitest run dashboards/metrics-page.test.ts`.",
    "All values are functions of the event log, so a metric says the same in every laboratory and in a process that is scraped. Frames are",
    "logged a second at a time: media metrics are up to a second old.",
    "",
    "- **A run**: `metrics.om` in its folder, OpenMetrics with a sample a second. Load it with",
    "  `promtool tsdb create-blocks-from openmetrics out/latest/metrics.om PROMETHEUS-DATA`, or look at it with `midcall dashboards up out/latest`.",
    "  Every series has the label `run`, the scenario and the last part of the folder: `relay-restart/sim-0x2a`. The run's instant 0 is `startedAt` of",
    "  result.json: as if it had taken its own time and ended when it did.",
    "- **A process**: `midcall relay --metrics 127.0.0.1:9464` serves `http://127.0.0.1:9464/metrics`. Nothing listens without the option; give an",
    "  address other than loopback only where everyone who reaches it may read it. Besides the metrics below there are prom-client's own of the process",
    "  (`process_*`, `nodejs_*`).",
    "",
    ...SOURCES.flatMap(([source, heading, text]) => [
      `## ${heading}`,
      "",
      text,
      "",
      ...table(
        ["Metric", "Type", "Labels", "Series at most", "Meaning"],
        all.filter(([, one]) => one.source === source).map(row),
        asIs,
      ),
      "",
    ]),
    "## Labels",
    "",
    `A word that its label has no room for becomes \`${OTHER}\`: the number of series is bounded whatever the network says. Open words are cut at ${LONGEST_WORD} characters.`,
    "",
    ...table(["Words", "May be"], (Object.keys(DOMAINS) as DomainName[]).map(domainRow), asIs),
    "",
    "## Buckets",
    "",
    ...table(
      ["Buckets", "Upper bounds in seconds"],
      (Object.keys(BUCKETS) as BucketsName[]).map((name) => [name, BUCKETS[name].join(", ")]),
    ),
    "",
  ].join("\n");
}

const asIs = (cell: string): string => cell;

function row([name, { type, labels, meaning, buckets }]: readonly [MetricName, Metric]): string[] {
  const words = Object.entries(labels).map(([label, domain]) => (label === domain ? code(label) : `${code(label)} (${domain})`));
  return [
    code(name),
    buckets === undefined ? type : `${type} (${buckets})`,
    words.join(", "),
    String(mostSeries(name)),
    meaning.replaceAll("|", "\\|"),
  ];
}

function domainRow(name: DomainName): string[] {
  const domain = DOMAINS[name];
  return [name, "atMost" in domain ? `any, ${domain.atMost} different ones` : domain.map(code).join(", ")];
}
