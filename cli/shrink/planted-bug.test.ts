import { afterAll, describe, expect, it } from "vitest";
import { CATALOGUE } from "../../scenarios/catalogue.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { fastJob } from "../explore/campaign.ts";
import { openLaboratory } from "../laboratory.ts";
import { fortyFaults, PLANTED } from "./planted-bug.ts";
import { shrink, targetOf } from "./shrink.ts";

const base = CATALOGUE.find((one) => one.name === "nat-rebind") as Scenario;

describe("a bug that takes three faults, in a schedule of forty", () => {
  const [sound, sabotaged] = [openLaboratory(), openLaboratory(PLANTED)];
  afterAll(() => Promise.all([sound.close(), sabotaged.close()]));

  // `midcall bench explore` shrinks twenty such schedules.
  it.each([1])("comes down to those three: seed %i", async (seed) => {
    const scenario = fortyFaults(base, seed);
    expect(scenario.faults).toHaveLength(40);
    const broken = (await sound.run(fastJob(scenario, seed))).result.oracles.filter((one) => one.verdict === "broken");
    expect(broken).toEqual([]);
    const run = async (candidate: Scenario) => (await sabotaged.run(fastJob(candidate, seed))).result;
    const first = await run(scenario);
    const target = targetOf(first);
    if (target === undefined) throw new Error(`nothing broken: ${first.cause}`);
    const shrunk = await shrink(scenario, first, target, run);
    expect(shrunk.scenario.faults.map(({ kind }) => kind).toSorted()).toEqual(["blackout", "kill", "rebind"]);
    for (const fault of shrunk.scenario.faults) expect("at" in fault.when ? fault.when.at % 100_000 : 1).toBe(0);
  });
});
