/** Prometheus' configuration: relays and clients to scrape, each under the name of a run so that dashboards find it. */

/** A process that serves its metrics: HOST:PORT, and the word of its `run` label. */
export type ScrapeTarget = { readonly address: string; readonly run: string };

/** The `run` of processes that belong to no laboratory's run. */
export const LIVE_RUN = "live";

/** Distance between scrapes, which is also that of the samples of metrics.om. */
export const SCRAPE_SECONDS = 1;

/** prometheus.yml. JSON is YAML, and is escaped correctly. */
export const prometheusConfig = (targets: readonly ScrapeTarget[]): string =>
  `${JSON.stringify(
    {
      global: { scrape_interval: `${SCRAPE_SECONDS}s`, scrape_timeout: `${SCRAPE_SECONDS}s` },
      scrape_configs: [
        {
          job_name: "midcall",
          // A laboratory names its run itself.
          honor_labels: true,
          static_configs: targets.map(({ address, run }) => ({ targets: [address], labels: { run } })),
        },
      ],
    },
    null,
    2,
  )}\n`;
