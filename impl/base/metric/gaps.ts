/**
 * Stretches without the peer's voice, found while the log grows: from the first source frame of a call to its end, frames that are concealed or silent
 * and time in which nothing was played at all. A gap is told when it is over.
 */
import { instantsOf, type LogRecord } from "../record.ts";

/** One played frame (RFC 7587's default of 20 ms). */
const FRAME_MICROS = 20_000;
/** From this distance between two frames on, the loudspeaker ran dry. chosen: sound devices keep about two frames ahead. */
const DRY_MICROS = 3 * FRAME_MICROS;

/** Calls whose end is remembered, for frames logged after it. chosen: more than end within the second that frames are late by. */
const ENDED_KEPT = 64;

type Playing = { readonly call: string; last: number; gap: number };

/** Takes records in the order of the log; `tell` gets the listener and the gap's length in seconds. */
export function followGaps(tell: (party: string, seconds: number) => void): (record: LogRecord) => void {
  const playing = new Map<string, Playing>();
  const over = new Map<string, number>();

  function close(who: string, one: Playing): void {
    if (one.gap > 0) tell(who, (one.gap * FRAME_MICROS) / 1e6);
    one.gap = 0;
  }
  /** What ran dry between the last frame and `until` is part of a gap. */
  function fill(one: Playing, until: number): void {
    if (until - one.last >= DRY_MICROS) one.gap += Math.round((until - one.last) / FRAME_MICROS) - 1;
  }
  function finish(who: string, end: number): void {
    const one = playing.get(who);
    if (one === undefined) return;
    fill(one, Math.min(end, over.get(one.call) ?? end));
    close(who, one);
    playing.delete(who);
  }

  return (record) => {
    switch (record.ev) {
      case "call":
        if (record.state !== "ended") return;
        if (!over.has(record.call)) over.set(record.call, record.t);
        for (const call of over.keys()) if (over.size > ENDED_KEPT) over.delete(call);
        if (playing.get(record.who)?.call === record.call) finish(record.who, record.t);
        return;
      case "end":
        for (const who of [...playing.keys()]) finish(who, record.t);
        return;
      case "media-played": {
        const isSource = record.kind === "source" || record.kind === "recovered";
        const isGap = record.kind === "concealed" || record.kind === "silence";
        const end = over.get(record.call) ?? Number.POSITIVE_INFINITY;
        for (const at of instantsOf(record)) {
          if (at >= end) return;
          let one = playing.get(record.who);
          if (one?.call !== record.call) {
            if (!isSource) return;
            finish(record.who, at);
            one = { call: record.call, last: at, gap: 0 };
            playing.set(record.who, one);
          }
          fill(one, at);
          if (isGap) one.gap++;
          else close(record.who, one);
          one.last = at;
        }
      }
    }
  };
}
