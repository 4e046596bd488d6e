/** What the model holds of one QUIC connection, and what it needs of the endpoint around it. */
import type { Address } from "../../impl/base/address.ts";
import type { CloseReason, SessionConfig, SessionEvent, SessionId } from "../../impl/core/session.ts";
import { clearQueue, type DatagramQueue, startQueue } from "./datagram-queue.ts";
import type { Frame, ServerGreeting, WirePacket } from "./packet.ts";
import { type Path, startPath } from "./path.ts";
import { type Recovery, startRecovery } from "./recovery.ts";
import { type IncomingStream, type OutgoingStream, startIncoming, startOutgoing } from "./streams.ts";

/** Counted since the endpoint was opened. Octets include UDP and IP headers. */
export type Counters = {
  sentPackets: number;
  sentBytes: number;
  receivedPackets: number;
  receivedBytes: number;
  /** Payloads that are nothing the model knows. */
  unknownPayloads: number;
  /** QUIC packets for no connection here, answered by a reset or not. */
  unknownConnections: number;
  resetsSent: number;
  /** Resets not sent: over the rate limit. */
  resetsWithheld: number;
  /** Resets received whose token belongs to no connection with that address. */
  resetsIgnored: number;
  /** Packets without keys, from a wrong address, or with an impossible acknowledgement. */
  refusedPackets: number;
  duplicatePackets: number;
  /** Datagrams that left the queue unsent to make room for newer ones. */
  datagramsDropped: number;
};

export const startCounters = (): Counters => ({
  sentPackets: 0,
  sentBytes: 0,
  receivedPackets: 0,
  receivedBytes: 0,
  unknownPayloads: 0,
  unknownConnections: 0,
  resetsSent: 0,
  resetsWithheld: 0,
  resetsIgnored: 0,
  refusedPackets: 0,
  duplicatePackets: 0,
  datagramsDropped: 0,
});

/** What a connection asks of its endpoint. None of these calls comes back into the connection. */
export type Surroundings = {
  readonly config: SessionConfig;
  readonly counters: Counters;
  emit(session: SessionId, event: SessionEvent): void;
  /** A server's handshake is complete: gives the connection its session number. */
  accept(connection: Connection): void;
  /** The client knows the token by which its server may reset it. */
  watchToken(connection: Connection, token: number): void;
  transmit(to: Address, packet: WirePacket): void;
  draw(): number;
  /** A packet of so many octets with a datagram came too late to be told from a duplicate. */
  overtaken(octets: number): void;
};

export type Connection = {
  readonly client: boolean;
  /** 0 at a server until accepted. */
  session: SessionId;
  state: "handshaking" | "connected" | "closed";
  /** Own connection ID and the peer's; a client guesses the latter until the server tells. */
  readonly id: number;
  peerId: number;
  /** The ID of the client's first packets, at a server; its own guess at a client. */
  readonly originalId: number;
  readonly startedAt: number;
  readonly path: Path;
  readonly recovery: Recovery;
  /** The fingerprint a client wants to see; unused at a server. */
  readonly pin: string;
  /** What a server tells of itself; what a client was told. */
  greeting: ServerGreeting | undefined;
  /** Parts of the peer's handshake seen, a bit each. */
  partsSeen: number;
  idleTimeout: number;
  heardAt: number;
  /** When an ack-eliciting packet was first sent since the peer was heard; -1 when none was. */
  spokeAt: number;
  sentAt: number;
  silent: boolean;
  /** The last short packet, and when it is repeated while the peer is silent; Infinity when it is not. */
  last: WirePacket | undefined;
  repeatAt: number;
  /** What is repeated for a while after a silence, and how often still. */
  rousing: WirePacket | undefined;
  repeats: number;
  packetsReceived: number;
  packetsSent: number;
  /** A closed connection is forgotten then. */
  drainedAt: number;
  /** Frames sent once, in any window: PING, PATH_CHALLENGE, PATH_RESPONSE. */
  readonly controls: Frame[];
  readonly datagrams: DatagramQueue;
  readonly outgoing: OutgoingStream;
  readonly incoming: IncomingStream;
  /** The stream exists on this side: at a server from the client's opening on (RFC 9000 section 2.1). */
  streamOpen: boolean;
  /** Whether the stream is served before the datagrams in the next packet. */
  streamFirst: boolean;
  datagramsSent: number;
  /** The instant of the earliest wake that is scheduled; Infinity when none is. */
  wakeAt: number;
  /** What the endpoint schedules for it; undefined once the connection is forgotten. */
  awaken: (() => void) | undefined;
  /** In the endpoint's list of connections to flush. */
  dirty: boolean;
};

export type Opening = {
  readonly client: boolean;
  readonly session: SessionId;
  readonly id: number;
  readonly peerId: number;
  readonly originalId: number;
  readonly remote: Address;
  readonly pin: string;
  readonly greeting: ServerGreeting | undefined;
};

export const startConnection = (o: Opening, config: SessionConfig, now: number): Connection => ({
  client: o.client,
  session: o.session,
  state: "handshaking",
  id: o.id,
  peerId: o.peerId,
  originalId: o.originalId,
  startedAt: now,
  path: startPath(o.remote, o.client),
  recovery: startRecovery(o.client),
  pin: o.pin,
  greeting: o.greeting,
  partsSeen: 0,
  idleTimeout: config.idleTimeout,
  heardAt: now,
  spokeAt: -1,
  sentAt: now,
  silent: false,
  last: undefined,
  repeatAt: Number.POSITIVE_INFINITY,
  rousing: undefined,
  repeats: 0,
  packetsReceived: 0,
  packetsSent: 0,
  drainedAt: Number.POSITIVE_INFINITY,
  controls: [],
  datagrams: startQueue(),
  outgoing: startOutgoing(),
  incoming: startIncoming(),
  streamOpen: o.client,
  streamFirst: false,
  datagramsSent: 0,
  wakeAt: Number.POSITIVE_INFINITY,
  awaken: undefined,
  dirty: false,
});

/** Ends a connection and tells its owner, if it has one. `drainedAt`: until then its packets are dropped unanswered. */
export function finish(c: Connection, around: Surroundings, reason: CloseReason, detail: string, drainedAt: number): void {
  c.state = "closed";
  c.drainedAt = drainedAt;
  clearQueue(c.datagrams);
  if (c.session === 0) return;
  around.emit(c.session, detail === "" ? { type: "closed", reason } : { type: "closed", reason, detail });
}
