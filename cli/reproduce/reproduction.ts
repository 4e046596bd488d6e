/**
 * Finds the scenario that shows what a recording shows: each gap of the recording gets every explanation in turn, simulated, and its instant and
 * length set until the gap in the simulation is the gap in the recording. The explanation whose run is most like the recording is kept.
 */
import type { Fault, LinkModel, Scenario } from "../../scenarios/expanded.ts";
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { scenario as writeScenario } from "../../scenarios/scenario.ts";
import { disagreement, EXPLANATIONS, type Explanation, HOME_NAT, INTERFACE, NAT, PEER, RECORDER, RELAY } from "./explanation.ts";
import { type Gap, length, type Picture } from "./picture.ts";

/** Runs a scenario and gives the recorder's picture of it; undefined when the recorder heard nothing at all. */
export type Show = (scenario: Scenario) => Promise<Picture | undefined>;

/** One explanation of a gap with the run that comes nearest to it. */
export type Attempt = {
  readonly explanation: Explanation;
  readonly faults: readonly Fault[];
  /** The gap in the simulated run; undefined: there was none. */
  readonly shown: Gap | undefined;
  /** 0 for a gap that is the same in everything; see `distance`. */
  readonly distance: number;
};

/** What was found for one gap of the recording: attempts, the best first. */
export type Finding = { readonly gap: Gap; readonly attempts: readonly Attempt[] };

export type Reproduction = {
  readonly scenario: Scenario;
  readonly picture: Picture;
  /** One for each gap of the recording that was looked into, the longest first. */
  readonly findings: readonly Finding[];
  readonly runs: number;
};

/** Gaps looked into, the longest first. chosen: what a report can tell and a person can follow. */
const GAPS = 4;
/** Shorter ones are left to the link's loss. chosen: an interruption that is heard as one (reports/audio.ts). */
const SHORTEST = 150_000;
/** Runs spent on the instant and length of one explanation. chosen: the second is nearly always there, the third for what reacts late. */
const TRIES = 5;
/** A gap is hit when it differs by no more. chosen: one frame, or what a listener cannot tell. */
const HIT = 20_000;
const HIT_SHARE = 0.03;
/** A call in the simulation is up and heard by then. */
const LEAD = 3_000_000;
/** And goes on for so long after the last gap. chosen: longer than a party needs to take a call up again. */
const TRAIL = 5_000_000;
/** One way, where the recording does not tell the round trip. chosen: the profile `broadband`. */
const USUAL_DELAY = 12_500;

/** Undefined when no simulated call was heard at all, which only a bug explains. */
export async function reproduce(recording: Picture, name: string, show: Show): Promise<Reproduction | undefined> {
  let runs = 0;
  const run: Show = async (scenario) => {
    runs++;
    return show(scenario);
  };
  const gaps = recording.gaps
    .filter((gap) => length(gap) >= SHORTEST || gap === recording.worst)
    .toSorted((a, b) => length(b) - length(a))
    .slice(0, GAPS);
  const quiet = base(recording, name, gaps);
  const first = await run(quiet);
  if (first === undefined) return undefined;
  /** From the recording's clock to the scenario's, so that the part looked at begins when the call is heard. */
  const shift = Math.max(LEAD, first.begin) - recording.window.from;
  let best: { readonly scenario: Scenario; readonly picture: Picture } = { scenario: quiet, picture: first };
  const findings: Finding[] = [];
  for (const gap of gaps) {
    const attempts: (Attempt & typeof best)[] = [];
    for (const explanation of EXPLANATIONS) {
      if (explanation.hasNat && gap.traits.isMoved !== true) continue;
      const attempt = await tune(explanation, gap, shift, best.scenario, run);
      if (attempt !== undefined) attempts.push(attempt);
    }
    // The order of EXPLANATIONS decides between equals: sorting is stable.
    attempts.sort((a, b) => rank(a) - rank(b));
    findings.push({ gap, attempts });
    const [chosen] = attempts;
    if (chosen?.shown !== undefined) best = chosen;
  }
  return { ...best, findings, runs };
}

/** Distances closer than this are equal. chosen: what another seed of the same scenario makes of a share. */
export const EQUAL = 0.15;
const rank = ({ distance }: Attempt): number => Math.round(distance / EQUAL);

