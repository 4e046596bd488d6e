/**
 * The corpus: few explored scenarios that together hit every probe a campaign hit, kept as files and run again on every change. Scenarios are
 * kept and not seeds, because a seed means another scenario as soon as the generator changes.
 */
import type { Scenario } from "../../scenarios/expanded.ts";
import type { LabReport } from "../laboratory.ts";
import { keepFaults } from "../shrink/fault-subset.ts";
import type { CampaignRun } from "./campaign.ts";

/** Candidates kept for each probe. chosen: some of them hit it only with their own seed, which the corpus does not keep. */
const CANDIDATES = 4;

/** A scenario of the corpus and the name it gets. */
export type CorpusScenario = { readonly name: string; readonly scenario: Scenario };

export type CorpusPicker = {
  /** Remembers a run in which nothing broke if it hits a probe with fewer faults than others did. */
  consider(run: CampaignRun): void;
  /**
   * The corpus: `run` runs a candidate with the seed that corpus runs have. Each scenario in turn hits the most probes still missing, the one
   * with fewer faults first. Names begin with `explored-`.
   */
  choose(run: (scenario: Scenario) => Promise<LabReport>): Promise<readonly CorpusScenario[]>;
};

type Candidate = { readonly seed: number; readonly scenario: Scenario };

export function corpusPicker(): CorpusPicker {
  const byProbe = new Map<string, Candidate[]>();
  return {
    consider({ seed, scenario: whole, result, probes }) {
      if (result.verdict !== "held" && result.verdict !== "inconclusive") return;
      // Faults that did nothing would make a run of the corpus inconclusive, and a reader wonder.
      const telling = result.conditions.flatMap((one, i) => (Object.keys(one.observed).length > 0 ? [i] : []));
      const scenario = keepFaults(whole, telling);
      for (const probe of probes) {
        const own = byProbe.get(probe) ?? [];
        byProbe.set(probe, [...own, { seed, scenario }].sort(bySize).slice(0, CANDIDATES));
      }
    },
    async choose(run) {
      const candidates = [...new Map([...byProbe.values()].flat().map((one) => [one.seed, one])).values()].sort(bySize);
      const tried: { readonly candidate: Candidate; readonly probes: readonly string[] }[] = [];
      for (const candidate of candidates) {
        const { result, probes } = await run(candidate.scenario);
        if (result.verdict === "held") tried.push({ candidate, probes });
      }
      const missing = new Set(tried.flatMap((one) => one.probes));
      const chosen: CorpusScenario[] = [];
      while (missing.size > 0) {
        const gain = (probes: readonly string[]): number => probes.filter((name) => missing.has(name)).length;
        const best = tried.reduce((a, b) => (gain(b.probes) > gain(a.probes) ? b : a));
        chosen.push({ name: `explored-${best.candidate.seed.toString(16)}`, scenario: best.candidate.scenario });
        for (const name of best.probes) missing.delete(name);
      }
      return chosen;
    },
  };
}

/** Fewer faults first, then shorter runs; the seed decides the rest, so that the order is the same every time. */
const bySize = (a: Candidate, b: Candidate): number =>
  a.scenario.faults.length - b.scenario.faults.length || a.scenario.duration - b.scenario.duration || a.seed - b.seed;
