/**
 * What one party heard of one call, as a row of 20 ms slots from the first source frame to the end of the call.
 * Built from `media-played`; a stretch in which nothing at all was given to the loudspeaker (the process was paused or dead)
 * becomes silence, because that is what the listener heard.
 */
import { instantsOf, type LogRecord, type MediaPlayedRecord } from "../impl/base/record.ts";
import { endedAt, type LoggedCall, peerOf } from "./call-log.ts";

/** Length of one played frame (RFC 7587's default of 20 ms). */
export const FRAME_MICROS = 20_000;
export const FRAME_MS: number = FRAME_MICROS / 1_000;

/** From this distance between two frames on, the loudspeaker ran dry. chosen: sound devices keep about two frames ahead. */
const DRY_MICROS = 3 * FRAME_MICROS;

export type SlotKind = MediaPlayedRecord["kind"];

/** One frame at the loudspeaker; `seq` is the packet number of source audio, -1 for the rest. */
export type Slot = { readonly at: number; readonly kind: SlotKind; readonly seq: number };

export type Playout = {
  readonly call: string;
  readonly party: string;
  readonly peer: string | undefined;
  /** End of the call, microseconds. */
  readonly end: number;
  /** From the first source frame on; empty when none was ever played. */
  readonly slots: readonly Slot[];
};

/** Carries the peer's audio. */
export const isSource = (kind: SlotKind): boolean => kind === "source" || kind === "recovered";
/** Neither source audio nor comfort noise: part of a gap. */
export const isGap = (kind: SlotKind): boolean => kind === "concealed" || kind === "silence";

/** One playout for each party of each call that became active for it or played anything. */
export function playoutsOf(records: readonly LogRecord[], calls: readonly LoggedCall[], runEnd: number): Playout[] {
  const frames = new Map<string, Slot[]>();
  for (const record of records) {
    if (record.ev !== "media-played") continue;
    const name = `${record.call} ${record.who}`;
    const slots = frames.get(name) ?? [];
    frames.set(name, slots);
    const numbered = isSource(record.kind) && record.seq !== undefined ? record.seq : -1;
    let seq = numbered;
    for (const at of instantsOf(record)) slots.push({ at, kind: record.kind, seq: numbered === -1 ? -1 : seq++ });
  }
  return calls.flatMap((call) =>
    [...call.parties].flatMap(([party, steps]) => {
      const played = frames.get(`${call.id} ${party}`);
      if (played === undefined && !steps.some((step) => step.state === "active")) return [];
      const end = endedAt(call, runEnd);
      return [{ call: call.id, party, peer: peerOf(call, party), end, slots: audible(played ?? [], end) }];
    }),
  );
}

function audible(played: Slot[], end: number): Slot[] {
  played.sort((a, b) => a.at - b.at);
  const out: Slot[] = [];
  const fill = (until: number): void => {
    const last = out.at(-1);
    if (last === undefined || until - last.at < DRY_MICROS) return;
    const missing = Math.round((until - last.at) / FRAME_MICROS) - 1;
    for (let i = 1; i <= missing; i++) out.push({ at: last.at + i * FRAME_MICROS, kind: "silence", seq: -1 });
  };
  for (const slot of played) {
    if (slot.at >= end || (out.length === 0 && !isSource(slot.kind))) continue;
    fill(slot.at);
    out.push(slot);
  }
  fill(end);
  return out;
}

/** A gap: a maximal run of slots that are neither source audio nor comfort noise. `at` microseconds, `index` of its first slot. */
export type Gap = { readonly at: number; readonly index: number; readonly frames: number };

/** The gaps of a playout, in order. */
export function gapsOf(slots: readonly Slot[]): Gap[] {
  const gaps: Gap[] = [];
  let from = -1;
  for (let i = 0; i <= slots.length; i++) {
    const slot = slots[i];
    if (slot !== undefined && isGap(slot.kind)) {
      if (from === -1) from = i;
    } else if (from !== -1) {
      gaps.push({ at: slots[from]?.at ?? 0, index: from, frames: i - from });
      from = -1;
    }
  }
  return gaps;
}

/** A maximal run of slots of one kind; times in microseconds, `to` excluded. */
export type Stretch = { readonly kind: SlotKind; readonly from: number; readonly to: number };

/** The playout as stretches, for drawing. */
export function stretchesOf(slots: readonly Slot[]): Stretch[] {
  const out: { kind: SlotKind; from: number; to: number }[] = [];
  for (const slot of slots) {
    const last = out.at(-1);
    if (last !== undefined && last.kind === slot.kind && slot.at - last.to < FRAME_MICROS) last.to = slot.at + FRAME_MICROS;
    else out.push({ kind: slot.kind, from: slot.at, to: slot.at + FRAME_MICROS });
  }
  return out;
}
