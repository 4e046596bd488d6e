/** Every scenario of the catalogue holds on the code as it is, and breaks in the oracle it names on the bug it names. */
import { expect, test } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { type LabReport, openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED } from "./seed.ts";

async function runIn(scenario: Scenario, mutation: string | null): Promise<LabReport> {
  const laboratory = openLaboratory(mutation);
  try {
    return await laboratory.run({
      lab: "sim",
      scenario,
      seed: DEFAULT_SEED,
      codec: "sized",
      crypto: "real",
      folder: null,
      dir: "out",
      wantLines: false,
      commit: "unknown",
      sabotage: mutation,
    });
  } finally {
    await laboratory.close();
  }
}

test.each([...CATALOGUE.values()])("$name holds, and its twin is broken where it says", async (scenario) => {
  const { result } = await runIn(scenario, null);
  expect(result.verdict, result.cause).toBe("held");
  const { twin } = scenario;
  if (twin === null) throw new Error(`${scenario.name} has no twin`);
  const { result: sabotaged } = await runIn(scenario, twin.mutation);
  expect(sabotaged.verdict, sabotaged.cause).toBe("broken");
  const broken = sabotaged.oracles.filter((oracle) => oracle.verdict === "broken").map((oracle) => oracle.name);
  expect(broken).toContain(twin.breaks);
});

test("an unknown mutation is refused before anything runs", async () => {
  const [scenario] = CATALOGUE.values();
  if (scenario === undefined) throw new Error("the catalogue is empty");
  await expect(runIn(scenario, "no-such-bug")).rejects.toThrow(/no-such-bug/);
});
