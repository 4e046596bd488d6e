/**
 * Delay from the peer's mouth to a party's ear, frame by frame as frames are logged: from the packet's readiness to its play, plus what passes before
 * a packet is ready. Only whoever sees the logs of both parties can tell it.
 */
import { instantsOf, type LogRecord } from "../record.ts";

/** Speech that begins a frame is captured in full one frame later: 20 ms (RFC 7587's default frame). Milliseconds. */
export const CAPTURE_MS = 20;
/** Opus' look-ahead beyond the frame: 312 samples at 48 kHz (libopus, OPUS_GET_LOOKAHEAD), 26.5 ms in all with a 20 ms frame. Milliseconds. */
export const LOOK_AHEAD_MS = 6.5;

/** How long a frame's sending is remembered, and a played frame waits for it. chosen: far beyond any delay at which a call is one. Microseconds. */
const KEPT_MICROS = 10_000_000;
/** Packet numbers kept of a key: those of KEPT_MICROS at 20 ms, twice. */
const KEPT_FRAMES = 1_000;

/** Calls remembered once they end. chosen: more than end within the second that frames are late by. */
const CALLS_KEPT = 64;

type Sent = { readonly who: string; readonly instants: Map<number, number> };
type Waiting = { readonly who: string; readonly seq: number; readonly at: number };

/** Takes `media-sent` and `media-played` records in the order of the log; `tell` gets the listener and the delay in seconds, once a frame. */
export function followMouthToEar(tell: (party: string, seconds: number) => void): (record: LogRecord) => void {
  const keys = new Map<string, Map<string, Sent>>();
  const waiting = new Map<string, Waiting[]>();

  function told(call: string, frame: Waiting): boolean {
    let newest: number | undefined;
    for (const { who, instants } of keys.get(call)?.values() ?? []) {
      const at = who === frame.who ? undefined : instants.get(frame.seq);
      if (at !== undefined && at <= frame.at && (newest === undefined || at > newest)) newest = at;
    }
    if (newest === undefined) return false;
    tell(frame.who, (frame.at - newest) / 1e6 + (CAPTURE_MS + LOOK_AHEAD_MS) / 1e3);
    return true;
  }

  function forget(call: string): void {
    keys.delete(call);
    waiting.delete(call);
  }

  return (record) => {
    if (record.ev === "media-sent") {
      const ofCall = keys.get(record.call) ?? new Map<string, Sent>();
      keys.set(record.call, ofCall);
      const name = `${record.who} ${record.key}`;
      const sent = ofCall.get(name) ?? { who: record.who, instants: new Map<number, number>() };
      ofCall.set(name, sent);
      // A packet of several frames leaves once its last one is captured.
      const earlier = ((record.units ?? 1) - 1) * CAPTURE_MS * 1_000;
      for (const [index, at] of instantsOf(record).entries()) sent.instants.set(record.seq + index, at - earlier);
      for (const seq of sent.instants.keys()) {
        if (sent.instants.size <= KEPT_FRAMES) break;
        sent.instants.delete(seq);
      }
      const rest = (waiting.get(record.call) ?? []).filter(
        (frame) => record.t - frame.at < KEPT_MICROS && !told(record.call, frame),
      );
      waiting.set(record.call, rest);
    }
    if (record.ev === "media-played" && record.seq !== undefined && (record.kind === "source" || record.kind === "recovered")) {
      const late = waiting.get(record.call) ?? [];
      waiting.set(record.call, late);
      for (const [index, at] of instantsOf(record).entries()) {
        const frame = { who: record.who, seq: record.seq + index, at };
        if (!told(record.call, frame) && late.length < KEPT_FRAMES) late.push(frame);
      }
    }
    if (record.ev === "call" && record.state === "ended")
      for (const call of keys.keys()) if (keys.size > CALLS_KEPT) forget(call);
    if (record.ev === "end") {
      keys.clear();
      waiting.clear();
    }
  };
}
