/** What a reproduction comes to, in words and as data: what was inferred, how surely, what nobody could know, how close it came. */
import type { Fault } from "../../scenarios/expanded.ts";
import { describeFault } from "../../scenarios/fault-label.ts";
import { formatTime } from "../../scenarios/time.ts";
import type { FieldSource } from "./field-event.ts";
import { length, type Picture } from "./picture.ts";
import { type Attempt, EQUAL, type Finding, type Reproduction } from "./reproduction.ts";
import type { Simplified } from "./simpler.ts";

/** How surely an explanation is the right one among those that were tried. */
export type Certainty = "clear" | "likely" | "open";

export type GapAccount = {
  /** Milliseconds since the peer was first heard. */
  readonly atMs: number;
  readonly recordedMs: number;
  readonly shownMs: number | null;
  /** Of the simulated length against the recorded one, in per cent; null where nothing was shown. */
  readonly errorPercent: number | null;
  readonly explanation: string;
  readonly words: string;
  readonly certainty: Certainty;
  /** Explanations that the recording cannot tell from the one given. */
  readonly orElse: readonly string[];
};

export type Account = {
  readonly format: string;
  readonly view: string;
  readonly recordedS: number;
  readonly lookedAtS: number;
  readonly gaps: readonly GapAccount[];
  /** Gaps of 150 ms and more, the longest first, that were looked into, of how many. */
  readonly background: readonly string[];
  readonly faults: readonly string[];
  readonly unknown: readonly string[];
  readonly remarks: readonly string[];
  readonly runs: number;
};

/** An explanation that is worse by this much than the next is clear. chosen: one trait that differs. */
const CLEAR = 0.7;

export function accountOf(source: FieldSource, recording: Picture, found: Reproduction, simple: Simplified): Account {
  return {
    format: source.format,
    view: source.view,
    recordedS: inSeconds(recording.end - recording.begin),
    lookedAtS: inSeconds(length(recording.window)),
    gaps: found.findings.map((finding) => gapAccount(finding, recording)),
    background: backgroundWords(recording),
    faults: simple.scenario.faults.map(faultWords),
    unknown: unknownOf(source, recording),
    remarks: source.remarks,
    runs: found.runs + simple.runs,
  };
}

function gapAccount({ gap, attempts }: Finding, recording: Picture): GapAccount {
  const [best, ...others] = attempts;
  const rivals = best === undefined ? [] : others.filter((other) => other.distance - best.distance < EQUAL);
  const next = others.find((other) => !rivals.includes(other));
  const recorded = length(gap);
  const shown = best?.shown === undefined ? null : length(best.shown);
  return {
    atMs: inMillis(gap.from - recording.begin),
    recordedMs: inMillis(recorded),
    shownMs: shown === null ? null : inMillis(shown),
    errorPercent: shown === null ? null : Math.round(((shown - recorded) / recorded) * 1_000) / 10,
    explanation: best?.explanation.name ?? "none",
    words: best?.explanation.words ?? "no fault that was tried shows it",
    certainty: certaintyOf(best, rivals, next),
    orElse: rivals.map((rival) => rival.explanation.words),
  };
}

function certaintyOf(best: Attempt | undefined, rivals: readonly Attempt[], next: Attempt | undefined): Certainty {
  if (best === undefined || rivals.length > 0) return "open";
  return next === undefined || next.distance - best.distance >= CLEAR ? "clear" : "likely";
}

function backgroundWords({ background }: Picture): string[] {
  const { roundTrip, jitter, loss, lossRun } = background;
  return [
    roundTrip === undefined ? "round trip not told, taken as 25 ms" : `round trip to the relay ${inMillis(roundTrip)} ms`,
    ...(jitter === undefined ? [] : [`jitter ±${inMillis(jitter)} ms`]),
    ...(loss === undefined ? [] : [`loss ${Math.round(loss * 1_000) / 10} % outside of the gaps`]),
    ...(lossRun === undefined || lossRun < 1.5 ? [] : [`in runs of ${Math.round(lossRun * 10) / 10} packets`]),
  ];
}

/** What no recording of this kind can tell. */
function unknownOf({ format }: FieldSource, { background, gaps }: Picture): string[] {
  const always = [
    "how the round trip splits into the way there and the way back: taken as half each",
    "the peer's own link: taken as 25 ms of round trip without loss",
  ];
  const by: Readonly<Record<FieldSource["format"], readonly string[]>> = {
    "event-log": [],
    capture: [
      "what the listener heard: gaps are those in which no frame arrived, and a jitter buffer shortens or lengthens them by its own depth",
    ],
    "webrtc-internals": ["where inside of a sample a gap began: known to one sample, its length from the concealed samples"],
    table: [
      "what was heard: a gap is where 90 % and more were lost, known to one line of the table",
      "any sign of sessions, relays and addresses",
    ],
  };
  return [
    ...always,
    ...by[format],
    ...(background.roundTrip === undefined ? ["the round trip"] : []),
    ...(gaps.some((gap) => gap.traits.lost === undefined) ? ["whether the frames of the gap were lost or never sent"] : []),
  ];
}

const faultWords = (fault: Fault): string => {
  const at = "at" in fault.when ? `t=${formatTime(fault.when.at)}` : "on a trigger";
  return `${at} ${describeFault(fault)}${fault.for === null ? "" : ` for ${formatTime(fault.for)}`}`;
};

/** The account as the terminal and reproduction.md have it. */
export function accountLines(account: Account): string[] {
  const { gaps } = account;
  return [
    `${account.format}: ${account.view}; ${account.recordedS} s recorded, ${account.lookedAtS} s around the longest gap looked at`,
    `link: ${account.background.join(", ")}`,
    ...gaps.flatMap((gap) => [
      `gap of ${gap.recordedMs} ms, ${(gap.atMs / 1_000).toFixed(3)} s into the call: shown with ${gap.shownMs ?? "no"} ms${gap.errorPercent === null ? "" : ` (${gap.errorPercent >= 0 ? "+" : ""}${gap.errorPercent} %)`}`,
      `  inferred, ${CERTAINTY[gap.certainty]}: ${gap.words}`,
      ...gap.orElse.map((other) => `  as well possible: ${other}`),
    ]),
    ...account.unknown.map((one) => `not known: ${one}`),
    ...account.remarks.map((one) => `note: ${one}`),
    `scenario (${account.runs} runs): ${account.faults.join("   ") || "no faults"}`,
  ];
}

const CERTAINTY: Readonly<Record<Certainty, string>> = {
  clear: "and no other explanation fits",
  likely: "and others fit less well",
  open: "but the recording cannot tell it from others",
};

const inMillis = (micros: number): number => Math.round(micros / 100) / 10;
const inSeconds = (micros: number): number => Math.round(micros / 100_000) / 10;
