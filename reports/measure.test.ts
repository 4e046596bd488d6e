import { expect, test } from "vitest";
import type { Fault } from "../scenarios/expanded.ts";
import { aCallLog, aRelayRestart, aScenario, KILL, RESTART_EXPECT, randomLoss, s, type Talk } from "./log-builder.ts";
import { type Evidence, measure } from "./measure.ts";
import type { PartyAudio } from "./result.ts";

const scenario = aScenario();
const aliceHears = (talk: Partial<Talk>): PartyAudio | undefined =>
  measure(aCallLog(scenario, { alice: talk }).records(), scenario).measurements.audio.alice;

test("a call in which nothing goes wrong has no gap, every frame, and the delay of capture, frame and look-ahead", () => {
  expect(aliceHears({})).toEqual({
    longestGapMs: 0,
    gapCount: 0,
    concealmentRatio: 0,
    interruptionCount: 0,
    mouthToEarMs: { p50: 106.5, p95: 106.5 },
    mos: 4.407,
    mosProvisional: true,
    mosRatedRatio: 1,
    framesExpected: 910,
    framesPlayed: 910,
    framesRecovered: 0,
    framesConcealed: 0,
    framesSilent: 0,
    framesComfort: 0,
    totalGapMs: 0,
    firstSourceMs: 1_800,
    gapHistogram: [20, 40, 60, 100, 140, 500, 1_000, 3_000, null].map((upToMs) => ({ upToMs, count: 0 })),
    totalInterruptionMs: 0,
    recoveredBy: { lbrr: 0, red: 0, block: 0 },
    lateDiscarded: 0,
    fecPacketsDiscarded: 0,
  });
});

test("gaps are in the class of their length, each once, and only long ones add to interruptions", () => {
  const hears = aliceHears({
    spells: [
      { from: s(4), to: s(4.02), kind: "concealed" as const },
      { from: s(5), to: s(5.06), kind: "concealed" as const },
      { from: s(6), to: s(6.4), kind: "silence" as const },
    ],
  });
  const classes = hears?.gapHistogram?.filter(({ count }) => count > 0);
  expect(classes).toEqual([
    { upToMs: 20, count: 1 },
    { upToMs: 60, count: 1 },
    { upToMs: 500, count: 1 },
  ]);
  expect(hears?.totalInterruptionMs).toBe(400);
});

test("concealed and silent frames in a row are one gap; 150 ms and longer is an interruption", () => {
  const spells = [
    { from: s(5), to: s(5.1), kind: "concealed" as const },
    { from: s(5.1), to: s(5.2), kind: "silence" as const },
    { from: s(6), to: s(6.14), kind: "concealed" as const },
  ];
  expect(aliceHears({ spells })).toMatchObject({
    longestGapMs: 200,
    gapCount: 2,
    interruptionCount: 1,
    totalGapMs: 340,
    framesConcealed: 12,
    framesSilent: 5,
    framesPlayed: 893,
    concealmentRatio: 0.018681,
  });
});

test("recovered frames are source audio and comfort noise is no gap", () => {
  const spells = [
    { from: s(5), to: s(6), kind: "recovered" as const },
    { from: s(7), to: s(9), kind: "comfort" as const },
  ];
  const audio = aliceHears({ spells });
  expect(audio).toMatchObject({ gapCount: 0, framesRecovered: 50, framesComfort: 100, framesPlayed: 810, concealmentRatio: 0 });
  expect(audio?.mouthToEarMs.p95).toBe(106.5);
});

test("concealment before the first source frame does not count", () => {
  expect(aliceHears({ spells: [{ from: 0, to: s(2.8), kind: "silence" }] })).toMatchObject({
    gapCount: 0,
    firstSourceMs: 2_800,
    framesExpected: 860,
  });
});

test("a loudspeaker given nothing for a second is a second of silence, also at the end of the call", () => {
  expect(aliceHears({ dead: [{ from: s(5), to: s(6) }] })).toMatchObject({
    longestGapMs: 1_000,
    framesSilent: 50,
    framesPlayed: 860,
  });
  expect(aliceHears({ dead: [{ from: s(19), to: s(20) }] })).toMatchObject({ longestGapMs: 1_000, framesExpected: 910 });
  expect(aliceHears({ dead: [{ from: s(5), to: s(5.04) }] })?.gapCount).toBe(1);
  expect(aliceHears({ dead: [{ from: s(5), to: s(5.02) }] })?.gapCount).toBe(0);
});

test("what is played after either party ended the call counts for nothing", () => {
  const log = aCallLog(scenario, { alice: { spells: [{ from: s(18), to: s(20), kind: "concealed" }] } });
  log.call(s(18), "bob", "ended", { reason: "hung-up" });
  expect(measure(log.records(), scenario).measurements.audio.alice).toMatchObject({ gapCount: 0, framesExpected: 810 });
});

test("a party that heard nothing has no score and no delay", () => {
  expect(aliceHears({ spells: [{ from: 0, to: s(20), kind: "silence" }] })).toMatchObject({
    framesExpected: 0,
    framesPlayed: 0,
    mos: null,
    mouthToEarMs: { p50: null, p95: null },
    firstSourceMs: null,
  });
});

