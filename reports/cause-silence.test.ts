/** Where a silence is put down to: each hand on the voice's way, with a log in which it stays there. */
import { expect, test } from "vitest";
import { causeOf } from "./cause.ts";
import { judge } from "./judge.ts";
import { aCallLog, aScenario, CALL_ID, type LogBuilder, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import type { Culprit } from "./result.ts";

const SCENARIO = aScenario({ expect: [{ oracle: "longest-gap", max: s(0.1) }] });
const SILENCE = { from: s(10), to: s(12), kind: "silence" } as const;

/** alice hears nothing from 10 s to 12 s; both have a session with the relay all the time. */
function silentFor(...spells: (typeof SILENCE)[]): LogBuilder {
  const log = aCallLog(SCENARIO, { alice: { spells } });
  for (const who of ["alice", "bob"])
    log.say(s(0.1), who, { ev: "session", session: 1, state: "connected", remote: "198.51.100.3:4433" });
  return log;
}

function causeIn(log: LogBuilder): Culprit | undefined {
  const evidence = measure(log.records(), SCENARIO);
  const { verdict, oracles } = judge(evidence, undefined);
  expect(verdict).toBe("broken");
  return causeOf(evidence, verdict, oracles);
}

test("voice that left one end and came to the other by no drop was kept by the relay", () => {
  expect(causeIn(silentFor(SILENCE))).toMatchObject({ component: "relay", party: "r1" });
  expect(causeIn(silentFor(SILENCE))?.sentence).toMatch(/did not pass on 100 frames of bob's/);
});

test("voice that the network dropped on its way is not the relay's", () => {
  const log = silentFor(SILENCE);
  for (let at = s(9.95); at < s(12); at += 20_000)
    log.say(at, "net", { ev: "drop", where: "alice/wlan0/down", cause: "loss", bytes: 120 });
  expect(causeIn(log)?.component).not.toBe("relay");
});

test("voice that came and was not played is the playout's, and the client's where it had lost its relay", () => {
  const key = "bob-key";
  // Packet numbers count from 1.8 s on, a frame each 20 ms.
  const came = (log: LogBuilder): LogBuilder =>
    log.say(s(11.9), "alice", { ev: "media-received", call: CALL_ID, key, seq: 410, n: 90, at: s(10), step: 20_000 });
  expect(causeIn(came(silentFor(SILENCE)))).toMatchObject({ component: "playout", party: "alice" });
  const away = came(silentFor(SILENCE))
    .registration(s(9.9), "alice", "reconnecting", { attempt: 1, delayMs: 0, supervisors: 1 })
    .registration(s(12), "alice", "registered");
  expect(causeIn(away)).toMatchObject({ component: "client", party: "alice" });
});

test("a client that closes its only session before it has another let the voice go", () => {
  const log = silentFor(SILENCE)
    .say(s(9.95), "alice", { ev: "session", session: 1, state: "closed", reason: "local" })
    .say(s(10.1), "alice", { ev: "session", session: 2, state: "connected", remote: "198.51.100.3:4433" });
  expect(causeIn(log)).toMatchObject({ component: "client", party: "alice" });
});

test("voice that was sealed and never left its host was kept by its client", () => {
  const log = silentFor(SILENCE);
  for (let second = 3; second < 20; second++)
    log.say(s(second), "bob", {
      ev: "network",
      sentPackets: 50 * Math.min(second, 10) + 50 * Math.max(0, second - 12),
      sentBytes: 0,
      receivedPackets: 0,
      receivedBytes: 0,
    });
  expect(causeIn(log)).toMatchObject({ component: "client", party: "bob" });
  expect(causeIn(log)?.sentence).toMatch(/sealed 100 frames in 2 s and sent next to none/);
});

test("a party whose call is up and that never says a word is named before what comes of it", () => {
  const log = aCallLog(SCENARIO, { alice: null });
  expect(causeIn(log)).toMatchObject({ component: "client", party: "bob" });
});

test("a relay that drains to nowhere, and takes its clients with it, is named", () => {
  const log = silentFor(SILENCE)
    .say(s(4), "r1", { ev: "drain", state: "begun", sessions: 2, calls: 1, withinMs: 6_000 })
    .say(s(10), "r1", { ev: "drain", state: "overdue", sessions: 2, calls: 1 });
  expect(causeIn(log)?.sentence).toContain("drained without a word");
  for (const who of ["alice", "bob"])
    log
      .say(s(4.1), who, { ev: "signal", dir: "received", type: "RelayDraining", session: 1 })
      .say(s(4.1), who, { ev: "note", text: "relay is draining, 0 alternatives" });
  expect(causeIn(log)?.sentence).toContain("named no relay to go to");
});
