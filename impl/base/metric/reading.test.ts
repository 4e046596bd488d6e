import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogRecord } from "../record.ts";
import { METRICS, type MetricName } from "./catalogue.ts";
import { LONGEST_WORD, OTHER } from "./domain.ts";
import { mostSeries, type Reading } from "./reading.ts";
import { readMetrics } from "./readings.ts";

/** Everything a log can put into a label, from whoever talks to us. */
const hostile = fc.oneof(fc.string(), fc.string({ unit: "binary", minLength: 100, maxLength: 300 }), fc.nat(5_000).map(String));
const record: fc.Arbitrary<LogRecord> = fc
  .record({ t: fc.nat(), who: hostile, word: hostile, other: hostile, n: fc.nat(1_000) })
  .chain(({ t, who, word, other, n }) => {
    const stamp = { t, who };
    const sayings: unknown[] = [
      { ev: "signal", dir: word, type: other, session: n, call: word },
      { ev: "refused", reason: word, what: other, count: n },
      { ev: "session", session: n, state: word, reason: other },
      { ev: "drop", where: word, cause: other, bytes: n },
      { ev: "fault", fault: n, state: "applied", kind: word, target: word, label: other },
      { ev: "touched", fault: n, what: word, packets: n },
      { ev: "process", state: word },
      { ev: "path", call: word, path: word, candidate: other },
      { ev: "generation", call: word, action: word, generation: n, last: n },
      { ev: "media-played", call: word, kind: other, n: 1, at: t, step: 0 },
      { ev: "network", sentPackets: n, sentBytes: n, receivedPackets: n, receivedBytes: n },
      { ev: word, text: other },
    ];
    return fc.constantFrom(...sayings.map((saying) => ({ ...stamp, ...(saying as object) }) as LogRecord));
  });

test("no log, however hostile, makes more series than the catalogue's domains have room for", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 400 }), (records) => {
      const series = new Map<MetricName, Set<string>>();
      const read = readMetrics(({ metric, labels }: Reading) => {
        series.set(metric, (series.get(metric) ?? new Set()).add(JSON.stringify(labels)));
        for (const word of Object.values(labels)) expect(word.length).toBeLessThanOrEqual(LONGEST_WORD);
      });
      for (const one of records) read(one);
      for (const [metric, labels] of series) expect(labels.size, metric).toBeLessThanOrEqual(mostSeries(metric));
    }),
    { seed: 8, numRuns: 100 },
  );
});

test("beyond a domain's room everything is one series, and what was admitted stays itself", () => {
  const seen = new Set<string | undefined>();
  const read = readMetrics(({ metric, labels }) => {
    if (metric === "midcall_process_up") seen.add(labels.party);
  });
  for (let i = 0; i < 500; i++) read({ t: i, who: `p${i}`, ev: "process", state: "started" });
  read({ t: 500, who: "p3", ev: "process", state: "killed" });
  expect([...seen]).toEqual([...Array.from({ length: 16 }, (_, i) => `p${i}`), OTHER]);
});

test("one process cannot show more than 1,000 series", () => {
  // A process is one party: its own name, and `other` never comes up.
  const most = [...METRICS].reduce((sum, [name, { source, labels, buckets }]) => {
    if (source === "laboratory") return sum;
    const parties = Object.hasOwn(labels, "party") ? 17 : 1;
    return sum + (mostSeries(name) / parties) * (buckets === undefined ? 1 : 17);
  }, 0);
  expect(most).toBeLessThan(1_000);
});
