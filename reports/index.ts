/** The front door of this room: a log becomes a result, and a result becomes pages. Pure: strings and objects in, strings and objects out. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { causeOf } from "./cause.ts";
import { htmlReport, type PageExtras } from "./html.ts";
import { judge } from "./judge.ts";
import { junit } from "./junit.ts";
import { measure } from "./measure.ts";
import { buildResult, type Result, type RunFacts } from "./result.ts";
import { summary } from "./summary.ts";

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

/** The pages of a run by file name: `summary.md`, `junit.xml`, `report.html`. `extras`: what makes report.html more than a drawing. */
export function render(
  result: Result,
  scenario: Scenario,
  records: readonly LogRecord[],
  extras: PageExtras = {},
): Map<string, string> {
  return new Map([
    ["summary.md", summary(result, scenario)],
    ["junit.xml", junit([{ result, scenario }])],
    ["report.html", htmlReport(result, scenario, records, extras)],
  ]);
}
