/**
 * A run laid out on one time axis, as data: faults, and a lane for each thing of each party that has a state over time.
 * timeline-chart.ts draws it. Times are microseconds; `tone` names a colour of the page's palette.
 */
import type { LogRecord } from "../impl/base/record.ts";
import { TIERS } from "../impl/base/tier.ts";
import { INTERRUPTION_MS } from "./audio.ts";
import { type Curve, delayCurve } from "./curves.ts";
import { inMs, inPercent, instant } from "./finding.ts";
import { stallsOf } from "./machine.ts";
import type { Evidence } from "./measure.ts";
import { FRAME_MS, gapsOf, type Playout, type Slot, type SlotKind, stretchesOf } from "./playout.ts";
import type { OracleResult } from "./result.ts";
import { standingsOf } from "./signal.ts";

/** What a colour stands for: audio (four), fine, under way, wrong, off, the two paths, and the two directions of a message. */
export type Tone =
  | "source"
  | "recovered"
  | "concealed"
  | "silence"
  | "comfort"
  | "fine"
  | "waiting"
  | "wrong"
  | "off"
  | "direct"
  | "relay"
  | "sent"
  | "received";

/** A piece of a lane. `bottom`..`top`: the part of the lane's height it fills, 0..1. `label` is drawn where it fits. */
export type Bar = {
  readonly from: number;
  readonly to: number;
  readonly tone: Tone;
  readonly title: string;
  readonly label?: string;
  /** Only its words are seen: the label in ink, the title under the pointer. */
  readonly isClear?: boolean;
  readonly bottom: number;
  readonly top: number;
};

export type Lane = { readonly party: string; readonly name: string; readonly bars: readonly Bar[] };

/** A fault; `to` equals `from` when nothing is undone. */
export type Band = { readonly from: number; readonly to: number; readonly label: string };

/** Where a limit was passed or a rule broken. */
export type Flag = { readonly at: number; readonly label: string };

export type Timeline = {
  readonly end: number;
  readonly bands: readonly Band[];
  readonly flags: readonly Flag[];
  readonly lanes: readonly Lane[];
  /** Mouth to ear over time; null where no source frame was played. */
  readonly delays: readonly Curve[];
};

/** Stretches of audio drawn one by one; beyond that shares of each of BINS slices are. chosen: half a megabyte of SVG. */
const STRETCHES_DRAWN = 2_000;
const BINS = 600;
/** Places along the axis where a message can be drawn: about one a pixel. */
const TICKS_DRAWN = 1_000;

/** `oracles`: those broken at an instant become flags. */
export function timelineOf(evidence: Evidence, oracles: readonly OracleResult[]): Timeline {
  const { scenario, records, conditions, runEnd, clients, playouts } = evidence;
  // Parties are given time to let go after the scenario's end: nothing in it is worth a place on the axis.
  const end = Math.max(1, Math.min(runEnd, Math.ceil(scenario.duration * 1.01)));
  const bands = conditions.flatMap((one): Band[] => {
    if (one.appliedMs === null) return [];
    const from = one.appliedMs * 1_000;
    return [{ from, to: one.healedMs === null ? from : Math.min(end, one.healedMs * 1_000), label: one.fault }];
  });
  const lanes = Object.keys(scenario.parties).flatMap((party): Lane[] => {
    const process = cut(processLane(records, party, end), end);
    const isClient = clients.includes(party);
    const wasAlwaysUp = process.bars.every((bar) => bar.tone === "fine");
    if (!isClient) return [process];
    return [
      ...(wasAlwaysUp ? [] : [process]),
      registrationLane(records, party, end),
      callLane(evidence, party, end),
      pathLane(evidence, party),
      directLane(records, party, end),
      tierLane(records, party, end),
      ...playouts.filter((one) => one.party === party).map(audioLane),
      signallingLane(records, party, end),
    ]
      .map((lane) => cut(lane, end))
      .filter((lane) => lane.bars.length > 0);
  });
  const machine = cut(machineLane(records, scenario.duration), end);
  if (machine.bars.length > 0) lanes.push(machine);
  const delays = playouts.flatMap((playout) => delayCurve(evidence, playout));
  const flags = oracles.flatMap((one): Flag[] =>
    one.verdict === "broken" && one.atMs !== undefined ? [{ at: Math.min(end, one.atMs * 1_000), label: `✗ ${one.name}` }] : [],
  );
  return { end, bands, flags, lanes, delays };
}

