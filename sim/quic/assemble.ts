/**
 * Fills UDP datagrams with what a connection has to say: ACKs ride along, datagrams and stream frames share packets, packets
 * of several spaces share datagrams (RFC 9000 sections 12.2, 13 and 14.1). Nothing waits: there is no pacing.
 */
import { available } from "./congestion.ts";
import type { Connection, Surroundings } from "./connection-state.ts";
import { dequeue, oldest } from "./datagram-queue.ts";
import {
  ACK_BYTES,
  ACK_RANGE_BYTES,
  APPLICATION,
  DATAGRAM_OVERHEAD,
  type Frame,
  frameBytes,
  HANDSHAKE,
  headerBytes,
  INITIAL,
  LONG_OVERHEAD,
  MAX_UDP_PAYLOAD,
  MIN_SHORT_PACKET,
  type QuicPacket,
  SEAL,
  SHORT_OVERHEAD,
  type SpaceIndex,
} from "./packet.ts";
import { allowance } from "./path.ts";
import { acked, olderRanges } from "./received-numbers.ts";
import { closeSpace, packetSent, SPACES } from "./recovery.ts";
import type { Space } from "./sent-packets.ts";
import { nextFrame } from "./streams.ts";

/** Ranges beside the first in one ACK. chosen: 32 octets at most, so that an ACK never pushes media out of a packet. */
const MAX_ACK_RANGES = 16;
/** Largest reliable frame: it fits every application packet, also beside an ACK, when it has to be sent again whole. */
const MAX_RELIABLE = MAX_UDP_PAYLOAD - SHORT_OVERHEAD - ACK_BYTES;
/** Non-eliciting packets in a row after which a PING asks for an ACK of our ACKs (RFC 9000 section 13.2.4); 24 as in quiche. */
const MAX_QUIET = 24;

/** Sends everything that may go now. */
export function transmit(c: Connection, around: Surroundings, now: number): void {
  if (c.state === "closed") return;
  for (;;) {
    const room = allowance(c.path);
    const first = c.recovery.confirmed ? fill(c, APPLICATION, room, now) : coalesce(c, room, now);
    if (first === undefined) break;
    dispatch(c, around, first, room, now);
  }
  c.recovery.applicationLimited = !hasBacklog(c);
}

/** Sends CONNECTION_CLOSE in every space the peer may have keys for (section 10.2.3), whatever the window. */
export function transmitClose(c: Connection, around: Surroundings, detail: string, now: number): void {
  let first: QuicPacket | undefined;
  for (const index of SPACES) {
    const space = c.recovery.spaces[index];
    if (!space.open) continue;
    const frame: Frame = { type: "connection-close", detail };
    const used = (index === APPLICATION ? SHORT_OVERHEAD : LONG_OVERHEAD) + ACK_BYTES + frameBytes(frame);
    const draft: Draft = { limit: used, used, datagram: undefined, datagrams: 0, frames: [frame], eliciting: false };
    const packet = seal(c, index, space, draft, 0, now);
    packetSent(c.recovery, space, packet, now);
    first = chain(first, packet);
  }
  if (first !== undefined) dispatch(c, around, first, MAX_UDP_PAYLOAD, now);
}

/** Whether the window, not the application, keeps data back. */
const hasBacklog = (c: Connection): boolean => {
  if (c.datagrams.size > 0 || (c.streamOpen && c.outgoing.sent < c.outgoing.queued)) return true;
  return c.recovery.spaces[APPLICATION].resend.length > 0;
};

function coalesce(c: Connection, room: number, now: number): QuicPacket | undefined {
  let first: QuicPacket | undefined;
  let left = room;
  for (const index of SPACES) {
    const packet = fill(c, index, left, now);
    if (packet === undefined) continue;
    first = chain(first, packet);
    left -= packet.size;
  }
  return first;
}

function chain(first: QuicPacket | undefined, packet: QuicPacket): QuicPacket {
  if (first === undefined) return packet;
  let last = first;
  while (last.next !== undefined) last = last.next;
  last.next = packet;
  return first;
}

function dispatch(c: Connection, around: Surroundings, first: QuicPacket, room: number, now: number): void {
  let size = 0;
  let padded = false;
  let handshake = false;
  let eliciting = false;
  for (let p: QuicPacket | undefined = first; p !== undefined; p = p.next) {
    size += p.size;
    eliciting ||= p.eliciting;
    if (p.space === HANDSHAKE) handshake = true;
    padded ||= (p.space === INITIAL && (c.client || p.eliciting)) || (p.frames !== undefined && isProbe(p.frames));
  }
  if (padded && size < MAX_UDP_PAYLOAD) size = Math.max(size, Math.min(MAX_UDP_PAYLOAD, room)); // sections 14.1 and 8.2.1
  if (!c.path.validated) c.path.sent += size;
  c.sentAt = now;
  if (eliciting && c.spokeAt < 0) c.spokeAt = now;
  if (size < MIN_SHORT_PACKET) size = MIN_SHORT_PACKET;
  const packet = { bytes: size + headerBytes(c.path.remote), payload: first };
  if (first.space === APPLICATION) c.last = packet;
  c.packetsSent++;
  around.transmit(c.path.remote, packet);
  const initial = c.recovery.spaces[INITIAL];
  if (handshake && c.client && initial.open) closeSpace(c.recovery, initial); // RFC 9001 section 4.9.1
}

const isProbe = (frames: readonly Frame[]): boolean =>
  frames.some((frame) => frame.type === "path-challenge" || frame.type === "path-response");

