import { expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import type { Tier } from "../impl/base/tier.ts";
import type { Expectation, Scenario } from "../scenarios/expanded.ts";
import { INVARIANTS, JUDGED_NAMES } from "../scenarios/oracles.ts";
import { judge } from "./judge.ts";
import { aCall, aCallLog, aLog, aRelayRestart, aScenario, CALL_ID, KILL, type LogBuilder, type Spell, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import { REGISTRATION_ROWS } from "./registration-oracles.fixture.ts";
import type { OracleResult } from "./result.ts";

const judged = (records: readonly LogRecord[], scenario: Scenario): readonly OracleResult[] =>
  judge(measure(records, scenario)).oracles;

/** What one oracle says of a log. */
function says(expectation: Expectation, log: LogBuilder, more: Partial<Scenario> = {}): OracleResult | undefined {
  return judged(log.records(), aScenario({ ...more, expect: [expectation] }))[0];
}
const silent = (from: number, to: number): { readonly spells: readonly Spell[] } => ({ spells: [{ from, to, kind: "silence" }] });
const restart = { faults: [KILL] };
const withKill = (log: LogBuilder): LogBuilder => log.fault(0, "kill r1", s(5), s(8));

type Case = readonly [promise: string, Expectation, LogBuilder, Partial<Scenario>, OracleResult["verdict"], string];
const noAnswer = { calls: [aCall({ answer: "none" as const })] };
const offered = (): LogBuilder => aLog().call(s(1), "alice", "offering").call(s(1.1), "bob", "ringing");
const spoke = (...told: readonly (readonly [t: number, tier: Tier])[]): LogBuilder =>
  told.reduce(
    (log, [t, tier]) =>
      log.say(t, "alice", {
        ...{ ev: "tier", call: CALL_ID, tier, coding: "opus", scheme: "none", payloadBytes: 0, sealedBytes: 0 },
        reason: "queue of 600 ms",
      }),
    withKill(aCallLog()),
  );
const rejected = (): LogBuilder => offered().call(s(1.6), "bob", "ended", { mode: "Reject", reason: "rejected" });

const CASES: readonly Case[] = [
  [
    "a call up in time connects",
    { oracle: "call-connects", within: s(2) },
    aCallLog(),
    {},
    "held",
    "alice 150 ms, bob 150 ms (limit 2000 ms after the answer)",
  ],
  [
    "a call up too late does not",
    { oracle: "call-connects", within: 100_000 },
    aCallLog(),
    {},
    "broken",
    "alice 150 ms, bob 150 ms (limit 100 ms after the answer)",
  ],
  [
    "nor does one that is never up",
    { oracle: "call-connects", within: s(2) },
    offered(),
    {},
    "broken",
    "alice never had the call up, bob never had the call up (limit 2000 ms after the answer)",
  ],
  [
    "ten frames flow",
    { oracle: "media-flows", frames: 10 },
    aCallLog(),
    {},
    "held",
    "alice 910 frames, bob 910 frames (at least 10 in a row)",
  ],
  [
    "nine do not",
    { oracle: "media-flows", frames: 10 },
    aCallLog(undefined, { bob: silent(s(1.98), s(20)) }),
    {},
    "broken",
    "alice 910 frames, bob 9 frames (at least 10 in a row)",
  ],
  [
    "only the party asked for counts",
    { oracle: "media-flows", frames: 10, party: "alice" },
    aCallLog(undefined, { bob: null }),
    {},
    "held",
    "alice 910 frames (at least 10 in a row)",
  ],
  [
    "media back in time recover",
    { oracle: "media-recovers", within: 500_000, from: "heal" },
    aRelayRestart(),
    restart,
    "held",
    "alice 220 ms, bob 200 ms (limit 500 ms from the heal)",
  ],
  [
    "media back too late do not",
    { oracle: "media-recovers", within: 210_000, from: "heal" },
    aRelayRestart(),
    restart,
    "broken",
    "alice 220 ms, bob 200 ms (limit 210 ms from the heal)",
  ],
  [
    "the limit may count from the fault",
    { oracle: "media-recovers", within: s(3.21), from: "fault" },
    aRelayRestart(),
    restart,
    "broken",
    "alice 3220 ms, bob 3200 ms (limit 3210 ms from the fault)",
  ],
  [
    "media that never come back do not recover",
    { oracle: "media-recovers", within: 500_000, from: "heal" },
    withKill(aCallLog(undefined, { alice: silent(s(5.1), s(20)) })),
    restart,
    "broken",
    "alice never heard again, bob 0 ms (limit 500 ms from the heal)",
  ],
  [
    "a call over before the limit shows nothing",
    { oracle: "media-recovers", within: s(13), from: "heal" },
    withKill(aCallLog(undefined, { alice: silent(s(5.1), s(20)) })),
    restart,
    "inconclusive",
    "alice's call ended before the limit, bob 0 ms (limit 13 s from the heal)",
  ],
  [
    "also when the other party was well",
    { oracle: "media-recovers", within: s(13), from: "heal" },
    withKill(aCallLog(undefined, { bob: silent(s(5.1), s(20)) })),
    restart,
    "inconclusive",
    "alice 0 ms, bob's call ended before the limit (limit 13 s from the heal)",
  ],
  [
    "a fault that never happened shows nothing",
    { oracle: "media-recovers", within: s(1), from: "heal" },
    aCallLog(),
    restart,
    "inconclusive",
    "fault 0 (kill r1) never happened (limit 1000 ms from the heal)",
  ],
  [
    "a call that lasts is the same call",
    { oracle: "same-call" },
    aRelayRestart(),
    restart,
    "held",
    "call c0ffee00 from alice to bob lasted",
  ],
  [
    "a call that ends early is not",
    { oracle: "same-call" },
    aCallLog().call(s(9), "bob", "ended", { reason: "relay-lost" }),
    {},
    "broken",
    "call c0ffee00 ended for bob at 9.000 s (relay-lost)",
  ],
  [
    "nor are two calls",
    { oracle: "same-call" },
    aCallLog().call(s(9), "alice", "offering", { call: "beef" }).call(s(9), "bob", "ringing", { call: "beef" }),
    {},
    "broken",
    "alice and bob had 2 calls where 1 were planned",
  ],
  [
    "nor one offered twice",
    { oracle: "same-call" },
    aCallLog().call(s(9), "alice", "offering"),
    {},
    "broken",
    "alice offered the call 2 times",
  ],
  ["nor one never offered", { oracle: "same-call" }, aLog(), {}, "broken", "alice never offered the call"],
  [
    "a planned hang-up ends the same call",
    { oracle: "same-call" },
    aCallLog().call(s(9), "alice", "ended", { reason: "hung-up" }),
    { calls: [aCall({ hangUpAt: s(9) })] },
    "held",
    "call c0ffee00 from alice to bob lasted",
  ],
  [
    "clients registered again in time recover",
    { oracle: "signalling-recovers", within: 120_000 },
    aRelayRestart(),
    restart,
    "held",
    "alice 120 ms, bob 100 ms (limit 120 ms)",
  ],
  [
    "too late do not",
    { oracle: "signalling-recovers", within: 110_000 },
    aRelayRestart(),
    restart,
    "broken",
    "alice 120 ms, bob 100 ms (limit 110 ms)",
  ],
  [
    "never do not",
    { oracle: "signalling-recovers", within: s(1) },
    withKill(aCallLog().registration(s(5.4), "alice", "reconnecting", { supervisors: 1 })),
    restart,
    "broken",
    "alice never registered again (limit 1000 ms)",
  ],
  [
    "nobody lost anything",
    { oracle: "signalling-recovers", within: s(1) },
    aCallLog(),
    {},
    "held",
    "nobody lost its registration",
  ],
  [
    "a short gap",
    { oracle: "longest-gap", max: 300_000 },
    aCallLog(undefined, { alice: silent(s(5), s(5.3)) }),
    {},
    "held",
    "alice 300 ms, bob 0 ms (limit 300 ms)",
  ],
  [
    "a longer gap",
    { oracle: "longest-gap", max: 299_000 },
    aCallLog(undefined, { alice: silent(s(5), s(5.3)) }),
    {},
    "broken",
    "alice 300 ms, bob 0 ms (limit 299 ms)",
  ],
  [
    "hearing nothing at all is no short gap",
    { oracle: "longest-gap", max: s(1) },
    aCallLog(undefined, { bob: null }),
    {},
    "broken",
    "alice 0 ms, bob never heard anything (limit 1000 ms)",
  ],
  [
    "little concealment",
    { oracle: "concealment", max: 0.02 },
    aCallLog(undefined, { alice: silent(s(5), s(5.3)) }),
    {},
    "held",
    "alice 1.65 %, bob 0 % (limit 2 %)",
  ],
  [
    "much concealment",
    { oracle: "concealment", max: 0.01 },
    aCallLog(undefined, { alice: silent(s(5), s(5.3)) }),
    {},
    "broken",
    "alice 1.65 %, bob 0 % (limit 1 %)",
  ],
  [
    "140 ms is no interruption",
    { oracle: "no-interruption" },
    aCallLog(undefined, { alice: silent(s(5), s(5.14)) }),
    {},
    "held",
    "alice 0, longest gap 140 ms, bob 0, longest gap 0 ms (none of 150 ms or more)",
  ],
  [
    "160 ms is",
    { oracle: "no-interruption" },
    aCallLog(undefined, { alice: silent(s(5), s(5.16)) }),
    {},
    "broken",
    "alice 1, longest gap 160 ms, bob 0, longest gap 0 ms (none of 150 ms or more)",
  ],
  [
    "prompt audio",
    { oracle: "mouth-to-ear", p95: 107_000 },
    aCallLog(),
    {},
    "held",
    "alice 106.5 ms, bob 106.5 ms (limit 107 ms)",
  ],
  ["late audio", { oracle: "mouth-to-ear", p95: 106_000, party: "bob" }, aCallLog(), {}, "broken", "bob 106.5 ms (limit 106 ms)"],
  [
    "who speaks badly during an outage, and well after it",
    { oracle: "speaks-in", tier: "good", within: s(1) },
    spoke([s(2), "good"], [s(6), "degraded"], [s(8.5), "good"]),
    restart,
    "held",
    "alice does, bob does (good or better from 9.000 s on)",
  ],
  [
    "who goes on speaking badly after it",
    { oracle: "speaks-in", tier: "good", within: s(1) },
    spoke([s(2), "good"], [s(6), "degraded"], [s(9.5), "good"]),
    restart,
    "broken",
    "alice speaks degraded (queue of 600 ms), bob does (good or better from 9.000 s on)",
  ],
  [
    "who comes to speak badly later",
    { oracle: "speaks-in", party: "alice", tier: "degraded", within: s(1) },
    spoke([s(2), "good"], [s(6), "degraded"], [s(9.5), "catastrophic"]),
    restart,
    "broken",
    "alice speaks catastrophic, 500 ms later (queue of 600 ms) (degraded or better from 9.000 s on)",
  ],
  [
    "nobody, of a call that is over by then",
    { oracle: "speaks-in", tier: "good", within: s(30) },
    spoke([s(2), "good"]),
    restart,
    "inconclusive",
    "alice is in no call by then, bob is in no call by then (good or better from 38.000 s on)",
  ],
  [
    "a rejected call",
    { oracle: "call-rejected" },
    rejected().call(s(1.7), "alice", "ended", { reason: "rejected", mode: "Reject" }),
    {},
    "held",
    "bob rejected the call of alice, both ended",
  ],
  [
    "a rejection the caller never learns of",
    { oracle: "call-rejected" },
    rejected(),
    {},
    "broken",
    "the call never ended for alice",
  ],
  [
    "a call that ends without a rejection",
    { oracle: "call-rejected" },
    offered().call(s(2), "bob", "ended", { reason: "missed" }),
    {},
    "broken",
    "bob did not reject the call",
  ],
  [
    "a rejected call that is up all the same",
    { oracle: "call-rejected" },
    aCallLog(),
    {},
    "broken",
    "the call became active for alice",
  ],
  ["a call never answered", { oracle: "call-never-answered" }, offered(), noAnswer, "held", "bob never answered alice"],
  ["a call answered", { oracle: "call-never-answered" }, aCallLog(), noAnswer, "broken", "the call became active for alice"],
  [
    "ended for the reason",
    { oracle: "ended-with", reason: "stopped" },
    aCallLog(),
    {},
    "held",
    "alice stopped, bob stopped (want stopped)",
  ],
  [
    "ended for another",
    { oracle: "ended-with", reason: "hung-up", party: "bob" },
    aCallLog(),
    {},
    "broken",
    "bob stopped (want hung-up)",
  ],
  [
    "never ended",
    { oracle: "ended-with", reason: "no-answer", party: "alice" },
    offered(),
    {},
    "broken",
    "alice never ended the call (want no-answer)",
  ],
  [
    "the path wanted",
    { oracle: "path-is", path: "relay" },
    aCallLog(),
    {},
    "held",
    "alice relay (relay) since 1.650 s, bob relay (relay) since 1.650 s (want relay)",
  ],
  [
    "another path",
    { oracle: "path-is", path: "direct", party: "bob" },
    aCallLog(),
    {},
    "broken",
    "bob relay (relay) since 1.650 s (want direct)",
  ],
  ["no path", { oracle: "path-is", path: "relay", party: "bob" }, offered(), {}, "broken", "bob never had a path (want relay)"],
  [
    "refused often enough",
    { oracle: "refused", party: "bob", reason: "replayed", atLeast: 3 },
    refusals(),
    {},
    "held",
    "bob refused 3 replayed (at least 3)",
  ],
  [
    "not often enough",
    { oracle: "refused", party: "bob", reason: "replayed", atLeast: 4 },
    refusals(),
    {},
    "broken",
    "bob refused 3 replayed (at least 4)",
  ],
  [
    "fresh generations",
    { oracle: "generations-fresh" },
    generations(1, 2),
    {},
    "held",
    "alice delivered 2, applied 2, refused 0; bob delivered 0, applied 0, refused 0",
  ],
  ["a stale generation", { oracle: "generations-fresh" }, generations(2, 1), {}, "broken", "alice applied 1 stale"],
  ["no generation", { oracle: "generations-fresh" }, aCallLog(), {}, "broken", "no candidate update was delivered"],
  [
    "a call that is well again settles",
    { oracle: "settles", within: s(4) },
    withKill(aCallLog(undefined, { bob: silent(s(5), s(9)) })),
    restart,
    "held",
    "alice registered, bob registered, alice hears, bob hears (limit 4000 ms after the last heal at 8.000 s)",
  ],
  [
    "one that stays silent does not",
    { oracle: "settles", within: s(4) },
    withKill(aCallLog(undefined, { bob: silent(s(5), s(20)) })),
    restart,
    "broken",
    "alice registered, bob registered, alice hears, bob hears nothing (limit 4000 ms after the last heal at 8.000 s)",
  ],
  [
    "one whose other end listens until the end does",
    { oracle: "settles", within: s(4) },
    withKill(aCallLog(undefined, { bob: { spells: [{ from: s(12), to: s(20), kind: "comfort" }] } })),
    restart,
    "held",
    "alice registered, bob registered, alice hears, bob hears (limit 4000 ms after the last heal at 8.000 s)",
  ],
  ...REGISTRATION_ROWS,
];

function refusals(): LogBuilder {
  const log = aCallLog();
  for (const [at, count] of [
    [s(3), 1],
    [s(4), 2],
    [s(5), 1],
  ] as const)
    log.say(at, "bob", { ev: "refused", reason: "replayed", what: "media", count });
  log.say(s(6), "bob", { ev: "refused", reason: "malformed", what: "media", count: 9 });
  return log.say(s(6), "alice", { ev: "refused", reason: "replayed", what: "media", count: 9 });
}

function generations(...applied: readonly number[]): LogBuilder {
  const log = aCallLog();
  for (const generation of applied)
    for (const action of ["delivered", "applied"] as const)
      log.say(s(5), "alice", { ev: "generation", call: CALL_ID, action, generation, last: 0 });
  return log;
}

test.each(CASES)("%s", (_, expectation, log, more, verdict, detail) => {
  expect(says(expectation, log, more)).toMatchObject({ name: expectation.oracle, verdict, detail });
});

test("every oracle of the catalogue is judged in both directions", () => {
  const verdicts = new Set(CASES.map(([, { oracle }, , , verdict]) => `${oracle} ${verdict}`));
  const named = JUDGED_NAMES.filter((name) => !INVARIANTS.some((invariant) => invariant.name === name));
  for (const name of named) expect([...verdicts]).toEqual(expect.arrayContaining([`${name} held`, `${name} broken`]));
});
