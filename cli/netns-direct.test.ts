/**
 * Direct paths on a real kernel: the nine NATs of RFC 4787 meet where theory says they can and stay with the relay where it says they cannot, and a direct call goes on
 * over a roam that the client notices by itself. With MIDCALL_WHOLE_CATALOGUE=1 every pair.
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
import { expectConnect, expectLongestGap, expectSameCall, interfaceDown, roam, scenario } from "../scenarios/index.ts";
import { expectHeld } from "./kept-up.fixture.ts";
import { inLanes } from "./lanes.fixture.ts";
import { heldUp, LINK, met, natMatrix } from "./nat-matrix.fixture.ts";
import { DEFAULT_SEED } from "./seed.ts";

/** All 45 pairs, or one that is direct without either's help, one that is by the help of one's filter, and one that cannot be. */
const isWhole = process.env.MIDCALL_WHOLE_CATALOGUE === "1";
const SOME = ["EIM+APDF EIM+APDF", "APDM+APDF EIM+ADF", "APDM+APDF EIM+APDF"];
/**
 * Calls in one laboratory overlap, three at a time: two processors do not carry nine calls that are being set up, and parties that wait for a processor meet nobody in
 * time. Some callers of the short list call twice, one call after the other.
 */
const MATRIX = isWhole ? natMatrix(500_000) : natMatrix(2_000_000, SOME);
const LIMIT_MS = 240_000;

const RETURN = "roam-return";
const roaming = (name: string, fault: ReturnType<typeof roam>, max: string): Scenario =>
  scenario({
    ...{ name, asks: "Does a direct call go on over a change of network?", duration: "8s", iceTransportPolicy: "all" },
    parties: {
      alice: { interfaces: { wlan0: { link: LINK, nat: "home" }, cell0: { link: LINK, nat: "cgnat" } } },
      bob: { nat: "port-restricted", link: LINK },
    },
    calls: [{ callerSays: "tone", calleeSays: "tone" }],
    faults: [fault],
    expect: [expectConnect(), expectLongestGap({ max }), expectSameCall()],
  });

const ROAMS: readonly Scenario[] = [
  // The old interface goes on carrying for a second: nothing is lost but what the new NATs do not let in yet, which goes by the relay too.
  roaming("roam-overlap", roam("alice", { at: "4s", overlap: "1s" }), "60ms"),
  roaming("roam-abrupt", roam("alice", { at: "4s" }), "300ms"),
  // The WiFi comes back beside the carrier's network and takes over.
  roaming(RETURN, interfaceDown("alice", { interface: "wlan0", at: "200ms", for: "3800ms" }), "60ms"),
];

type Records = Parameters<typeof assess>[0]["records"];
const logs = new Map<string, Records>();

/** chosen: as for any promise of a run (reports/machine.ts). */
const EXCUSES_FROM = 200_000;

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
  const matrix = await inLanes([MATRIX.scenario], 1, run);
  const roams = await inLanes(ROAMS, 2, run);
  for (const [one, ran] of [...matrix, ...roams]) {
    results.set(one.name, ran instanceof Error ? ran : judged(one, ran));
    if (!(ran instanceof Error)) logs.set(one.name, ran.records);
  }
}, LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

function ran(name: string, context: { skip(why: string): void }): Result {
  if (missing !== "") context.skip(missing);
  const result = results.get(name);
  if (result === undefined || result instanceof Error) throw result ?? new Error("it did not run");
  expectHeld(result, context);
  return result;
}

test.for(MATRIX.meetings.map((one) => [one.name, one] as const))("%s take the path that theory says", ([, meeting], context) => {
  ran(MATRIX.scenario.name, context);
  const records = logs.get(MATRIX.scenario.name) ?? [];
  const { paths } = met(records, meeting);
  const held = paths.every((one) => one === meeting.path) ? undefined : heldUp(records, meeting);
  if (held !== undefined && held.all >= EXCUSES_FROM)
    context.skip(
      `${meeting.name}: the machine did not keep up: ${held.who} got no processor for ${Math.round(held.waited / 1_000)} ms`,
    );
  expect(paths).toEqual([meeting.path, meeting.path]);
});

test.for(ROAMS.map(({ name }) => name))("a direct call goes on, directly, over a %s", (name, context) => {
  ran(name, context);
  // What becomes of paths while the two are told to stop, one after the other, is not asked.
  const before = ROAMS.find((one) => one.name === name)?.duration ?? 0;
  const paths = met(logs.get(name) ?? [], { name, caller: "alice", callee: "bob", at: 0, until: before }).paths;
  expect(paths).toEqual(["direct", "direct"]);
});

test("an interface that comes back carries as soon as its host sends by it", (context) => {
  ran(RETURN, context);
  const lost = (logs.get(RETURN) ?? []).filter(
    (one) => one.ev === "drop" && one.cause === "link-down" && one.where === "alice/wlan0/up",
  );
  // What was on its way when it went down is lost; while it is down its host sends nothing by it.
  expect(lost.filter(({ t }) => t > 1_000_000)).toEqual([]);
});
