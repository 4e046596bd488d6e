/** What a campaign says of itself: its progress line, its summary, and the same as JSON. */

import type { Campaign } from "../../reports/campaign.ts";
import { PROBES } from "../../reports/probes.ts";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { FAULT_KINDS } from "../../scenarios/fault-language.ts";
import { formatSeed } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import type { CampaignRun, Plan, Tally, Violation } from "./campaign.ts";

/** A violation with what its run came to with real codec and crypto, if it was broken there too. */
export type Kept = Violation & { readonly confirmed: boolean; readonly kept: Result };

const number = (value: number): string => Math.round(value).toLocaleString("en-US");
const hours = (ms: number): string => (ms / 3_600_000).toFixed(1);

/** What a person is told while a campaign goes. On a terminal a line that changes all the time, below what was met for the first time and what broke; elsewhere a line each tenth of the way. */
export type CampaignView = {
  /** After each run, with its probes. */
  ran(run: Pick<CampaignRun, "seed" | "probes">): void;
  /** At once, before the run is made again with the real engines. */
  broke(violation: Violation): void;
  progress(): void;
};

export function viewOf(plan: Plan, tally: Tally, began: number, terminal: Terminal): CampaignView {
  const progress = terminal.isLive ? liveProgress(plan, tally, began, terminal) : plainProgress(plan, tally, began, terminal);
  if (!terminal.isLive) return { ran: () => undefined, broke: () => undefined, progress };
  const met = new Set<string>();
  return {
    ran: ({ seed, probes }) => {
      const fresh = probes.filter((name) => !met.has(name));
      for (const name of fresh) met.add(name);
      if (fresh.length > 0) terminal.notice([`seed ${formatSeed(seed)}  met ${fresh.join(", ")}`]);
    },
    broke: ({ seed, result, parted }) => {
      const first = result.oracles.find(({ verdict }) => verdict === "broken");
      const why = parted === undefined ? `${first?.name ?? result.verdict}: ${first?.detail ?? result.cause}` : "gave two logs";
      terminal.notice([`✗ seed ${formatSeed(seed)}  ${why}`]);
    },
    progress,
  };
}

const rateOf = (tally: Tally, began: number): string =>
  (tally.runs / Math.max(0.001, (performance.now() - began) / 1_000)).toFixed(0);

function liveProgress(plan: Plan, tally: Tally, began: number, terminal: Terminal): () => void {
  return () =>
    terminal.progress({
      stage: "explore",
      share: tally.runs / plan.seeds,
      of: { at: tally.runs, all: plan.seeds, bad: tally.violations },
      detail: `${rateOf(tally, began)}/s ${tally.probes.size}/${PROBES.length} probes`,
    });
}

/** chosen: a log that says nothing for longer looks like one that hangs. */
const TOLD_EVERY_MS = 60_000;

function plainProgress(plan: Plan, tally: Tally, began: number, terminal: Terminal): () => void {
  const words = (): string => {
    const found = `${tally.violations} violation${tally.violations === 1 ? "" : "s"}`;
    return `${number(tally.runs)} of ${number(plan.seeds)} seeds, ${rateOf(tally, began)} seeds/s, ${hours(tally.virtualMs)} virtual hours, ${found}, ${tally.probes.size} of ${PROBES.length} probes`;
  };
  let told = { tenth: -1, at: began };
  let stage = "";
  return () => {
    const now = { tenth: Math.floor((10 * tally.runs) / plan.seeds), at: performance.now() };
    if (now.tenth !== told.tenth || now.at - told.at >= TOLD_EVERY_MS) {
      stage = `explored ${words()}`;
      told = now;
    }
    terminal.progress({ stage });
  };
}

/** chosen: so many names are read at a glance. */
const NAMED = 5;
const basesOf = ({ bases }: Plan): string =>
  bases.length > NAMED ? `${bases.length} cases` : bases.map(({ name }) => name).join(", ");

/** Lines for people, the last one the number of violations. */
export function summary(plan: Plan, tally: Tally, wallMs: number): string[] {
  const never = [...FAULT_KINDS.keys()].filter((kind) => !tally.struck.has(kind));
  const struck = [...FAULT_KINDS.keys()].flatMap((kind) =>
    tally.struck.has(kind) ? [`${kind} ${number(tally.struck.get(kind) ?? 0)}`] : [],
  );
  const last = formatSeed(plan.from + Math.max(0, tally.runs - 1));
  return [
    `explored ${number(tally.runs)} seeds (${formatSeed(plan.from)} to ${last}) of ${basesOf(plan)}${plan.isSwarm ? ", swarm" : ""}: ${hours(tally.virtualMs)} virtual hours in ${(wallMs / 1_000).toFixed(1)} s, ${(tally.runs / (wallMs / 1_000)).toFixed(0)} seeds/s, ${number(Math.round(tally.virtualMs / wallMs))} times real time`,
    `  ${number(tally.settled)} runs settled or not, the others ended too early to say; ${number(tally.repeated)} made twice and compared`,
    `  runs in which a fault struck: ${struck.join(", ")}`,
    ...(never.length === 0 ? [] : [`  never struck: ${never.join(", ")}`]),
    `  probes hit: ${tally.probes.size} of ${PROBES.length}`,
    ...PROBES.flatMap(({ name, says }) => (tally.probes.has(name) ? [] : [`    never: ${name} (${says})`])),
    `violations: ${number(tally.violations)}`,
  ];
}

/** What an explored campaign's page tells besides its runs. */
export const explored = (plan: Plan, tally: Tally, wallMs: number): NonNullable<Campaign["explored"]> => ({
  says: summary(plan, tally, wallMs)
    .slice(0, 2)
    .map((line) => line.trim()),
  probes: PROBES.map(({ name, says }) => ({ name, says, runs: tally.probes.get(name) ?? 0 })),
  faults: [...FAULT_KINDS.keys()].map((name) => ({
    name,
    says: FAULT_KINDS.get(name)?.does ?? "",
    runs: tally.struck.get(name) ?? 0,
  })),
});

/** The contract's fields of `explore --json`; `runs` of each probe and each fault kind. */
export const asJson = (plan: Plan, tally: Tally, kept: readonly Kept[], wallMs: number): object => ({
  scenarios: plan.bases.map((one: Scenario) => one.name),
  from: formatSeed(plan.from),
  runs: tally.runs,
  repeated: tally.repeated,
  settled: tally.settled,
  virtualMs: tally.virtualMs,
  wallMs: Math.round(wallMs),
  struck: Object.fromEntries(tally.struck),
  probes: Object.fromEntries(PROBES.map(({ name }) => [name, tally.probes.get(name) ?? 0])),
  violations: kept
    .toSorted((a, b) => a.seed - b.seed)
    .map((one) => ({
      seed: formatSeed(one.seed),
      scenario: one.scenario.name,
      verdict: one.result.verdict,
      oracles: one.result.oracles.filter((oracle) => oracle.verdict === "broken"),
      confirmed: one.confirmed,
      ...(one.parted === undefined ? {} : { parted: one.parted }),
      dir: one.kept.dir,
    })),
});
