/**
 * Direct paths on a real kernel: the textbook NATs meet where theory says they can and stay with the relay where it says they cannot (RFC 5128), several calls
 * in one laboratory; and a direct call goes on over a roam that the client notices by itself. With MIDCALL_WHOLE_CATALOGUE=1 every pair.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lacks } from "../netns/install.ts";
import { type NetnsOutcome, runNetns } from "../netns/lab.ts";
import { assess } from "../reports/index.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { expectConnect, expectLongestGap, expectSameCall, roam, scenario } from "../scenarios/index.ts";
import type { WrittenScenario } from "../scenarios/written-scenario.ts";
import { inLanes } from "./lanes.fixture.ts";
import { DEFAULT_SEED } from "./seed.ts";

const KINDS = ["full-cone", "restricted-cone", "port-restricted", "symmetric"] as const;
type Kind = (typeof KINDS)[number];
type Pair = readonly [Kind, Kind];
/** Two symmetric NATs never learn each other's ports; one that filters by port cannot let in a port it does not know. */
const canMeet = (pair: Pair): boolean =>
  !pair.includes("symmetric") || pair.includes("full-cone") || pair.includes("restricted-cone");
const ALL: readonly Pair[] = KINDS.flatMap((a, i) => KINDS.slice(i).map((b): Pair => [a, b]));
const PAIRS: readonly Pair[] =
  process.env.MIDCALL_WHOLE_CATALOGUE === "1"
    ? ALL
    : [
        ["port-restricted", "port-restricted"],
        ["restricted-cone", "symmetric"],
        ["port-restricted", "symmetric"],
      ];
/** chosen: nine processes at a time, which two processors carry. */
const PAIRS_A_LAB = 4;
const LIMIT_MS = 240_000;

/** 12.5 ms one way on each client's link: 50 ms round trip between the two. */
const link = { profile: "broadband", delay: "12500us" };

function meeting(pairs: readonly Pair[], batch: number): Scenario {
  const parties: Record<string, object> = {};
  for (const [k, [a, b]] of pairs.entries()) {
    parties[`a${k}`] = { nat: a, link };
    parties[`b${k}`] = { nat: b, link };
  }
  return scenario({
    ...{ name: `pairs-${batch}`, asks: "Who meets whom?", duration: "6s", iceTransportPolicy: "all" },
    parties: parties as NonNullable<WrittenScenario["parties"]>,
    calls: pairs.map((_, k) => ({
      caller: `a${k}`,
      callee: `b${k}`,
      at: 1_000_000 + k * 100_000,
      callerSays: "tone",
      calleeSays: "tone",
    })),
    expect: [expectConnect()],
  });
}

const roaming = (name: string, how: Parameters<typeof roam>[1], max: string): Scenario =>
  scenario({
    ...{ name, asks: "Does a direct call go on over a change of network?", duration: "8s", iceTransportPolicy: "all" },
    parties: {
      alice: { interfaces: { wlan0: { link, nat: "home" }, cell0: { link, nat: "cgnat" } } },
      bob: { nat: "port-restricted", link },
    },
    calls: [{ callerSays: "tone", calleeSays: "tone" }],
    faults: [roam("alice", how)],
    expect: [expectConnect(), expectLongestGap({ max }), expectSameCall()],
  });

const batches = Array.from({ length: Math.ceil(PAIRS.length / PAIRS_A_LAB) }, (_, k) =>
  PAIRS.slice(k * PAIRS_A_LAB, (k + 1) * PAIRS_A_LAB),
);
const MEETINGS: readonly Scenario[] = batches.map(meeting);
const ROAMS: readonly Scenario[] = [
  // The old interface goes on carrying for a second: nothing is lost but what the new NATs do not let in yet, which goes by the relay too.
  roaming("roam-overlap", { at: "4s", overlap: "1s" }, "60ms"),
  roaming("roam-abrupt", { at: "4s" }, "300ms"),
];

/** Who is on which path when the run ends: what becomes of it while parties are told to stop, one after the other, is not asked. */
const paths = new Map<string, ReadonlyMap<string, string>>();
const pathsOf = (records: Parameters<typeof assess>[0]["records"], until: number): ReadonlyMap<string, string> =>
  new Map(records.flatMap((one) => (one.ev === "path" && one.t < until ? [[one.who, one.path] as const] : [])));

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");
const results = new Map<string, Result | Error>();
let folder = "";

async function run(scenario: Scenario): Promise<NetnsOutcome> {
  const own = join(folder, scenario.name);
  await mkdir(own);
  return runNetns({ scenario, seed: DEFAULT_SEED, folder: own, speech: new Map() });
}

const judged = (one: Scenario, { records, hash, virtualMs, crashed }: NetnsOutcome): Result =>
  assess({
    ...{ scenario: one, lab: "netns", records, hash, virtualMs, codec: "real", crypto: "real", seed: "0x1", dir: "", wallMs: 0 },
    versions: { midcall: "", node: process.version, commit: "" },
    ...(crashed === undefined ? {} : { crashed }),
  });

beforeAll(async () => {
  if (missing !== "") return;
  folder = await mkdtemp(join(tmpdir(), "midcall-direct-"));
  const meetings = await inLanes(MEETINGS, 1, run); // one after the other: each is nine processes
  const roams = await inLanes(ROAMS, 2, run);
  for (const [one, ran] of [...meetings, ...roams]) {
    results.set(one.name, ran instanceof Error ? ran : judged(one, ran));
    if (!(ran instanceof Error)) paths.set(one.name, pathsOf(ran.records, one.duration));
  }
}, LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

function ran(name: string, context: { skip(why: string): void }): Result {
  if (missing !== "") context.skip(missing);
  const result = results.get(name);
  if (result === undefined || result instanceof Error) throw result ?? new Error("it did not run");
  expect(result.oracles.filter((one) => one.verdict !== "held").map((one) => `${one.name}: ${one.detail}`)).toEqual([]);
  return result;
}

test.for(PAIRS.map((pair, index) => [...pair, index] as const))(
  "%s and %s take the path that theory says",
  ([a, b, index], context) => {
    const name = `pairs-${Math.floor(index / PAIRS_A_LAB)}`;
    ran(name, context);
    const path = canMeet([a, b]) ? "direct" : "relay";
    const k = index % PAIRS_A_LAB;
    expect([`a${k}`, `b${k}`].map((who) => paths.get(name)?.get(who))).toEqual([path, path]);
  },
);

test.for(ROAMS.map(({ name }) => name))("a direct call goes on, directly, over a %s", (name, context) => {
  ran(name, context);
  expect(["alice", "bob"].map((who) => paths.get(name)?.get(who))).toEqual(["direct", "direct"]);
});
