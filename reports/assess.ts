/** A log becomes a result. Apart from the pages (render), whose charts take a second to load. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { causeOf } from "./cause.ts";
import { judge } from "./judge.ts";
import { measure } from "./measure.ts";
import { buildResult, type Result, type RunFacts } from "./result.ts";

/** A finished run. `crashed`: what the laboratory threw, when its log may not say so. */
export type Run = RunFacts & {
  readonly scenario: Scenario;
  readonly records: readonly LogRecord[];
  readonly crashed?: string;
};

/** Measures and judges a run: the object of result.json. Throws RangeError when the scenario names an oracle that does not exist. */
export function assess(run: Run): Result {
  const evidence = measure(run.records, run.scenario);
  const judged = judge(evidence, run.crashed);
  return buildResult(
    { ...run, scenario: run.scenario.name, jitterBuffer: run.scenario.jitterBuffer },
    { ...judged, culprit: causeOf(evidence, judged.verdict, judged.oracles) },
    evidence.conditions,
    evidence.measurements,
  );
}
