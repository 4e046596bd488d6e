/**
 * The transport seam: what the core knows of a connection, and what a driver must provide. Three drivers are meant to stand
 * behind it (real QUIC in impl/io, the QUIC model in sim, WebTransport later); `session.contract.ts` holds them to one behaviour.
 * A session has one ordered reliable message stream in each direction and unreliable datagrams (RFC 9000, RFC 9221).
 */
import type { Address } from "../base/address.ts";
import { type Micros, seconds } from "../base/units.ts";
import { MAX_SIGNAL_BYTES } from "../wire/signal.ts";

/** Numbers chosen by the opener: positive for sessions this party dials, negative for those it accepts. Never reused. */
export type SessionId = number;

/** Why a session ended. */
export type CloseReason =
  | "local" // this party closed it
  | "peer" // the peer closed it (CONNECTION_CLOSE)
  | "reset" // stateless reset: the peer lost all state of it (RFC 9000 section 10.3)
  | "idle-timeout" // nothing heard for the idle timeout
  | "handshake-timeout" // no handshake within the limit
  | "refused" // the address answered that nobody listens, or the peer refused the handshake
  | "pin-mismatch" // the certificate is not the pinned one
  | "error"; // anything else, told in `detail`

export type SessionEvent =
  /** The server wants this client's address proved (Retry, RFC 9000 section 8.1.2): the handshake only begins now, a round trip later. Once at most, before `connected`; a driver without Retry never tells it. */
  | { readonly type: "retried" }
  /** The handshake is complete; `handshake` is how long it took from the first packet. `fingerprint` is that of the server's certificate ("" at the server). */
  | { readonly type: "connected"; readonly rtt: Micros; readonly handshake: Micros; readonly fingerprint: string }
  /** One whole message, at most `MAX_MESSAGE_BYTES`. The receiver owns the bytes. */
  | { readonly type: "message"; readonly bytes: Uint8Array }
  /** The peer announced a message of `length` octets, more than allowed: it was skipped, the session lives on. */
  | { readonly type: "oversized"; readonly length: number }
  | { readonly type: "datagram"; readonly bytes: Uint8Array }
  /** Something awaits acknowledgement and nothing at all has been heard from the peer for `for` (driver's `silence` setting). Told once per silence. */
  | { readonly type: "silent"; readonly for: Micros }
  /** The peer is heard again after a silence. */
  | { readonly type: "heard" }
  /** The peer's address changed and the new path is validated (RFC 9000 section 9). */
  | { readonly type: "path-changed"; readonly remote: Address }
  /** The last event of a session. */
  | { readonly type: "closed"; readonly reason: CloseReason; readonly detail?: string };

/** Largest message in octets: what the signalling parser takes. */
export const MAX_MESSAGE_BYTES: number = MAX_SIGNAL_BYTES;
/** Largest datagram payload in octets that fits the smallest QUIC packet (RFC 9000 section 14: 1200) with a 20-octet connection ID. */
export const MAX_DATAGRAM_BYTES = 1_150;

/** Timers of a session; the same numbers for every driver. */
export type SessionConfig = {
  /** Handshake not complete by then: closed with `handshake-timeout`. */
  readonly handshakeTimeout: Micros;
  /** Nothing received for this long: closed with `idle-timeout` (RFC 9000 section 10.1). */
  readonly idleTimeout: Micros;
  /** A client that sent nothing for this long sends a PING (RFC 9000 section 10.1.2). */
  readonly keepAlive: Micros;
  /** Ack-eliciting data outstanding and nothing heard for this long: a `silent` event. */
  readonly silence: Micros;
};

/** What a driver offers a core. No call re-enters the listener: events come from the driver's own loop, in order. */
export interface Endpoint {
  /** Dials `remote`; the peer's certificate must have the SHA-256 fingerprint `pin` (lowercase hex). */
  connect(session: SessionId, remote: Address, pin: string): void;
  /** Queues one message (at most MAX_MESSAGE_BYTES, else RangeError). Ignored once the session is closed. */
  send(session: SessionId, message: Uint8Array): void;
  /** Queues one datagram (at most MAX_DATAGRAM_BYTES, else RangeError). May be lost. Ignored unless the session is connected. */
  sendDatagram(session: SessionId, bytes: Uint8Array): void;
  /** Closes a session; its `closed` event (reason `local`) follows. Ignored once the session is closed. */
  close(session: SessionId, detail: string): void;
  /** Sends a bare UDP datagram that is not QUIC (STUN) from the same socket. */
  sendPacket(to: Address, bytes: Uint8Array): void;
}

/** Who a driver talks to. */
export interface EndpointListener {
  /** A peer completed a handshake with us; `session` is negative. Its `connected` event follows at once. */
  accepted(session: SessionId, remote: Address): void;
  event(session: SessionId, event: SessionEvent): void;
  /** A UDP datagram that is STUN by RFC 7983 / RFC 9443 demultiplexing. Anything else that is not QUIC is counted and dropped by the driver. */
  packet(from: Address, bytes: Uint8Array): void;
}

/**
 * What every party uses unless told otherwise. chosen: a handshake that takes 4 s is worse than a new attempt; 30 s idle is the
 * usual QUIC default; NATs may forget UDP after 30 s (RFC 4787 REQ-5 asks for 120, many do not), so ping at 10; one second of
 * silence is 50 frames that nobody acknowledged.
 */
export const DEFAULT_SESSION: SessionConfig = {
  handshakeTimeout: seconds(4),
  idleTimeout: seconds(30),
  keepAlive: seconds(10),
  silence: seconds(1),
};
