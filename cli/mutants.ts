/**
 * Does the harness notice? Every mutation of scenarios/mutations.ts is planted in turn, and scenarios are run until an oracle breaks: first the
 * likely ones, then the rest of the catalogue and the corpus, then explored ones. What a mutation breaks counts only when the code as it is
 * does not break it too.
 */
import type { Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import type { LabJob, Laboratory } from "./laboratory.ts";
import { openLaboratory } from "./laboratory.ts";

/** Who caught a mutation. `ms`: time of the search until then, loading included; `processorMs`: what the search's thread had of a processor in it. */
export type Caught = {
  readonly case: string;
  readonly oracle: string;
  readonly seed: number;
  readonly ms: number;
  readonly processorMs: number;
  readonly runs: number;
};
export type Outcome = { readonly mutation: Mutation; readonly caught: Caught | undefined; readonly runs: number };

/** One question: a scenario and its seed. */
export type Trial = { readonly scenario: Scenario; readonly seed: number };

/** Oracles that break in a trial, on the code as it is. */
export type Sound = (trial: Trial) => Promise<ReadonlySet<string>>;

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

/** Runs the code as it is in `laboratory`, each trial once. */
export function soundness(laboratory: Laboratory, signal: AbortSignal): Sound {
  const known = new Map<Trial, Promise<ReadonlySet<string>>>();
  let last: Promise<unknown> = Promise.resolve();
  return (trial) => {
    let found = known.get(trial);
    if (found === undefined) {
      found = last.then(async () => new Set(await brokenIn(laboratory, trial, signal)));
      last = found.catch(() => undefined); // a laboratory makes one run at a time
      known.set(trial, found);
    }
    return found;
  };
}

/**
 * Tries one mutation on the trials in their order until one catches it. Rejects when the mutation does not fit the code, or the
 * laboratory throws.
 */
export async function tryMutation(
  mutation: Mutation,
  trials: readonly Trial[],
  sound: Sound,
  signal: AbortSignal,
): Promise<Outcome> {
  const began = performance.now();
  const laboratory = openLaboratory(mutation.name);
  let runs = 0;
  try {
    for (const trial of trials) {
      runs++;
      const broken = await brokenIn(laboratory, trial, signal);
      if (broken.length === 0) continue;
      const ms = Math.round(performance.now() - began);
      const processorMs = Math.round(await laboratory.processorMs());
      const anyway = await sound(trial);
      const oracle = broken.find((name) => !anyway.has(name));
      if (oracle === undefined) continue;
      return { mutation, caught: { case: trial.scenario.name, oracle, seed: trial.seed, ms, processorMs, runs }, runs };
    }
    return { mutation, caught: undefined, runs };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`mutation ${mutation.name} of ${mutation.file} cannot be run`, { cause: error });
  } finally {
    await laboratory.close();
  }
}
