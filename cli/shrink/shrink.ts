/**
 * Makes a scenario that breaks an oracle as small as it goes while it breaks the same oracle: the run ended soon after what broke, faults dropped, moved
 * earlier, shortened, simplified and rounded, the surroundings simplified, the run cut short; again from the start until nothing helps. Randomness is keyed, so
 * what is left out does not disturb what stays, and the outcome depends on the scenario and its seed alone.
 */
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { parseScenario } from "../../scenarios/language.ts";
import { ddmin, keepFaults } from "./fault-subset.ts";
import { SIMPLIFICATIONS, type Simplification } from "./simplifications.ts";

/** What must stay broken. `words`: for a crash, what it said without its figures, so that another crash does not pass for it. */
export type Target = { readonly oracle: string; readonly words: string | undefined };

export type Shrunk = {
  readonly scenario: Scenario;
  readonly result: Result;
  readonly faultsBefore: number;
  /** Runs made. */
  readonly runs: number;
};

/** Rounds over all steps. chosen: the second finds what the first made possible; more than four was never seen to help. */
const ROUNDS = 4;

/** A run may end so long after the instant at which its oracle was broken. chosen: a second; and longer than the doubts and silences that oracles allow. */
const SEEN_AFTER: readonly number[] = [1_000_000, 7_000_000];

/** A call is taken for set up so long after its planned answer. chosen: more than set-up takes, less than where explored faults begin. */
const SET_UP = 2_000_000;

/** Whether every fault waits until the calls are up. A fault moved into their set-up may break the same oracle for another reason. */
const isQuiet = ({ calls, faults }: Scenario): boolean => {
  const up = Math.max(0, ...calls.map((call) => call.at + call.answerAfter)) + SET_UP;
  return faults.every(({ when }) => !("at" in when) || when.at >= up);
};

/** The oracle a run's verdict rests on; undefined when nothing is broken. */
export function targetOf(result: Result): Target | undefined {
  const broken = result.oracles.filter((one) => one.verdict === "broken");
  const first = broken.find((one) => one.name === "nothing-crashed") ?? broken[0];
  if (first === undefined) return undefined;
  return { oracle: first.name, words: first.name === "nothing-crashed" ? worded(first.detail) : undefined };
}

const worded = (detail: string): string => detail.replace(/\d+/g, "#");

/** Whether `result` broke what `target` names. */
export const breaks = (result: Result, target: Target): boolean =>
  result.oracles.some(
    (one) =>
      one.name === target.oracle &&
      one.verdict === "broken" &&
      (target.words === undefined || worded(one.detail) === target.words),
  );

/**
 * The smallest scenario found. `run` gives the result of a candidate; `scenario` itself gave `result`, which breaks `target`. `progress` is
 * told of every run. A rejection of `run` passes through.
 */
export async function shrink(
  scenario: Scenario,
  result: Result,
  target: Target,
  run: (candidate: Scenario) => Promise<Result>,
  progress: (runs: number, faults: number) => void = () => undefined,
): Promise<Shrunk> {
  const tried = new Set<string>();
  const mustBeQuiet = isQuiet(scenario);
  let best: { scenario: Scenario; result: Result } = { scenario, result };
  let runs = 0;

  /** Whether a candidate breaks the target; it is the best one then. */
  const attempt = async (candidate: Scenario): Promise<boolean> => {
    const parsed = parseScenario(candidate);
    if (!parsed.ok || (mustBeQuiet && !isQuiet(parsed.scenario))) return false;
    const key = JSON.stringify(parsed.scenario);
    if (tried.has(key)) return false;
    tried.add(key);
    runs++;
    progress(runs, best.scenario.faults.length);
    const outcome = await run(parsed.scenario);
    if (!breaks(outcome, target)) return false;
    best = { scenario: parsed.scenario, result: outcome };
    return true;
  };
  const exhaust = async (step: Simplification): Promise<void> => {
    for (let isMoved = true; isMoved; ) {
      isMoved = false;
      for (const candidate of step(best.scenario, best.result.conditions)) {
        isMoved = await attempt(candidate);
        if (isMoved) break;
      }
    }
  };
  /** Whatever comes after what broke only costs time, in this run and in all that follow. */
  const endSoon = async (): Promise<void> => {
    const broken = best.result.oracles.find((one) => one.name === target.oracle);
    if (broken?.atMs === undefined) return;
    for (const after of SEEN_AFTER) {
      const duration = Math.ceil(broken.atMs / 1_000) * 1_000_000 + after;
      if (duration < best.scenario.duration && (await attempt({ ...best.scenario, duration }))) return;
    }
  };
  const dropFaults = async (): Promise<void> => {
    const from = best.scenario;
    await ddmin(
      from.faults.map((_, index) => index),
      (keep) => attempt(keepFaults(from, keep)),
    );
  };

  await attempt(onlyAbout(scenario, target));
  await endSoon();
  for (let round = 0; round < ROUNDS; round++) {
    const before = JSON.stringify(best.scenario);
    await dropFaults();
    await endSoon();
    for (const step of SIMPLIFICATIONS) await exhaust(step);
    if (JSON.stringify(best.scenario) === before) break;
  }
  return { ...best, faultsBefore: scenario.faults.length, runs };
}

/** Without the expectations that are not broken, and without a twin, which would name them. */
const onlyAbout = (scenario: Scenario, target: Target): Scenario => ({
  ...scenario,
  expect: scenario.expect.filter((one) => one.oracle === target.oracle),
  twin: null,
});
