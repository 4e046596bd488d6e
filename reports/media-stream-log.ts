/**
 * The two directions of every call as the log tells them: which packets one end sealed, which the other opened, which of those it played.
 * One stream is one media key; a key belongs to one call and one sender.
 */
import { instantsOf, type LogRecord, type MediaPlayedRecord } from "../impl/base/record.ts";

/** One direction of a call. Arrays are indexed by packet number; a hole: it never happened, or nobody wrote it down. */
export type Stream = {
  readonly key: string;
  readonly call: string;
  readonly from: string;
  /** The other party of the call; undefined when nobody else ever heard of it. */
  to: string | undefined;
  /** Instants of sealing, microseconds. */
  readonly sentAt: number[];
  /** Instants of arrival, microseconds. */
  readonly openedAt: number[];
  /** How and when it was played; never a kind that carries no packet. */
  readonly played: (Play | undefined)[];
};

export type Play = { readonly at: number; readonly kind: "source" | "recovered" };

/** A packet opened or played that has no business here. `at` microseconds. */
export type Stray = { readonly at: number; readonly who: string; readonly why: string };

export type StreamLog = { readonly streams: readonly Stream[]; readonly strays: readonly Stray[] };

/**
 * Frames a process may have sent or received that a kill kept out of its log: it writes them a second at a time (50 of 20 ms).
 */
export const UNWRITTEN = 50;

/** Reads every stream. Strays: packets opened that the other party of that call never sealed, and frames played that never came. */
export function streamsOf(records: readonly LogRecord[]): StreamLog {
  const byKey = new Map<string, Stream>();
  const strays: Stray[] = [];
  const killed = new Set<string>();
  for (const record of records) {
    if (record.ev === "process" && record.state === "killed") killed.add(record.who);
    if (record.ev !== "media-sent" || byKey.has(record.key)) continue;
    const { key, call, who: from } = record;
    byKey.set(key, { key, call, from, to: undefined, sentAt: [], openedAt: [], played: [] });
  }
  // A sender is known by its key: packets of one that never wrote a line, because it was killed first, belong to nobody known.
  for (const record of records) {
    if (record.ev !== "media-sent") continue;
    const stream = byKey.get(record.key);
    if (stream === undefined) continue;
    let { seq } = record;
    for (const at of instantsOf(record)) stream.sentAt[seq++] = at;
  }
  const others = new Map<string, Set<string>>();
  for (const record of records)
    if (record.ev === "call") others.set(record.call, (others.get(record.call) ?? new Set()).add(record.who));
  for (const stream of byKey.values()) stream.to = [...(others.get(stream.call) ?? [])].find((who) => who !== stream.from);
  const into = new Map<string, Stream>();
  for (const record of records) {
    if (record.ev !== "media-received") continue;
    const stream = byKey.get(record.key);
    const { who, at } = record;
    if (stream === undefined) {
      if (killed.size === 0)
        strays.push({ at, who, why: `opened packet ${record.seq} under key ${record.key}, which nobody sent under` });
      continue;
    }
    into.set(`${record.call} ${who}`, stream);
    const wrong = misdirected(stream, record);
    if (wrong !== undefined) {
      strays.push({ at, who, why: wrong });
      continue;
    }
    const known = stream.sentAt.length + (killed.has(stream.from) ? UNWRITTEN : 0);
    let next = record.seq;
    for (const instant of instantsOf(record)) {
      const seq = next++;
      if (stream.sentAt[seq] === undefined && (seq >= known || !killed.has(stream.from)))
        strays.push({ at: instant, who, why: `opened packet ${seq} under key ${record.key}, which ${stream.from} never sent` });
      else stream.openedAt[seq] = instant;
    }
  }
  for (const record of records) {
    if (record.ev !== "media-played" || record.seq === undefined) continue;
    const stream = into.get(`${record.call} ${record.who}`);
    if (stream !== undefined) play(stream, record, killed.has(record.who), strays);
  }
  return { streams: [...byKey.values()], strays };
}

function misdirected(
  stream: Stream,
  { who, call, key }: { readonly who: string; readonly call: string; readonly key: string },
): string | undefined {
  if (who === stream.from) return `opened its own packets, under key ${key}`;
  if (call !== stream.call) return `opened packets of call ${stream.call} in call ${call}`;
  if (who !== stream.to) return `opened packets for ${stream.to}, under key ${key}`;
  return undefined;
}

/** Notes what was played; `isCut`: a kill may have kept out of the log what was opened last. A frame is played once and in order; where playing was slowed down it may last more than one slot. */
function play(stream: Stream, record: MediaPlayedRecord & { readonly who: string }, isCut: boolean, strays: Stray[]): void {
  const { who } = record;
  const written = stream.openedAt.length;
  if (record.kind !== "source" && record.kind !== "recovered") return;
  let next = record.seq ?? 0;
  for (const at of instantsOf(record)) {
    const seq = next++;
    const kind = record.kind;
    if (kind === "source" && stream.openedAt[seq] === undefined && !(isCut && seq >= written - UNWRITTEN))
      strays.push({ at, who, why: `played packet ${seq}, which it never opened` });
    const isAgain = stream.played[seq] !== undefined;
    const isBack = seq < stream.played.length - 1;
    if (isAgain || isBack) {
      const what = isAgain ? "a second time" : `after packet ${stream.played.length - 1}`;
      if (!(isAgain && seq === stream.played.length - 1)) strays.push({ at, who, why: `played packet ${seq} ${what}` });
      continue;
    }
    stream.played[seq] = { at, kind };
  }
}
