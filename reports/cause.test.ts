/** Where a broken run is put down to: logs in which each part does what it owes, and the same in which it does not. */
import { expect, test } from "vitest";
import type { Saying } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { causeOf } from "./cause.ts";
import { judge } from "./judge.ts";
import { aCallLog, aScenario, CALL_ID, KILL, type LogBuilder, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import type { Culprit } from "./result.ts";

const SCENARIO = aScenario({ expect: [{ oracle: "longest-gap", max: s(0.1) }] });
const SILENCE = { from: s(10), to: s(12), kind: "silence" } as const;

/** alice hears nothing from 10 s to 12 s, which gives every log something broken; both have a session with the relay all the time. */
function silent(): LogBuilder {
  const log = aCallLog(SCENARIO, { alice: { spells: [SILENCE] } });
  for (const who of ["alice", "bob"])
    for (const state of ["connecting", "connected"] as const)
      log.say(s(0.02), who, { ev: "session", session: 1, state, remote: "198.51.100.3:4433" });
  for (const session of [-1, -2])
    for (const state of ["accepted", "connected"] as const)
      log.say(s(0.02), "r1", { ev: "session", session, state, remote: "198.51.100.1:1" });
  for (const who of ["alice", "bob"]) log.say(s(0.03), who, signal("sent", "Register", 1));
  for (const session of [-1, -2])
    log.say(s(0.05), "r1", signal("received", "Register", session)).say(s(0.05), "r1", signal("sent", "RegisterAck", session));
  return log;
}
const signal = (dir: "sent" | "received", type: string, session: number): Saying => ({
  ...{ ev: "signal", dir, type, session },
  ...(type === "RegisterAck" ? { ok: true } : {}),
  ...(type === "Reflect" || type === "ReflectResponse" || type.startsWith("Register") ? {} : { call: CALL_ID }),
});

function causeIn(log: LogBuilder, scenario: Scenario = SCENARIO): Culprit | undefined {
  const evidence = measure(log.records(), scenario);
  const { verdict, oracles } = judge(evidence, undefined);
  expect(verdict).toBe("broken");
  return causeOf(evidence, verdict, oracles);
}
const sentenceOf = (log: LogBuilder): string => causeIn(log)?.sentence ?? "";

test("a relay answers what it is asked, on the session it was asked on", () => {
  const asked = (): LogBuilder => silent().say(s(1), "r1", signal("received", "Reflect", -1));
  expect(causeIn(asked())).toMatchObject({ component: "relay", party: "r1" });
  expect(sentenceOf(asked())).toBe("The relay r1 received a Reflect and answered with no ReflectResponse.");
  expect(sentenceOf(asked().say(s(1), "r1", signal("sent", "ReflectResponse", -2)))).toContain("ReflectResponse");
  expect(sentenceOf(asked().say(s(1), "r1", signal("sent", "ReflectResponse", -1)))).not.toContain("Reflect");
  expect(sentenceOf(asked().say(s(1.1), "r1", { ev: "process", state: "paused" }))).not.toContain("Reflect");
  expect(sentenceOf(asked().say(s(1), "r1", { ev: "refused", reason: "limit", what: "x", count: 1 }))).not.toContain("Reflect");
});

test("a relay passes a word on to the other party of the call, where that is there", () => {
  const log = (): LogBuilder =>
    silent()
      .say(s(2), "r1", signal("sent", "CallSetup", -2))
      .say(s(3), "r1", signal("received", "MediaPathReport", -1));
  expect(sentenceOf(log())).toBe("The relay r1 received a MediaPathReport and passed on no MediaPathReport.");
  expect(sentenceOf(log().say(s(3), "r1", signal("sent", "MediaPathReport", -1)))).toContain("passed on no");
  expect(sentenceOf(log().say(s(3), "r1", signal("sent", "MediaPathReport", -2)))).not.toContain("passed on no");
  const gone = log().say(s(2.5), "r1", { ev: "session", session: -2, state: "closed", reason: "peer" });
  expect(sentenceOf(gone)).not.toContain("passed on no");
});

test("of two things undone the earlier one is named", () => {
  const log = silent()
    .say(s(4), "r1", signal("received", "Reflect", -1))
    .say(s(3), "alice", signal("received", "Hangup", 1));
  expect(causeIn(log)).toMatchObject({ component: "client", party: "alice" });
});

test("a relay gives nobody their own voice, and tells a client its new address", () => {
  expect(sentenceOf(silent().say(s(2), "r1", { ev: "relayed", call: CALL_ID, from: -1, to: -1 }))).toContain("back to itself");
  const moved = silent().say(s(9), "r1", { ev: "session", session: -1, state: "path-changed", remote: "192.0.2.9:1" });
  expect(sentenceOf(moved)).toContain("saw a client's address change");
  expect(sentenceOf(moved.say(s(9), "r1", signal("sent", "ReflectResponse", -1)))).not.toContain("address change");
});

test("a relay that is there gives a sign of life to who asks by STUN", () => {
  const log = (answered: number): LogBuilder => {
    const built = silent();
    for (let second = 9; second < 13; second++) {
      const asked = second < 11 ? 0 : 10 * (second - 10);
      const traffic = { sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 };
      built.say(s(second), "r1", { ev: "network", ...traffic, stunSent: answered * asked, stunReceived: asked });
    }
    return built;
  };
  expect(sentenceOf(log(0))).toMatch(/asked 10 times by STUN .* and gave none/);
  expect(sentenceOf(log(1))).not.toContain("STUN");
});

test("a client that loses its relay does something about it, and dials when it says", () => {
  const acknowledged = (): LogBuilder => {
    const log = silent();
    const at =
      log.records().find((one) => one.ev === "registration" && one.who === "alice" && one.state === "registered")?.t ?? 0;
    return log.say(at, "alice", signal("received", "RegisterAck", 1));
  };
  const lost = (): LogBuilder =>
    acknowledged().say(s(9), "alice", { ev: "session", session: 1, state: "closed", reason: "reset" });
  expect(sentenceOf(lost())).toContain("noticed at 9.000 s that its relay was gone, and did nothing about it");
  const undialled = lost().registration(s(9), "alice", "reconnecting", { attempt: 1, delayMs: 0, supervisors: 1 });
  expect(sentenceOf(undialled)).toContain("was to dial its relay at 9.000 s and did not");
  const dialled = undialled.say(s(9), "alice", { ev: "session", session: 2, state: "connecting", remote: "198.51.100.3:4433" });
  expect(sentenceOf(dialled)).not.toContain("dial");
});

test("a client takes its call up on each session that it registers on", () => {
  const log = (): LogBuilder => silent().say(s(9), "alice", signal("sent", "Register", 2));
  expect(sentenceOf(log())).toBe("Alice's client registered anew and did not ask for its call.");
  expect(sentenceOf(log().say(s(9), "alice", signal("sent", "CallResume", 2)))).not.toContain("ask for its call");
});

test("packets that no key opens are the protection's, unless the key opened others among them: then what differs is the header", () => {
  const refused = (from: number): LogBuilder => {
    const log = silent();
    for (let count = 1; count <= 40; count++)
      log.say(s(from) + count * 20_000, "bob", { ev: "refused", reason: "unauthentic", what: "media packet", count });
    return log;
  };
  expect(causeIn(refused(1.5))).toMatchObject({ component: "protection", party: "bob" });
  expect(causeIn(refused(5))).toMatchObject({ component: "wire", party: "bob" });
});

test("what cannot be read at all is the parser's, and what was read and gives no keys is the protection's", () => {
  const refused: Saying = { ev: "refused", reason: "malformed", what: "DirectCallAnswer", count: 1 };
  expect(causeIn(silent().say(s(2), "bob", refused))).toMatchObject({ component: "wire", party: "bob" });
  const read = silent()
    .say(s(2), "bob", signal("received", "DirectCallAnswer", 1))
    .say(s(2), "bob", refused);
  expect(causeIn(read)).toMatchObject({ component: "protection", party: "bob" });
});

test("voice that came in time and was not played is the playout's", () => {
  // Packet numbers count from 1.8 s on, a frame each 20 ms.
  const came = silent().say(s(11.9), "alice", {
    ev: "media-received",
    call: CALL_ID,
    key: "bob-key",
    seq: 410,
    n: 90,
    at: s(9.95),
    step: 20_000,
  });
  expect(causeIn(came)).toMatchObject({ component: "playout", party: "alice" });
});

test("voice that was sealed and never left its host was kept by its client", () => {
  const log = silent();
  for (let second = 3; second < 20; second++)
    log.say(s(second), "bob", {
      ...{ ev: "network", sentBytes: 0, receivedPackets: 0, receivedBytes: 0 },
      sentPackets: 50 * Math.min(second, 10) + 50 * Math.max(0, second - 12),
    });
  expect(causeIn(log)).toMatchObject({ component: "client", party: "bob" });
  expect(sentenceOf(log)).toMatch(/sealed 100 frames in 2 s and sent next to none/);
});

test("a party whose call is up and that never says a word is named before what comes of it", () => {
  expect(causeIn(aCallLog(SCENARIO, { alice: null }))).toMatchObject({ component: "client", party: "bob" });
});

test("set-up tells a party what its peer has said of itself, and neither its own addresses nor made-up ones", () => {
  const [own, peers] = ["192.168.1.2:4433", "192.168.2.2:4433"];
  const log = (told: string): LogBuilder =>
    silent()
      .say(s(1), "r1", { ...signal("received", "DirectCallOffer", -1), addresses: [own] } as Saying)
      .say(s(1), "r1", signal("sent", "DirectCallOffer", -2))
      .say(s(2), "r1", { ...signal("received", "DirectCallAnswer", -2), addresses: [peers] } as Saying)
      .say(s(2), "r1", signal("sent", "DirectCallAnswer", -1))
      .say(s(2), "r1", { ...signal("sent", "CallSetup", -1), addresses: [told] } as Saying)
      .say(s(2), "r1", { ...signal("sent", "CallSetup", -2), addresses: [own] } as Saying);
  expect(sentenceOf(log(peers))).not.toContain("told a party");
  expect(sentenceOf(log(own))).toBe("The relay r1 told a party its own addresses for its peer's.");
  expect(sentenceOf(log("203.0.113.9:1"))).toBe(
    "The relay r1 told a party that its peer is at 203.0.113.9:1, which its peer never said.",
  );
});

test("a party that is back is told that its peer is there when another session carries the call, and only then", () => {
  const log = (present: boolean, isSetUp: boolean): LogBuilder => {
    const one = silent().say(s(3), "r1", signal("received", "CallResume", -1));
    if (isSetUp) one.say(s(2), "r1", signal("sent", "CallSetup", -2)).say(s(3), "r1", signal("sent", "CallResumed", -2));
    return one.say(s(3), "r1", { ...signal("sent", "CallResumed", -1), present } as Saying);
  };
  expect(sentenceOf(log(true, true))).not.toContain("said that");
  expect(sentenceOf(log(false, false))).not.toContain("said that");
  expect(sentenceOf(log(true, false))).toBe("The relay r1 said that a call's other party was there, which was not.");
  expect(sentenceOf(log(false, true))).toBe("The relay r1 said that a call's other party was not there, which was.");
  // Of two relays that are linked one names the other, and what it knows of a user may be with that one.
  const { r1 } = SCENARIO.parties;
  if (r1 === undefined) throw new Error("no relay");
  const linked = { ...SCENARIO, parties: { ...SCENARIO.parties, r2: { ...r1, federatesWith: ["r1"] } } };
  expect(causeIn(log(true, false), linked)?.sentence ?? "").not.toContain("said that");
});

test("a packet that was opened and cannot be read was filled wrongly, and none of the parser's", () => {
  const malformed = { ev: "refused", reason: "malformed", what: "media packet", count: 1 } as const;
  const opened = measure(silent().records(), SCENARIO).media.streams.find(({ to }) => to === "alice")?.openedAt[40] ?? 0;
  expect(causeIn(silent().say(opened, "alice", malformed))).toMatchObject({ component: "playout" });
  expect(causeIn(silent().say(opened + 1, "alice", malformed))).toMatchObject({ component: "wire" });
});

test("where every part did its duty, a limit below what that takes is named with the figure; what takes longer is somebody's", () => {
  // Registered anew 200 ms after the relay is back, where a question to it, a handshake and a registration may take 450 ms.
  const within = (limit: number, back: number): Culprit | undefined => {
    const scenario = aScenario({ faults: [KILL], expect: [{ oracle: "signalling-recovers", within: limit }] });
    const log = aCallLog(scenario)
      .fault(0, "kill r1", s(5), s(8))
      .say(s(5.2), "alice", { ev: "registration", state: "reconnecting", attempt: 1, delayMs: 0, supervisors: 1 })
      .say(s(5.2), "alice", { ev: "session", session: 2, state: "connecting", remote: "198.51.100.3:4433" })
      .say(s(5.4), "alice", { ev: "session", session: 2, state: "closed", reason: "handshake-timeout" })
      .say(s(8) + back, "alice", { ev: "registration", state: "registered", attempt: 1, supervisors: 0 });
    const evidence = measure(log.records(), scenario);
    const { verdict, oracles } = judge(evidence, undefined);
    return causeOf(evidence, verdict, oracles);
  };
  expect(within(s(0.5), s(0.2))).toBeUndefined();
  expect(within(s(0.01), s(0.2))).toMatchObject({ component: "scenario", party: "alice" });
  expect(within(s(0.01), s(0.2))?.sentence).toBe(
    "Every part did its duty, and the limit is too short: signalling-recovers of alice took 200 ms (limit 10 ms), and a question to the relay, a handshake and a registration may take 450 ms here.",
  );
  expect(within(s(0.01), s(2))).toMatchObject({ component: "client", party: "alice" });
});

test("a silence that a fault makes and that ends with it is its own, however tight the limit; one that goes on is somebody's", () => {
  const blackout = (to: number): LogBuilder => {
    const log = aCallLog(CUT, { alice: { spells: [{ from: s(10), to: s(to), kind: "silence" }] } });
    for (let at = s(9.9); at < s(to); at += 10_000)
      log.say(at, "net", { ev: "drop", where: "r1", cause: "loss", bytes: 90, fault: 0 });
    return log.fault(0, "blackout", s(9.95), s(11.9));
  };
  const causeOfIt = (log: LogBuilder): Culprit | undefined => {
    const evidence = measure(log.records(), CUT);
    const { verdict, oracles } = judge(evidence, undefined);
    expect(verdict).toBe("broken");
    return causeOf(evidence, verdict, oracles);
  };
  expect(causeOfIt(blackout(12))?.sentence).toMatch(
    /^Every part did its duty, and the limit is too short: longest-gap of alice took 2000 ms .* and the outage with the return of the call may take/,
  );
  expect(causeOfIt(blackout(13))?.component).toBe("client");
  // A second one that begins under the first goes on with its silence; one that begins long after is another matter.
  expect(causeOfIt(blackout(13).fault(1, "kill r1", s(11), s(12.8)))?.component).toBe("scenario");
  expect(causeOfIt(blackout(14).fault(1, "kill r1", s(13), s(13.9)))?.component).toBe("client");
});
const CUT = aScenario({
  faults: [
    { ...KILL, when: { at: s(9.95) }, for: s(1.95) },
    { ...KILL, when: { at: s(11) }, for: s(1.8) },
  ],
  expect: [{ oracle: "longest-gap", max: s(0.1) }],
});
