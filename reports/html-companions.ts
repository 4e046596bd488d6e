/** What report.html says of other runs: the scenario's sabotaged twin, and the last run that held. */
import type { LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { MUTATIONS } from "../scenarios/mutations.ts";
import { changeOf, compare, type Figure, words } from "./comparison.ts";
import { escaped } from "./escape.ts";
import { SYMBOL, table } from "./html-parts.ts";
import { measure } from "./measure.ts";
import type { Result } from "./result.ts";
import { timelineOf } from "./timeline.ts";
import { drawTimeline } from "./timeline-chart.ts";

/** A run with the bug of the scenario's twin planted. */
export type TwinRun = { readonly result: Result; readonly scenario: Scenario; readonly records: readonly LogRecord[] };

/** What the twin is, and what it looks like where a run of it is at hand; empty for a scenario without one. */
export function twinSection({ name, twin }: Scenario, run: TwinRun | undefined): string {
  if (twin === null) return "";
  const mutation = MUTATIONS.get(twin.mutation);
  const bug =
    mutation === undefined
      ? `<p>The bug ${code(twin.mutation)}.</p>`
      : `<p>${escaped(mutation.imitates)} That bug, ${code(mutation.name)} in ${code(mutation.file)}, must break ${code(twin.breaks)}.</p>`;
  return `<section aria-labelledby="twin">
<h2 id="twin">The sabotaged twin</h2>
${bug}
${run === undefined ? `<p>To see it: ${code(`npx midcall run ${name} --twin`)}</p>` : picture(run)}
</section>`;
}

function picture({ result, scenario, records }: TwinRun): string {
  const timeline = timelineOf(measure(records, scenario), result.oracles);
  const lanes = timeline.lanes.filter((lane) => lane.name.startsWith("hears"));
  const broken = result.oracles.filter((one) => one.verdict === "broken");
  return `<p><strong class="${result.verdict}">${SYMBOL[result.verdict]} ${result.verdict}</strong> ${escaped(result.cause)}</p>
<div class="drawing" role="region" tabindex="0" aria-labelledby="twin">${drawTimeline({ ...timeline, lanes, delays: [] })}</div>
${table(
  ["Broken in the twin", "Figures"],
  broken.map((one) => [one.name, one.detail]),
)}`;
}

/** Groups of figures that tell how a call went, the rest is noise from run to run. */
const TOLD: ReadonlySet<Figure["group"]> = new Set(["run", "oracle", "recovery", "audio", "signal", "path", "generations"]);
/** Figures that differ between any two runs. */
const ALWAYS_ANOTHER: ReadonlySet<string> = new Set(["hash", "cause"]);

/** What is different from the last run that held; empty without one. */
export function lastHeldSection(result: Result, lastHeld: Result | undefined): string {
  if (lastHeld === undefined) return "";
  const { differing } = compare(lastHeld, result);
  const told = differing.filter(({ group, name }) => TOLD.has(group) && !ALWAYS_ANOTHER.has(name) && !name.endsWith(": figures"));
  return `<section aria-labelledby="last-held">
<h2 id="last-held">Since the last run that held</h2>
<p>Beside ${code(lastHeld.dir)} (seed ${escaped(lastHeld.seed)}, commit ${escaped(lastHeld.versions.commit)}): ${told.length === 0 ? "nothing that matters differs." : `${told.length} figures differ.`}</p>
${
  told.length === 0
    ? ""
    : table(
        ["", "Then", "Now", "Change"],
        told.map((one) => [one.name, words(one, "before"), words(one, "after"), changeOf(one)]),
        "numbers",
      )
}
</section>`;
}

const code = (words: string): string => `<code>${escaped(words)}</code>`;
