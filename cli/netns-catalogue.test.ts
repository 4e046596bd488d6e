/**
 * The catalogue on a real kernel: the same scenarios as in sim, judged by the same oracles, with the relay and the clients as processes in network
 * namespaces. In real time, several runs at once.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { type NetnsOutcome, runNetns } from "../netns/lab.ts";
import { assess } from "../reports/index.ts";
import type { Result } from "../reports/result.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectHeld } from "./kept-up.fixture.ts";
import { inLanes } from "./lanes.fixture.ts";
import { DEFAULT_SEED } from "./seed.ts";
import { speechPath } from "./speech.ts";

/** chosen: one case for each kind of fault, the longest first; relay-restart and blackout are run in netns-parity.test. With MIDCALL_WHOLE_CATALOGUE=1 all cases, half an hour of calls. */
const CASES: readonly string[] =
  process.env.MIDCALL_WHOLE_CATALOGUE === "1"
    ? CATALOGUE.map((one) => one.name)
    : [
        "stale-messages",
        "relay-switch-mid-call",
        "relay-pause",
        "nat-rebind",
        "one-way-loss",
        "baseline",
        "reject",
        "burst-loss",
        "direct-cone-cone",
        "roam-relayed",
        "v6-appears",
      ];
/** chosen: three runs are nine processes, which two processors carry without audible hiccups. */
const AT_ONCE = 3;
/**
 * These have limits (delay, concealment, a gap of one frame, a few round trips) that a processor shared with eight other parties can break: two at once, each of which
 * has the better part of a processor.
 */
const PAIRED_AT_ONCE = 2;
const PAIRED: readonly string[] = [
  "baseline",
  "roam-make-before-break",
  "relay-dies-direct-lives",
  "cut-off-from-relay",
  "roam-relayed",
  "relay-switch-mid-call",
];
const LIMIT_MS = 300_000;

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const speech = new Map(["speech-a", "speech-b"].map((name) => [name, speechPath(name)]));
const results = new Map<string, Result | Error>();
let folder = "";

async function run(scenario: Scenario): Promise<NetnsOutcome> {
  const own = join(folder, scenario.name);
  await mkdir(own);
  return runNetns({ scenario, seed: DEFAULT_SEED, folder: own, speech });
}

const judged = (scenario: Scenario, { records, hash, virtualMs, crashed }: NetnsOutcome): Result =>
  assess({
    ...{ scenario, records, hash, virtualMs },
    versions: { midcall: "", node: process.version, commit: "" },
    ...{ codec: "real", crypto: "real", lab: "netns", seed: "0x1", dir: "", wallMs: 0 },
    ...(crashed === undefined ? {} : { crashed }),
  });

beforeAll(async () => {
  if (missing !== "") return;
  folder = await mkdtemp(join(tmpdir(), "midcall-netns-"));
  const chosen = CATALOGUE.filter((one) => CASES.includes(one.name)).sort((a, b) => b.duration - a.duration);
  const isPaired = (one: Scenario): boolean => PAIRED.includes(one.name);
  const together = await inLanes(
    chosen.filter((one) => !isPaired(one)),
    AT_ONCE,
    run,
  );
  const paired = await inLanes(chosen.filter(isPaired), PAIRED_AT_ONCE, run);
  for (const [one, ran] of [...together, ...paired]) results.set(one.name, ran instanceof Error ? ran : judged(one, ran));
}, LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

test.for(CASES)("%s holds on a real kernel", (name, context) => {
  if (missing !== "") context.skip(missing);
  const result = results.get(name);
  if (result === undefined || result instanceof Error) throw result ?? new RangeError(`${name}: not in the catalogue`);
  expectHeld(result, context);
});
