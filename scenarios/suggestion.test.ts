import { expect, test } from "vitest";
import { nearest, whatWouldBeRight } from "./suggestion.ts";

test.each([
  ["lte-mvoe", ["lan", "lte-move"], "lte-move"],
  ["r2", ["alice", "r1"], "r1"],
  ["Alice", ["alice", "bob"], "alice"],
  ["media-flow", ["media-flows", "media-recovers"], "media-flows"],
])("%s is nearest to one of %j", (name, known, right) => expect(nearest(name, known)).toBe(right));

test("a name that resembles none gets no suggestion but the list", () => {
  expect(nearest("zebra", ["alice", "bob"])).toBeUndefined();
  expect(whatWouldBeRight("zebra", ["alice", "bob"])).toBe("known: alice, bob");
});

test("a very long name is compared with nothing", () => expect(nearest("a".repeat(100), ["a".repeat(99)])).toBeUndefined());
