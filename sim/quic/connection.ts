/**
 * One QUIC connection of the model: packets and time in, packets and session events out (RFC 9000, RFC 9002).
 * The endpoint calls `takeDatagram`, `wake` and the verbs below, then `transmit` (assemble.ts), and sleeps until `deadline`.
 */
import type { Address } from "../../impl/base/address.ts";
import type { Micros } from "../../impl/base/units.ts";
import type { SessionConfig } from "../../impl/core/session.ts";
import { transmitClose } from "./assemble.ts";
import { type Connection, finish, type Surroundings } from "./connection-state.ts";
import { confirm, takeCrypto } from "./handshake.ts";
import { APPLICATION, type Frame, HANDSHAKE, headerBytes, INITIAL, type QuicPacket, type StreamMessage } from "./packet.ts";
import { allowance, move, pathDeadline, pathTimer, respond } from "./path.ts";
import { isTooOld, take } from "./received-numbers.ts";
import { changePath, closeSpace, lossDeadline, lossTimer, takeAck } from "./recovery.ts";
import { INITIAL_RTT, probeTimeout } from "./round-trip.ts";
import { takeFrame } from "./streams.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** Closing and draining last three probe timeouts (RFC 9000 section 10.2), the idle timeout never less than that (section 10.1). */
const TIMEOUTS = 3;
/** While a peer is silent its last packet is sent again this often, outside the window and the backoff: 100 ms, as in the real driver. */
const REPEAT_EVERY = 100_000;
/** And so often after it: as in the real driver. */
const AFTER_SILENCE = 3;
/** An allowance below this sends nothing: the smallest Handshake packet with an ACK. chosen: under it only padding would fit. */
const MIN_ALLOWANCE = 72;

/** Takes one UDP datagram of `bytes` wire octets. */
export function takeDatagram(
  c: Connection,
  around: Surroundings,
  from: Address,
  first: QuicPacket,
  bytes: number,
  now: number,
): void {
  if (c.state === "closed") return; // draining: silence (section 10.2.2)
  const moved = from !== c.path.remote;
  if (moved && c.client) {
    around.counters.refusedPackets++; // servers do not move (section 9)
    return;
  }
  if (!moved && !c.path.validated) c.path.received += bytes - headerBytes(from);
  for (let p: QuicPacket | undefined = first; p !== undefined; p = p.next) {
    takePacket(c, around, p, moved ? from : undefined, bytes, now);
    if ((c.state as string) === "closed") return;
  }
}

function takePacket(
  c: Connection,
  around: Surroundings,
  p: QuicPacket,
  moved: Address | undefined,
  bytes: number,
  now: number,
): void {
  const space = c.recovery.spaces[p.space];
  if (!space.open) {
    around.counters.refusedPackets++; // no keys
    return;
  }
  const { high } = space.received;
  const largest = high.length === 0 ? -1 : (high[high.length - 1] as number);
  if (!take(space.received, p.number, now, p.eliciting, p.space === APPLICATION)) {
    around.counters.duplicatePackets++;
    if (p.datagram !== undefined && isTooOld(space.received, p.number)) around.overtaken(bytes);
    return;
  }
  hear(c, around, now);
  if (p.scid !== 0) c.peerId = p.scid;
  if (!c.client && p.space === HANDSHAKE) {
    c.path.validated = true; // section 8.1
    if (c.recovery.spaces[INITIAL].open) closeSpace(c.recovery, c.recovery.spaces[INITIAL]);
  }
  if (moved !== undefined && c.state === "connected" && p.number > largest && isNonProbing(p))
    follow(c, around, moved, bytes, now);
  if (p.ackLargest >= 0 && !takeAck(c.recovery, space, p.space, p, now)) around.counters.refusedPackets++;
  if (p.datagram !== undefined) around.emit(c.session, { type: "datagram", bytes: p.datagram });
  if (p.frames === undefined) return;
  for (const frame of p.frames) {
    takeOne(c, around, p, frame, now);
    if (c.state === "closed") return;
  }
}

function takeOne(c: Connection, around: Surroundings, p: QuicPacket, frame: Frame, now: number): void {
  switch (frame.type) {
    case "datagram":
      around.emit(c.session, { type: "datagram", bytes: frame.bytes });
      return;
    case "stream":
      takeFrame(c.incoming, frame, (message) => tellMessage(c, around, message));
      return;
    case "crypto":
      if (takeCrypto(c, around, p.space, frame, now)) return;
      transmitClose(c, around, "certificate", now);
      finish(c, around, "pin-mismatch", "", now + TIMEOUTS * probeTimeout(c.recovery.roundTrip, true));
      return;
    case "handshake-done":
      if (c.client) confirm(c);
      return;
    case "path-challenge":
      c.controls.push({ type: "path-response", data: frame.data });
      return;
    case "path-response":
      if (respond(c.path, frame.data)) around.emit(c.session, { type: "path-changed", remote: c.path.remote });
      return;
    case "connection-close":
      finish(c, around, "peer", frame.detail, now + TIMEOUTS * probeTimeout(c.recovery.roundTrip, true));
      return;
    default:
      return;
  }
}

