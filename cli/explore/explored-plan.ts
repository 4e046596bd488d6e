/** Arbitrary plans of those who call: whether the callee hides its address, which end hangs up, or leaves its relay for a while, and what both play out with. */
import fc from "fast-check";
import { JITTER_BUFFERS } from "../../impl/base/jitter-buffer-name.ts";
import type { Action, Scenario } from "../../scenarios/expanded.ts";

const ms = (value: number): number => value * 1_000;

/** How a call is answered, played out and ended. */
export type Plan = {
  readonly isPrivate: boolean;
  /** How the call ends; `at` counts from when the calls are up, microseconds. */
  readonly ending:
    | { readonly how: "not" }
    | { readonly how: "caller hangs up" | "callee hangs up"; readonly at: number }
    | { readonly how: "callee leaves"; readonly at: number; readonly back: number };
  /** null: the base's. */
  readonly jitterBuffer: Scenario["jitterBuffer"] | null;
};

/** How long a callee is away from its relay. chosen: from less than a session takes to close to more than one takes to open. */
const AWAY: fc.Arbitrary<number> = fc.integer({ min: 1, max: 8_000 }).map(ms);

/** What the parties do apart from the base's plan; `within`: a call is ended by then, microseconds. */
export function exploredPlan(
  { plans, voices }: { readonly plans: boolean; readonly voices: boolean },
  within: number,
): fc.Arbitrary<Plan> {
  const end = fc.integer({ min: 2_000, max: within / 1_000 }).map(ms);
  return fc.record<Plan>({
    isPrivate: plans ? fc.boolean() : fc.constant(false),
    ending: plans
      ? fc.oneof<fc.WeightedArbitrary<Plan["ending"]>[]>(
          { weight: 7, arbitrary: fc.constant({ how: "not" }) },
          { weight: 2, arbitrary: end.map((at) => ({ how: "caller hangs up", at })) },
          { weight: 1, arbitrary: end.map((at) => ({ how: "callee hangs up", at })) },
          { weight: 1, arbitrary: fc.tuple(end, AWAY).map(([at, back]) => ({ how: "callee leaves", at, back })) },
        )
      : fc.constant({ how: "not" }),
    jitterBuffer: voices ? fc.constantFrom(null, ...JITTER_BUFFERS) : fc.constant(null),
  });
}

/** What the callee does of it, being a client of `relay`. */
export function actionsOf({ ending }: Plan, up: number, callee: string, relay: string): Action[] {
  if (ending.how === "not" || ending.how === "caller hangs up") return [];
  const when = { at: up + ending.at };
  if (!("back" in ending)) return [{ when, party: callee, does: "hang-up" }];
  return [
    { when, party: callee, does: "deregister" },
    { when: { at: when.at + ending.back }, party: callee, does: "register", relay },
  ];
}
