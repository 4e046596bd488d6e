import fc from "fast-check";
import { expect, test } from "vitest";
import { Instant, Micros, millis } from "../base/units.ts";
import { deadline, type Effect, type Input, type State, start, step } from "./address-race.ts";

const [SIX, FOUR, THIRD] = ["[2001:db8::1]:4433", "198.51.100.1:4433", "198.51.100.2:4433"];

/** Plays inputs at their milliseconds, waking when a wake is due; what is done, with when. */
function played(ways: readonly string[], until: number, inputs: readonly (readonly [number, Input])[]): readonly string[] {
  const done: string[] = [];
  const note = (at: Instant, effects: readonly Effect[]): void => {
    for (const effect of effects)
      done.push(`${at / 1_000} ${effect.type}${"way" in effect ? ` ${ways.indexOf(effect.way)}` : ""}`);
  };
  let [state, effects] = start(ways, Instant(0));
  note(Instant(0), effects);
  const feed = (at: Instant, input: Input): void => {
    [state, effects] = step(state, at, input);
    note(at, effects);
  };
  for (const [ms, input] of [...inputs, [until, undefined] as const]) {
    for (let due = deadline(state); due !== undefined && due <= millis(ms); due = deadline(state)) feed(due, { type: "wake" });
    if (input !== undefined) feed(Instant(millis(ms)), input);
  }
  return done;
}
const completed = (way: string, rttMs = 25): Input => ({ type: "completed", way, rtt: millis(rttMs) });
const ended = (way: string): Input => ({ type: "ended", way });

test("the second address is dialled after 250 ms, the first complete handshake wins and the other one is dropped", () => {
  expect(played([SIX, FOUR], 400, [[280, completed(FOUR)]])).toEqual(["0 dial 0", "250 dial 1", "280 drop 0", "280 won 1"]);
});

test("an address that fails makes room at once, and when all have the race is lost", () => {
  expect(
    played([SIX, FOUR, THIRD], 5_000, [
      [10, ended(SIX)],
      [20, ended(FOUR)],
      [30, ended(THIRD)],
    ]),
  ).toEqual([...["0 dial 0", "10 dial 1", "20 dial 2", "30 lost"]]);
});

test("a quick first address is alone, and one that answers late is not taken for another's fault", () => {
  expect(played([SIX, FOUR], 499, [[25, completed(SIX)]])).toEqual(["0 dial 0", "25 won 0"]);
  expect(played([SIX, FOUR], 799, [[200, completed(SIX, 200)]])).toEqual(["0 dial 0", "200 won 0"]);
});

test("a winner that does not answer is in doubt after half a second, and gives way to one whose handshake is complete, for good", () => {
  expect(
    played([SIX, FOUR], 9_000, [
      [25, completed(SIX)],
      [560, completed(FOUR)],
    ]),
  ).toEqual([...["0 dial 0", "25 won 0", "525 dial 1", "560 drop 0", "560 won 1"]]);
});

test("a winner that ends has ended the race, unless another is on its way", () => {
  expect(
    played([SIX, FOUR], 9_000, [
      [25, completed(SIX)],
      [60, ended(SIX)],
    ]),
  ).toEqual(["0 dial 0", "25 won 0", "60 lost"]);
  expect(
    played([SIX, FOUR], 9_000, [
      [25, completed(SIX)],
      [540, ended(SIX)],
      [560, completed(FOUR)],
    ]).slice(2),
  ).toEqual([...["525 dial 1", "560 won 1"]]);
});

test("an address at which the server was heard is dialled at once, before those that come first, and once", () => {
  const alive = (way: string): Input => ({ type: "alive", way });
  expect(
    played([SIX, FOUR, THIRD], 9_000, [
      [100, alive(THIRD)],
      [120, alive(THIRD)],
      [130, alive(SIX)],
      [400, completed(THIRD, 290)],
      [410, alive(THIRD)],
    ]),
  ).toEqual(["0 dial 0", "100 dial 2", "350 dial 1", "400 drop 0", "400 drop 1", "400 won 2", "1270 dial 0", "1520 dial 1"]);
});

test("whatever happens at most one session has won, no address is dialled for ever, and a race without an open session says that it is lost", () => {
  const ways = [SIX, FOUR, THIRD];
  const input = fc.oneof(
    fc.constant<Input>({ type: "wake" }),
    fc.constantFrom(...ways).map((way): Input => ended(way)),
    fc.constantFrom(...ways).map((way): Input => completed(way)),
    fc.constantFrom(...ways).map((way): Input => ({ type: "alive", way })),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 600 }), input), { maxLength: 30 }), (inputs) => {
      let now = Instant(0);
      let [state, effects]: readonly [State, readonly Effect[]] = start(ways, now);
      const dials: string[] = [];
      const open = new Set<string>();
      let isLost = false;
      const take = (): void => {
        for (const effect of effects) {
          if (effect.type === "dial") {
            dials.push(effect.way);
            open.add(effect.way);
          } else if (effect.type === "drop") open.delete(effect.way);
          else if (effect.type === "won") expect([...open]).toEqual([effect.way]);
          else isLost = true;
        }
      };
      take();
      for (const [ms, one] of inputs) {
        now = Instant.after(now, Micros(ms * 1_000));
        if (one.type === "ended") open.delete(one.way);
        [state, effects] = step(state, now, one);
        take();
        expect(isLost || open.size > 0).toBe(true);
        expect([...state.open].sort()).toEqual([...open].sort());
        if (isLost) break;
      }
      // One that was dropped before it could answer may be dialled once more, when the winner is in doubt.
      for (const way of ways) expect(dials.filter((one) => one === way).length).toBeLessThanOrEqual(3);
    }),
    { seed: 1 },
  );
});
