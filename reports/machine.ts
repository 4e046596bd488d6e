/**
 * Whether the machine of a run in real time kept up. Where a process waited for a processor, what the run shows of time and of sound may be the machine's doing and
 * not the system's: a promise that was broken about then is not judged. What no lack of time excuses stays broken, and what held in spite of it holds.
 */
import type { LogRecord } from "../impl/base/record.ts";
import { type Finding, instant, inTime, type Miss } from "./finding.ts";

/** A thread that ran nothing: instants and durations in microseconds, `waited` of which it did not compute either. */
export type Stall = { readonly who: string; readonly from: number; readonly to: number; readonly waited: number };

/** chosen: two tenths of a second are heard, and a twentieth more than the least of a gap that is an interruption. */
const EXCUSES_FROM = 200_000;
/** Where nobody knows when a promise was broken, it is a matter of the whole run, and so is this share of it. chosen: the least that conceals more than any scenario allows. */
const EXCUSES_SHARE = 0.02;
/** What a stall does is felt for so long: a session is given up and made anew within. chosen: the idle timeout of a session and a back-off. */
const FELT_FOR = 5_000_000;
/** A gap begins so soon after what was late, or as long before it where frames were in store. chosen: what jitter buffers hold at most in calls that are promised short gaps. */
const AT_ONCE = 500_000;

/** So long a stall may lose what is said once or said again for a while. chosen: a third of the 3 s in which a party says goodbye. */
const LOSES_FROM = 1_000_000;

/** After a stall everything that waited is done in turn. chosen: a look at the clock. */
const LATE = 20_000;

/** Keys, addresses and counts, which are right or wrong at any speed, unless a finding awaits packets. A crash is shown as one whatever led to it. */
const REGARDLESS: ReadonlySet<string> = new Set([
  "nothing-crashed",
  "no-nonce-reuse",
  "no-double-decrypt",
  "packets-in-their-call",
  "no-stale-generation",
  "generations-fresh",
  "one-supervisor",
  "calls-end-once",
  "addresses-kept-private",
  "strangers-refused",
  "everything-freed",
]);

/**
 * Stalls of a run before `end` in which a thread was kept waiting, by the log; not those of a process that a fault held still, nor of the laboratory's thread while it
 * had nothing to do: no sound passes it.
 */
export function stallsOf(records: readonly LogRecord[], end: number): Stall[] {
  const told = records.filter((record) => record.ev === "stall");
  if (told.length === 0) return [];
  const pauses = new Map<string, { readonly from: number; to: number }[]>();
  for (const record of records) {
    if (record.ev !== "process") continue;
    const { t, who, state } = record;
    const own = pauses.get(who) ?? [];
    pauses.set(who, own);
    if (state === "paused") own.push({ from: t, to: Number.POSITIVE_INFINITY });
    else if (state === "resumed") for (const one of own) if (one.to === Number.POSITIVE_INFINITY) one.to = t;
  }
  const deeds = records.flatMap((one) => (one.ev === "fault" || one.ev === "action" ? [one.t] : []));
  // A party is held still and let go by a thread of its own, which tells what came late with its instant; a stall of the other one does not matter to it.
  const turns = new Set(
    records.flatMap((one) => (one.ev === "process" && (one.state === "paused" || one.state === "resumed") ? [one.t] : [])),
  );
  return told.flatMap(({ t: to, who, micros, cpuMicros }) => {
    const from = to - micros;
    const isHeld = (pauses.get(who) ?? []).some((pause) => pause.from < to && pause.to > from);
    if (who === "lab" && !turns.has(to) && !deeds.some((t) => t >= from && t <= to + LATE)) return [];
    // One that computes for half of it is slow by itself.
    return isHeld || cpuMicros * 2 > micros || from >= end ? [] : [{ who, from, to, waited: micros - cpuMicros }];
  });
}

/**
 * The finding, or why it says nothing: threads were kept waiting about when it was broken, or while what it awaits could have come, or at any time where neither is
 * known; or what was missing too much in all is no more than they waited. What is awaited is lost by one long stall, also after the scenario's end, and not by many short ones.
 */
export function excused(oracle: string, finding: Finding, all: readonly Stall[], duration: number): Finding {
  const { at, misses, awaited, excess } = finding;
  if (finding.verdict !== "broken" || (REGARDLESS.has(oracle) && awaited === undefined)) return finding;
  const stalls = all.filter((one) =>
    awaited === undefined ? one.from < duration : one.waited >= LOSES_FROM && one.who !== "lab",
  );
  const felt = awaited ?? FELT_FOR;
  const near = stalls.filter(({ from, to }) => at === undefined || (from <= at + FELT_FOR && to >= at - felt));
  const worst = near.reduce<Stall | undefined>(
    (most, one) => (most === undefined || one.waited > most.waited ? one : most),
    undefined,
  );
  const waited = near.reduce((sum, one) => sum + one.waited, 0);
  const least = at === undefined ? Math.max(EXCUSES_FROM, duration * EXCUSES_SHARE) : EXCUSES_FROM;
  const isExplained = areExplained(misses ?? [], stalls) || (excess !== undefined && soundlessIn(near) >= excess);
  if (worst === undefined || (waited < least && !isExplained)) return finding;
  const others = near.length === 1 ? "" : `, ${inTime(waited)} in ${near.length} stalls`;
  const why = `the machine did not keep up: ${worst.who} got no processor for ${inTime(worst.waited)} at ${instant(worst.from)}${others}`;
  return { ...finding, verdict: "inconclusive", detail: `${finding.detail}; ${why}`, brief: why };
}

/** Whether a limit was missed each time by no more than what a thread waited at that moment: less than is heard, and more than a limit of a few frames leaves room for. */
const areExplained = (misses: readonly Miss[], stalls: readonly Stall[]): boolean =>
  misses.length > 0 &&
  misses.every(({ at, by }) =>
    stalls.some(({ who, from, to, waited }) => who !== "lab" && waited >= by && from <= at + AT_ONCE && to >= at - AT_ONCE),
  );

/** What no thread that sound passes computed meanwhile, microseconds. */
const soundlessIn = (stalls: readonly Stall[]): number =>
  stalls.reduce((sum, { who, waited }) => (who === "lab" ? sum : sum + waited), 0);
