/**
 * The metrics of a run and its result.json come from one log by different ways: what both say must be the same. And prom-client, which keeps the
 * metrics of a process, must come to the same values as our own keeping of metrics.om.
 */
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { METRICS, type MetricName } from "../impl/base/metric/catalogue.ts";
import type { Reading } from "../impl/base/metric/reading.ts";
import { readMetrics } from "../impl/base/metric/readings.ts";
import type { LogRecord } from "../impl/base/record.ts";
import { registered } from "../impl/io/metrics-port.ts";
import { measure } from "../reports/measure.ts";
import { boundsOf, type Series, seriesStore } from "../reports/metric-series.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { catalogue } from "./scenario-choice.ts";

const scenarios = await catalogue();
const runs = scenarios.flatMap((scenario) => [1, 2].map((seed) => ({ name: `${scenario.name} ${seed}`, scenario, seed })));

function simulated(scenario: Scenario, seed: number): readonly LogRecord[] {
  const outcome = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
  expect(outcome.crashed).toBeUndefined();
  return outcome.records;
}

/** Final values. */
function valuesOf(records: readonly LogRecord[]): (metric: MetricName, labels: Readonly<Record<string, string>>) => number[] {
  const store = seriesStore();
  const read = readMetrics(store.read);
  for (const record of records) read(record);
  store.look();
  const all = store.series();
  return (metric, labels) => {
    const found = all.find((one) => one.metric === metric && isSame(one.labels, labels));
    return found?.rows.map((row) => row.values.at(-1) ?? Number.NaN) ?? [];
  };
}

const isSame = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

test.each(runs)(
  "$name: gaps, delays, frames, traffic, generations, reconnects and attempts are those of result.json",
  ({ scenario, seed }) => {
    const records = simulated(scenario, seed);
    const evidence = measure(records, scenario);
    const { audio, generations, signal, network } = evidence.measurements;
    const value = valuesOf(records);
    const count = (values: readonly number[]): number => values.at(-2) ?? 0;
    const sum = (values: readonly number[]): number => values.at(-1) ?? 0;
    for (const [party, one] of Object.entries(audio)) {
      const gaps = value("midcall_client_gap_seconds", { party });
      expect(count(gaps), `${party} gaps`).toBe(one.gapCount);
      expect(sum(gaps), `${party} time without voice`).toBeCloseTo(one.totalGapMs / 1e3, 6);
      const below = (boundsOf("midcall_client_gap_seconds") ?? []).findIndex((bound) => bound >= 0.15);
      expect(count(gaps) - (gaps[below - 1] ?? 0), `${party} gaps above 0.1 s`).toBeGreaterThanOrEqual(one.interruptionCount);
      const delays = evidence.playouts.filter((each) => each.party === party).flatMap((each) => evidence.delays.get(each) ?? []);
      const told = value("midcall_mouth_to_ear_seconds", { party });
      // A frame played after the other end hung up is heard, but not part of the call that is measured.
      expect(Math.abs(count(told) - delays.length), `${party} delays`).toBeLessThanOrEqual(10);
      const mean = delays.reduce((total, delay) => total + delay.ms, 0) / delays.length;
      if (delays.length > 0) expect(sum(told) / count(told), `${party} mean delay`).toBeCloseTo(mean / 1e3, 3);
    }
    for (const [party, one] of Object.entries(generations))
      for (const action of ["sent", "delivered", "applied"] as const)
        expect(value("midcall_client_generations_total", { party, action })[0] ?? 0, `${party} ${action}`).toBe(one[action]);
    for (const [party, one] of Object.entries(signal)) {
      expect(value("midcall_client_reconnects_total", { party })[0] ?? 0, `${party} reconnects`).toBe(one.reconnects);
      expect(value("midcall_client_registration_attempts_total", { party })[0] ?? 0, `${party} attempts`).toBe(one.attempts);
    }
    for (const [party, one] of Object.entries(network))
      for (const direction of ["sent", "received"] as const) {
        expect(value("midcall_udp_packets_total", { party, direction })[0], `${party} packets`).toBe(one[`${direction}Packets`]);
        expect(value("midcall_udp_bytes_total", { party, direction })[0], `${party} octets`).toBe(one[`${direction}Bytes`]);
      }
  },
);

test("prom-client comes to the same values as metrics.om", async () => {
  const [scenario] = scenarios.filter((one) => one.name === "relay-restart");
  if (scenario === undefined) throw new Error("the catalogue lacks relay-restart");
  const store = seriesStore();
  const registry = new Registry();
  const take = registered(registry, ["process", "relay", "client", "laboratory"]);
  const read = readMetrics((reading: Reading) => {
    store.read(reading);
    take(reading);
  });
  for (const record of simulated(scenario, 1)) read(record);
  store.look();
  const theirs = new Map<string, number>();
  for (const metric of await registry.getMetricsAsJSON())
    for (const one of metric.values) {
      const { metricName } = one as { readonly metricName?: string };
      theirs.set(`${metricName ?? metric.name} ${JSON.stringify(Object.entries(one.labels).sort())}`, one.value);
    }
  const ours = new Map(store.series().flatMap(flat));
  expect(ours.size).toBeGreaterThan(200);
  for (const [name, value] of ours) expect(theirs.get(name), name).toBeCloseTo(value, 9);
  const known = [...theirs.keys()].filter((name) => !ours.has(name));
  expect(
    known.filter((name) => METRICS.get(name.split(" ")[0] as MetricName)?.type !== undefined && !name.endsWith(" []")),
  ).toEqual([]);
});

/** A series as prom-client names its values. */
function flat({ metric, labels, rows }: Series): [string, number][] {
  const bounds = boundsOf(metric);
  const name = (suffix: string, more: readonly (readonly [string, string | number])[]): string =>
    `${metric}${suffix} ${JSON.stringify([...Object.entries(labels), ...more].sort())}`;
  const last = (index: number): number => rows[index]?.values.at(-1) ?? Number.NaN;
  if (bounds === undefined) return [[name("", []), last(0)]];
  return [
    ...bounds.map((bound, index): [string, number] => [name("_bucket", [["le", bound]]), last(index)]),
    [name("_bucket", [["le", "+Inf"]]), last(bounds.length)],
    [name("_count", []), last(bounds.length)],
    [name("_sum", []), last(bounds.length + 1)],
  ];
}
