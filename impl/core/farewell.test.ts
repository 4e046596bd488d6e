import { expect, it } from "vitest";
import { Instant, seconds } from "../base/units.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { Farewells } from "./farewell.ts";

const id = (number: number): string => number.toString(16).padStart(32, "0");
const hangup = (number: number): SignalMessage => ({ type: "Hangup", call_id: id(number) });
const at = (value: number): Instant => Instant(seconds(value));

it("a hang-up is due again after 1, 2, 4, then every 8 s, until a minute has passed", () => {
  const farewells = new Farewells();
  farewells.remember(at(0), id(1), hangup(1), true);
  const said: number[] = [];
  for (let now = farewells.deadline(); now !== undefined; now = farewells.deadline()) {
    expect(farewells.due(Instant(now - 1))).toEqual([]);
    if (farewells.due(now).length > 0) said.push(now / 1e6);
  }
  expect(said).toEqual([1, 3, 7, 15, 23, 31, 39, 47, 55]);
  expect(farewells.lastWord(id(1))).toEqual(hangup(1));
});

it("an acknowledged or forgiven hang-up is not said again, and how the call ended is still known", () => {
  const farewells = new Farewells();
  for (const number of [1, 2]) farewells.remember(at(0), id(number), hangup(number), true);
  farewells.acknowledged(id(1));
  expect(farewells.due(at(1))).toEqual([hangup(2)]);
  farewells.forgive();
  expect(farewells.deadline()).toBeUndefined();
  expect(farewells.lastWord(id(1))).toEqual(hangup(1));
});

it("on a fresh session each hang-up goes behind what opens its call, and nothing that is not owed goes", () => {
  const farewells = new Farewells();
  const opening: SignalMessage = { type: "CallResume", call_id: id(1), peer_fingerprint: id(9), role: "caller" };
  farewells.remember(at(0), id(1), hangup(1), true, opening);
  farewells.remember(at(0), id(2), hangup(2), true);
  farewells.remember(at(0), id(3), hangup(3), false);
  expect(farewells.reopened(at(5))).toEqual([opening, hangup(1), hangup(2)]);
  expect(farewells.reopened(at(61))).toEqual([]);
});

it("64 calls are remembered, the oldest is forgotten first and owes nothing", () => {
  const farewells = new Farewells();
  for (let number = 0; number < 65; number++) farewells.remember(at(0), id(number), hangup(number), true);
  expect(farewells.lastWord(id(0))).toBeUndefined();
  expect(farewells.lastWord(id(1))).toEqual(hangup(1));
  expect(farewells.due(at(1))).toHaveLength(64);
});
