/** Logs of clients that do as they are told, or not: rows for the table of oracles and their verdicts. */
import type { Action, Expectation, Scenario } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import { aLog, KILL, type LogBuilder, s } from "./log-builder.ts";
import type { OracleResult } from "./result.ts";

type Row = readonly [string, Expectation, LogBuilder, Partial<Scenario>, OracleResult["verdict"], string];

const [ONE, TWO] = ["198.51.100.1:4433", "198.51.100.2:4433"];
const there = { relay: TWO };
const move: readonly Action[] = [{ when: { at: s(5) }, party: "alice", does: "register", relay: "r2" }];
const leave: readonly Action[] = [{ when: { at: s(5) }, party: "alice", does: "deregister" }];
const log = (relay: string): LogBuilder => aLog().registration(s(0.1), "alice", "registered", { relay });
const told = (at = ONE): LogBuilder =>
  log(at).say(s(5), "alice", { ev: "action", action: 0, does: "register", relay: "r2", address: TWO });
const idle = (): LogBuilder =>
  log(ONE).say(s(5), "alice", { ev: "action", action: 0, does: "deregister" }).registration(s(5), "alice", "idle");
const connects = (one: LogBuilder, at: number): LogBuilder =>
  one.say(at, "alice", { ev: "session", session: 2, state: "connecting", remote: TWO });
const displaced = (): LogBuilder =>
  log(ONE).registration(s(5), "alice", "refused", { reason: "another client uses this identity" });

const row = (
  promise: string,
  one: LogBuilder,
  actions: readonly Action[],
  verdict: OracleResult["verdict"],
  detail: string,
): Row => [promise, { oracle: "as-told", within: s(0.5) }, one, { actions }, verdict, `${detail} (limit 500 ms)`];
const gives = (promise: string, one: LogBuilder, verdict: OracleResult["verdict"], detail: string): Row => [
  promise,
  { oracle: "displaced", party: "alice" },
  one,
  {},
  verdict,
  detail,
];

const CROWD = { clients: 1, up: CLEAN, down: CLEAN, over: 0 };
const back = (at: number, acks: number): LogBuilder => {
  const one = aLog()
    .fault(0, "kill r1", s(5), s(8))
    .registration(s(0.1), "crowd-1", "registered", { relay: ONE })
    .registration(s(6), "crowd-1", "reconnecting", { relay: ONE })
    .registration(s(at), "crowd-1", "registered", { relay: ONE });
  for (let i = 0; i < acks; i++)
    one.say(s(at) + i, "r1", { ev: "signal", dir: "sent", type: "RegisterAck", session: -1 - i, ok: true });
  return one;
};
const crowd = (promise: string, one: LogBuilder, verdict: OracleResult["verdict"], most: string): Row => {
  const took = `${(one.records().at(-1)?.t ?? 0) / 1e6 - 8}`;
  const after = took.startsWith("1") ? "1000 ms" : "4000 ms";
  const words = `1 of 1 back, half after ${after}, 95 % after ${after}, the last after ${after}; at most ${most} and 0 new sessions in 100 ms (limit 3000 ms, 2 registrations)`;
  return [promise, { oracle: "crowd-returns", within: s(3), peak: 2 }, one, { crowd: CROWD, faults: [KILL] }, verdict, words];
};

export const REGISTRATION_ROWS: readonly Row[] = [
  row("a switch in time", told().registration(s(5.2), "alice", "registered", there), move, "held", "alice with r2 after 200 ms"),
  row(
    "a switch too late",
    told().registration(s(6), "alice", "registered", there),
    move,
    "broken",
    "alice with r2 after 1000 ms",
  ),
  row("a switch that never comes", told(), move, "broken", "alice never was with r2"),
  row("an action that never came", log(ONE), move, "inconclusive", "alice was never told to register"),
  row("told to be where it is", told(TWO), move, "held", "alice was there"),
  row(
    "told to be where it is, and connecting all the same",
    connects(told(TWO), s(5.1)),
    move,
    "broken",
    "alice connects anew with the relay it is with",
  ),
  row(
    "told to leave and, before it has heard of that, to come back",
    connects(
      told()
        .say(s(5), "alice", { ev: "action", action: 1, does: "register", relay: "r1", address: ONE })
        .registration(s(5.001), "alice", "switching", { relay: TWO })
        .registration(s(5.003), "alice", "switching", { relay: ONE }),
      s(5.003),
    ).registration(s(5.1), "alice", "registered", { relay: ONE }),
    [...move, { when: { at: s(5) }, party: "alice", does: "register", relay: "r1" }],
    "held",
    "alice was told otherwise before it was with r2, alice with r1 after 100 ms",
  ),
  row("idle when told to be", idle(), leave, "held", "alice idle from 5.000 s"),
  row("a supervisor that survives", connects(idle(), s(9)), leave, "broken", "alice connects though it is to be idle"),
  crowd("a crowd that is back in time", back(9, 1), "held", "1 registrations"),
  crowd("one of the crowd is late", back(12, 1), "broken", "1 registrations"),
  crowd("a relay that registers all at once", back(9, 3), "broken", "3 registrations"),
  gives("a client that gives way for good", displaced(), "held", "alice gave way at 5.000 s"),
  gives("a client that was never displaced", log(ONE), "broken", "alice was never displaced"),
  gives("a client that fights", connects(displaced(), s(6)), "broken", "alice took its registration back"),
];