/** A packet in the making: `used` octets so far, data only up to `limit`. */
type Draft = {
  readonly limit: number;
  used: number;
  datagram: Uint8Array | undefined;
  datagrams: number;
  frames: Frame[] | undefined;
  eliciting: boolean;
};

/** One packet of a space in at most `room` octets; undefined when there is nothing to say or no room to say it. */
function fill(c: Connection, index: SpaceIndex, room: number, now: number): QuicPacket | undefined {
  const r = c.recovery;
  const space = r.spaces[index];
  if (!space.open) return undefined;
  const application = index === APPLICATION;
  const { received } = space;
  const controls = application && c.controls.length > 0;
  const isIdle = application ? !controls && !hasBacklog(c) : space.resend.length === 0;
  if (isIdle && space.probes === 0 && received.due > now) return undefined; // after every packet that was sent
  const overhead = application ? SHORT_OVERHEAD : LONG_OVERHEAD;
  const ranges = received.waiting === 0 ? 0 : olderRangeCount(c, space, application, room - overhead - ACK_BYTES);
  const ack = received.waiting === 0 ? 0 : ACK_BYTES + ranges * ACK_RANGE_BYTES;
  const free = space.probes > 0 || controls; // neither probes nor path frames are held back (RFC 9002 section 7)
  const limit = free ? room : Math.min(room, available(r.congestion, r.inFlight));
  const draft: Draft = { limit, used: overhead + ack, datagram: undefined, datagrams: 0, frames: undefined, eliciting: false };

  if (controls) for (const frame of c.controls.splice(0)) add(draft, frame);
  if (!application) addReliable(space, draft);
  else if (c.streamFirst) {
    addStream(c, space, draft);
    addDatagrams(c, draft);
  } else {
    addDatagrams(c, draft);
    addStream(c, space, draft);
  }
  if (!draft.eliciting) {
    if ((space.probes === 0 && received.due > now) || overhead + ack >= room) return undefined;
    if (space.probes > 0 || space.quiet >= MAX_QUIET) add(draft, { type: "ping" });
  } else if (application) c.streamFirst = !c.streamFirst && draft.datagram !== undefined && hasBacklog(c);
  const packet = seal(c, index, space, draft, ranges, now);
  packetSent(r, space, packet, now);
  c.datagramsSent += draft.datagrams;
  return packet;
}

function add(draft: Draft, frame: Frame): void {
  if (draft.frames === undefined) draft.frames = [frame];
  else draft.frames.push(frame);
  draft.used += frameBytes(frame);
  draft.eliciting = true;
}

function addReliable(space: Space, draft: Draft): void {
  for (;;) {
    const frame = space.resend[0];
    if (frame === undefined || draft.used + frameBytes(frame) > draft.limit) return;
    space.resend.shift();
    add(draft, frame);
  }
}

function addStream(c: Connection, space: Space, draft: Draft): void {
  addReliable(space, draft);
  if (space.resend.length > 0 || !c.streamOpen || c.outgoing.sent === c.outgoing.queued) return;
  const frame = nextFrame(c.outgoing, Math.min(draft.limit - draft.used, MAX_RELIABLE));
  if (frame === undefined) return;
  space.unacked.add(frame);
  add(draft, frame);
}

function addDatagrams(c: Connection, draft: Draft): void {
  for (;;) {
    const bytes = oldest(c.datagrams);
    if (bytes === undefined || draft.used + DATAGRAM_OVERHEAD + bytes.length > draft.limit) return;
    dequeue(c.datagrams);
    draft.datagrams++;
    draft.used += DATAGRAM_OVERHEAD + bytes.length;
    draft.eliciting = true;
    if (draft.datagram === undefined) draft.datagram = bytes;
    else if (draft.frames === undefined) draft.frames = [{ type: "datagram", bytes }];
    else draft.frames.push({ type: "datagram", bytes });
  }
}

/** How many older ranges the ACK tells without pushing out the frame that is first in line. */
function olderRangeCount(c: Connection, space: Space, application: boolean, room: number): number {
  const known = Math.min(space.received.low.length - 1, MAX_ACK_RANGES);
  if (known === 0) return 0;
  const datagram = application ? oldest(c.datagrams) : undefined;
  const frame = space.resend[0];
  let needed = datagram === undefined ? 0 : DATAGRAM_OVERHEAD + datagram.length;
  if (frame !== undefined) needed = Math.max(needed, frameBytes(frame));
  return Math.max(0, Math.min(known, Math.floor((room - needed) / ACK_RANGE_BYTES)));
}

function seal(c: Connection, index: SpaceIndex, space: Space, draft: Draft, ranges: number, now: number): QuicPacket {
  const { received } = space;
  const acking = received.waiting > 0;
  const last = received.high.length - 1;
  const packet: QuicPacket = {
    proto: "quic",
    seal: SEAL,
    space: index,
    dcid: c.peerId,
    scid: index === APPLICATION ? 0 : c.id,
    number: space.next,
    ackLargest: acking ? (received.high[last] as number) : -1,
    ackSmallest: acking ? (received.low[last] as number) : -1,
    ackMore: acking ? olderRanges(received, ranges) : undefined,
    ackDelay: acking ? now - received.largestAt : 0,
    datagram: draft.datagram,
    frames: draft.frames,
    sentAt: now,
    size: draft.used,
    epoch: c.recovery.epoch,
    datagrams: draft.datagrams,
    eliciting: draft.eliciting,
    next: undefined,
  };
  if (acking) acked(received);
  return packet;
}
