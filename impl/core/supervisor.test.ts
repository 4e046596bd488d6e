import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Instant, millis, seconds } from "../base/units.ts";
import {
  DEFAULT_BACKOFF,
  deadline,
  type Effect,
  type Input,
  type RelayTarget,
  type State,
  start,
  step,
  supervisors,
} from "./supervisor.ts";

const one: RelayTarget = { address: "198.51.100.1:4433", pin: "aa" };
const two: RelayTarget = { address: "198.51.100.2:4433", pin: "bb" };
const config = { backoff: DEFAULT_BACKOFF };

/** Runs inputs at given seconds; collects effects with their time. */
function play(script: readonly (readonly [number, Input])[]): { state: State; effects: (readonly [number, Effect])[] } {
  let state = start();
  const effects: (readonly [number, Effect])[] = [];
  for (const [at, input] of script) {
    const [next, out] = step(config, state, seconds(at) as unknown as Instant, input);
    state = next;
    for (const effect of out) effects.push([at, effect]);
  }
  return { state, effects };
}
const attempts = (effects: readonly (readonly [number, Effect])[]): [number, string][] =>
  effects.flatMap(([at, effect]) => (effect.type === "attempt" ? [[at, effect.relay.address] as [number, string]] : []));

/** What is said of a state that has been entered now. */
const wordOf = (s: State, now: Instant): object => {
  switch (s.at) {
    case "idle":
      return { ev: "registration", state: "idle", supervisors: 0 };
    case "registered":
      return { ev: "registration", state: "registered", relay: s.relay.address, supervisors: 0 };
    case "attempting":
      return { ev: "registration", state: s.aim, relay: s.relay.address, attempt: s.attempt, delayMs: 0, supervisors: 1 };
    case "waiting":
      return { ev: "registration", state: s.aim, relay: s.relay.address, attempt: s.attempt, delayMs: (s.until - now) / 1_000 };
  }
};

