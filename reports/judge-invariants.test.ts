/** The invariants about media, trust and liveness, each judged both ways. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DropRecord, Saying } from "../impl/base/record.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { accountsOf, type FrameAccount } from "./frame-accounting.ts";
import { judge } from "./judge.ts";
import { aCallLog, aRelayRestart, aScenario, CALL_ID, KILL, type LogBuilder, type Spell, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import { streamsOf } from "./media-stream-log.ts";
import type { OracleResult } from "./result.ts";

const found = (name: string, log: LogBuilder, more: Partial<Scenario> = {}): OracleResult | undefined =>
  judge(measure(log.records(), aScenario(more))).oracles.find((one) => one.name === name);

type More = Partial<Pick<DropRecord, "fault" | "cause">>;
const drops = (log: LogBuilder, where: string, from: number, to: number, more: More = {}): LogBuilder => {
  for (let at = from; at < to; at += 20_000) log.say(at, "net", { ev: "drop", where, cause: "loss", bytes: 120, ...more });
  return log;
};
/** Alice misses what bob sent from 9.92 s to 10.12 s. */
const tornForAlice = (): LogBuilder =>
  aCallLog(aScenario(), { alice: { spells: [{ from: s(10), to: s(10.2), kind: "concealed" }] } });

test("frames that vanish without a cause are found, whoever played what instead", () => {
  expect(found("every-frame-accounted", tornForAlice())).toMatchObject({ verdict: "broken", atMs: 9_920 });
  expect(found("every-frame-accounted", tornForAlice())?.detail).toContain("10 frames of bob vanished without a cause");
});

test.each([
  ["the sender's way out", "bob/wlan0/up", "10 lost by the link"],
  ["the receiver's way in", "alice/wlan0/down", "10 lost by the link"],
  ["the relay", "r1/eth0/down", "10 lost by the link"],
  ["a network between", "internet", "10 lost by the link"],
  ["the other direction", "alice/wlan0/up", undefined],
  ["the receiver's own sending", "alice/quic", undefined],
])("drops on the way account for lost frames, others do not: %s", (_, where, words) => {
  const oracle = found("every-frame-accounted", drops(tornForAlice(), where, s(9.95), s(10.15)));
  expect(oracle?.verdict).toBe(words === undefined ? "broken" : "held");
  if (words !== undefined) expect(oracle?.detail).toContain(words);
});

test("what a party has no interface to send by is lost at its sender, and what no process takes at its receiver", () => {
  const verdict = (where: string, cause: DropRecord["cause"]): string | undefined =>
    found("every-frame-accounted", drops(tornForAlice(), where, s(9.95), s(10.15), { cause }))?.verdict;
  expect(["bob", "alice"].map((who) => verdict(who, "no-route"))).toEqual(["held", "broken"]);
  expect(["bob", "alice"].map((who) => verdict(who, "process-down"))).toEqual(["broken", "held"]);
});

test("what a direct path that is given up as silent no longer takes has that cause where a fault impairs a link of its ends, and nowhere else", () => {
  const verdict = (kind: "impair" | "rebind", heals: number, reason: string, target = "bob"): string | undefined => {
    const log = tornForAlice();
    const about = { ev: "fault", fault: 0, kind, target, label: kind } as const;
    log.say(s(8), "lab", { ...about, state: "applied" });
    log.say(s(heals), "lab", { ...about, state: "healed" });
    const pair = { ev: "candidate-pair", call: CALL_ID, session: 2, remote: "198.51.100.2:4433", candidate: "host" } as const;
    log.say(s(11), "alice", { ...pair, state: "closed", reason });
    return found("every-frame-accounted", log)?.verdict;
  };
  expect(verdict("impair", 12, "silent")).toBe("held");
  expect(verdict("impair", 9.5, "silent")).toBe("held");
  expect(verdict("impair", 8.5, "silent")).toBe("broken");
  expect(verdict("rebind", 12, "silent")).toBe("broken");
  expect(verdict("impair", 12, "replaced")).toBe("broken");
  expect(verdict("impair", 12, "silent", "r1")).toBe("broken");
});

