/**
 * Does the harness notice? Every mutation of scenarios/mutations.ts is planted in turn, and scenarios are run until an oracle breaks: first the
 * likely ones, then the rest of the catalogue and the corpus, then explored ones. What a mutation breaks counts only when the code as it is
 * does not break it too.
 */
import type { Scenario } from "../scenarios/expanded.ts";
import type { Mutation } from "../scenarios/mutation.ts";
import type { LabJob, Laboratory } from "./laboratory.ts";
import { openLaboratory } from "./laboratory.ts";

/** Who caught a mutation. `ms`: time of the search until then, loading included. */
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

/** Tags of the cases that show most of what goes wrong in a module, likeliest first. chosen: what the module is there for. */
const LIKELY: readonly (readonly [module: RegExp, tags: readonly string[]])[] = [
  [/core\/(call-setup|call-state|farewell|ended-calls|call-registry|relay-link|outbox)/, ["corpus", "call"]],
  [/core\/(candidate-generation|session)/, ["nat", "recovery"]],
  [/core\/(call-desk|call\.|client|supervisor|relay|header-run|media-stream)/, ["recovery", "call", "corpus"]],
  [/core\/(jitter-buffer|playout-delay|frame-window|frame-log|replay-window|packet)/, ["loss", "profile", "recovery"]],
  [/wire\/stun/, ["recovery"]],
];

/** Trials in the order they are worth trying for this mutation: its twin, those with the tags of its module, short ones before long ones. */
export function inOrder(mutation: Mutation, trials: readonly Trial[]): readonly Trial[] {
  const tags = LIKELY.find(([module]) => module.test(mutation.file))?.[1] ?? ["quick"];
  const rank = ({ scenario }: Trial): number => {
    if (scenario.twin?.mutation === mutation.name) return -1;
    const at = tags.findIndex((tag) => scenario.tags.includes(tag));
    return at === -1 ? tags.length : at;
  };
  return trials.toSorted((a, b) => rank(a) - rank(b) || a.scenario.duration - b.scenario.duration);
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
      const anyway = await sound(trial);
      const oracle = broken.find((name) => !anyway.has(name));
      if (oracle === undefined) continue;
      return { mutation, caught: { case: trial.scenario.name, oracle, seed: trial.seed, ms, runs }, runs };
    }
    return { mutation, caught: undefined, runs };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`mutation ${mutation.name} of ${mutation.file} cannot be run`, { cause: error });
  } finally {
    await laboratory.close();
  }
}
