import { expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { INVARIANTS } from "../scenarios/oracles.ts";
import { judge, verdictOf } from "./judge.ts";
import { aCallLog, aLog, aRelayRestart, aScenario, CALL_ID, KILL, type LogBuilder, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import type { OracleResult } from "./result.ts";

const judged = (records: readonly LogRecord[], scenario: Scenario): readonly OracleResult[] =>
  judge(measure(records, scenario)).oracles;

/** What an oracle that is always judged says of a log. */
const always = (name: string, log: LogBuilder, more: Partial<Scenario> = {}): OracleResult | undefined =>
  judged(log.records(), aScenario(more)).find((one) => one.name === name);

const restart = { faults: [KILL] };
const withKill = (log: LogBuilder): LogBuilder => log.fault(0, "kill r1", s(5), s(8));

const offered = (): LogBuilder => aLog().call(s(1), "alice", "offering").call(s(1.1), "bob", "ringing");
function generations(...applied: readonly number[]): LogBuilder {
  const log = aCallLog();
  for (const generation of applied)
    for (const action of ["delivered", "applied"] as const)
      log.say(s(5), "alice", { ev: "generation", call: CALL_ID, action, generation, last: 0 });
  return log;
}

test("the invariants of the catalogue are those judged in every run", () => {
  const names = judged(aCallLog().records(), aScenario()).map((one) => one.name);
  expect(names.toSorted()).toEqual(INVARIANTS.map((one) => one.name).toSorted());
});

test("a call in which nothing is wrong holds, whatever is always judged", () => {
  expect(judge(measure(aCallLog().records(), aScenario()))).toMatchObject({ verdict: "held", cause: "All 14 oracles held." });
});

const sent = (log: LogBuilder, who: string, key: string, seq: number, n: number, t = s(9)): LogBuilder =>
  log.say(t, who, { ev: "media-sent", call: CALL_ID, key, seq, n, at: s(9), step: 20_000 });
const received = (log: LogBuilder, who: string, key: string, seq: number, n: number): LogBuilder =>
  log.say(s(9), who, { ev: "media-received", call: CALL_ID, key, seq, n, at: s(9), step: 20_000 });

test.each([
  [
    "the last number again",
    (log: LogBuilder) => sent(log, "bob", "bob-key", 909, 1, s(20)),
    "bob sent packet 909 under key bob-key twice",
  ],
  [
    "the same number again",
    (log: LogBuilder) => sent(log, "bob", "bob-key", 909, 1),
    "bob sent packet 909 under key bob-key twice",
  ],
  [
    "a run that reaches into another",
    (log: LogBuilder) => sent(sent(log, "bob", "k", 10, 5), "bob", "k", 5, 6),
    "bob sent packet 10 under key k twice",
  ],
  [
    "another party using the key",
    (log: LogBuilder) => sent(log, "alice", "bob-key", 0, 1),
    "alice sent packet 0 under key bob-key twice",
  ],
])("a nonce used twice is found: %s", (_, spoil, detail) => {
  expect(always("no-nonce-reuse", spoil(aCallLog()))).toMatchObject({ verdict: "broken", detail });
});

test("packet numbers in any order, once each, are no reuse", () => {
  const log = sent(sent(sent(aCallLog(), "bob", "k", 10, 5), "bob", "k", 0, 5), "bob", "k", 5, 5);
  expect(always("no-nonce-reuse", log)).toMatchObject({
    verdict: "held",
    detail: "1835 packets under 3 keys, no number used twice",
  });
});

test("a packet opened twice by one party is found, by two parties it is not", () => {
  expect(always("no-double-decrypt", received(aCallLog(), "alice", "bob-key", 3, 2))).toMatchObject({
    verdict: "broken",
    detail: "alice opened packet 3 under key bob-key twice",
  });
  expect(always("no-double-decrypt", received(aCallLog(), "bob", "bob-key", 3, 2))).toMatchObject({ verdict: "held" });
});

test("two supervisors at once break one-supervisor, and atMs says when", () => {
  const log = aCallLog().registration(s(9), "bob", "reconnecting", { supervisors: 2 });
  expect(always("one-supervisor", log)).toEqual({
    name: "one-supervisor",
    verdict: "broken",
    detail: "bob had 2 supervisors at once",
    atMs: 9_000,
  });
});

test("a stale generation breaks no-stale-generation", () => {
  expect(always("no-stale-generation", generations(1, 1))).toMatchObject({ verdict: "broken" });
  expect(always("no-stale-generation", generations(1, 2))).toMatchObject({ verdict: "held" });
});

test("two updates sent under one generation break no-stale-generation", () => {
  const sending = (generation: number): LogBuilder =>
    aCallLog().say(s(5), "alice", { ev: "generation", call: CALL_ID, action: "sent", generation, last: 1 });
  expect(always("no-stale-generation", sending(1))).toMatchObject({
    verdict: "broken",
    detail: "alice sent generation 1 after 1",
  });
  expect(always("no-stale-generation", sending(2))).toMatchObject({ verdict: "held" });
  // A party that begins again at one, and remembers nothing of before.
  const again = sending(2).say(s(6), "alice", { ev: "generation", call: CALL_ID, action: "sent", generation: 1, last: 0 });
  expect(always("no-stale-generation", again)).toMatchObject({ verdict: "broken", detail: "alice sent generation 1 after 2" });
});

test("what is still held at the end breaks everything-freed; nobody saying anything is inconclusive", () => {
  const leak = aCallLog().say(s(21), "alice", { ev: "held", sessions: 1, calls: 0, supervisors: 2 });
  expect(always("everything-freed", leak)).toMatchObject({
    verdict: "broken",
    detail: "alice still holds 1 sessions, 2 supervisors",
  });
  expect(always("everything-freed", offered())).toMatchObject({ verdict: "inconclusive" });
});

test.each([
  ["no end", aLog(), "broken"],
  ["a crash", aLog().say(s(9), "lab", { ev: "end", reason: "crashed", detail: "packet numbers run backwards" }), "broken"],
  ["an interruption", aLog().say(s(9), "lab", { ev: "end", reason: "interrupted" }), "inconclusive"],
  ["a process that exits on its own", aCallLog().say(s(9), "bob", { ev: "process", state: "exited" }), "broken"],
  ["a process that exits when told to", aCallLog().say(s(20.5), "bob", { ev: "process", state: "exited" }), "held"],
] as const)("nothing-crashed: %s", (_, log, verdict) => {
  expect(always("nothing-crashed", log)?.verdict).toBe(verdict);
});

test("a fault without a trace is inconclusive, and so is the run, although everything else held", () => {
  const untouched = withKill(aCallLog());
  expect(always("faults-left-a-trace", untouched, restart)).toMatchObject({
    verdict: "inconclusive",
    detail: "fault 0 (kill r1) left no trace",
  });
  expect(judge(measure(untouched.records(), aScenario(restart)))).toMatchObject({
    verdict: "inconclusive",
    cause: "faults-left-a-trace could not be judged: fault 0 (kill r1) left no trace.",
  });
  expect(always("faults-left-a-trace", aRelayRestart(), restart)?.verdict).toBe("held");
});

test("crashed outweighs broken, broken outweighs inconclusive, inconclusive outweighs held", () => {
  const one = (name: string, verdict: OracleResult["verdict"]): OracleResult => ({ name, verdict, detail: "" });
  const all = [
    one("nothing-crashed", "broken"),
    one("same-call", "broken"),
    one("refused", "inconclusive"),
    one("path-is", "held"),
  ];
  expect([0, 1, 2, 3].map((from) => verdictOf(all.slice(from)))).toEqual(["crashed", "broken", "inconclusive", "held"]);
});

test("an oracle that does not exist is the caller's mistake", () => {
  expect(() => judged(aCallLog().records(), aScenario({ expect: [{ oracle: "call-is-nice" }] }))).toThrow(RangeError);
  expect(() => judged(aCallLog().records(), aScenario({ expect: [{ oracle: "constructor" }] }))).toThrow(RangeError);
});
