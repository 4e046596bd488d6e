/** What parties owe each other: a log in which one does its part, and the same in which it does not. */
import { expect, test } from "vitest";
import type { Saying } from "../impl/base/record.ts";
import { causeOf } from "./cause.ts";
import { judge } from "./judge.ts";
import { aCallLog, aScenario, CALL_ID, type LogBuilder, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import type { Culprit } from "./result.ts";

const SCENARIO = aScenario({ expect: [{ oracle: "longest-gap", max: s(0.1) }] });

/** alice hears nothing from 10 s to 12 s, which gives every log something broken. */
const silent = (): LogBuilder => aCallLog(SCENARIO, { alice: { spells: [{ from: s(10), to: s(12), kind: "silence" }] } });
const signal = (dir: "sent" | "received", type: string, session: number): Saying => ({
  ...{ ev: "signal", dir, type, session },
  ...(type === "Reflect" || type === "ReflectResponse" || type.startsWith("Register") ? {} : { call: CALL_ID }),
});

function causeIn(log: LogBuilder): Culprit | undefined {
  const evidence = measure(log.records(), SCENARIO);
  const { verdict, oracles } = judge(evidence, undefined);
  expect(verdict).toBe("broken");
  return causeOf(evidence, verdict, oracles);
}

test("a relay gives nobody their own voice", () => {
  const log = (to: number): LogBuilder => silent().say(s(2), "r1", { ev: "relayed", call: CALL_ID, from: -1, to });
  expect(causeIn(log(-1))).toMatchObject({ component: "relay", party: "r1" });
  expect(causeIn(log(-1))?.sentence).toContain("back to itself");
  expect(causeIn(log(-2))?.sentence).not.toContain("back to itself");
});

test("a relay tells a client that was registered of its new address, unless it is stopped then", () => {
  const log = (): LogBuilder =>
    silent()
      .say(s(0.2), "r1", signal("sent", "RegisterAck", -1))
      .say(s(9), "r1", { ev: "session", session: -1, state: "path-changed", remote: "192.0.2.9:1" });
  expect(causeIn(log())).toMatchObject({ component: "relay", party: "r1" });
  expect(causeIn(log())?.sentence).toContain("address change");
  const told = log().say(s(9), "r1", signal("sent", "ReflectResponse", -1));
  expect(causeIn(told)?.sentence).not.toContain("address change");
  const stopped = log().say(s(9.1), "r1", { ev: "process", state: "paused" });
  expect(causeIn(stopped)?.sentence ?? "").not.toContain("address change");
});

test("a relay answers what it is asked", () => {
  const asked = silent().say(s(1), "r1", signal("received", "Reflect", -1));
  expect(causeIn(asked)?.sentence).toBe("The relay r1 received a Reflect and sent no ReflectResponse.");
  expect(causeIn(asked.say(s(1), "r1", signal("sent", "ReflectResponse", -1)))?.sentence).not.toContain("Reflect");
});

test("a relay that is there gives a sign of life to who asks by STUN, and one that can be told from others", () => {
  const traffic = (who: string, second: number, stunSent: number, stunReceived: number): [number, string, Saying] => [
    ...([s(second), who] as const),
    { ev: "network", sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0, stunSent, stunReceived },
  ];
  const log = (answered: number): LogBuilder => {
    const built = silent().registration(s(9.9), "alice", "reconnecting", { attempt: 1, delayMs: 0, supervisors: 1 });
    for (let second = 9; second < 13; second++) {
      const asked = second < 11 ? 0 : 10 * (second - 10);
      built.say(...traffic("r1", second, answered * asked, asked)).say(...traffic("alice", second, asked, answered * asked));
    }
    return built.registration(s(14), "alice", "registered");
  };
  expect(causeIn(log(0))).toMatchObject({ component: "relay", party: "r1" });
  expect(causeIn(log(0))?.sentence).toMatch(/asked 10 times by STUN .* and gave none/);
  expect(causeIn(log(1))).toMatchObject({ component: "wire", party: "r1" });
});

test("who is told twice that its call is resumed takes it up", () => {
  const log = (isTaken: boolean): LogBuilder => {
    const built = silent()
      .call(s(9), "alice", "resuming")
      .say(s(9), "alice", signal("sent", "CallResume", 2));
    for (const at of [9.1, 9.4, 9.9]) built.say(s(at), "alice", signal("received", "CallResumed", 2));
    return isTaken ? built.call(s(9.1), "alice", "resumed") : built;
  };
  expect(causeIn(log(false))).toMatchObject({ component: "client", party: "alice" });
  expect(causeIn(log(false))?.sentence).toContain("did not take it up");
  expect(causeIn(log(true))?.sentence).not.toContain("did not take it up");
});