function tellMessage(c: Connection, around: Surroundings, message: StreamMessage): void {
  if (!c.streamOpen) {
    c.streamOpen = true;
    if (message.length === 0) return; // the client opens the stream with an empty message
  }
  if (message.bytes !== undefined) {
    around.emit(c.session, { type: "message", bytes: message.bytes });
  } else around.emit(c.session, { type: "oversized", length: message.length });
}

function hear(c: Connection, around: Surroundings, now: number): void {
  c.heardAt = now;
  c.spokeAt = -1;
  c.packetsReceived++;
  if (!c.silent) return;
  c.silent = false;
  c.rousing = c.last;
  c.repeats = AFTER_SILENCE;
  repeatAfterSilence(c, around, now);
  around.emit(c.session, { type: "heard" });
}

/** A window that filled up while nobody answered stays full until the peer acknowledges something, and the next probe may be seconds away. */
function repeatAfterSilence(c: Connection, around: Surroundings, now: number): void {
  c.repeats--;
  c.repeatAt = c.repeats > 0 ? now + REPEAT_EVERY : NEVER;
  if (c.rousing !== undefined) around.transmit(c.path.remote, c.rousing);
}

/** Section 9.3: the highest-numbered packet that does more than probe decides where the peer is. */
function follow(c: Connection, around: Surroundings, from: Address, bytes: number, now: number): void {
  const samePeer = hostOf(from) === hostOf(c.path.remote);
  const timeout = Math.max(probeTimeout(c.recovery.roundTrip, true), 3 * INITIAL_RTT); // section 8.2.4
  move(c.path, from, now, around.draw(), timeout);
  c.path.received = bytes - headerBytes(from);
  changePath(c.recovery, !samePeer); // a port alone is a rebinding: estimates stay (section 9.4)
}

const isNonProbing = (p: QuicPacket): boolean =>
  p.datagram !== undefined ||
  p.frames === undefined ||
  p.frames.some((frame) => frame.type !== "path-challenge" && frame.type !== "path-response");

const hostOf = (address: Address): string => address.slice(0, address.lastIndexOf(":"));

/** When `wake` is next due; Infinity when only a packet can change anything. */
export function deadline(c: Connection, config: SessionConfig): number {
  if (c.state === "closed") return c.drainedAt;
  const r = c.recovery;
  const space = r.spaces[APPLICATION];
  const blocked = !c.path.validated && allowance(c.path) < MIN_ALLOWANCE;
  let at = lossDeadline(r, blocked);
  if (c.state === "handshaking") return Math.min(at, c.startedAt + config.handshakeTimeout);
  if (space.received.due < at && !blocked) at = space.received.due; // an ACK that may not go waits for the peer
  const idle = idleAt(c);
  if (idle < at) at = idle;
  if (c.client && c.sentAt + config.keepAlive < at) at = c.sentAt + config.keepAlive;
  if (c.repeatAt < at) at = c.repeatAt;
  if (!c.silent && c.spokeAt >= 0 && c.spokeAt + config.silence < at) at = c.spokeAt + config.silence;
  return Math.min(at, pathDeadline(c.path));
}

const idleAt = (c: Connection): number =>
  Math.max(c.heardAt, c.spokeAt) + Math.max(c.idleTimeout, TIMEOUTS * probeTimeout(c.recovery.roundTrip, true));

/** Does what time asks for; harmless when called early. The caller transmits afterwards. */
export function wake(c: Connection, around: Surroundings, now: number): void {
  if (c.state === "closed") return;
  const { config } = around;
  if (c.state === "handshaking" && now >= c.startedAt + config.handshakeTimeout) {
    finish(c, around, "handshake-timeout", "", now);
    return;
  }
  if (c.state === "connected") {
    if (now >= idleAt(c)) {
      finish(c, around, "idle-timeout", "", now);
      return;
    }
    if (!c.silent && c.spokeAt >= 0 && now >= c.spokeAt + config.silence) {
      c.silent = true;
      c.repeatAt = now;
      around.emit(c.session, { type: "silent", for: (now - c.heardAt) as Micros });
    }
    if (!c.silent && now >= c.repeatAt) repeatAfterSilence(c, around, now);
    if (now >= c.repeatAt) {
      c.repeatAt = now + REPEAT_EVERY;
      if (c.last !== undefined) around.transmit(c.path.remote, c.last);
    }
    if (c.client && now >= c.sentAt + config.keepAlive) c.controls.push({ type: "ping" });
    if (pathTimer(c.path, now)) c.controls.push({ type: "path-challenge", data: c.path.challenge });
  }
  const blocked = !c.path.validated && allowance(c.path) < MIN_ALLOWANCE;
  if (now >= lossDeadline(c.recovery, blocked)) lossTimer(c.recovery, now);
}

/** This party closes: CONNECTION_CLOSE goes out once and later packets are dropped, as quiche does it (section 10.2). */
export function close(c: Connection, around: Surroundings, detail: string, now: number): void {
  if (c.state === "closed") return;
  transmitClose(c, around, detail, now);
  finish(c, around, "local", detail, now + TIMEOUTS * probeTimeout(c.recovery.roundTrip, true));
}

/** The endpoint saw a stateless reset with this connection's token (section 10.3.1). */
export function reset(c: Connection, around: Surroundings, now: number): void {
  if (c.state !== "closed") finish(c, around, "reset", "", now);
}

/** Nothing more will come of it. */
export const isForgotten = (c: Connection, now: number): boolean => c.state === "closed" && now >= c.drainedAt;
