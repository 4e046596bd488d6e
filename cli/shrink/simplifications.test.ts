import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../scenarios/catalogue.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { parseScenario } from "../../scenarios/language.ts";
import { exploredScenario } from "../explore/explored-scenario.ts";
import { SIMPLIFICATIONS } from "./simplifications.ts";

const scenarios: readonly Scenario[] = Array.from({ length: 3 }, (_, i) => exploredScenario(CATALOGUE, i, i % 2 === 0));

describe("a simplification", () => {
  it("comes to an end when every candidate that is a scenario is taken", () => {
    for (const start of scenarios) {
      for (const step of SIMPLIFICATIONS) {
        let scenario = start;
        let steps = 0;
        const next = (): Scenario | undefined =>
          step(scenario, [])
            .map((candidate) => parseScenario(candidate))
            .find((parsed) => parsed.ok)?.scenario;
        for (let simpler = next(); simpler !== undefined; simpler = next()) {
          scenario = simpler;
          expect(++steps, `${start.name} under ${SIMPLIFICATIONS.indexOf(step)}`).toBeLessThan(300);
        }
      }
    }
  });

  it("never gives the scenario back, nor loses a fault", () => {
    for (const scenario of scenarios) {
      for (const candidate of SIMPLIFICATIONS.flatMap((step) => step(scenario, []))) {
        expect(JSON.stringify(candidate)).not.toBe(JSON.stringify(scenario));
        expect(candidate.faults).toHaveLength(scenario.faults.length);
      }
    }
  });
});
