/** Where a broken run is put down to: logs in which each part does what it owes, and the same in which it does not. */
import { expect, test } from "vitest";
import type { Saying } from "../impl/base/record.ts";
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

function causeIn(log: LogBuilder): Culprit | undefined {
  const evidence = measure(log.records(), SCENARIO);
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

test("a silence that a fault makes and that ends with it is nobody's, however tight the limit; one that goes on is somebody's", () => {
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
  expect(causeOfIt(blackout(12))).toBeUndefined();
  expect(causeOfIt(blackout(13))?.component).toBe("client");
});
const CUT = aScenario({
  faults: [{ ...KILL, when: { at: s(9.95) }, for: s(1.95) }],
  expect: [{ oracle: "longest-gap", max: s(0.1) }],
});
