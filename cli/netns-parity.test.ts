/**
 * The model beside a real kernel, for the cases whose figures are most their own: a recovery, a blackout, bursts. The same scenario and seeds in both
 * laboratories, held to the tolerances of reports/parity.ts; `midcall parity` does it for the whole catalogue and writes reports/golden/parity.md.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { type NetnsOutcome, type NetnsRun, runNetns } from "../netns/lab.ts";
import { assess } from "../reports/index.ts";
import { isWithin, parityRows, parityTable } from "../reports/parity.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectHeld } from "./kept-up.fixture.ts";
import { openLaboratory } from "./laboratory.ts";
import { inLanes } from "./lanes.fixture.ts";
import { formatSeed } from "./seed.ts";
import { speechPath } from "./speech.ts";

const CASES: readonly string[] = ["relay-restart", "ringrtc-bursty-loss", "blackout"];
const SEEDS: readonly number[] = [1, 2];
/** chosen: what two real runs may differ by by chance is told by twenty of the model, a second each. */
const MODEL_SEEDS: readonly number[] = Array.from({ length: 20 }, (_, index) => index + 1);
/** chosen: as for the catalogue. */
const AT_ONCE = 3;
/** Their recovery is a matter of milliseconds, which a processor shared with eight other parties is not: two at once. */
const PAIRED_AT_ONCE = 2;
const PAIRED: readonly string[] = ["relay-restart", "blackout"];
const LIMIT_MS = 240_000;

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const speech = new Map(["speech-a", "speech-b"].map((name) => [name, speechPath(name)]));
const caseOf = (name: string): Scenario => {
  const found = CATALOGUE.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`${name}: not in the catalogue`);
  return found;
};

type Driver = NonNullable<NetnsRun["driver"]>;
/** Results and the driver that ran, by case, seed and the driver asked for. */
const real = new Map<string, { readonly result: Result; readonly driver: string }>();
const keyOf = (name: string, seed: number, driver: Driver): string => `${name} ${seed} ${driver}`;
let folder = "";

type Job = readonly [scenario: Scenario, seed: number, driver: Driver];

async function run([scenario, seed, driver]: Job): Promise<NetnsOutcome> {
  const own = join(folder, `${scenario.name}-${seed}-${driver}`);
  await mkdir(own);
  return runNetns({ scenario, seed, folder: own, speech, driver });
}

const judged = ([scenario, seed]: Job, { records, hash, virtualMs, crashed }: NetnsOutcome): Result =>
  assess({
    ...{ scenario, records, hash, virtualMs },
    versions: { midcall: "", node: process.version, commit: "" },
    ...{ codec: "real", crypto: "real", lab: "netns", seed: formatSeed(seed), dir: "", wallMs: 0 },
    ...(crashed === undefined ? {} : { crashed }),
  });

beforeAll(async () => {
  if (missing !== "") return;
  folder = await mkdtemp(join(tmpdir(), "midcall-parity-"));
  const jobs: readonly Job[] = [
    [caseOf("ringrtc-bursty-loss"), 1, "nft"],
    ...CASES.flatMap((name) => SEEDS.map((seed) => [caseOf(name), seed, "emulator"] as const)),
  ];
  const isPaired = ([{ name }]: Job): boolean => PAIRED.includes(name);
  const together = await inLanes(
    jobs.filter((one) => !isPaired(one)),
    AT_ONCE,
    run,
  );
  const paired = await inLanes(jobs.filter(isPaired), PAIRED_AT_ONCE, run);
  for (const [job, ran] of [...together, ...paired]) {
    if (ran instanceof Error) throw ran;
    real.set(keyOf(job[0].name, job[1], job[2]), { result: judged(job, ran), driver: ran.driver });
  }
}, LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

async function simulated(scenario: Scenario, seeds: readonly number[]): Promise<Result[]> {
  const laboratory = openLaboratory();
  try {
    const results: Result[] = [];
    for (const seed of seeds) {
      const job = { lab: "sim", scenario, seed, codec: "real", crypto: "real", folder: null, dir: "" } as const;
      results.push((await laboratory.run({ ...job, wantLines: false, commit: "", sabotage: null })).result);
    }
    return results;
  } finally {
    await laboratory.close();
  }
}

test.for(CASES)("%s comes to the same in virtual time and on a real kernel", async (name, context) => {
  if (missing !== "") context.skip(missing);
  const scenario = caseOf(name);
  const measured = SEEDS.flatMap((seed) => real.get(keyOf(name, seed, "emulator"))?.result ?? []);
  expect(measured).toHaveLength(SEEDS.length);
  for (const one of measured) expectHeld(one, context);
  const model = await simulated(scenario, MODEL_SEEDS);
  const rows = parityRows(scenario, model.slice(0, SEEDS.length), measured, model);
  expect(rows.every(isWithin), parityTable(rows, "netns").join("\n")).toBe(true);
});

test("the nft driver carries a call whose links need no delay, and is named", (context) => {
  if (missing !== "") context.skip(missing);
  const ran = real.get(keyOf("ringrtc-bursty-loss", 1, "nft"));
  if (ran === undefined) throw new Error("the run with the nft driver is missing");
  expect(ran.driver).toBe("nft");
  expectHeld(ran.result, context);
  for (const { observed } of ran.result.conditions) expect(observed.packetsDropped).toBeGreaterThan(50);
});

test("the model's column of the committed table is what the model says today", async () => {
  const page = await readFile(join(import.meta.dirname, "../reports/golden/parity.md"), "utf8");
  const scenario = caseOf("blackout");
  const sim = await simulated(scenario, [1, 2, 3, 4, 5]);
  const cells = (line: string): string[] =>
    line
      .split("|")
      .slice(1, 5)
      .map((cell) => cell.trim());
  const committed = page
    .split("\n")
    .filter((line) => line.startsWith("| blackout "))
    .map(cells);
  const today = parityTable(parityRows(scenario, sim, sim), "netns")
    .slice(2)
    .map(cells);
  expect(committed.map(([name, figure, value]) => [name, figure, value])).toEqual(
    today.map(([name, figure, value]) => [name, figure, value]),
  );
});
