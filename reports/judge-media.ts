/** Oracles about what the parties heard: that media flow, come back after faults, and how much was missing or late. */
import type { OracleParameters } from "../scenarios/oracles.ts";
import { talkersOf } from "./call-log.ts";
import { broken, type Finding, held, inconclusive, inMs, inPercent, inTime, together } from "./finding.ts";
import type { Evidence } from "./measure.ts";
import { FRAME_MS, gapsOf, isGap, isSource, type Playout } from "./playout.ts";
import { healOf } from "./recovery.ts";
import type { PartyAudio, Recovery } from "./result.ts";

const NO_CALLS = "the scenario plans no calls";

/** At least `frames` consecutive source frames (comfort noise does not interrupt them). */
export function mediaFlows(evidence: Evidence, { party, frames }: OracleParameters["media-flows"]): Finding {
  const findings = asked(evidence, party).map((name) => {
    const runs = evidence.playouts.flatMap((one) => (one.party === name ? [longestRun(one)] : []));
    const { frames: most, cutAt } = runs.reduce((best, one) => (one.frames > best.frames ? one : best), NO_RUN);
    return most >= frames ? held(`${name} ${most} frames`) : broken(`${name} ${most} frames`, cutAt);
  });
  return together(findings, `at least ${frames} in a row`, NO_CALLS);
}

/** Media flow again within `within` of each fault or its heal, for every party that had a call then. */
export function mediaRecovers(evidence: Evidence, parameters: OracleParameters["media-recovers"]): Finding {
  const { within, from, fault } = parameters;
  const wanted = evidence.scenario.faults.flatMap((_, index) => (fault === undefined || fault === index ? [index] : []));
  const findings = wanted.flatMap((index) => {
    const condition = evidence.conditions[index];
    const label = wanted.length === 1 ? "" : ` from ${condition?.fault ?? `fault ${index}`}`;
    if (condition?.appliedMs === null) return [inconclusive(`fault ${index} (${condition.fault}) never happened`)];
    const entries = evidence.measurements.recovery.filter((one) => one.fault === index);
    if (entries.length === 0) return [inconclusive(`nobody had a call during fault ${index} (${condition?.fault})`)];
    return entries.map((entry) => recovered(evidence, entry, index, from, within, label));
  });
  return together(findings, `limit ${inTime(within)} from the ${from}`, "the scenario has no faults");
}

function recovered(
  evidence: Evidence,
  entry: Recovery,
  index: number,
  from: "fault" | "heal",
  within: number,
  label: string,
): Finding {
  const condition = evidence.conditions[index];
  const fault = evidence.scenario.faults[index];
  const heal = condition === undefined || fault === undefined ? undefined : healOf(condition, fault);
  const start = from === "heal" ? (heal ?? 0) : (condition?.appliedMs ?? 0) * 1_000;
  const ms = from === "heal" ? entry.fromHealMs : entry.fromFaultMs;
  if (ms !== null) {
    const words = `${entry.party} ${inMs(ms)}${label}`;
    return ms * 1_000 <= within ? held(words) : broken(words, start + within);
  }
  const end = evidence.playouts.findLast((playout) => playout.party === entry.party)?.end ?? evidence.runEnd;
  if (end < start + within) return inconclusive(`${entry.party}'s call ended before the limit${label}`);
  return broken(`${entry.party} never heard again${label}`, start + within);
}

/** No gap longer than `max`. */
export function longestGap(evidence: Evidence, { party, max }: OracleParameters["longest-gap"]): Finding {
  return heard(evidence, party, `limit ${inTime(max)}`, (name, audio) => {
    if (audio.longestGapMs * 1_000 <= max) return held(`${name} ${inMs(audio.longestGapMs)}`);
    return tooLong(evidence, name, max, `${name} ${inMs(audio.longestGapMs)}`);
  });
}

/** At most the share `max` of frames concealed or silent. */
export function concealment(evidence: Evidence, { party, max }: OracleParameters["concealment"]): Finding {
  return heard(evidence, party, `limit ${inPercent(max)}`, (name, audio) => {
    const words = `${name} ${inPercent(audio.concealmentRatio)}`;
    if (audio.concealmentRatio <= max) return held(words);
    return { ...broken(words), excess: (audio.concealmentRatio - max) * audio.framesExpected * FRAME_MS * 1_000 };
  });
}

/** No gap of 150 ms or more. */
export function noInterruption(evidence: Evidence, { party }: OracleParameters["no-interruption"]): Finding {
  return heard(evidence, party, "none of 150 ms or more", (name, audio) => {
    const words = `${name} ${audio.interruptionCount}, longest gap ${inMs(audio.longestGapMs)}`;
    return audio.interruptionCount === 0 ? held(words) : tooLong(evidence, name, 149_999, words);
  });
}

/** 95 % of source frames within `p95` from mouth to ear. */
export function mouthToEar(evidence: Evidence, { party, p95 }: OracleParameters["mouth-to-ear"]): Finding {
  return heard(evidence, party, `limit ${inTime(p95)}`, (name, audio) => {
    const found = audio.mouthToEarMs.p95;
    if (found === null) return inconclusive(`${name} unknown: no frame's sending is in the log`);
    return found * 1_000 <= p95 ? held(`${name} ${inMs(found)}`) : broken(`${name} ${inMs(found)}`);
  });
}

const asked = ({ scenario }: Evidence, party: string | undefined): string[] =>
  party === undefined ? talkersOf(scenario) : [party];

function heard(
  evidence: Evidence,
  party: string | undefined,
  limit: string,
  judge: (name: string, audio: PartyAudio) => Finding,
): Finding {
  const findings = asked(evidence, party).map((name) => {
    const audio = evidence.measurements.audio[name];
    return audio === undefined || audio.framesPlayed === 0 ? broken(`${name} never heard anything`) : judge(name, audio);
  });
  return together(findings, limit, NO_CALLS);
}

/** Broken from the first gap on that is longer than `max` microseconds. */
function tooLong({ playouts }: Evidence, party: string, max: number, words: string): Finding {
  const gaps = playouts.flatMap((playout) => (playout.party === party ? gapsOf(playout.slots) : []));
  const misses = gaps.flatMap(({ at, frames }) => {
    const by = frames * FRAME_MS * 1_000 - max;
    return by > 0 ? [{ at, by }] : [];
  });
  return { ...broken(words, misses[0]?.at), misses };
}

/** Frames in a row, and where a gap ended them. */
type Run = { readonly frames: number; readonly cutAt?: number };
const NO_RUN: Run = { frames: 0 };

function longestRun({ slots }: Playout): Run {
  let best = NO_RUN;
  let frames = 0;
  for (const { at, kind } of slots) {
    if (isSource(kind)) frames++;
    else if (isGap(kind)) {
      if (frames > best.frames) best = { frames, cutAt: at };
      frames = 0;
    }
  }
  return frames > best.frames ? { frames } : best;
}
