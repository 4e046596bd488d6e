/** From measured evidence to verdicts: the oracles a scenario names, those judged in every run, and what they come to together. */
import { expected, type OracleName, type OracleParameters } from "../scenarios/oracles.ts";
import { broken, type Finding } from "./finding.ts";
import { ALWAYS } from "./judge-always.ts";
import {
  callConnects,
  callNeverAnswered,
  callRejected,
  endedWith,
  generationsFresh,
  pathIs,
  refusedAtLeast,
  sameCall,
  signallingRecovers,
} from "./judge-call.ts";
import { crowdReturns } from "./judge-crowd.ts";
import { concealment, longestGap, mediaFlows, mediaRecovers, mouthToEar, noInterruption } from "./judge-media.ts";
import { asTold, displaced } from "./judge-registration.ts";
import { settles } from "./judge-settling.ts";
import { speaksIn } from "./judge-tier.ts";
import { excused, stallsOf } from "./machine.ts";
import type { Evidence } from "./measure.ts";
import type { OracleResult, Verdict } from "./result.ts";

type Judges = { readonly [N in OracleName]: (evidence: Evidence, parameters: OracleParameters[N]) => Finding };

const JUDGES: Judges = {
  "call-connects": callConnects,
  "media-flows": mediaFlows,
  "media-recovers": mediaRecovers,
  "same-call": sameCall,
  "signalling-recovers": signallingRecovers,
  "longest-gap": longestGap,
  concealment,
  "no-interruption": noInterruption,
  "mouth-to-ear": mouthToEar,
  "speaks-in": speaksIn,
  "call-rejected": callRejected,
  "call-never-answered": callNeverAnswered,
  "ended-with": endedWith,
  "path-is": pathIs,
  refused: refusedAtLeast,
  "generations-fresh": generationsFresh,
  "as-told": asTold,
  "crowd-returns": crowdReturns,
  displaced,
  settles,
};

export type Judgement = { readonly verdict: Verdict; readonly cause: string; readonly oracles: readonly OracleResult[] };

/**
 * Judges a run. The scenario's own oracles come first, in its order, then those judged in every run. Throws RangeError for an
 * oracle that does not exist (a scenario that was read by the language names only real ones). `crashed` is what the laboratory
 * threw, when it did: the run is then crashed whatever its log says.
 */
export function judge(evidence: Evidence, crashed?: string): Judgement {
  const own = evidence.scenario.expect.map((expectation): Judged => {
    const one = expected(expectation);
    if (!Object.hasOwn(JUDGES, one.oracle)) throw new RangeError(`expect: no oracle is called ${String(one.oracle)}`);
    const judgeOne = JUDGES[one.oracle] as (evidence: Evidence, parameters: unknown) => Finding;
    return { name: one.oracle, finding: judgeOne(evidence, one) };
  });
  const always = ALWAYS.map(([name, judgeOne]): Judged => {
    const finding = judgeOne(evidence);
    const isUnsaid = name === "nothing-crashed" && crashed !== undefined && finding.verdict !== "broken";
    return { name, finding: isUnsaid ? broken(crashed.split("\n")[0] ?? crashed) : finding };
  });
  const { duration } = evidence.scenario;
  const stalls = stallsOf(evidence.records, Number.POSITIVE_INFINITY);
  const all = [...own, ...always].map(({ name, finding }) => ({ name, finding: excused(name, finding, stalls, duration) }));
  const oracles = all.map(({ name, finding }) => result(name, finding));
  const verdict = verdictOf(oracles);
  return { verdict, cause: causeOf(verdict, oracles, all), oracles };
}

type Judged = { readonly name: string; readonly finding: Finding };

const result = (name: string, { verdict, detail, at }: Finding): OracleResult => ({
  name,
  verdict,
  detail,
  ...(at === undefined ? {} : { atMs: Math.round(at) / 1_000 }),
});

/** crashed > broken > inconclusive > held. Only `nothing-crashed` makes a run crashed. */
export function verdictOf(oracles: readonly OracleResult[]): Verdict {
  if (oracles.some((one) => one.name === "nothing-crashed" && one.verdict === "broken")) return "crashed";
  if (oracles.some((one) => one.verdict === "broken")) return "broken";
  return oracles.some((one) => one.verdict === "inconclusive") ? "inconclusive" : "held";
}

/** The oracle a verdict rests on: the first that is as bad as the verdict; undefined for `held`. */
export function decisive(verdict: Verdict, oracles: readonly OracleResult[]): OracleResult | undefined {
  if (verdict === "held") return undefined;
  if (verdict === "crashed") return oracles.find((one) => one.name === "nothing-crashed");
  return oracles.find((one) => one.verdict === verdict);
}

function causeOf(verdict: Verdict, oracles: readonly OracleResult[], judged: readonly Judged[]): string {
  const one = decisive(verdict, oracles);
  if (one === undefined) return `All ${oracles.length} oracles held.`;
  const others = oracles.filter((other) => other !== one && other.verdict === one.verdict).length;
  const finding = judged[oracles.indexOf(one)]?.finding;
  const more = others === 0 ? "" : `; ${others} more ${others === 1 ? "oracle" : "oracles"} ${one.verdict}`;
  const words = {
    crashed: "midcall itself failed",
    broken: `${one.name} is broken`,
    inconclusive: `${one.name} could not be judged`,
  };
  return `${words[verdict === "held" ? "broken" : verdict]}: ${finding?.brief ?? one.detail}${more}.`;
}
