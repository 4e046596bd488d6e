/** Readings gathered into the series of a run, as a Prometheus that looks once a second would have seen them. */
import { METRICS, type MetricName } from "../impl/base/metric/catalogue.ts";
import { BUCKETS } from "../impl/base/metric/domain.ts";
import type { Reading } from "../impl/base/metric/reading.ts";

/** One row of numbers: `values[i]` is what was seen at look number `from + i`. */
export type Row = { readonly from: number; readonly values: number[] };

/** One series. A histogram has a row for each bucket (cumulative, the unbounded one last), its count being the last, and its sum. */
export type Series = {
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
};

/** `read` between looks, `look` to note what everything stands at; `series` in the order of the catalogue, then of appearance. */
export type SeriesStore = { read(reading: Reading): void; look(): void; series(): Series[] };

type Growing = Series & { readonly now: number[] };

/** An empty store. What only grows is 0 at every look before its first reading, so that a rate sees the first step too. */
export function seriesStore(): SeriesStore {
  const byMetric = new Map<MetricName, Map<string, Growing>>();
  const all: Growing[] = [];
  let looks = 0;
  const grow = ({ metric, labels }: Reading): Growing => {
    const known = byMetric.get(metric) ?? new Map<string, Growing>();
    byMetric.set(metric, known);
    const name = Object.values(labels).join("\u0000");
    const found = known.get(name);
    if (found !== undefined) return found;
    const isGauge = METRICS.get(metric)?.type === "gauge";
    const bounds = boundsOf(metric);
    const rows = Array.from({ length: bounds === undefined ? 1 : bounds.length + 2 }, () =>
      isGauge ? { from: looks, values: [] } : { from: 0, values: new Array<number>(looks).fill(0) },
    );
    const fresh: Growing = { metric, labels, rows, now: rows.map(() => 0) };
    known.set(name, fresh);
    all.push(fresh);
    return fresh;
  };
  return {
    read(reading) {
      const { now } = grow(reading);
      const { type } = METRICS.get(reading.metric) ?? { type: "gauge" };
      const bounds = boundsOf(reading.metric);
      if (bounds !== undefined) {
        for (let i = 0; i <= bounds.length; i++)
          if (reading.value <= (bounds[i] ?? Number.POSITIVE_INFINITY)) now[i] = (now[i] ?? 0) + 1;
        now[bounds.length + 1] = (now[bounds.length + 1] ?? 0) + reading.value;
      } else now[0] = type === "gauge" ? reading.value : (now[0] ?? 0) + reading.value;
    },
    look() {
      looks++;
      for (const { rows, now } of all) for (const [index, row] of rows.entries()) row.values.push(now[index] ?? 0);
    },
    series: () => [...METRICS.keys()].flatMap((metric) => [...(byMetric.get(metric)?.values() ?? [])]),
  };
}

/** Upper bounds of a histogram's buckets, without the last one; undefined for anything else. */
export function boundsOf(metric: MetricName): readonly number[] | undefined {
  const { buckets } = METRICS.get(metric) ?? {};
  return buckets === undefined ? undefined : BUCKETS[buckets];
}
