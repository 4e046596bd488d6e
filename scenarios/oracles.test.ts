import { expect, test } from "vitest";
import * as front from "./index.ts";
import { expected, INVARIANTS, JUDGED_NAMES, ORACLES } from "./oracles.ts";

test("every oracle has a word of its own at the front door", () => {
  const built = Object.entries(front)
    .filter(([name]) => name.startsWith("expect"))
    .map(([, build]) => (build as (parameters: object) => front.WrittenExpectation)({}))
    .map((one) => (typeof one === "string" ? one : one.oracle));
  expect(built.toSorted()).toEqual([...ORACLES.keys()].toSorted());
});

test("oracles and invariants do not share names", () => {
  expect(new Set(JUDGED_NAMES).size).toBe(ORACLES.size + INVARIANTS.length);
});

test("what was read is what the judge sees, its parameters typed", () => {
  const one = front.scenario({ name: "a", asks: "?", expect: [front.expectLongestGap({ party: "bob", max: "250ms" })] })
    .expect[0];
  const judged = one === undefined ? undefined : expected(one);
  expect(judged?.oracle === "longest-gap" && judged.max).toBe(250_000);
});
