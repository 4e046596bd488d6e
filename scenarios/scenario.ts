/** `scenario({...})`: what a scenario file exports. */
import type { Scenario } from "./expanded.ts";
import { parseScenario } from "./language.ts";
import type { Problem } from "./problem.ts";
import type { WrittenScenario } from "./written-scenario.ts";

/** A scenario that cannot be read; `problems` names every place. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly code = "bad-scenario";
  readonly problems: readonly Problem[];

  constructor(name: string, problems: readonly Problem[]) {
    super(
      `scenario ${name}:\n${problems.map(({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

/** The expanded scenario. Throws ScenarioError listing everything that is wrong with what was written. */
export function scenario(written: WrittenScenario): Scenario {
  const parsed = parseScenario(written);
  if (!parsed.ok) throw new ScenarioError(typeof written?.name === "string" ? written.name : "without a name", parsed.problems);
  return parsed.scenario;
}