describe("supervisor", () => {
  it("tries at once, then after 1, 2, 4, 8, 15 s and every 30 s for ever", () => {
    let state = step(config, start(), Instant(0), { type: "desire", relay: one })[0];
    const waits: number[] = [];
    let now = Instant(0);
    for (let i = 0; i < 9; i++) {
      state = step(config, state, now, { type: "failed", reason: "handshake-timeout" })[0];
      const due = deadline(state);
      expect(due).toBeDefined();
      waits.push(((due ?? 0) - now) / 1e6);
      now = due ?? now;
      const [next, effects] = step(config, state, now, { type: "wake" });
      expect(effects.some((effect) => effect.type === "attempt")).toBe(true);
      state = next;
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 30, 30, 30, 30]);
  });

  it("the first attempt after a loss does not wait", () => {
    const { effects } = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "succeeded" }],
      [9, { type: "lost", reason: "silent" }],
    ]);
    expect(attempts(effects)).toEqual([
      [0, one.address],
      [9, one.address],
    ]);
  });

  it("an early wake changes nothing", () => {
    const { state, effects } = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "failed", reason: "refused" }],
      [1.5, { type: "wake" }],
    ]);
    expect(attempts(effects)).toHaveLength(1);
    expect(state.at).toBe("waiting");
  });

  it("registering with the same relay again is a no-op, in every state", () => {
    for (const script of [[], [[1, { type: "succeeded" }]], [[1, { type: "failed", reason: "x" }]]] as (readonly [
      number,
      Input,
    ])[][]) {
      const before = play([[0, { type: "desire", relay: one }], ...script]);
      const after = play([[0, { type: "desire", relay: one }], ...script, [2, { type: "desire", relay: { ...one } }]]);
      expect(after).toEqual(before);
    }
  });

  it("switching the relay while waiting resets the backoff and tries the new one at once", () => {
    const { effects, state } = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "failed", reason: "x" }],
      [2, { type: "wake" }],
      [3, { type: "failed", reason: "x" }],
      [4, { type: "desire", relay: two }],
    ]);
    expect(attempts(effects).at(-1)).toEqual([4, two.address]);
    expect(state).toMatchObject({ at: "attempting", attempt: 1 });
  });

  it("deregistering during a backoff leaves nothing that would ever try again", () => {
    const { state } = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "failed", reason: "x" }],
      [1, { type: "desire", relay: undefined }],
      [90, { type: "wake" }],
      [91, { type: "alive", asked: Instant(90_500_000) }],
      [92, { type: "lost", reason: "late news" }],
    ]);
    expect(state).toEqual({ at: "idle" });
    expect(deadline(state)).toBeUndefined();
  });

  it("a sign of life ends the wait, and replaces an attempt begun before it was asked for, once", () => {
    const waiting = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "failed", reason: "x" }],
      [1.2, { type: "alive", asked: Instant(1_100_000) }],
    ]);
    expect(attempts(waiting.effects).at(-1)).toEqual([1.2, one.address]);
    const reset = play([
      [0, { type: "desire", relay: one }],
      [0.5, { type: "alive", asked: undefined }],
      [0.6, { type: "alive", asked: undefined }],
    ]);
    expect(attempts(reset.effects)).toHaveLength(2);
    const attempting = play([
      [0, { type: "desire", relay: one }],
      [0.5, { type: "alive", asked: Instant(400_000) }],
      [0.6, { type: "alive", asked: Instant(450_000) }],
    ]);
    expect(attempts(attempting.effects)).toHaveLength(2);
    // On a real clock the first question leaves a little later than the attempt that it goes with, and is answered while the handshake is under way.
    const together = play([
      [0, { type: "desire", relay: one }],
      [0.06, { type: "alive", asked: Instant(2_000) }],
      [0.16, { type: "alive", asked: Instant(102_000) }],
    ]);
    expect(attempts(together.effects).map(([at]) => at)).toEqual([0, 0.16]);
    // An address that was dialled later than the attempt began is given the same time.
    const beside = play([
      [0, { type: "desire", relay: one }],
      [0.3, { type: "alive", asked: Instant(200_000), dialledAt: Instant(250_000) }],
      [0.35, { type: "alive", asked: Instant(260_000), dialledAt: Instant(250_000) }],
      [0.4, { type: "alive", asked: Instant(300_000), dialledAt: Instant(250_000) }],
    ]);
    expect(attempts(beside.effects).map(([at]) => at)).toEqual([0, 0.4]);
  });

  it("a session heard again ends the supervisor without a new registration", () => {
    const { state, effects } = play([
      [0, { type: "desire", relay: one }],
      [1, { type: "succeeded" }],
      [5, { type: "lost", reason: "silent" }],
      [6, { type: "restored" }],
    ]);
    expect(state.at).toBe("registered");
    expect(effects.at(-2)?.[1]).toEqual({ type: "abandon" });
  });

  it("whatever happens there is at most one supervisor, one attempt for each time it says so, and a word for every transition and for nothing else", () => {
    const input = fc.oneof(
      fc.constantFrom<Input>(
        { type: "desire", relay: one },
        { type: "desire", relay: two },
        { type: "desire", relay: undefined },
        { type: "succeeded" },
        { type: "failed", reason: "x" },
        { type: "lost", reason: "x" },
        { type: "restored" },
        { type: "wake" },
      ),
      fc.nat(60_000_000).map((at): Input => ({ type: "alive", asked: Instant(at) })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), input), { maxLength: 60 }), (script) => {
        let state = start();
        let now = Instant(0);
        let wanted: RelayTarget | undefined;
        for (const [wait, given] of script) {
          now = Instant.after(now, millis(wait));
          const [next, effects] = step(config, state, now, given);
          const said = effects.flatMap((effect) => (effect.type === "say" ? [effect.saying] : []));
          expect(said).toMatchObject(next === state ? [] : [wordOf(next, now)]);
          state = next;
          if (given.type === "desire") wanted = given.relay;
          expect(effects.filter((effect) => effect.type === "attempt").length).toBeLessThanOrEqual(1);
          for (const effect of effects) if (effect.type === "attempt") expect(effect.relay.address).toBe(wanted?.address);
          expect(supervisors(state)).toBe(state.at === "attempting" || state.at === "waiting" ? 1 : 0);
          if (wanted === undefined) expect(state.at).toBe("idle");
          else expect(state.at).not.toBe("idle");
          expect(deadline(state) !== undefined).toBe(state.at === "waiting");
        }
      }),
      { seed: 4_402, numRuns: 400 },
    );
  });
});
