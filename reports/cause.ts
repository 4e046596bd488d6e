/**
 * Where to look first: which part of which party a broken run points to, and why, in one sentence. A pure function of the log. It walks the way that
 * signalling and voice take, and names the part that is the first to leave it; it reads what parties did, never what the scenario hoped for.
 * It may be wrong, and a test says how often over the bugs of scenarios/mutations.
 */
import { callEndCause, connectCause } from "./cause-call.ts";
import { framesCause, mediaCause, slowCause } from "./cause-media.ts";
import { leftAloneCause, owedCause, unreadableCause } from "./cause-owed.ts";
import { pathCause } from "./cause-path.ts";
import { unreadCause } from "./cause-refusals.ts";
import {
  addressCause,
  attemptsCause,
  crowdCause,
  directCause,
  endingsCause,
  freedCause,
  generationCause,
  keyCause,
  orderCause,
  strangerCause,
  supervisorCause,
} from "./cause-rules.ts";
import { silenceCause } from "./cause-silence.ts";
import { tierCause } from "./cause-tier.ts";
import type { Evidence } from "./measure.ts";
import type { Culprit, OracleResult, Verdict } from "./result.ts";

/** A question to the log; undefined: it does not apply, ask the next. */
export type CauseRule = (trial: Trial) => Culprit | undefined;

/** What rules work from. `isBroken`: one of these oracles did not hold. */
export type Trial = {
  readonly evidence: Evidence;
  readonly oracles: readonly OracleResult[];
  isBroken(...names: readonly string[]): boolean;
  /** Names of the relays. */
  readonly relays: readonly string[];
};

/** In this order: broken rules say exactly who broke them; then calls, then voice, and at last what is left over. */
const RULES: readonly CauseRule[] = [
  keyCause,
  generationCause,
  supervisorCause,
  attemptsCause,
  addressCause,
  strangerCause,
  orderCause,
  crowdCause,
  unreadCause,
  owedCause,
  leftAloneCause,
  connectCause,
  callEndCause,
  silenceCause,
  pathCause,
  mediaCause,
  framesCause,
  slowCause,
  tierCause,
  unreadableCause,
  directCause,
  endingsCause,
  freedCause,
];

/** Undefined when nothing is broken, or when no rule has anything to say. */
export function causeOf(evidence: Evidence, verdict: Verdict, oracles: readonly OracleResult[]): Culprit | undefined {
  if (verdict !== "broken") return undefined;
  const broken = new Set(oracles.filter((one) => one.verdict === "broken").map(({ name }) => name));
  const relays = Object.entries(evidence.scenario.parties).flatMap(([name, { role }]) => (role === "relay" ? [name] : []));
  const trial: Trial = { evidence, oracles, isBroken: (...names) => names.some((name) => broken.has(name)), relays };
  for (const rule of RULES) {
    const culprit = rule(trial);
    if (culprit !== undefined) return culprit;
  }
  return undefined;
}