test("packet numbers that begin again under a new key are joined with the newest packet of that number", () => {
  const log = aCallLog(scenario, { alice: { until: s(5) } });
  log.talk({ to: "alice", peer: "bob", from: s(5), until: s(20), key: "second", seq: 0, delay: 40_000 });
  const { mouthToEarMs } = measure(log.records(), scenario).measurements.audio.alice ?? {};
  expect(mouthToEarMs).toEqual({ p50: 66.5, p95: 106.5 });
});

test("a second of outage costs the estimate of its own ten seconds, not of the whole call", () => {
  const short = aliceHears({ spells: [{ from: s(5), to: s(6), kind: "silence" }] })?.mos ?? 0;
  const long = aliceHears({ spells: [{ from: s(5), to: s(15), kind: "silence" }] })?.mos ?? 0;
  expect(short).toBeGreaterThan(2.2);
  expect(short).toBeLessThan(4.2);
  expect(long).toBeLessThan(short);
});

const faulty = aScenario({ faults: [KILL], expect: RESTART_EXPECT });
const recoveryOf = (evidence: Evidence, party: string): unknown =>
  evidence.measurements.recovery.find((entry) => entry.party === party);
const struck = (alice: Partial<Talk>, fault: Fault = KILL, healed: number | null = s(8)): Evidence => {
  const own = aScenario({ faults: [fault] });
  return measure(
    aCallLog(own, { alice })
      .fault(0, `${fault.kind} ${fault.target}`, s(5), healed ?? undefined)
      .records(),
    own,
  );
};

test("a relay restart is measured from the fault and from the heal, for each party", () => {
  const evidence = measure(aRelayRestart().records(), faulty);
  expect(evidence.measurements.recovery).toEqual([
    { fault: 0, party: "alice", fromFaultMs: 3_220, fromHealMs: 220, resumedMs: 8_220, stops: 1 },
    { fault: 0, party: "bob", fromFaultMs: 3_200, fromHealMs: 200, resumedMs: 8_200, stops: 1 },
  ]);
});

test("frames lost at random are not media that stopped", () => {
  const evidence = struck({ spells: randomLoss(0.05, s(2), s(20), "five percent") });
  expect(evidence.measurements.audio.alice?.gapCount).toBeGreaterThan(30);
  expect(recoveryOf(evidence, "alice")).toMatchObject({ fromFaultMs: 0, fromHealMs: 0, stops: 0 });
});

test("media is back with the first of 10 source frames in a row, not with a flicker", () => {
  const spells = [
    { from: s(5.1), to: s(8), kind: "silence" as const },
    { from: s(8.1), to: s(8.12), kind: "concealed" as const },
    { from: s(8.24), to: s(8.26), kind: "concealed" as const },
  ];
  expect(recoveryOf(struck({ spells }), "alice")).toMatchObject({ fromHealMs: 260, stops: 1 });
});

test("the last stop on account of a fault counts, one long after its heal does not", () => {
  const spells = [
    { from: s(5.1), to: s(6), kind: "silence" as const },
    { from: s(7), to: s(8.4), kind: "silence" as const },
    { from: s(12), to: s(13), kind: "silence" as const },
  ];
  expect(recoveryOf(struck({ spells }), "alice")).toMatchObject({ fromFaultMs: 3_400, fromHealMs: 400, stops: 2 });
});

test("media that comes back before the heal took nothing from it", () => {
  const spells = [{ from: s(5.1), to: s(6), kind: "silence" as const }];
  expect(recoveryOf(struck({ spells }), "alice")).toMatchObject({ fromFaultMs: 1_000, fromHealMs: 0 });
});

test("media that never comes back is null, as is a party that never heard anything", () => {
  const spells = [{ from: s(5.1), to: s(20), kind: "silence" as const }];
  expect(recoveryOf(struck({ spells }), "alice")).toMatchObject({ fromFaultMs: null, fromHealMs: null, stops: 1 });
  const mute = [{ from: 0, to: s(20), kind: "silence" as const }];
  expect(recoveryOf(struck({ spells: mute }), "alice")).toMatchObject({ fromFaultMs: null, fromHealMs: null });
});

test("a fault with nothing to undo is healed when it is applied", () => {
  const rebind: Fault = { kind: "rebind", target: "home", when: { at: s(5) }, for: s(3) };
  const spells = [{ from: s(5.1), to: s(5.4), kind: "concealed" as const }];
  expect(recoveryOf(struck({ spells }, rebind), "alice")).toMatchObject({ fromFaultMs: 400, fromHealMs: 400 });
  expect(recoveryOf(struck({ spells }, KILL, null), "alice")).toMatchObject({ fromFaultMs: 400, fromHealMs: 400 });
});

test("signalling: down time from loss to registration, reconnects, attempts begun, supervisors", () => {
  const { signal } = measure(aRelayRestart().records(), faulty).measurements;
  expect(signal.alice).toEqual({ downMs: 2_720, reconnects: 1, attempts: 3, supervisorsMax: 1 });
  expect(signal.bob).toEqual({ downMs: 2_700, reconnects: 1, attempts: 3, supervisorsMax: 1 });
});

