/**
 * What a recording comes down to: its longest gap and the time around it, in figures that a simulated run can be compared with. The same code
 * reads the field's recording and the run that is to show the same.
 */

import type { FieldEvent, FieldSource } from "./field-event.ts";
import { bestMeasure, gapFinder, type Measure, type Span } from "./field-gap.ts";

/** What is known of the time of one gap; undefined: the recording cannot tell. */
export type Traits = {
  /** The client noticed that it no longer heard its relay. */
  readonly isSilent: boolean | undefined;
  /** The relay came back without its memory. */
  readonly isForgotten: boolean | undefined;
  /** A new session was begun. */
  readonly isReconnected: boolean | undefined;
  /** The client's address changed, as far as anybody noticed. */
  readonly isMoved: boolean | undefined;
  /** Of the frames sent in the gap, the share that never arrived. */
  readonly lost: number | undefined;
  /** How far the peer's frame numbers moved on, as a share of the gap's time: 0 when the peer sent nothing meanwhile. */
  readonly sent: number | undefined;
};

export type Gap = Span & { readonly traits: Traits };

/** The link around the gaps; undefined where the recording does not say. Lengths in microseconds. */
export type Background = {
  readonly roundTrip: number | undefined;
  /** Half the spread of delays (5th to 95th percentile). */
  readonly jitter: number | undefined;
  readonly loss: number | undefined;
  /** Packets lost in a row on average, 1 when every loss stands alone. */
  readonly lossRun: number | undefined;
};

export type Picture = {
  readonly measure: Measure;
  /** When the peer was first heard. */
  readonly begin: number;
  /** Of everything recorded. */
  readonly end: number;
  /** The part that is looked at. */
  readonly window: Span;
  /** The gaps in the window, in the order of time. */
  readonly gaps: readonly Gap[];
  /** The longest of them, if any. */
  readonly worst: Gap | undefined;
  readonly background: Background;
};

/** Time looked at on each side of the longest gap. chosen: what led to a gap and what it led to happen within the 10 s that timeouts take here. */
const AROUND = 15_000_000;
/** How long after a gap its signs may come. chosen: re-registration takes two round trips and a probe. */
const AFTER = 2_000_000;
/** A sign so long before a gap still belongs to it. chosen: a jitter buffer plays on for that long. */
const BEFORE = 300_000;
/** Frames that come in this time after a gap were sent during it, or show what was. chosen: ten frames. */
const FIRST_FRAMES = 200_000;
const FRAME = 20_000;
/** A client calls its relay silent after a second (impl/core/session.ts): whether it would have in a shorter gap no capture tells. */
const SILENCE = 1_200_000;

/** Undefined for a recording in which the peer was never heard. Gaps are told by `by`, else by the best that the recording has. Reads it twice, whatever its length, and keeps only the window. */
export async function pictureOf(source: Pick<FieldSource, "events">, by?: Measure): Promise<Picture | undefined> {
  const has = new Set<string>();
  const finders = {
    sound: gapFinder("sound", "longest"),
    frame: gapFinder("frame", "longest"),
    sample: gapFinder("sample", "longest"),
  };
  let begin: number | undefined;
  let end = 0;
  for await (const event of source.events()) {
    has.add(event.what === "sample" && event.until === event.t ? "figure" : event.what);
    for (const finder of Object.values(finders)) finder.take(event);
    if (begin === undefined && isMedia(event)) begin = event.t;
    end = Math.max(end, "until" in event ? event.until : event.t);
  }
  const measure = by ?? bestMeasure(has);
  if (measure === undefined || begin === undefined) return undefined;
  const longest = finders[measure].gaps().toSorted((a, b) => length(b) - length(a))[0];
  const window = {
    from: Math.max(begin, (longest?.from ?? begin) - AROUND),
    to: Math.min(end, (longest?.to ?? begin + AROUND) + AROUND),
  };
  const inside: FieldEvent[] = [];
  const roundTrips: number[] = [];
  for await (const event of source.events()) {
    if (event.what === "sample" && event.roundTrip !== undefined && event.t <= window.to) roundTrips.push(event.roundTrip);
    if (event.t >= window.from && event.t <= window.to) inside.push(event);
  }
  return draw(inside, { measure, begin, end, window, roundTrip: roundTrips.length === 0 ? undefined : middle(roundTrips) });
}

/** The picture of events that are at hand, in order of time. */
export async function pictureOfEvents(events: readonly FieldEvent[], by?: Measure): Promise<Picture | undefined> {
  const source = {
    async *events() {
      yield* events;
    },
  };
  return pictureOf(source, by);
}

const isMedia = (event: FieldEvent): boolean =>
  event.what === "frame" ||
  (event.what === "sound" && event.isHeard) ||
  (event.what === "sample" && event.until > event.t && (event.unheard ?? 0) < event.until - event.t && (event.loss ?? 0) < 1);

export const length = (span: Span): number => span.to - span.from;

type Frame = { readonly t: number; readonly seq: number | undefined };
type Known = Pick<Picture, "measure" | "begin" | "end" | "window"> & { readonly roundTrip: number | undefined };

function draw(events: readonly FieldEvent[], known: Known): Picture {
  const { roundTrip, ...rest } = known;
  const finder = gapFinder(known.measure, "all");
  for (const event of events) finder.take(event);
  const frames = events.flatMap((event): Frame[] => (event.what === "frame" ? [event] : []));
  const gaps = finder.gaps().map((span): Gap => ({ ...span, traits: traitsOf(span, events, frames) }));
  const worst = gaps.toSorted((a, b) => length(b) - length(a))[0];
  return { ...rest, gaps, worst, background: backgroundOf(events, frames, gaps, roundTrip) };
}

