/** Makes a reproduced scenario as simple as it goes while it shows the same gap, told by the same traits. */
import type { Fault, LinkModel, Scenario } from "../../scenarios/expanded.ts";
import { ddmin, keepFaults } from "../shrink/fault-subset.ts";
import { INTERFACE, RECORDER } from "./explanation.ts";
import type { Picture } from "./picture.ts";
import type { Show } from "./reproduction.ts";

export type Simplified = { readonly scenario: Scenario; readonly picture: Picture; readonly runs: number };

/** Steps that people write times in, the coarse first; microseconds. */
const ROUND = [1_000_000, 500_000, 100_000, 50_000, 10_000];
const DELAYS = [10_000, 5_000, 1_000];
/** The run ends so long after the last fault is over. chosen: as in reproduction.ts. */
const TRAIL = 5_000_000;

/** `isStill`: whether a run's picture shows the same. `scenario` itself gave `picture` and does. */
export async function simpler(
  scenario: Scenario,
  picture: Picture,
  show: Show,
  isStill: (picture: Picture) => boolean,
): Promise<Simplified> {
  let best = { scenario, picture };
  let runs = 0;
  const attempt = async (candidate: Scenario): Promise<boolean> => {
    if (JSON.stringify(candidate) === JSON.stringify(best.scenario)) return false;
    runs++;
    const shown = await show(candidate);
    if (shown === undefined || !isStill(shown)) return false;
    best = { scenario: candidate, picture: shown };
    return true;
  };
  const first = async (candidates: readonly Scenario[]): Promise<void> => {
    for (const candidate of candidates) if (await attempt(candidate)) return;
  };
  const from = best.scenario;
  await ddmin(
    from.faults.map((_, index) => index),
    (keep) => attempt(keepFaults(from, keep)),
  );
  await attempt(withLinks(best.scenario, (link) => ({ ...link, loss: 0, burst: null })));
  await attempt(withLinks(best.scenario, (link) => ({ ...link, jitter: 0 })));
  await first(DELAYS.map((step) => withLinks(best.scenario, (link) => ({ ...link, delay: rounded(link.delay, step) }))));
  await first(DELAYS.map((step) => withLinks(best.scenario, (link) => ({ ...link, jitter: rounded(link.jitter, step) }))));
  for (let index = 0; index < best.scenario.faults.length; index++) {
    await first(ROUND.map((step) => withFault(best.scenario, index, (fault) => ({ ...fault, when: roundedStart(fault, step) }))));
    await first(
      ROUND.map((step) =>
        withFault(best.scenario, index, (fault) =>
          fault.for === null ? fault : { ...fault, for: Math.max(step, rounded(fault.for, step)) },
        ),
      ),
    );
  }
  await attempt({ ...best.scenario, duration: Math.min(best.scenario.duration, lastHeal(best.scenario) + TRAIL) });
  return { ...best, runs };
}

const rounded = (value: number, step: number): number => Math.round(value / step) * step;
const roundedStart = ({ when }: Fault, step: number): Fault["when"] =>
  "at" in when ? { at: Math.max(step, rounded(when.at, step)) } : when;

const withFault = (scenario: Scenario, index: number, change: (fault: Fault) => Fault): Scenario => ({
  ...scenario,
  faults: scenario.faults.map((fault, i) => (i === index ? change(fault) : fault)),
});

/** Both directions of the recorder's link changed. */
function withLinks(scenario: Scenario, change: (link: LinkModel) => LinkModel): Scenario {
  const party = scenario.parties[RECORDER];
  const access = party?.interfaces[INTERFACE];
  if (party === undefined || access === undefined) return scenario;
  const interfaces = { [INTERFACE]: { ...access, up: change(access.up), down: change(access.down) } };
  return { ...scenario, parties: { ...scenario.parties, [RECORDER]: { ...party, interfaces } } };
}

/** End of the last fault, to the next whole second. */
const lastHeal = ({ faults }: Scenario): number =>
  Math.ceil(Math.max(0, ...faults.map(({ when, for: lasts }) => ("at" in when ? when.at : 0) + (lasts ?? 0))) / 1e6) * 1e6;
