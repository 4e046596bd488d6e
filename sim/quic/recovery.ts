/**
 * Loss detection and probing of one connection over its three packet number spaces: RFC 9002 section 6 and appendix A.
 * Datagrams are counted when lost, never sent again (RFC 9221 section 5.2); reliable frames go to their space's `resend`.
 */
import { acknowledged, type Congestion, lost, recovering, sending, startCongestion } from "./congestion.ts";
import { APPLICATION, HANDSHAKE, INITIAL, type QuicPacket, type SpaceIndex } from "./packet.ts";
import { forget } from "./received-numbers.ts";
import { addSample, lossDelay, probeTimeout, type RoundTrip, startRoundTrip } from "./round-trip.ts";
import { deliver, outstandingPacket, remember, requeue, type Space, settle, startSpace, trim } from "./sent-packets.ts";

/** Reordering tolerated before a packet counts as lost: 3 packets (section 6.1.1). */
const PACKET_THRESHOLD = 3;
/** Probes of one timeout: 1, then 2 (section 6.2.4 allows two). */
const MAX_PROBES = 2;
/** Largest exponent of the backoff. chosen: keeps the product a safe integer; the idle timeout ends a session long before. */
const MAX_BACKOFF = 20;
const NEVER = Number.POSITIVE_INFINITY;

export type Recovery = {
  readonly client: boolean;
  roundTrip: RoundTrip;
  congestion: Congestion;
  readonly spaces: readonly [Space, Space, Space];
  /** Probe timeouts in a row without an acknowledgement (pto_count). */
  backoff: number;
  /** Octets in flight on the current path. */
  inFlight: number;
  /** Which path packets go out on; packets of an earlier one say nothing about this one (RFC 9000 section 9.4). */
  epoch: number;
  /** The last flush ended for want of data, not of window. */
  applicationLimited: boolean;
  /** The peer is known to have validated our address: always at a server (appendix A.6). */
  peerValidated: boolean;
  /** The handshake is confirmed (RFC 9001 section 4.1.2). */
  confirmed: boolean;
  /** When something was last sent or acknowledged: the base of a client's probe that nothing outstanding asks for. */
  touchedAt: number;
  /** Packets of the ACK at hand, for the congestion window; emptied by the count, which keeps the array. */
  readonly fresh: (QuicPacket | undefined)[];
  freshCount: number;
  packetsLost: number;
  datagramsLost: number;
  datagramsAcked: number;
};

export const startRecovery = (client: boolean): Recovery => ({
  client,
  roundTrip: startRoundTrip(),
  congestion: startCongestion(),
  spaces: [startSpace(true), startSpace(false), startSpace(false)],
  backoff: 0,
  inFlight: 0,
  epoch: 0,
  applicationLimited: true,
  peerValidated: !client,
  confirmed: false,
  touchedAt: 0,
  fresh: [],
  freshCount: 0,
  packetsLost: 0,
  datagramsLost: 0,
  datagramsAcked: 0,
});

/** A packet with number `space.next` leaves; takes the number. */
export function packetSent(r: Recovery, space: Space, packet: QuicPacket, now: number): void {
  space.next++;
  r.touchedAt = now;
  if (!packet.eliciting) {
    space.quiet++;
    if (space.outstanding === 0) space.first = space.next;
    return;
  }
  space.quiet = 0;
  if (space.outstanding === 0) space.first = packet.number;
  remember(space, packet);
  space.lastElicitingAt = now;
  if (space.probes > 0) space.probes--;
  r.inFlight += packet.size;
  sending(r.congestion, packet.size);
}

/** Takes the ACK of a received packet; false when it acknowledges what was never sent (a protocol violation, ignored). */
export function takeAck(r: Recovery, space: Space, index: SpaceIndex, ack: QuicPacket, now: number): boolean {
  const largest = ack.ackLargest;
  if (largest >= space.next) return false;
  const newest = outstandingPacket(space, largest);
  let any = ackRange(r, space, ack.ackSmallest, largest);
  const more = ack.ackMore;
  if (more !== undefined) {
    for (let i = 0; i + 1 < more.length; i += 2) any = ackRange(r, space, more[i + 1] as number, more[i] as number) || any;
  }
  if (largest > space.largestAcked) space.largestAcked = largest;
  if (!any) return true;
  trim(space);
  r.touchedAt = now;
  if (newest !== undefined && newest.epoch === r.epoch) {
    addSample(r.roundTrip, now - newest.sentAt, index === APPLICATION && r.confirmed ? ack.ackDelay : 0);
  }
  detectLost(r, space, now);
  growWindow(r, now); // after the losses, as in appendix A.7: a reduction comes before what it holds back
  if (index === HANDSHAKE) r.peerValidated = true;
  if (r.peerValidated) r.backoff = 0; // a client not yet validated keeps its backoff (section 6.2.1)
  return true;
}

