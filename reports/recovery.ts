/**
 * How long each fault kept each party from hearing its peer.
 *
 * Media *stops* for a party where a gap longer than 60 ms begins, and *flows* again from the first of 10 consecutive frames of
 * source audio. Shorter gaps are what random loss does to a call that works: they never count as a stop. A fault is held to
 * account for the last stop that touches the time from its application to its heal, or, where there is none, for the first that
 * begins within 2 s after it. A fault's *heal* is the instant it was undone, or applied when nothing is undone (a rebind, or a
 * fault that stays). A stop that begins after media flowed again is another one: `stops` counts it, `longest-gap` judges it.
 *
 *   fromFaultMs  fault applied -> media flows again; 0 when media never stopped
 *   fromHealMs   heal -> the same; 0 when media never stopped, or flowed again before the heal (another path was found)
 *
 * Both are null when media never flowed again. A party that never heard anything has nothing to recover: both null too.
 */
import type { Fault } from "../scenarios/expanded.ts";
import { FRAME_MS, isGap, isSource, type Playout } from "./playout.ts";
import type { Condition, Recovery } from "./result.ts";
import { rounded } from "./statistic.ts";

/** Gaps up to this long are concealed by any decoder and no interruption. */
const TOLERATED_GAP_MS = 60;
/** Consecutive source frames that count as media flowing again. */
const FLOWING_FRAMES = 10;
/** chosen: longer than a QUIC probe timeout and a round of re-registration, so late effects still find their fault. */
const AFTERMATH_MICROS = 2_000_000;

/** Media did not flow from `from` to `to` (microseconds); `to` is null when it never flowed again in this call. */
type Stop = { readonly from: number; readonly to: number | null };

/** The stops of a playout, in order. */
function stopsOf(playout: Playout): Stop[] {
  const stops: Stop[] = [];
  let stopped: number | undefined;
  let gapFrom = 0;
  let gapFrames = 0;
  let flowFrom = 0;
  let flowFrames = 0;
  for (const slot of playout.slots) {
    if (isGap(slot.kind)) {
      if (gapFrames === 0) gapFrom = slot.at;
      gapFrames++;
      flowFrames = 0;
      if (stopped === undefined && gapFrames * FRAME_MS > TOLERATED_GAP_MS) stopped = gapFrom;
      continue;
    }
    gapFrames = 0;
    // Comfort noise neither is source audio nor interrupts a run of it: the source is known to be silent.
    if (!isSource(slot.kind)) continue;
    if (flowFrames === 0) flowFrom = slot.at;
    flowFrames++;
    if (stopped !== undefined && flowFrames === FLOWING_FRAMES) {
      stops.push({ from: stopped, to: flowFrom });
      stopped = undefined;
    }
  }
  if (stopped !== undefined) stops.push({ from: stopped, to: null });
  return stops;
}

/** A fault's heal, microseconds: undone, or applied when nothing is undone; undefined for a fault that never happened. */
export function healOf(condition: Condition, fault: Fault): number | undefined {
  if (condition.appliedMs === null) return undefined;
  const lasting = fault.kind === "rebind" || fault.kind === "renumber" || fault.kind === "expire" || condition.healedMs === null;
  return Math.round((lasting ? condition.appliedMs : (condition.healedMs ?? 0)) * 1_000);
}

/** Recovery of each party from each fault that was applied while it had a call. `conditions` are in the order of `faults`. */
export function measureRecovery(
  conditions: readonly Condition[],
  faults: readonly Fault[],
  playouts: readonly Playout[],
): Recovery[] {
  const stops = new Map(playouts.map((playout) => [playout, stopsOf(playout)]));
  return conditions.flatMap((condition, fault) => {
    const struck = faults[fault];
    const heal = struck === undefined ? undefined : healOf(condition, struck);
    if (heal === undefined || condition.appliedMs === null) return [];
    const applied = Math.round(condition.appliedMs * 1_000);
    const until = heal + AFTERMATH_MICROS;
    return playouts
      .filter((playout) => playout.end > applied && (playout.slots[0]?.at ?? applied) <= until)
      .map((playout): Recovery => {
        const own = (stops.get(playout) ?? []).filter((stop) => stop.from <= until && (stop.to ?? playout.end) > applied);
        const dead = own.find((stop) => stop.to === null);
        const blamed = dead ?? own.filter((stop) => stop.from <= heal).at(-1) ?? own[0];
        return { fault, party: playout.party, ...lengths(playout, blamed, applied, heal), stops: own.length };
      });
  });
}

function lengths(
  playout: Playout,
  blamed: Stop | undefined,
  applied: number,
  heal: number,
): { readonly fromFaultMs: number | null; readonly fromHealMs: number | null; readonly resumedMs: number | null } {
  if (playout.slots.length === 0) return { fromFaultMs: null, fromHealMs: null, resumedMs: null };
  if (blamed === undefined) return { fromFaultMs: 0, fromHealMs: 0, resumedMs: null };
  if (blamed.to === null) return { fromFaultMs: null, fromHealMs: null, resumedMs: null };
  return {
    fromFaultMs: rounded((blamed.to - applied) / 1_000, 3),
    fromHealMs: rounded(Math.max(0, blamed.to - heal) / 1_000, 3),
    resumedMs: rounded(blamed.to / 1_000, 3),
  };
}
