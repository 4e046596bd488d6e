import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "./catalogue.ts";
import { FURTHER_MUTATIONS } from "./further-mutations.ts";
import { applyMutation } from "./mutation.ts";
import { MUTATIONS } from "./mutations.ts";

const source = "export function f(a: number): number {\n  if (a > 1) {\n    return a - 1;\n  }\n  return a;\n}\n";

describe("applyMutation", () => {
  test("replaces the one place where the text stands, and nothing else", () => {
    expect(applyMutation(source, { name: "m", find: "return a - 1;", replace: "return a;" })).toBe(source.replace("a - 1", "a"));
  });

  test("ignores whitespace on both sides", () => {
    const mutated = applyMutation(source, { name: "m", find: "if(a>1){return a-1;}", replace: "" });
    expect(mutated).toBe("export function f(a: number): number {\n  \n  return a;\n}\n");
  });

  test.each([
    ["absent", "return b;", /does not occur/],
    ["ambiguous", "return a", /more than once/],
    ["overlapping itself", "a a", /does not occur/],
    ["empty", " \n", /is empty/],
  ])("throws when the text is %s", (_, find, message) => {
    expect(() => applyMutation(source, { name: "m", find, replace: "" })).toThrow(RangeError);
    expect(() => applyMutation(source, { name: "m", find, replace: "" })).toThrow(message);
  });

  test("overlapping occurrences count as two", () => {
    expect(() => applyMutation("aaa", { name: "m", find: "aa", replace: "" })).toThrow(/more than once/);
  });
});

describe.each([...MUTATIONS.values()])("mutation $name", (mutation) => {
  const module = readFileSync(new URL(`../${mutation.file}`, import.meta.url), "utf8");

  test("fits the code as it is, and changes it", () => expect(applyMutation(module, mutation)).not.toBe(module));

  test("holds no type annotation, so that it fits compiled code too", () => {
    expect(mutation.find + mutation.replace).not.toMatch(/\bas \w|\bReadonly|\w: (string|number|boolean|Micros|Instant)\b/);
  });
});

test("every twin names a mutation, and no two mutations have one name", () => {
  for (const { twin } of CATALOGUE) expect([...MUTATIONS.keys()]).toContain(twin?.mutation);
  expect(new Set(FURTHER_MUTATIONS.map((one) => one.name)).size).toBe(FURTHER_MUTATIONS.length);
  expect(MUTATIONS.size).toBe(new Set(CATALOGUE.map((one) => one.twin?.mutation)).size + FURTHER_MUTATIONS.length);
});
