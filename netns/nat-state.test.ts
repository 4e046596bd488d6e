import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { NatBehaviour } from "../scenarios/expanded.ts";
import { run } from "./command.ts";
import { natRules } from "./nat-rules.ts";
import { parseState, parseTime } from "./nat-state.ts";
import { HOME, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

const REMOTES: readonly (readonly [NatBehaviour, string])[] = [
  ["endpoint-independent", ""],
  ["address-dependent", "198.51.100.7"],
  ["address-and-port-dependent", "198.51.100.7:443"],
];

test.each([
  ["1d2h3m4s5ms", 93_784_005],
  ["59s996ms", 59_996],
  ["250ms", 250],
  ["", 0],
  ["never", 0],
])("the time %j is %d ms", (text, expected) => expect(parseTime(text)).toBe(expected));

test("mappings carried into a new table are read back as they were, for every pair of behaviours", (context) =>
  withBench(context, async () => {
    for (const [mapping, remote] of REMOTES) {
      for (const [filtering] of REMOTES) {
        for (const hairpin of ["off", "internal-source", "external-source"] as const) {
          const model = { ...HOME, mapping, filtering, hairpin };
          const carried = [5_000, 5_001].map((insidePort, index) => ({
            insideHost: "192.168.1.2",
            insidePort,
            remote,
            port: 40_000 + index,
            left: 20_000,
          }));
          const rules = natRules({
            model,
            host: "203.0.113.9",
            pools: [{ hosts: "all", ports: [50_000] }],
            dead: [1_234],
            carried,
          });
          const listing = await run("unshare", ["--net", "sh", "-ec", "nft -f -; nft list table ip midcall"], rules);
          const { mappings, counters } = parseState(listing, model, "203.0.113.9");
          expect(mappings.map(({ idle, ...rest }) => rest).sort((a, b) => a.external.localeCompare(b.external))).toEqual(
            carried.map(({ insidePort, port }) => ({
              internal: `192.168.1.2:${insidePort}`,
              remote,
              external: `203.0.113.9:${port}`,
            })),
          );
          for (const { idle } of mappings) expect(idle).toBeGreaterThanOrEqual(10_000_000);
          expect(counters.out).toBe(0);
        }
      }
    }
  }));

test("of a key that the kernel lists twice the binding used last counts", () => {
  const entry = (left: string, port: number): string => `192.168.1.2 . 43366 timeout 30s expires ${left} : ${port}`;
  const listing = `table ip midcall {\n\tmap bound {\n\t\telements = { ${entry("29s972ms", 28_042)}, ${entry("30s", 26_264)} }\n\t}\n}`;
  expect(parseState(listing, { ...HOME, lifetime: 30_000_000 }, "203.0.113.9").mappings).toEqual([
    { internal: "192.168.1.2:43366", remote: "", external: "203.0.113.9:26264", idle: 0 },
  ]);
});

test("no listing makes it throw", () =>
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseState(`\tmap bound {\n${text}\n\t}`, HOME, "203.0.113.1").counters.in).toBe(0);
    }),
    { seed: 1, numRuns: 200 },
  ));
