import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "./catalogue.ts";
import { applyMutation } from "./mutation.ts";
import { ALL_MUTATIONS, MUTATIONS } from "./mutations.ts";

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

  test("leaves a module that can be read", () => {
    expect(() => stripTypeScriptTypes(applyMutation(module, mutation))).not.toThrow();
  });

  test("holds no type annotation, so that it fits compiled code too", () => {
    expect(mutation.find + mutation.replace).not.toMatch(/\bas \w|\bReadonly|\w: (string|number|boolean|Micros|Instant)\b/);
  });
});

test("every twin names a mutation, and no two mutations have one name or make the same change", () => {
  for (const { twin } of CATALOGUE) expect([...MUTATIONS.keys()]).toContain(twin?.mutation);
  expect(MUTATIONS.size).toBe(ALL_MUTATIONS.length);
  expect(new Set(ALL_MUTATIONS.map(({ file, find, replace }) => `${file}|${find}|${replace}`)).size).toBe(ALL_MUTATIONS.length);
});

test("the catalogue has at least sixty mutations, each with one sentence of its own", () => {
  expect(ALL_MUTATIONS.length).toBeGreaterThanOrEqual(60);
  for (const { name, imitates } of ALL_MUTATIONS) expect(imitates, name).toMatch(/^[A-Z].{30,}\.$/);
  expect(new Set(ALL_MUTATIONS.map((one) => one.imitates)).size).toBe(ALL_MUTATIONS.length);
});

/** Modules of impl/core and impl/wire without a mutation, and why: mostly that a run in virtual time could not show one. */
const WITHOUT: ReadonlyMap<string, string> = new Map([
  ["impl/core/audio-source.ts", "the microphone of the laboratory"],
  ["impl/core/call-proof.ts", "only an impostor would notice, and no laboratory plays one"],
  ["impl/core/call-side.ts", "types"],
  ["impl/core/client-event.ts", "for screens: nothing of it is in a log"],
  ["impl/core/codec.ts", "types and constants"],
  ["impl/core/concealment.ts", "how a concealed frame sounds is not in a log"],
  ["impl/core/crypto.ts", "types and constants"],
  ["impl/core/effect.ts", "types"],
  ["impl/core/identity.ts", "any function of the key serves both ends"],
  ["impl/core/media-choices.ts", "defaults"],
  ["impl/core/resampler.ts", "how it sounds is not in a log"],
  ["impl/core/jitter-statistics.ts", "counters that nothing acts on"],
  ["impl/core/session-statistics.ts", "figures for the log that nothing acts on"],
  ["impl/core/relayed-media.ts", "words for the log that nothing acts on"],
  ["impl/core/noble-crypto.ts", "mutants run with the null engine"],
  ["impl/core/octets.ts", "a guard against misuse"],
  ["impl/core/opus-packet.ts", "mutants run without the real codec"],
  ["impl/core/rehearsal.ts", "virtual time waits for no compiler"],
  ["impl/core/relay-limits.ts", "its bounds are beyond what any case asks of a relay"],
  ["impl/core/signalling-filter.ts", "a tool of the laboratories"],
  ["impl/core/tone.ts", "the microphone of the laboratory"],
  ["impl/core/transcript.ts", "any function of its parts serves both ends"],
  ["impl/core/ema-buffer.ts", "none written yet"],
  ["impl/core/jitter-buffer.ts", "none written yet"],
  ["impl/core/jitter-buffers.ts", "none written yet"],
  ["impl/wire/voice-report.ts", "none written yet"],
  ["impl/wire/framing.ts", "the session model of virtual time carries whole messages"],
]);

test("every module of impl/core and impl/wire has a mutation, or a reason to have none", () => {
  const modules = ["core", "wire"].flatMap((room) =>
    readdirSync(new URL(`../impl/${room}`, import.meta.url))
      .filter((name) => name.endsWith(".ts") && !/\.(test|contract|fixture)\.ts$/.test(name))
      .map((name) => `impl/${room}/${name}`),
  );
  const mutated = new Set(ALL_MUTATIONS.map((one) => one.file));
  expect(modules.filter((file) => !mutated.has(file)).toSorted()).toEqual([...WITHOUT.keys()].toSorted());
});
