/**
 * Does the harness notice? Every mutation of scenarios/mutations.ts is planted in turn, and the cases are run until an oracle breaks.
 * What a mutation breaks counts only when the code as it is does not break it too.
 */
import type { Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import type { LabJob, Laboratory } from "./laboratory.ts";
import { openLaboratory } from "./laboratory.ts";

/** Who caught a mutation. `ms`: time of the runs until then, loading left out. */
export type Caught = {
  readonly case: string;
  readonly oracle: string;
  readonly seed: number;
  readonly ms: number;
  readonly runs: number;
};
export type Outcome = { readonly mutation: Mutation; readonly caught: Caught | undefined; readonly runs: number };

/** One question: a scenario and its seed. */
export type Trial = { readonly scenario: Scenario; readonly seed: number };

const job = ({ scenario, seed }: Trial): LabJob => ({
  lab: "sim",
  scenario,
  seed,
  codec: "sized",
  crypto: "null",
  folder: null,
  dir: "",
  wantLines: false,
  commit: "unknown",
  sabotage: null,
});

const brokenIn = async (laboratory: Laboratory, trial: Trial, signal: AbortSignal): Promise<readonly string[]> =>
  (await laboratory.run(job(trial), { signal })).result.oracles.flatMap((one) => (one.verdict === "broken" ? [one.name] : []));

/**
 * Tries one mutation on the trials in their order (those of the case whose twin it is come first) until one catches it. `sound` runs the
 * code as it is. Rejects when the mutation does not fit the code, or the laboratory throws.
 */
export async function tryMutation(
  mutation: Mutation,
  trials: readonly Trial[],
  sound: Laboratory,
  signal: AbortSignal,
): Promise<Outcome> {
  const isOwn = ({ scenario }: Trial): number => (scenario.twin?.mutation === mutation.name ? 0 : 1);
  const laboratory = openLaboratory(mutation.name);
  let runs = 0;
  let began = 0;
  try {
    for (const trial of trials.toSorted((a, b) => isOwn(a) - isOwn(b))) {
      if (runs === 0) await brokenIn(laboratory, trial, signal).then(() => (began = performance.now()));
      runs++;
      const broken = await brokenIn(laboratory, trial, signal);
      if (broken.length === 0) continue;
      const anyway = new Set(await brokenIn(sound, trial, signal));
      const oracle = broken.find((name) => !anyway.has(name));
      if (oracle === undefined) continue;
      const ms = Math.round(performance.now() - began);
      return { mutation, caught: { case: trial.scenario.name, oracle, seed: trial.seed, ms, runs }, runs };
    }
    return { mutation, caught: undefined, runs };
  } finally {
    await laboratory.close();
  }
}
