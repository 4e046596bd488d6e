import { expect, test } from "vitest";
import { assess, type Run } from "./index.ts";
import { aCallLog, aRelayRestart, aScenario, KILL, RESTART_EXPECT, s } from "./log-builder.ts";
import committedSchema from "./result.schema.json" with { type: "json" };
import { resultJsonSchema, resultSchema } from "./result.ts";

const scenario = aScenario({ faults: [KILL], expect: RESTART_EXPECT });
const run: Run = {
  scenario,
  records: aRelayRestart(scenario).records(),
  hash: "d72a8f833b172303",
  versions: { midcall: "0.1.0", node: "v24.21.0", commit: "1a2b3c4" },
  codec: "sized",
  crypto: "null",
  lab: "sim",
  seed: "0x2a",
  virtualMs: 21_000,
  wallMs: 12,
  dir: "out/relay-restart/sim-0x2a",
};

test("a relay restart that goes well is held, and says so in the fields of the contract", async () => {
  const result = assess(run);
  expect(result).toMatchObject({ verdict: "held", cause: "All 19 oracles held." });
  await expect(`${JSON.stringify(result, null, 2)}\n`).toMatchFileSnapshot("./golden/relay-restart.result.txt");
});

test("the result of a relay restart held to a harder limit is broken, and the cause names who and by how much", () => {
  const harder = aScenario({ faults: [KILL], expect: [{ oracle: "media-recovers", within: 210_000, from: "heal" }] });
  expect(assess({ ...run, scenario: harder })).toMatchObject({
    verdict: "broken",
    cause: "media-recovers is broken: alice 220 ms (limit 210 ms from the heal).",
    oracles: expect.arrayContaining([
      {
        name: "media-recovers",
        verdict: "broken",
        detail: "alice 220 ms, bob 200 ms (limit 210 ms from the heal)",
        atMs: 8_210,
      },
    ]),
  });
});

test("what the laboratory threw makes the run crashed although its log looks finished", () => {
  expect(assess({ ...run, crashed: "packet numbers run backwards\n at somewhere" })).toMatchObject({
    verdict: "crashed",
    cause: "midcall itself failed: packet numbers run backwards.",
  });
});

test("every result fits its own schema, after a trip through JSON too", () => {
  const silent = aCallLog(scenario, { alice: { spells: [{ from: s(5.1), to: s(20), kind: "silence" }] }, bob: null });
  for (const records of [run.records, silent.records(), []]) {
    const result = assess({ ...run, records });
    expect(resultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  }
});

test("a result of a newer midcall with more fields is read, one without a verdict is not", () => {
  const result = assess(run);
  expect(resultSchema.safeParse({ ...result, novelty: 1 }).success).toBe(true);
  const { verdict: _, ...without } = result;
  expect(resultSchema.safeParse(without).success).toBe(false);
});

test("result.schema.json is the schema of the code (README.md says how to write it anew)", () => {
  expect(resultJsonSchema()).toEqual(committedSchema);
});
