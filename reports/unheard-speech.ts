/**
 * Comfort noise that was played while the peer spoke: a receiver that was told of silence and then hears nothing more goes on playing noise, and cannot know
 * that words were lost. Who reads both ends' logs can. Such noise stands in for speech, so it is concealment and part of a gap.
 */
import type { Stream } from "./media-stream-log.ts";
import { FRAME_MICROS, type Playout, type Slot } from "./playout.ts";

/** Frames in a row from which it counts. chosen: time stretching moves speech by two frames at most, and what is lost right before a frame that came the receiver counts itself. */
const LEAST = 3;
/** Packets this far apart belong to one stretch of speech, microseconds. chosen: twice the longest packet of any tier (60 ms). */
const APART = 6 * FRAME_MICROS;

/** Speech that was never played: when it was due at the loudspeaker, microseconds, `to` excluded. */
type Span = { readonly from: number; to: number };

/** The playouts, comfort noise in place of lost speech being `concealed`. */
export function withUnheardSpeech(playouts: readonly Playout[], streams: readonly Stream[]): Playout[] {
  return playouts.map((playout) => {
    if (!playout.slots.some(({ kind }) => kind === "comfort")) return playout;
    const own = streams.filter(({ call, from }) => call === playout.call && from === playout.peer);
    const spans = own.flatMap(unheard);
    return spans.length === 0 ? playout : { ...playout, slots: marked(playout.slots, spans) };
  });
}

/** Packets sent and not played, as stretches of speech, each late by what the last played before it was late by. */
function unheard({ sentAt, played }: Stream): Span[] {
  const spans: Span[] = [];
  let delay: number | undefined;
  let open: Span | undefined;
  for (const [seq, at] of sentAt.entries()) {
    const play = played[seq];
    if (play !== undefined && at !== undefined) delay = play.at - at;
    if (at === undefined || play !== undefined || delay === undefined) {
      open = undefined;
      continue;
    }
    const due = at + delay;
    if (open !== undefined && due - open.to <= APART) open.to = due + FRAME_MICROS;
    else {
      open = { from: due, to: due + FRAME_MICROS };
      spans.push(open);
    }
  }
  return spans;
}

function marked(slots: readonly Slot[], spans: readonly Span[]): Slot[] {
  const out = [...slots];
  let next = 0;
  for (const { from, to } of spans) {
    // Slots ascend, and so do the spans of one key; a second key's begin anew.
    if (next > 0 && (slots[next - 1]?.at ?? 0) >= from) next = 0;
    while (next < slots.length && (slots[next]?.at ?? 0) + FRAME_MICROS / 2 < from) next++;
    let run: number[] = [];
    const close = (): void => {
      if (run.length >= LEAST)
        for (const i of run) {
          const { at } = slots[i] as Slot;
          out[i] = { at, kind: "concealed", seq: -1 };
        }
      run = [];
    };
    for (; next < slots.length && (slots[next]?.at ?? 0) + FRAME_MICROS / 2 < to; next++)
      if (slots[next]?.kind === "comfort") run.push(next);
      else close();
    close();
  }
  return out;
}
