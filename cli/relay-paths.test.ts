/** How the way between two relays is, as Prometheus is shown it: asked all the time, also while the link is cut. */
import { afterAll, expect, test } from "vitest";
import { seconds } from "../impl/base/units.ts";
import { type MetricsPort, openMetricsPort } from "../impl/io/metrics-port.ts";
import { partition } from "../scenarios/index.ts";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";

let port: MetricsPort | undefined;
afterAll(() => port?.close());

/** 20 ms round trip between the relays, cut from the eleventh second to the 31st. What they know is told every five. */
const cut = scenario({
  name: "relay-paths",
  asks: "Is it told how the way between relays is?",
  duration: "45s",
  parties: {
    alice: { relay: "r1" },
    bob: { relay: "r2" },
    r1: { role: "relay", federatesWith: ["r2"], link: { profile: "broadband", delay: "10ms" } },
    r2: { role: "relay" },
  },
  calls: [],
  faults: [partition("r1", "r2", { at: "11s", for: "20s" })],
});

test("round trip, its jitter, questions and losses between relays are exported, by each for the other", async () => {
  const shown = await openMetricsPort({ host: "127.0.0.1", port: 0, sources: ["relay"] });
  port = shown;
  const { records } = runSim({ scenario: cut, seed: 1 }, { codec: sizedCodec, crypto: nullCrypto });
  let next = 0;
  /** What is shown of a relay's way to the other when the log has been read so far. */
  const at = async (second: number): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> => {
    for (; (records[next]?.t ?? Number.POSITIVE_INFINITY) < seconds(second); next++)
      shown.read(records[next] as (typeof records)[number]);
    const text = await (await fetch(`http://${shown.local}/metrics`)).text();
    const rows = text.matchAll(/^midcall_relay_link_(\w+)\{party="(\w+)",peer="(\w+)"\} (\S+)$/gm);
    const all: Record<string, Record<string, number>> = {};
    for (const [, name = "", party = "", peer = "", value] of rows) {
      const ofOne = all[`${party} to ${peer}`] ?? {};
      ofOne[name] = Number(value);
      all[`${party} to ${peer}`] = ofOne;
    }
    return all;
  };
  const [before, during, after] = [await at(11), await at(31), await at(45)];
  for (const way of ["r1 to r2", "r2 to r1"]) {
    expect(before[way], way).toMatchObject({ up: 1, probes_lost_total: 0 });
    expect(before[way]?.rtt_seconds, way).toBeGreaterThanOrEqual(0.02);
    expect(before[way]?.rtt_seconds, way).toBeLessThan(0.022);
    expect(before[way]?.jitter_seconds, way).toBeLessThan(0.002);
    expect(before[way]?.probes_total, way).toBeGreaterThan(15); // two a second
    expect(during[way]?.up, way).toBe(0);
    expect(during[way]?.probes_lost_total, way).toBeGreaterThan(25);
    expect(after[way]?.up, way).toBe(1);
    const lost = after[way]?.probes_lost_total ?? Number.NaN;
    expect(lost, way).toBeLessThan(45);
    expect((after[way]?.probes_total ?? Number.NaN) - lost, way).toBeGreaterThan(40);
  }
});
