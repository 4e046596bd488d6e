/**
 * Why the runs of a campaign did not hold: runs are put together whose cause lines say the same but for figures and for which of the parties it was. Where the log
 * of a run points nowhere, it is the oracle that its verdict rests on.
 */
import type { CampaignRun } from "./campaign-run.ts";

/** `these 14 runs broke for the same reason`. */
export type Reason = {
  readonly verdict: "crashed" | "broken" | "inconclusive";
  /** Of the first run; what it has in common with the others is everything but its figures and names. */
  readonly says: string;
  readonly component: string | undefined;
  /** In the order they ran. */
  readonly runs: readonly CampaignRun[];
  /** Decisive oracles, that of most runs first. */
  readonly oracles: readonly (readonly [oracle: string, runs: readonly CampaignRun[]])[];
};

/** A text without what differs from run to run: names of parties (a sentence may begin with one), figures, and identities in hexadecimal. */
export function alike(text: string, parties: readonly string[]): string {
  const names = parties.toSorted((a, b) => b.length - a.length).map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const unnamed = names.length === 0 ? text : text.replace(new RegExp(`(?<![\\w-])(?:${names.join("|")})(?![\\w-])`, "gi"), "@");
  return unnamed.replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/g, "#").replace(/\d+(\.\d+)?/g, "#");
}

/** The reason that most runs have first, and crashes before broken runs before those that could not be judged. */
export function reasonsOf(runs: readonly CampaignRun[]): Reason[] {
  const bad = runs.filter(({ verdict }) => verdict !== "held");
  const groups = Map.groupBy(bad, (run) => {
    const oracle = run.notHeld[0]?.oracle ?? "";
    const why = run.culprit === undefined ? `oracle ${oracle}` : alike(run.culprit.sentence, run.parties ?? []);
    // A crash is midcall's own, and each kind of it another bug.
    const crash = run.verdict === "crashed" ? alike(run.notHeld[0]?.detail ?? run.cause, run.parties ?? []) : "";
    return `${run.verdict}\n${why}\n${crash}`;
  });
  const all = [...groups.values()].flatMap((own): Reason[] => {
    const [first] = own;
    if (first === undefined || first.verdict === "held") return [];
    const oracles = [...Map.groupBy(own, (run) => run.notHeld[0]?.oracle ?? "none")];
    return [
      {
        verdict: first.verdict,
        says: first.culprit?.sentence ?? first.cause,
        component: first.culprit?.component,
        runs: own,
        oracles: oracles.toSorted((a, b) => b[1].length - a[1].length),
      },
    ];
  });
  const rank: readonly string[] = ["crashed", "broken", "inconclusive"];
  return all.toSorted((a, b) => rank.indexOf(a.verdict) - rank.indexOf(b.verdict) || b.runs.length - a.runs.length);
}
