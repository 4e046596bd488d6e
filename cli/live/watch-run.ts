/** The live page of a run that this command makes: follows its folder, and passes faults done by hand on to its laboratory once they are proper ones. */

import type { Scenario } from "../../scenarios/expanded.ts";
import { resultIn } from "../finished-run.ts";
import { isReproducible, type LabName, type Laboratory } from "../laboratory.ts";
import { checked } from "../scenario-choice.ts";
import { followLog } from "./follow.ts";
import { type LivePage, openLivePage } from "./server.ts";

/** Of the run that is to fill `folder`. */
export function watchRun(scenario: Scenario, lab: LabName, folder: string, laboratory: Laboratory): Promise<LivePage> {
  const inject = async (fault: unknown): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }> => {
    try {
      if (typeof fault !== "object" || fault === null) return { ok: false, reason: "want a fault like those of a scenario" };
      // Read by the scenario language, at an instant that the laboratory replaces by its own.
      const read = await checked({ ...scenario, faults: [...scenario.faults, { ...fault, at: "0s" }] }, "by hand", folder);
      const last = read.faults.at(-1);
      if (last === undefined) return { ok: false, reason: "want a fault like those of a scenario" };
      laboratory.inject(last);
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
  };
  return openLivePage({
    scenario,
    lab,
    log: followLog(folder),
    result: () => resultIn(folder),
    ...(isReproducible(lab) ? {} : { inject }),
  });
}