function traitsOf({ from, to }: Span, events: readonly FieldEvent[], frames: readonly Frame[]): Traits {
  const near = events.flatMap((event) =>
    event.what === "sign" && event.t >= from - BEFORE && event.t <= to + AFTER ? [event] : [],
  );
  const has = (sign: string): boolean => near.some((event) => event.sign === sign);
  // A log tells signs; a capture tells packets of the relay's; figures tell neither.
  const tellsPackets = events.some((event) => event.what === "sign" && event.sign === "packet");
  const tellsSigns = !tellsPackets && events.some((event) => event.what === "frame" || event.what === "sign");
  const margin = Math.min((to - from) / 4, BEFORE);
  const inGap = near.some((event) => event.sign === "packet" && event.t > from + margin && event.t < to - margin);
  return {
    isSilent: tellsSigns ? has("silent") : inGap ? false : tellsPackets && to - from > SILENCE ? true : undefined,
    isForgotten: tellsSigns ? has("reset") : undefined,
    isReconnected: tellsSigns || tellsPackets ? has("connecting") : undefined,
    isMoved: tellsSigns || tellsPackets ? has("address") : undefined,
    ...flowOf({ from, to }, frames),
  };
}

/** Which of the frames that were due in a gap came after all. */
function flowOf({ from, to }: Span, frames: readonly Frame[]): Pick<Traits, "lost" | "sent"> {
  let before: number | undefined;
  for (const frame of frames)
    if (frame.t <= from + FRAME && frame.seq !== undefined && frame.seq > (before ?? -1)) before = frame.seq;
  const first = frames.find((frame) => frame.t > to - FIRST_FRAMES && frame.seq !== undefined && frame.seq > (before ?? -1));
  if (before === undefined || first === undefined) return { lost: undefined, sent: undefined };
  const last = before;
  const late = frames.flatMap((frame) =>
    frame.seq !== undefined && frame.seq > last && frame.t <= first.t + FIRST_FRAMES ? [frame.seq] : [],
  );
  const span = Math.max(...late) - last;
  const ordinary = FIRST_FRAMES / FRAME;
  return {
    lost: 1 - Math.min(1, late.length / span),
    // What came after the gap in the ordinary way does not count for the gap.
    sent: Math.min(1, Math.max(0, (span - ordinary) * FRAME) / (to - from)),
  };
}

function backgroundOf(
  events: readonly FieldEvent[],
  frames: readonly Frame[],
  gaps: readonly Span[],
  roundTrip: number | undefined,
): Background {
  const isOutside = (t: number): boolean => gaps.every((gap) => t < gap.from - BEFORE || t > gap.to + AFTER);
  const samples = events.flatMap((event) =>
    event.what === "sample" && event.until > event.t && isOutside(event.t) && isOutside(event.until) ? [event] : [],
  );
  const figures = (pick: (event: (typeof samples)[number]) => number | undefined): number[] =>
    samples.flatMap((event) => pick(event) ?? []);
  const losses = figures((event) => event.loss);
  const jitters = figures((event) => event.jitter);
  const numbered = frames.flatMap(({ t, seq }) => (seq !== undefined && isOutside(t) ? [{ t, seq }] : []));
  const told = lossOf(numbered);
  return {
    roundTrip,
    jitter: spreadOf(numbered) ?? (jitters.length === 0 ? undefined : middle(jitters)),
    loss: told?.loss ?? (losses.length === 0 ? undefined : losses.reduce((sum, one) => sum + one, 0) / losses.length),
    lossRun: told?.run,
  };
}

type Numbered = { readonly t: number; readonly seq: number };

/** Loss between neighbouring frames; steps too large to be chance are gaps or another call. */
function lossOf(frames: readonly Numbered[]): { readonly loss: number; readonly run: number } | undefined {
  const seqs = frames.map((frame) => frame.seq).sort((a, b) => a - b);
  let lost = 0;
  let runs = 0;
  for (let i = 1; i < seqs.length; i++) {
    const missing = (seqs[i] as number) - (seqs[i - 1] as number) - 1;
    if (missing <= 0 || missing > 25) continue;
    lost += missing;
    runs++;
  }
  if (seqs.length < 2) return undefined;
  return { loss: lost / (lost + seqs.length), run: runs === 0 ? 1 : lost / runs };
}

/** Frames in a row over which delays are compared. chosen: a second; over longer times a sender that stood still or drifts would count as jitter. */
const BLOCK = 50;

/** Half the distance between the 5th and the 95th percentile of a second's delays, whatever the delay itself is: the middle one of all seconds. */
function spreadOf(frames: readonly Numbered[]): number | undefined {
  const spreads: number[] = [];
  for (let i = 0; i + BLOCK <= frames.length; i += BLOCK) {
    const delays = frames
      .slice(i, i + BLOCK)
      .map(({ t, seq }) => t - seq * FRAME)
      .sort((a, b) => a - b);
    const at = (share: number): number => delays[Math.floor(share * (delays.length - 1))] as number;
    spreads.push((at(0.95) - at(0.05)) / 2);
  }
  return spreads.length === 0 ? undefined : Math.round(middle(spreads));
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
