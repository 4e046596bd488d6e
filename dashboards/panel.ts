/** A dashboard as data: what it asks Prometheus and how the answer is drawn. `grafana.ts` makes Grafana's JSON of it, `check.ts` asks its questions. */
import { METRICS, type MetricName } from "../impl/base/metric/catalogue.ts";

/** How an answer is drawn. `lines`, `bars` (stacked), `states` and `heat` show the time range, `number` and `table` its end. */
export type Kind = "lines" | "bars" | "states" | "heat" | "number" | "table";

/** One question in PromQL, and what a series of the answer is called; `{{label}}` stands for a label's word. */
export type Target = { readonly expr: string; readonly legend: string };

export type Panel = {
  readonly title: string;
  /** One or two sentences: what is shown and what a good call looks like. */
  readonly description: string;
  readonly kind: Kind;
  /** Grafana's name of the unit. */
  readonly unit: "s" | "percentunit" | "short" | "pps" | "bps" | "none" | "bytes";
  readonly targets: readonly Target[];
  /** Of 24 columns. */
  readonly width: 4 | 6 | 8 | 12 | 24;
};

export type Row = { readonly title: string; readonly panels: readonly Panel[] };

/**
 * A choice at the top of a dashboard, `$name` in its questions: among the words that `label` has in `metric`. `one` of them; `many`, all those
 * listed to begin with; or `any`, which begins with whatever there is and lists none.
 */
export type Variable = {
  readonly name: string;
  readonly metric: MetricName;
  readonly label: string;
  readonly choice: "one" | "many" | "any";
};

export type Dashboard = {
  /** Grafana's identifier, which links name. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
};

/** Every panel of a dashboard. */
export const panelsOf = (dashboard: Dashboard): readonly Panel[] => dashboard.rows.flatMap((row) => row.panels);

/** Kinds that ask about one instant, the end of the time range. */
export const isInstant = (kind: Kind): boolean => kind === "number" || kind === "table";

/** Series of a metric of the catalogue in the chosen runs; `matchers` as PromQL writes them, `part` of a histogram. */
export function series(metric: MetricName, matchers: string = "", part: "" | "_bucket" | "_sum" | "_count" = ""): string {
  const isHistogram = METRICS.get(metric)?.type === "histogram";
  if (isHistogram !== (part !== ""))
    throw new RangeError(`series: ${metric}${part}: a histogram has parts, and nothing else has`);
  return `${metric}${part}{${[...(matchers === "" ? [] : [matchers]), 'run=~"$run"'].join(",")}}`;
}

/** The parties chosen. */
export const CHOSEN = 'party=~"$party"';

/** Growth a second, over the span that Grafana takes for the range shown. */
export const rate = (of: string): string => `rate(${of}[$__rate_interval])`;
/** Growth, over the same span. */
export const increase = (of: string): string => `increase(${of}[$__rate_interval])`;
/** The newest value in the whole range shown. */
export const latest = (of: string): string => `last_over_time(${of}[$__range])`;
