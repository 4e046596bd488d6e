/**
 * The one ordered reliable stream of each direction: messages with a 4-octet length prefix cut into STREAM frames, and put
 * together again (RFC 9000 sections 2.2 and 19.8). Left out on purpose: flow control, whose limits a signalling stream never meets.
 */
import { STREAM_OVERHEAD, type StreamFrame, type StreamMessage } from "./packet.ts";

/** Octets of the length prefix of a message. */
export const PREFIX_BYTES = 4;
/** A frame smaller than this is not worth its overhead while more is to come. chosen: a tenth of a packet. */
const MIN_FRAGMENT = 120;

export type OutgoingStream = {
  /** Messages not sent to their end, and the offset at which each ends. */
  readonly messages: StreamMessage[];
  readonly ends: number[];
  /** Octets queued, and octets sent, since the stream began. */
  queued: number;
  sent: number;
};

export const startOutgoing = (): OutgoingStream => ({ messages: [], ends: [], queued: 0, sent: 0 });

export function queueMessage(s: OutgoingStream, message: StreamMessage): void {
  s.queued += PREFIX_BYTES + message.length;
  s.messages.push(message);
  s.ends.push(s.queued);
}

/** The next frame of at most `room` octets with its overhead; undefined when nothing is queued or it would be a splinter. */
export function nextFrame(s: OutgoingStream, room: number): StreamFrame | undefined {
  const left = s.queued - s.sent;
  const length = Math.min(left, room - STREAM_OVERHEAD);
  if (length <= 0 || (length < left && length < MIN_FRAGMENT)) return undefined;
  const end = s.sent + length;
  let whole = 0;
  while (whole < s.ends.length && (s.ends[whole] as number) <= end) whole++;
  const frame: StreamFrame = { type: "stream", offset: s.sent, length, messages: s.messages.splice(0, whole) };
  s.ends.splice(0, whole);
  s.sent = end;
  return frame;
}

export type IncomingStream = {
  /** Everything before this offset was delivered. */
  next: number;
  /** Frames beyond a gap, by offset. */
  readonly ahead: Map<number, StreamFrame>;
};

export const startIncoming = (): IncomingStream => ({ next: 0, ahead: new Map() });

/** Takes a frame in any order, any number of times; `deliver` gets each message once and in order. */
export function takeFrame(s: IncomingStream, frame: StreamFrame, deliver: (message: StreamMessage) => void): void {
  if (frame.offset < s.next) return;
  if (frame.offset > s.next) {
    s.ahead.set(frame.offset, frame);
    return;
  }
  let at: StreamFrame | undefined = frame;
  while (at !== undefined) {
    s.next += at.length;
    for (const message of at.messages) deliver(message);
    at = s.ahead.get(s.next);
    if (at !== undefined) s.ahead.delete(s.next);
  }
}