test("a drop says which fault lost the frame", () => {
  const fault: Fault = {
    kind: "blackout",
    target: "bob",
    interface: "wlan0",
    direction: "up",
    when: { at: s(9.9) },
    for: s(0.3),
  };
  const log = drops(tornForAlice(), "bob/wlan0/up", s(9.95), s(10.15), { fault: 0 }).fault(0, "blackout bob", s(9.9), s(10.2));
  expect(found("every-frame-accounted", log, { faults: [fault] })?.detail).toContain("10 lost to fault 0");
});

test.each([
  ["a session of the receiver ended", "alice", { ev: "session", session: 1, state: "closed", reason: "reset" }],
  ["the relay was paused", "r1", { ev: "process", state: "paused" }],
  ["the sender was not registered", "bob", { ev: "registration", state: "reconnecting", supervisors: 1 }],
] as const)("what was not there explains what was lost: %s", (_, who, saying: Saying) => {
  expect(found("every-frame-accounted", tornForAlice().say(s(10), who, saying))?.verdict).toBe("held");
});

test("every account adds up to the frames sent, whatever was lost and dropped", () => {
  const total = (one: FrameAccount): number =>
    one.played +
    one.recovered +
    one.late +
    one.underWay +
    one.byLink +
    one.interrupted +
    one.heldBack +
    one.unreadable +
    one.unexplained +
    [...one.byFault.values()].reduce((sum, n) => sum + n, 0);
  const spell = fc
    .tuple(
      fc.integer({ min: 90, max: 900 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom<Spell["kind"]>("concealed", "recovered"),
    )
    .map(([at, n, kind]): Spell => ({ from: at * 20_000, to: (at + n) * 20_000, kind }));
  const drop = fc.record({
    at: fc.nat(1_000),
    where: fc.constantFrom("bob/wlan0/up", "alice/wlan0/down", "r1", "x"),
    fault: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(spell, { maxLength: 8 }), fc.array(drop, { maxLength: 300 }), (spells, dropped) => {
      const log = aCallLog(aScenario(), { alice: { spells } });
      for (const { at, where, fault } of dropped)
        log.say(at * 20_000, "net", { ev: "drop", where, cause: "loss", bytes: 120, ...(fault === 0 ? {} : { fault }) });
      const records = log.records();
      const accounts = accountsOf(records, aScenario(), streamsOf(records).streams, s(21));
      expect(accounts).toHaveLength(2);
      for (const one of accounts) expect(total(one)).toBe(one.sent);
    }),
    { seed: 4, numRuns: 150 },
  );
});

const opened = (who: string, key: string, seq: number, call = CALL_ID): LogBuilder =>
  aCallLog().say(s(9), who, { ev: "media-received", call, key, seq, n: 1, at: s(9), step: 0 });
const playedAgain = (who: string, seq: number): LogBuilder =>
  aCallLog().say(s(19), who, { ev: "media-played", call: CALL_ID, kind: "source", seq, n: 1, at: s(20), step: 0 });

test.each([
  ["sealed by itself", opened("bob", "bob-key", 3), "bob opened its own packets"],
  ["of another call", opened("alice", "bob-key", 3, "another"), `alice opened packets of call ${CALL_ID} in call another`],
  ["never sealed", opened("alice", "bob-key", 9_999), "alice opened packet 9999 under key bob-key, which bob never sent"],
  ["under a key of nobody", opened("alice", "k", 0), "alice opened packet 0 under key k, which nobody sent under"],
  ["meant for somebody else", opened("r1", "bob-key", 3), "r1 opened packets for alice"],
  ["played once more", playedAgain("alice", 7), "alice played packet 7 a second time"],
  ["played without having come", playedAgain("alice", 5_000), "alice played packet 5000, which it never opened"],
] as const)("a packet that has no business there is found: %s", (_, log, words) => {
  expect(found("packets-in-their-call", log)).toMatchObject({ verdict: "broken" });
  expect(found("packets-in-their-call", log)?.detail).toContain(words);
});

test("what a killed sender had no time to write down is no stray packet, and neither is a call in which nothing is wrong", () => {
  const log = opened("alice", "bob-key", 940).say(s(20), "bob", { ev: "process", state: "killed" });
  expect(found("packets-in-their-call", log)?.verdict).toBe("held");
  expect(found("packets-in-their-call", aCallLog())?.verdict).toBe("held");
});

const address = ["203.0.113.9:5000"];
const told = (
  who: string,
  dir: "sent" | "received",
  mode: "AcceptTrusted" | "AcceptGeneric",
  addresses?: readonly string[],
): LogBuilder =>
  aCallLog()
    .call(s(1.55), "bob", "answered", { mode })
    .say(s(3), who, { ev: "signal", dir, type: "CandidateUpdate", session: 1, call: CALL_ID, ...(addresses && { addresses }) });

test.each([
  ["the callee tells its address", told("bob", "sent", "AcceptGeneric", address), "broken"],
  ["the caller hears one", told("alice", "received", "AcceptGeneric", address), "broken"],
  ["the callee hears the caller's", told("bob", "received", "AcceptGeneric", address), "held"],
  ["no address is told", told("bob", "sent", "AcceptGeneric"), "held"],
  ["nobody asked for privacy", told("bob", "sent", "AcceptTrusted", address), "held"],
] as const)("privacy mode keeps the callee's addresses: %s", (_, log, verdict) => {
  expect(found("addresses-kept-private", log)?.verdict).toBe(verdict);
});

const signal = (dir: "sent" | "received", type: string, session: number, ok?: boolean): Saying => ({
  ev: "signal",
  dir,
  type,
  session,
  call: CALL_ID,
  ...(ok === undefined ? {} : { ok }),
});
function atRelay(...sayings: readonly Saying[]): LogBuilder {
  const log = aCallLog();
  for (const [i, saying] of sayings.entries()) log.say(s(2) + i, "r1", saying);
  return log;
}
const enrolled = (session: number): readonly Saying[] => [
  signal("received", "Register", session),
  signal("sent", "RegisterAck", session, true),
];

test.each([
  ["passed on", atRelay(...enrolled(-1), signal("received", "Hangup", -2), signal("sent", "Hangup", -1)), "broken"],
  ["told of a call", atRelay(signal("sent", "DirectCallOffer", -2)), "broken"],
  ["refused, and registered in vain", atRelay(signal("sent", "RegisterAck", -2, false), signal("sent", "Hangup", -2)), "broken"],
  [
    "registered before the relay died",
    atRelay(...enrolled(-1), { ev: "process", state: "killed" }, signal("sent", "Hangup", -1)),
    "broken",
  ],
  ["refused", atRelay(...enrolled(-1), signal("received", "Hangup", -2), signal("sent", "Refusal", -2)), "held"],
  ["sent on by a relay that drains", atRelay(signal("received", "Register", -2), signal("sent", "RelayDraining", -2)), "held"],
  [
    "registered, after a pause too",
    atRelay(
      ...enrolled(-1),
      ...enrolled(-2),
      { ev: "process", state: "paused" },
      signal("received", "Hangup", -2),
      signal("sent", "Hangup", -1),
    ),
    "held",
  ],
] as const)("a stranger to the relay: %s", (_, log, verdict) => {
  expect(found("strangers-refused", log)?.verdict).toBe(verdict);
});

test("two attempts to connect side by side are two supervisors", () => {
  const connecting = (session: number): Saying => ({ ev: "session", session, state: "connecting" });
  const both = (): LogBuilder => aCallLog().say(s(5), "bob", connecting(2)).say(s(5.5), "bob", connecting(3));
  expect(found("one-supervisor", both())).toMatchObject({
    verdict: "broken",
    detail: "bob went on with session 2 beside the one that replaced it",
  });
  const closed: Saying = { ev: "session", session: 2, state: "closed", reason: "local" };
  expect(found("one-supervisor", both().say(s(5.6), "bob", closed))?.verdict).toBe("held");
});

test("sessions of one attempt race over the addresses of a relay, and not beyond the next attempt or a handshake that is complete", () => {
  const [SIX, FOUR] = ["[2001:db8::1]:4433", "198.51.100.1:4433"];
  const session = (id: number, state: "connecting" | "connected", remote?: string): Saying => ({
    ...{ ev: "session", session: id, state },
    ...(remote === undefined ? {} : { remote }),
  });
  const race = (): LogBuilder =>
    aCallLog()
      .say(s(5), "bob", session(2, "connecting", SIX))
      .say(s(5.25), "bob", session(3, "connecting", FOUR));
  const verdict = (log: LogBuilder) => found("one-supervisor", log)?.verdict;
  expect(verdict(race().say(s(8), "bob", { ev: "session", session: 2, state: "closed", reason: "handshake-timeout" }))).toBe(
    "held",
  );
  expect(verdict(race().say(s(5.3), "bob", session(3, "connected")).registration(s(8), "bob", "registered"))).toBe("broken");
  const again = { attempt: 2, delayMs: 1_000, supervisors: 1 };
  expect(verdict(race().registration(s(6), "bob", "connecting", again).registration(s(8), "bob", "registered"))).toBe("broken");
});

const long = (more: Partial<Scenario> = {}): Scenario => aScenario({ duration: s(40), faults: [KILL], ...more });
test.each([
  ["both hear", aRelayRestart(long()), {}, "held", /alice hears/],
  ["one has hung up", aRelayRestart(long()).call(s(25), "bob", "ended"), {}, "broken", /up at alice and not at bob/],
  ["one was lost", aRelayRestart(long()).registration(s(27), "bob", "reconnecting"), {}, "broken", /bob reconnecting/],
  ["no time left to say", aRelayRestart(), { duration: s(20) }, "held", /not judged: the run ended/],
  ["the fault stays", aRelayRestart(long()), { faults: [{ ...KILL, for: null }] }, "held", /not judged: .* stays/],
] as const)("well in the end: %s", (_, log, more, verdict, words) => {
  const oracle = found("well-in-the-end", log, { ...long(), ...more });
  expect(oracle?.detail).toMatch(words);
  expect(oracle?.verdict).toBe(verdict);
});

/** Alice's first attempts fail; `waits`: what she says before each next one. */
const failing = (...waits: readonly (readonly [attempt: number, delayMs: number, early?: number])[]): LogBuilder => {
  let log = aRelayRestart();
  let at = s(16);
  const relay = "198.51.100.1:4433";
  for (const [attempt, delayMs, early = 0] of waits) {
    const about = { ev: "registration", state: "reconnecting", relay, attempt, supervisors: 1 } as const;
    log = log.say(at, "alice", { ...about, delayMs, reason: "handshake-timeout" });
    log = log.say(at + 1_000 * (delayMs - early), "alice", { ...about, delayMs: 0 });
    at += s(5) + 1_000 * delayMs;
  }
  return log;
};
test.each([
  ["in their order", failing([2, 1_000], [3, 2_000]), {}, "held", /attempts to register, each in its time/],
  ["shorter ones", failing([2, 1_000], [3, 1_000]), {}, "broken", /waits 1000 ms before attempt 3 instead of 2000 ms/],
  ["none", failing([2, 0]), {}, "broken", /attempt 2 without the wait before it/],
  ["waits cut short", failing([2, 1_000, 500]), {}, "broken", /makes attempt 2 before/],
] as const)("waits before attempts: %s", (_, log, more, verdict, words) => {
  const oracle = found("reconnects-in-order", log, more);
  expect(oracle?.verdict).toBe(verdict);
  expect(oracle?.detail).toMatch(words);
});

test("a client does not begin anew with the relay that it is trying, and doubts no session that is heard again", () => {
  const about = { ev: "registration", supervisors: 1, relay: "198.51.100.1:4433" } as const;
  const trying = (relay: string): LogBuilder =>
    aRelayRestart()
      .say(s(16), "alice", { ...about, state: "reconnecting", attempt: 1, delayMs: 0, reason: "silent" })
      .say(s(16.1), "alice", { ...about, relay, state: "reconnecting", attempt: 1, delayMs: 0, reason: "relay changed" });
  expect(found("reconnects-in-order", trying(about.relay))?.verdict).toBe("broken");
  expect(found("reconnects-in-order", trying("198.51.100.2:4433"))?.verdict).toBe("held");
  const doubted = (more: readonly Saying[]): LogBuilder => {
    let log = aRelayRestart()
      .say(s(16), "alice", { ev: "signal", dir: "received", type: "RegisterAck", session: 7, ok: true })
      .say(s(17), "alice", { ...about, state: "reconnecting", attempt: 1, delayMs: 0, reason: "silent" })
      .say(s(17.5), "alice", { ev: "session", session: 7, state: "heard" });
    for (const saying of more) log = log.say(s(17.5), "alice", saying);
    return log.say(s(18), "alice", { ev: "note", text: "later" });
  };
  expect(found("reconnects-in-order", doubted([]))).toMatchObject({ verdict: "broken", atMs: 17_500 });
  expect(found("reconnects-in-order", doubted([{ ...about, supervisors: 0, state: "registered" }]))?.verdict).toBe("held");
});

test("a relay acknowledges each hang-up of a call that it has ended, and sets up none that was refused", () => {
  const said = (t: number, dir: "sent" | "received", type: string, session: number): [number, string, Saying] => [
    t,
    "r1",
    { ev: "signal", dir, type, session, ...(type === "RegisterAck" ? { ok: true } : { call: CALL_ID }) },
  ];
  const crossing = (isAnswered: boolean, before = "CallResumed"): LogBuilder => {
    let log = aRelayRestart();
    for (const one of [
      said(s(16), "sent", "RegisterAck", -1),
      said(s(16), "sent", "RegisterAck", -2),
      said(s(16.5), "sent", before, -1),
      said(s(17), "received", "Hangup", -1),
      said(s(17), "sent", "HangupAck", -1),
      said(s(17.1), "received", "Hangup", -2),
      ...(isAnswered ? [said(s(17.1), "sent", "HangupAck", -2)] : []),
    ])
      log = log.say(...one);
    return log;
  };
  expect(found("calls-end-once", crossing(true))?.verdict).toBe("held");
  expect(found("calls-end-once", crossing(false))).toMatchObject({ verdict: "broken", atMs: 17_100 });
  // A call it has only ever refused it cannot have ended.
  expect(found("calls-end-once", crossing(false, "Refusal"))?.verdict).toBe("held");
  const refused = aRelayRestart()
    .say(s(2), "alice", { ev: "call", call: "ff", state: "ended", peer: "bob", mode: "Reject" })
    .say(s(2), "r1", { ev: "signal", dir: "sent", type: "CallSetup", session: -1, call: "ff" });
  expect(found("calls-end-once", refused)).toMatchObject({ verdict: "broken", atMs: 2_000 });
});

test("a call that its relay never confirms again is not well, nor is a client that holds on to a relay it left", () => {
  const unconfirmed = aRelayRestart(long()).call(s(27), "bob", "resuming");
  expect(found("well-in-the-end", unconfirmed, long())?.detail).toContain("bob's call is not confirmed by its relay");
});

test("a relay dials several others at once, and none of them twice", () => {
  const dials = (...remotes: readonly string[]): string | undefined => {
    const log = aCallLog(aScenario(), {});
    for (const [i, remote] of remotes.entries())
      log.say(s(2) + i, "r1", { ev: "session", session: 101 + i, state: "connecting", remote });
    const { oracles } = judge(measure(log.records(), aScenario()));
    return oracles.find(({ name }) => name === "one-supervisor")?.verdict;
  };
  expect(dials("198.51.100.4:4433", "198.51.100.5:4433")).toBe("held");
  expect(dials("198.51.100.4:4433", "198.51.100.4:4433")).toBe("broken");
});
