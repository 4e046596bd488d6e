/**
 * The front door of this room: a log becomes a result (assess), and a result becomes pages (render). Pure: strings and objects in, strings and objects out.
 * Who wants the one without the other imports assess.ts: the pages' charts take a second to load.
 */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { htmlReport, type PageExtras } from "./html.ts";
import { junit } from "./junit.ts";
import { measure } from "./measure.ts";
import type { Result } from "./result.ts";
import { summary } from "./summary.ts";

export { assess, type Run } from "./assess.ts";

/** The pages of a run by file name: `summary.md`, `junit.xml`, `report.html`. `extras`: what makes report.html more than a drawing. */
export function render(
  result: Result,
  scenario: Scenario,
  records: readonly LogRecord[],
  extras: PageExtras = {},
): Map<string, string> {
  const evidence = measure(records, scenario);
  return new Map([
    ["summary.md", summary(result, scenario, evidence)],
    ["junit.xml", junit([{ result, scenario }])],
    ["report.html", htmlReport(result, scenario, evidence, extras)],
  ]);
}