/** Sets an explanation's instant and length until its gap is the recording's. */
async function tune(
  explanation: Explanation,
  gap: Gap,
  shift: number,
  before: Scenario,
  run: Show,
): Promise<(Attempt & { readonly scenario: Scenario; readonly picture: Picture }) | undefined> {
  const wanted = { ...gap, from: gap.from + shift, to: gap.to + shift };
  let at = wanted.from;
  let lasts = length(wanted);
  let nearest: (Attempt & { readonly scenario: Scenario; readonly picture: Picture }) | undefined;
  for (let round = 0; round < TRIES; round++) {
    const faults = explanation.fault(at, lasts);
    const scenario: Scenario = {
      ...before,
      nats: explanation.hasNat ? { [NAT]: HOME_NAT } : before.nats,
      parties: explanation.hasNat ? behindNat(before.parties) : before.parties,
      faults: [...before.faults, ...faults],
    };
    const picture = await run(scenario);
    if (picture === undefined) return nearest;
    const shown = overlapping(picture.gaps, wanted);
    const attempt = { explanation, faults, shown, distance: distance(wanted, shown), scenario, picture };
    if (nearest === undefined || attempt.distance < nearest.distance) nearest = attempt;
    if (shown === undefined) {
      lasts = Math.round(lasts * 1.5);
      continue;
    }
    const [late, long] = [shown.from - wanted.from, length(shown) - length(wanted)];
    if (Math.abs(late) <= HIT && Math.abs(long) <= Math.max(HIT, HIT_SHARE * length(wanted))) break;
    at = Math.max(LEAD / 2, at - late);
    lasts = Math.max(HIT, lasts - long);
  }
  return nearest;
}

/** The gap that shares most of its time with `wanted`. */
function overlapping(gaps: readonly Gap[], wanted: Gap): Gap | undefined {
  const shared = (gap: Gap): number => Math.min(gap.to, wanted.to) - Math.max(gap.from, wanted.from);
  return gaps.filter((gap) => shared(gap) > 0).toSorted((a, b) => shared(b) - shared(a))[0];
}

/** How far a simulated gap is from the recorded one: three times the relative error of its length, its traits that differ, its delay in lengths. */
export function distance(wanted: Gap, shown: Gap | undefined): number {
  if (shown === undefined) return Number.POSITIVE_INFINITY;
  const off = Math.abs(length(shown) - length(wanted)) / length(wanted);
  const late = Math.min(1, Math.abs(shown.from - wanted.from) / length(wanted));
  // An error that nobody hears does not decide between explanations.
  return (off <= HIT_SHARE ? 0 : 3 * off) + (late <= HIT_SHARE ? 0 : late) + disagreement(wanted.traits, shown.traits);
}

/** The call without what went wrong: the links as the recording shows them. */
function base({ background, window }: Picture, name: string, gaps: readonly Gap[]): Scenario {
  const delay = background.roundTrip === undefined ? USUAL_DELAY : Math.round(background.roundTrip / 2);
  const up = { ...CLEAN, delay };
  const jitter = Math.min(delay, background.jitter ?? 0);
  const down = { ...up, ...lossOf(background), jitter };
  const last = Math.max(window.from, ...gaps.map((gap) => gap.to));
  const link = { ...CLEAN, delay: USUAL_DELAY };
  return writeScenario({
    name,
    asks: "Does the simulation show what the recording shows?",
    tags: ["reproduced"],
    labs: ["sim", "netns", "docker"],
    duration: LEAD + (last - window.from) + TRAIL,
    nats: {},
    parties: {
      [RECORDER]: { role: "client", interfaces: { [INTERFACE]: { up, down, nat: null } } },
      [PEER]: { role: "client", interfaces: { [INTERFACE]: { up: link, down: link, nat: null } } },
      [RELAY]: { role: "relay" },
    },
    calls: [{ caller: RECORDER, callee: PEER, at: 300_000, answerAfter: 200_000 }],
    faults: [],
    expect: [{ oracle: "no-interruption", party: RECORDER }],
  } as Parameters<typeof writeScenario>[0]);
}

/** Independent loss, or bursts where losses come in rows (Gilbert's model: mean run 1/r, share p/(p+r)). */
function lossOf({ loss = 0, lossRun = 1 }: Picture["background"]): Pick<LinkModel, "loss" | "burst"> {
  // chosen: what a minute of a good link shows by chance is not modelled
  if (loss < 0.002) return { loss: 0, burst: null };
  if (lossRun < 1.5) return { loss: rounded(loss), burst: null };
  const r = 1 / lossRun;
  return { loss: 0, burst: { p: rounded((loss * r) / (1 - loss)), r: rounded(r), lossGood: 0, lossBad: 1 } };
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

const behindNat = (parties: Scenario["parties"]): Scenario["parties"] =>
  Object.fromEntries(
    Object.entries(parties).map(([name, party]) =>
      name === RECORDER
        ? [
            name,
            {
              ...party,
              interfaces: Object.fromEntries(Object.entries(party.interfaces).map(([i, one]) => [i, { ...one, nat: NAT }])),
            },
          ]
        : [name, party],
    ),
  );
