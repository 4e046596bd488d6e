/**
 * Every fault that touches the network or a process, for real: the same small scenario in virtual time and on a real kernel comes to the same verdict,
 * no fault happens before it is asked for, and each leaves the same kinds of traces.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { runNetns } from "../netns/lab.ts";
import { assess } from "../reports/index.ts";
import type { Condition, Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { FAULT_BENCHES } from "./fault-bench.fixture.ts";
import { expectHeld } from "./kept-up.fixture.ts";
import { inLanes } from "./lanes.fixture.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** chosen: as for the catalogue, what two processors carry without audible hiccups. */
const AT_ONCE = 3;
const LIMIT_MS = 240_000;

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const results = new Map<string, Result | Error>();
let folder = "";

type Ran = {
  readonly records: Parameters<typeof assess>[0]["records"];
  readonly hash: string;
  readonly virtualMs: number;
  readonly crashed?: string;
};
const judged = (scenario: Scenario, lab: string, { records, hash, virtualMs, crashed }: Ran): Result =>
  assess({
    ...{ scenario, lab, records, hash, virtualMs },
    versions: { midcall: "", node: process.version, commit: "" },
    ...{ codec: "sized", crypto: "null", seed: "0x1", dir: "", wallMs: 0 },
    ...(crashed === undefined ? {} : { crashed }),
  });

const simulated = (scenario: Scenario): Result =>
  judged(
    scenario,
    "sim",
    runSim({ scenario, seed: DEFAULT_SEED, wav: false, speech: new Map() }, { codec: sizedCodec, crypto: nullCrypto }),
  );

beforeAll(async () => {
  if (missing !== "") return;
  folder = await mkdtemp(join(tmpdir(), "midcall-faults-"));
  const ran = await inLanes(FAULT_BENCHES, AT_ONCE, async (scenario) => {
    const own = join(folder, scenario.name);
    await mkdir(own);
    return runNetns({ scenario, seed: DEFAULT_SEED, folder: own, speech: new Map() });
  });
  for (const [one, outcome] of ran) results.set(one.name, outcome instanceof Error ? outcome : judged(one, "netns", outcome));
}, LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

/** Kinds of traces that packets leave. What waits for a paused process only `sim` can see. */
const kinds = ({ observed }: Condition): string[] =>
  Object.keys(observed)
    .filter((one) => !one.startsWith("process"))
    .sort();

test.for(FAULT_BENCHES.map(({ name }) => name))("%s", (name, context) => {
  if (missing !== "") context.skip(missing);
  const scenario = FAULT_BENCHES.find((one) => one.name === name) as Scenario;
  const real = results.get(name);
  if (real === undefined || real instanceof Error) throw real ?? new Error("it did not run");
  const model = simulated(scenario);
  expectHeld(real, context);
  expect(model.verdict).toBe("held");
  for (const [index, condition] of real.conditions.entries()) {
    const twin = model.conditions[index] as Condition;
    expect(Object.keys(condition.observed), condition.fault).not.toEqual([]);
    if (twin.observed.processPaused !== true)
      expect(kinds(condition), condition.fault).toEqual(expect.arrayContaining(kinds(twin)));
    expect(condition.observed.processKilled, condition.fault).toBe(twin.observed.processKilled);
    expect(condition.observed.processRestarted, condition.fault).toBe(twin.observed.processRestarted);
    expect(condition.observed.processPaused, condition.fault).toBe(twin.observed.processPaused);
    expect(condition.observed.processResumed, condition.fault).toBe(twin.observed.processResumed);
    for (const which of ["appliedMs", "healedMs"] as const) {
      expect(condition[which] === null, `${condition.fault} ${which}`).toBe(twin[which] === null);
      expect((condition[which] ?? 0) - (twin[which] ?? 0), `${condition.fault} ${which}`).toBeGreaterThanOrEqual(0);
    }
  }
  // What a dead process or a dark link swallows is the same traffic in both, but for acknowledgements.
  const lost = (of: Result): number => of.conditions.reduce((sum, one) => sum + (one.observed.packetsDropped ?? 0), 0);
  if (lost(model) >= 50) {
    expect(lost(real)).toBeGreaterThan(lost(model) / 3);
    expect(lost(real)).toBeLessThan(lost(model) * 3);
  }
});
