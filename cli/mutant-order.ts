/**
 * In which order trials are worth trying for a mutation: its twins, then by what each trial is likely to tell for what it costs. What is likely is a guess from
 * the module's purpose, and from the lines that a matrix has of other mutations; the mutation's own line never counts, so that a search finds again what it
 * would find for a bug nobody has planted before.
 */
import { dirname } from "node:path/posix";
import type { Mutation } from "../scenarios/mutation.ts";
import type { Trial } from "./mutants.ts";

/** Who caught a mutation of a module before: a line of a matrix. */
export type Precedent = { readonly mutation: string; readonly file: string; readonly case: string };

/** Tags of the cases that show most of what goes wrong in a module, likeliest first. chosen: what the module is there for. */
const LIKELY: readonly (readonly [module: RegExp, tags: readonly string[]])[] = [
  [/core\/(call-setup|call-state|farewell|ended-calls|call-registry|relay-link|outbox)/, ["corpus", "call"]],
  [/core\/(candidate-generation|session)/, ["nat", "recovery"]],
  [/core\/(call-desk|call\.|client|supervisor|relay|header-run|media-stream)/, ["recovery", "call", "corpus"]],
  [/core\/(jitter-buffer|playout-delay|frame-window|frame-log|replay-window|packet)/, ["loss", "profile", "recovery"]],
  [/wire\/stun/, ["recovery"]],
];

/**
 * What a trial's chance gains by having caught a mutation of the same module, of the same room, of any, and by the module's likeliest tag; without any it has
 * one. chosen: a module's cases catch most of what is planted in it.
 */
const CHANCE = { module: 30, room: 6, any: 3, tag: 10 } as const;
/** Virtual time that costs as much as a run's beginning and judging, microseconds. chosen: as measured over the catalogue, which runs 200 times as fast as time. */
const OVERHEAD = 15_000_000;

/** Every trial of `trials`, the most promising first. `precedents`: lines of a matrix. */
export function inOrder(
  mutation: Pick<Mutation, "name" | "file">,
  trials: readonly Trial[],
  precedents: readonly Precedent[] = [],
): readonly Trial[] {
  const tags = LIKELY.find(([module]) => module.test(mutation.file))?.[1] ?? ["quick"];
  const gained = new Map<string, number>();
  for (const one of precedents) {
    if (one.mutation === mutation.name) continue;
    const gain =
      one.file === mutation.file ? CHANCE.module : dirname(one.file) === dirname(mutation.file) ? CHANCE.room : CHANCE.any;
    gained.set(one.case, (gained.get(one.case) ?? 0) + gain);
  }
  const worth = ({ scenario }: Trial): number => {
    if (scenario.twin?.mutation === mutation.name) return Number.POSITIVE_INFINITY;
    const at = tags.findIndex((tag) => scenario.tags.includes(tag));
    const chance = 1 + (gained.get(scenario.name) ?? 0) + (at === -1 ? 0 : CHANCE.tag / (1 + at));
    return chance / (OVERHEAD + scenario.duration);
  };
  const worths = new Map(trials.map((trial) => [trial, worth(trial)]));
  const of = (trial: Trial): number => worths.get(trial) ?? 0;
  return trials.toSorted((a, b) => (of(a) === of(b) ? a.scenario.duration - b.scenario.duration : of(b) - of(a)));
}
