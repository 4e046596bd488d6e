import { expect, test } from "vitest";
import { type Json, override, parseValue } from "./override.ts";

const scenario: Json = {
  duration: 30_000_000,
  faults: [{ kind: "kill", for: 3_000_000 }],
  calls: [{ callerSays: "speech-a" }],
  twin: null,
};

test.each<[setting: string, path: readonly (string | number)[], value: Json]>([
  ["duration=5s", ["duration"], "5s"],
  ["duration=5000000", ["duration"], 5_000_000],
  ["faults.0.for=500ms", ["faults", 0, "for"], "500ms"],
  ["faults[0].for=null", ["faults", 0, "for"], null],
  ["calls.0.callerSays=tone", ["calls", 0, "callerSays"], "tone"],
  ["faults=[]", ["faults"], []],
  ['twin={"mutation":"a","breaks":"b"}', ["twin"], { mutation: "a", breaks: "b" }],
  ["calls.0.note=a=b", ["calls", 0, "note"], "a=b"],
])("%s changes that place and nothing else", (setting, path, value) => {
  const changed = override(scenario, setting);
  const at = (from: Json): unknown => path.reduce<unknown>((below, step) => Reflect.get(below as object, step), from);
  expect(at(changed)).toEqual(value);
  const [first] = path;
  for (const [key, kept] of Object.entries(scenario as object))
    if (key !== first) expect(Reflect.get(changed as object, key)).toBe(kept);
});

test.each([
  ["duration", "no key or no value"],
  ["=5s", "no key or no value"],
  ["fautls.0.for=5s", 'the scenario has no "fautls"; did you mean "faults"?'],
  ["faults.1.for=5s", 'faults has no entry "1"; want a position 0..0'],
  ["faults.x=5s", 'faults has no entry "x"'],
  ["duration.for=5s", "duration is 30000000, nothing lies below it"],
])("--set %s is a usage error that says where and what would be right", (setting, message) => {
  expect(() => override(scenario, setting)).toThrowError(
    expect.objectContaining({ code: "usage", message: expect.stringContaining(message) }),
  );
});

test.each<[string, Json]>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["-1.5", -1.5],
  ["1e3", 1_000],
  ["1_000", "1_000"],
  ["5s", "5s"],
  ['"5"', "5"],
  ["[1,2]", [1, 2]],
  ["[1,", "[1,"],
  ["", ""],
])("the value %j reads as %j", (text, value) => {
  expect(parseValue(text)).toEqual(value);
});