/** The lane up to the end of the axis. */
const cut = (lane: Lane, end: number): Lane => ({
  ...lane,
  bars: lane.bars.flatMap((bar) => (bar.from > end ? [] : [{ ...bar, to: Math.min(bar.to, end) }])),
});

const whole = { bottom: 0, top: 1 } as const;
const span = (from: number, to: number): string => `${instant(from)} to ${instant(to)} (${inMs((to - from) / 1_000)})`;

function processLane(records: readonly LogRecord[], party: string, end: number): Lane {
  const words = { started: "running", resumed: "running", killed: "killed", paused: "paused", exited: "exited" } as const;
  const tones = { running: "fine", killed: "wrong", paused: "waiting", exited: "off" } as const;
  const steps = records.flatMap((record) =>
    record.ev === "process" && record.who === party ? [{ t: record.t, word: words[record.state] }] : [],
  );
  return {
    party,
    name: "process",
    bars: stepsToBars(steps, end, (word) => tones[word]),
  };
}

/** When a thread of the run was kept waiting for a processor: what is heard then may be the machine's doing. */
const machineLane = (records: readonly LogRecord[], end: number): Lane => ({
  party: "machine",
  name: "stalls",
  bars: stallsOf(records, end).map(({ who, from, to, waited }) => ({
    ...{ from, to, ...whole, tone: "waiting" as const },
    title: `${who} got no processor for ${inMs(waited / 1_000)}: ${span(from, to)}`,
  })),
});

function registrationLane(records: readonly LogRecord[], party: string, end: number): Lane {
  const tones = {
    idle: "off",
    gone: "off",
    dead: "wrong",
    refused: "wrong",
    registered: "fine",
    connecting: "waiting",
    reconnecting: "waiting",
    switching: "waiting",
  } as const;
  const steps = standingsOf(records, party, end).map((one) => ({ t: one.from, word: one.state }));
  return { party, name: "registration", bars: stepsToBars(steps, end, (word) => tones[word]) };
}

function callLane({ calls }: Evidence, party: string, end: number): Lane {
  const tones = {
    offering: "waiting",
    ringing: "waiting",
    answered: "waiting",
    active: "fine",
    resumed: "fine",
    resuming: "wrong",
    ended: "off",
  } as const;
  const bars = calls.flatMap((call) => {
    const steps = (call.parties.get(party) ?? []).map((step) => ({
      t: step.t,
      word: step.state,
      ...(step.reason === undefined ? {} : { more: step.reason }),
    }));
    return stepsToBars(steps, end, (word) => tones[word]);
  });
  return { party, name: "call", bars };
}

function pathLane({ measurements, playouts, runEnd }: Evidence, party: string): Lane {
  const end = playouts.findLast((one) => one.party === party)?.end ?? runEnd;
  const steps = (measurements.path[party] ?? []).map((step) => ({
    t: step.atMs * 1_000,
    word: step.path,
    more: `${step.candidate} candidate`,
  }));
  return { party, name: "sends by", bars: stepsToBars(steps, end, (word) => word) };
}

/** What a party speaks in; empty for one whose tier never changes. */
function tierLane(records: readonly LogRecord[], party: string, end: number): Lane {
  const tones: readonly Tone[] = ["fine", "waiting", "wrong"];
  const all = records.flatMap((record) => (record.ev === "tier" && record.who === party ? [record] : []));
  const steps = all.map((record) => ({ t: record.t, word: record.tier, more: `${record.coding}, ${record.reason}` }));
  return { party, name: "speaks", bars: stepsToBars(steps, end, (tier) => tones[TIERS.indexOf(tier)] ?? "off") };
}

/** How a party stands with direct paths: the best of its attempts at every instant. */
function directLane(records: readonly LogRecord[], party: string, end: number): Lane {
  const tones = { succeeded: "direct", "in-progress": "waiting", failed: "wrong", closed: "off" } as const;
  const best = ["succeeded", "in-progress", "failed", "closed"] as const;
  const attempts = new Map<number, keyof typeof tones>();
  const steps: { t: number; word: keyof typeof tones; more: string }[] = [];
  for (const record of records) {
    if (record.ev !== "candidate-pair" || record.who !== party) continue;
    attempts.set(record.session, record.state === "migrated" ? "succeeded" : record.state);
    const word = best.find((one) => [...attempts.values()].includes(one)) ?? "closed";
    if (steps.at(-1)?.word === word) continue;
    steps.push({
      t: record.t,
      word,
      more: `${record.candidate} ${record.remote}${record.reason === undefined ? "" : `, ${record.reason}`}`,
    });
  }
  return { party, name: "direct path", bars: stepsToBars(steps, end, (state) => tones[state]) };
}