test("a client that is killed is down until it registers again; one that was told to be idle is not", () => {
  const log = aCallLog(scenario);
  log.say(s(10), "alice", { ev: "process", state: "killed" }).say(s(11), "alice", { ev: "process", state: "started" });
  log.registration(s(11.1), "alice", "connecting", { supervisors: 1 }).registration(s(11.3), "alice", "registered");
  log.registration(s(12), "bob", "idle").registration(s(14), "bob", "registered");
  const { signal } = measure(log.records(), scenario).measurements;
  expect(signal.alice?.downMs).toBe(1_300);
  expect(signal.bob?.downMs).toBe(0);
});

test("conditions: what was asked, when it happened, and what it did", () => {
  expect(measure(aRelayRestart().records(), faulty).conditions).toEqual([
    {
      fault: "kill r1",
      atMs: 5_000,
      appliedMs: 5_000,
      healedMs: 8_000,
      observed: { packetsDropped: 40, processKilled: true, processRestarted: true },
    },
  ]);
});

test("a fault that never happened and one that nobody noticed both show", () => {
  const own = aScenario({
    faults: [KILL, { kind: "rebind", target: "home", when: { after: { match: { ev: "note" }, nth: 1, delay: 0 } }, for: null }],
  });
  const { conditions } = measure(aCallLog(own).fault(0, "kill r1", s(5)).records(), own);
  expect(conditions).toEqual([
    { fault: "kill r1", atMs: 5_000, appliedMs: 5_000, healedMs: null, observed: {} },
    { fault: "rebind home", atMs: null, appliedMs: null, healedMs: null, observed: {} },
  ]);
});

test("what was done to packets is counted by what it was, and nothing done to none is no trace", () => {
  const rebind: Fault = { kind: "rebind", target: "home", when: { at: s(5) }, for: null };
  const log = aCallLog(scenario).fault(0, "rebind home", s(5)).fault(1, "rebind home", s(6));
  for (const [fault, what, packets] of [
    [0, "readdressed", 3],
    [0, "delayed", 2],
    [0, "readdressed", 4],
    [1, "readdressed", 0],
  ] as const)
    log.say(s(7), "net", { ev: "touched", fault, what, packets });
  const { conditions } = measure(log.records(), aScenario({ faults: [rebind, rebind] }));
  expect(conditions.map((one) => one.observed)).toEqual([{ packetsTouched: 9, touched: { readdressed: 7, delayed: 2 } }, {}]);
});

test("network counters of a restarted process are added up, and drops go to the party whose link, NAT or process it was", () => {
  const log = aCallLog(scenario);
  for (const [at, n] of [
    [s(2), 100],
    [s(3), 150],
    [s(4), 20],
  ] as const)
    log.say(at, "r1", { ev: "network", sentPackets: n, sentBytes: n * 90, receivedPackets: n, receivedBytes: n * 90 });
  for (const where of ["alice/wlan0/up", "nat home", "r1", "somewhere"])
    log.say(s(5), "net", { ev: "drop", where, cause: "loss", bytes: 90 });
  const { network } = measure(log.records(), scenario).measurements;
  expect(network.r1).toEqual({
    sentPackets: 170,
    sentBytes: 15_300,
    receivedPackets: 170,
    receivedBytes: 15_300,
    lostPackets: 1,
  });
  expect(network.alice?.lostPackets).toBe(2);
  expect(network.bob?.lostPackets).toBe(0);
});

test("generations are counted by what happened to them, and a stale application is found by count and by confession", () => {
  const log = aCallLog(scenario);
  const say = (who: string, action: "sent" | "delivered" | "applied" | "refused", generation: number, last: number): unknown =>
    log.say(s(5), who, { ev: "generation", call: "c", action, generation, last });
  say("bob", "sent", 1, 0);
  say("alice", "delivered", 1, 0);
  say("alice", "applied", 1, 0);
  say("alice", "refused", 1, 1);
  say("alice", "applied", 1, 0);
  say("alice", "applied", 2, 3);
  const { generations } = measure(log.records(), scenario).measurements;
  expect(generations.alice).toEqual({ sent: 0, delivered: 1, applied: 3, refusedStale: 1, appliedStale: 2 });
  expect(generations.bob?.sent).toBe(1);
});

test("the path in use is listed once per change", () => {
  const log = aCallLog(scenario);
  log.say(s(6), "alice", { ev: "path", call: "c0ffee00c0ffee00c0ffee00c0ffee00", path: "relay", candidate: "relay" });
  log.say(s(7), "alice", { ev: "path", call: "c0ffee00c0ffee00c0ffee00c0ffee00", path: "direct", candidate: "host" });
  expect(measure(log.records(), scenario).measurements.path.alice).toEqual([
    { atMs: 1_650, path: "relay", candidate: "relay" },
    { atMs: 7_000, path: "direct", candidate: "host" },
  ]);
});

test("an empty log measures to nothing and does not throw", () => {
  expect(measure([], scenario).measurements).toMatchObject({ audio: {}, recovery: [] });
});
