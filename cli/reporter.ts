/** How `midcall run` prints results: as lines while it goes, or as one document at the end. The texts are made in reports/. */
import { appendFile } from "node:fs/promises";
import type { Paint } from "../reports/pretty.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";

/** A result with the scenario it is of. */
export type Finished = { readonly result: Result; readonly scenario: Scenario };

/** `each` right after a run, `end` once after all; each returns what to print, undefined for nothing. */
export type Reporter = {
  each?(finished: Finished, paint: Paint): Promise<string>;
  end?(all: readonly Finished[], paint: Paint): Promise<string | undefined>;
};

export type ReporterName = "pretty" | "junit" | "github" | "ctrf" | "json";

const pretty: Reporter = {
  each: async (finished, paint) => (await import("../reports/pretty.ts")).pretty(finished, paint).join("\n"),
  async end(all, paint) {
    if (all.length < 2) return undefined;
    const counts = (["held", "broken", "inconclusive", "crashed"] as const)
      .map((verdict) => ({ verdict, n: all.filter(({ result }) => result.verdict === verdict).length }))
      .filter(({ n }) => n > 0);
    return `${all.length} runs: ${counts.map(({ verdict, n }) => paint(verdict, `${n} ${verdict}`)).join(", ")}`;
  },
};

const json: Reporter = {
  end: async (all) => {
    const results = all.map(({ result }) => result);
    return JSON.stringify(results.length === 1 ? results[0] : results, null, 2);
  },
};

const junit: Reporter = { end: async (all) => (await import("../reports/junit.ts")).junit(all).trimEnd() };

const ctrf: Reporter = {
  end: async (all) => {
    const took = all.reduce((sum, { result }) => sum + result.wallMs, 0);
    return (await import("../reports/ctrf.ts")).ctrf(all, Math.round(Date.now() - took)).trimEnd();
  },
};

/** Annotations on standard output; the step summary where GitHub wants it, when it says where. */
const github: Reporter = {
  end: async (all) => {
    const { annotations, stepSummary } = await import("../reports/github.ts");
    const summary = process.env.GITHUB_STEP_SUMMARY;
    if (summary !== undefined && summary !== "") await appendFile(summary, stepSummary(all));
    const lines = annotations(all);
    return lines.length === 0 ? undefined : lines.join("\n");
  },
};

/** By name; `json` is `--json`. */
export const REPORTERS: Readonly<Record<ReporterName, Reporter>> = { pretty, junit, github, ctrf, json };