/** When the loss detection timer fires; Infinity when it is off. `blocked`: the anti-amplification limit leaves nothing to send. */
export function lossDeadline(r: Recovery, blocked: boolean): number {
  const initial = r.spaces[INITIAL];
  const handshake = r.spaces[HANDSHAKE];
  const application = r.spaces[APPLICATION];
  let earliest = application.lossTime;
  if (initial.lossTime < earliest) earliest = initial.lossTime;
  if (handshake.lossTime < earliest) earliest = handshake.lossTime;
  if (earliest !== NEVER) return earliest;
  if (blocked) return NEVER;
  const times = r.backoff === 0 ? 1 : 2 ** Math.min(r.backoff, MAX_BACKOFF);
  if (application.outstanding > 0 && r.confirmed)
    earliest = application.lastElicitingAt + probeTimeout(r.roundTrip, true) * times;
  if (r.confirmed) return earliest;
  const early = probeTimeout(r.roundTrip, false) * times;
  if (initial.outstanding > 0) earliest = Math.min(earliest, initial.lastElicitingAt + early);
  if (handshake.outstanding > 0) earliest = Math.min(earliest, handshake.lastElicitingAt + early);
  if (earliest === NEVER && !r.peerValidated) return r.touchedAt + early; // section 6.2.2.1: the peer may be blocked
  return earliest;
}

/** The loss detection timer fired at or after its deadline: declares packets lost, or owes probes. */
export function lossTimer(r: Recovery, now: number): void {
  for (const space of r.spaces) {
    if (space.lossTime <= now) {
      detectLost(r, space, now);
      return;
    }
  }
  const [initial, handshake, application] = r.spaces;
  r.backoff++;
  r.touchedAt = now;
  const probes = Math.min(r.backoff, MAX_PROBES);
  if (initial.outstanding + handshake.outstanding + application.outstanding === 0) {
    (handshake.open ? handshake : initial).probes = 1;
    return;
  }
  for (const space of r.spaces) {
    if (space.outstanding === 0 || (space === application && !r.confirmed)) continue;
    space.probes = probes;
    requeueOldest(space, probes);
  }
}

/** Keys of a space are discarded: nothing of it is outstanding or owed any more (section 6.4). */
export function closeSpace(r: Recovery, space: Space): void {
  for (let n = space.first; n < space.next; n++) {
    const packet = outstandingPacket(space, n);
    if (packet !== undefined) release(r, packet);
  }
  space.open = false;
  space.slots.fill(undefined);
  space.outstanding = 0;
  space.first = space.next;
  space.lossTime = NEVER;
  space.probes = 0;
  space.resend.length = 0;
  space.unacked.clear();
  space.received.due = NEVER;
  r.backoff = 0;
}

/** Packets go out on another path from now on. `estimates`: forget the RTT and the window as well, the peer being on another host. */
export function changePath(r: Recovery, estimates: boolean): void {
  if (!estimates) return;
  r.epoch++;
  r.inFlight = 0;
  r.roundTrip = startRoundTrip();
  r.congestion = startCongestion();
}

function ackRange(r: Recovery, space: Space, smallest: number, largest: number): boolean {
  let any = false;
  for (let n = Math.max(smallest, space.first); n <= largest; n++) {
    const packet = outstandingPacket(space, n);
    if (packet === undefined) continue;
    any = true;
    settle(space, n);
    release(r, packet);
    r.datagramsAcked += packet.datagrams;
    if (packet.epoch === r.epoch) r.fresh[r.freshCount++] = packet;
    if (packet.frames !== undefined) deliver(space, packet);
    if (packet.ackLargest >= 0) forget(space.received, packet.ackLargest);
  }
  return any;
}

function growWindow(r: Recovery, now: number): void {
  for (let i = 0; i < r.freshCount; i++) {
    const packet = r.fresh[i] as QuicPacket;
    r.fresh[i] = undefined;
    if (recovering(r.congestion, packet.size, packet.sentAt, r.inFlight) || r.applicationLimited) continue;
    acknowledged(r.congestion, packet.size, now, r.roundTrip.smoothed);
  }
  r.freshCount = 0;
}

function detectLost(r: Recovery, space: Space, now: number): void {
  space.lossTime = NEVER;
  if (space.outstanding === 0 || space.first > space.largestAcked) return;
  const delay = lossDelay(r.roundTrip);
  for (let n = space.first; n <= space.largestAcked; n++) {
    const packet = outstandingPacket(space, n);
    if (packet === undefined) continue;
    if (n > space.largestAcked - PACKET_THRESHOLD && packet.sentAt + delay > now) {
      space.lossTime = packet.sentAt + delay; // later packets are younger
      break;
    }
    settle(space, n);
    release(r, packet);
    r.packetsLost++;
    r.datagramsLost += packet.datagrams;
    if (packet.epoch === r.epoch) lost(r.congestion, packet.sentAt, now, r.inFlight);
    requeue(space, packet);
  }
  trim(space);
}

/** A probe carries data again before it is known to be lost (section 6.2.4). */
function requeueOldest(space: Space, packets: number): void {
  let left = packets;
  for (let n = space.first; n < space.next && left > 0; n++) {
    const packet = outstandingPacket(space, n);
    if (packet?.frames === undefined) continue;
    requeue(space, packet);
    left--;
  }
}

const release = (r: Recovery, packet: QuicPacket): void => {
  if (packet.epoch === r.epoch) r.inFlight -= packet.size;
};

/** The spaces in the order they are sent. */
export const SPACES: readonly SpaceIndex[] = [INITIAL, HANDSHAKE, APPLICATION];