/** Bars from changes of state; each lasts to the next one. */
function stepsToBars<Word extends string>(
  steps: readonly { readonly t: number; readonly word: Word; readonly more?: string }[],
  end: number,
  toneOf: (word: Word) => Tone,
): Bar[] {
  return steps.flatMap((step, index) => {
    const to = steps[index + 1]?.t ?? end;
    if (to < step.t || (to === step.t && index < steps.length - 1)) return [];
    const label = step.more === undefined ? step.word : `${step.word}: ${step.more}`;
    return [{ from: step.t, to, tone: toneOf(step.word), title: `${label}, ${span(step.t, to)}`, label: step.word, ...whole }];
  });
}

/** How much of the lane's height a kind fills, so that the strip can be read without its colours. */
export const HEIGHT: Readonly<Record<SlotKind, number>> = {
  source: 1,
  recovered: 0.85,
  concealed: 0.5,
  silence: 0.16,
  comfort: 0.3,
};
/** From the bottom of a slice upwards. */
const STACK: readonly SlotKind[] = ["source", "recovered", "comfort", "concealed", "silence"];

function audioLane(playout: Playout): Lane {
  const name = playout.peer === undefined ? "hears" : `hears ${playout.peer}`;
  const stretches = stretchesOf(playout.slots);
  if (stretches.length > STRETCHES_DRAWN) return { party: playout.party, name, bars: slices(playout.slots) };
  const audio = stretches.map(
    ({ kind, from, to }): Bar => ({ from, to, tone: kind, title: `${kind}, ${span(from, to)}`, bottom: 0, top: HEIGHT[kind] }),
  );
  const interruptions = gapsOf(playout.slots).filter((gap) => gap.frames * FRAME_MS >= INTERRUPTION_MS);
  const marks = interruptions.map((gap): Bar => {
    const to = gap.at + gap.frames * FRAME_MS * 1_000;
    const label = inMs(gap.frames * FRAME_MS);
    return { from: gap.at, to, tone: "silence", title: `gap, ${span(gap.at, to)}`, label, isClear: true, ...whole };
  });
  return { party: playout.party, name, bars: [...audio, ...marks] };
}

/** Shares of each kind per slice of time, stacked: what a long or badly torn call looks like. */
function slices(slots: readonly Slot[]): Bar[] {
  const start = slots[0]?.at ?? 0;
  const width = Math.ceil(((slots.at(-1)?.at ?? start) - start + 1) / BINS);
  return [...Map.groupBy(slots, (slot) => Math.floor((slot.at - start) / width))].flatMap(([index, members]) => {
    const from = start + index * width;
    let bottom = 0;
    const shares = STACK.flatMap((kind) => {
      const share = members.reduce((n, slot) => n + (slot.kind === kind ? 1 : 0), 0) / members.length;
      return share === 0 ? [] : [{ kind, share }];
    });
    const title = `${shares.map(({ kind, share }) => `${inPercent(share)} ${kind}`).join(", ")}, ${span(from, from + width)}`;
    return shares.map(({ kind, share }): Bar => {
      const bar = { from, to: from + width, tone: kind, title, bottom, top: bottom + share };
      bottom += share;
      return bar;
    });
  });
}

function signallingLane(records: readonly LogRecord[], party: string, end: number): Lane {
  const messages = records.flatMap((record) => (record.ev === "signal" && record.who === party ? [record] : []));
  // Messages too close together to be told apart are one tick.
  const ticks = Map.groupBy(messages, (record) => `${record.dir} ${Math.floor((record.t / end) * TICKS_DRAWN)}`);
  const bars = [...ticks.values()].flatMap((members): Bar[] => {
    const first = members[0];
    if (first === undefined) return [];
    const half = first.dir === "sent" ? { bottom: 0.5, top: 1 } : { bottom: 0, top: 0.5 };
    const types = [...Map.groupBy(members, (record) => record.type)].map(([type, same]) =>
      same.length === 1 ? type : `${same.length} ${type}`,
    );
    const title = `${first.dir} ${types.join(", ")}, ${instant(first.t)}`;
    return [{ from: first.t, to: first.t, tone: first.dir, title, ...half }];
  });
  return { party, name: "messages", bars };
}
