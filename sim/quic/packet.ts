/**
 * What one UDP datagram of the QUIC model carries: frames as objects with the size they would have as bytes.
 * Sources: RFC 9000 sections 12, 17 and 19 (packets, frames), RFC 9001 section 5.3 (AEAD tag), RFC 9221 (DATAGRAM).
 * Left out on purpose: bytes, encryption, flow control, packet number truncation, version negotiation, Retry, 0-RTT, ECN.
 * A packet is immutable once sent: the network may deliver the same object twice.
 */
import type { Address } from "../../impl/base/address.ts";

/** Packet number spaces (RFC 9000 section 12.3), used as indices. */
export const INITIAL = 0;
export const HANDSHAKE = 1;
export const APPLICATION = 2;
export type SpaceIndex = 0 | 1 | 2;

/** What travels in the network: `bytes` is the size with UDP and IP headers. */
export type WirePacket = { readonly bytes: number; readonly payload: unknown };

/** Largest UDP payload the model sends: the smallest every QUIC path carries (RFC 9000 section 14). No path MTU discovery. */
export const MAX_UDP_PAYLOAD = 1_200;
/** Short header: 1 flags, 20 connection ID (the longest, RFC 9000 section 17.2), 2 packet number, 16 AEAD tag. */
export const SHORT_OVERHEAD: number = 1 + 20 + 2 + 16;
/** Long header: 1 flags, 4 version, two connection IDs of 1 + 20, 1 token length, 2 length, 2 packet number, 16 AEAD tag (section 17.2). */
export const LONG_OVERHEAD: number = 1 + 4 + 21 + 21 + 1 + 2 + 2 + 16;
/** DATAGRAM with length: 1 type, 2 length (RFC 9221 section 4). */
export const DATAGRAM_OVERHEAD = 3;
/** STREAM with offset and length: 1 type, 1 stream, 2 offset, 2 length (RFC 9000 section 19.8). */
export const STREAM_OVERHEAD = 6;
/** CRYPTO: 1 type, 1 offset, 2 length (section 19.6). */
export const CRYPTO_OVERHEAD = 4;
/** ACK of one range: 1 type, 1 largest, 1 delay, 1 count, 1 first range; each further range 1 gap and 1 length (section 19.3). */
export const ACK_BYTES = 5;
export const ACK_RANGE_BYTES = 2;
/** Smallest short packet, a PING padded for header protection (RFC 9001 section 5.4.2): 42 octets, seen from quiche. */
export const MIN_SHORT_PACKET = 42;
/** Largest a stateless reset gets (RFC 9000 section 10.3). chosen: as in the real driver. */
export const RESET_BYTES = 43;

/** HANDSHAKE_DONE with what goes out beside it: seven NEW_CONNECTION_ID and the session tickets. Seen from quiche with 8 connection IDs. */
const HANDSHAKE_DONE_BYTES = 390;

/** UDP and IP header octets on the way to `remote`: 8 + 20 (IPv4) or 8 + 40 (IPv6). */
export const headerBytes = (remote: Address): number => (remote.charCodeAt(0) === 0x5b ? 48 : 28);

/** What a server tells of itself inside its handshake: certificate and transport parameters. */
export type ServerGreeting = { readonly fingerprint: string; readonly resetToken: number; readonly idleTimeout: number };

/** A flight of the TLS handshake within one space. */
export type CryptoFrame = {
  readonly type: "crypto";
  readonly length: number;
  /** In the server's flight. */
  readonly greeting: ServerGreeting | undefined;
  /** In the client's hello: its idle timeout. */
  readonly idleTimeout: number | undefined;
};

/** Consecutive octets of the message stream; `messages` are those that end inside it. Never split or merged when sent again. */
export type StreamFrame = {
  readonly type: "stream";
  readonly offset: number;
  readonly length: number;
  readonly messages: readonly StreamMessage[];
};

/** A whole message, or one that is too long and only announced (`bytes` undefined). */
export type StreamMessage = { readonly length: number; readonly bytes: Uint8Array | undefined };

/** Frames that are sent again until acknowledged. */
export type ReliableFrame = CryptoFrame | StreamFrame | { readonly type: "handshake-done" };

export type Frame =
  | ReliableFrame
  | { readonly type: "datagram"; readonly bytes: Uint8Array }
  | { readonly type: "ping" }
  | { readonly type: "path-challenge" | "path-response"; readonly data: number }
  | { readonly type: "connection-close"; readonly detail: string };

/** Octets of a frame. */
export function frameBytes(frame: Frame): number {
  switch (frame.type) {
    case "stream":
      return STREAM_OVERHEAD + frame.length;
    case "datagram":
      return DATAGRAM_OVERHEAD + frame.bytes.length;
    case "crypto":
      return CRYPTO_OVERHEAD + frame.length;
    case "path-challenge":
    case "path-response":
      return 9; // section 19.17: type and 8 octets
    case "connection-close":
      return 4 + Math.min(frame.detail.length, 64); // section 19.19: type, code, frame type, length, reason
    case "handshake-done":
      return HANDSHAKE_DONE_BYTES;
    default:
      return 1; // PING
  }
}

/** Marks packets of the model: whatever claims to be one without it is refused. */
export const SEAL: unique symbol = Symbol("sealed by the QUIC model");

/** One QUIC packet; several coalesced ones in a UDP datagram form a chain by `next` (RFC 9000 section 12.2). */
export type QuicPacket = {
  readonly proto: "quic";
  readonly seal: typeof SEAL;
  readonly space: SpaceIndex;
  readonly dcid: number;
  /** The sender's own connection ID; 0 in short headers. */
  readonly scid: number;
  readonly number: number;
  /** ACK frame: largest acknowledged (-1: no ACK), smallest of the first range, then pairs (largest, smallest) downwards. */
  readonly ackLargest: number;
  readonly ackSmallest: number;
  readonly ackMore: readonly number[] | undefined;
  /** Microseconds the acknowledgement was held back. */
  readonly ackDelay: number;
  /** The first DATAGRAM frame, kept apart from `frames` because nearly every media packet is just that. */
  readonly datagram: Uint8Array | undefined;
  readonly frames: readonly Frame[] | undefined;
  /** The sender's notes, which a receiver does not read: when, how big, on which path, with how many datagrams, whether it elicits an ACK. */
  readonly sentAt: number;
  readonly size: number;
  readonly epoch: number;
  readonly datagrams: number;
  readonly eliciting: boolean;
  /** The next coalesced packet. Set while the datagram is assembled, never after. */
  next: QuicPacket | undefined;
};

/** A stateless reset (RFC 9000 section 10.3): all that identifies it is the token. */
export type ResetPacket = { readonly proto: "quic-reset"; readonly token: number };
/** STUN beside QUIC on the same socket (RFC 9443); the bytes pass through unread. */
export type StunPacket = { readonly proto: "stun"; readonly bytes: Uint8Array };

/** What a payload found in the network is; undefined for anything the model did not make. Never throws. */
export function readPayload(payload: unknown): QuicPacket | ResetPacket | StunPacket | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const claim = payload as { proto?: unknown; seal?: unknown; token?: unknown; bytes?: unknown };
  if (claim.proto === "quic") return claim.seal === SEAL ? (payload as QuicPacket) : undefined;
  if (claim.proto === "quic-reset") return typeof claim.token === "number" ? (payload as ResetPacket) : undefined;
  if (claim.proto === "stun") return claim.bytes instanceof Uint8Array ? (payload as StunPacket) : undefined;
  return undefined;
}

const SPACES = ["initial", "handshake", "1-rtt"] as const;

/** What a payload found in the network is, in words: `quic 1-rtt #42 datagram`, `stun`. For people who look into a run. */
export function describePayload(payload: unknown): string {
  const read = readPayload(payload);
  if (read === undefined) return "unknown";
  if (read.proto !== "quic") return read.proto;
  const parts: string[] = [];
  for (let packet: QuicPacket | undefined = read; packet !== undefined; packet = packet.next) {
    const frames = [
      ...(packet.ackLargest < 0 ? [] : ["ack"]),
      ...(packet.datagram === undefined ? [] : ["datagram"]),
      ...(packet.frames ?? []).map((frame) => frame.type),
    ];
    parts.push(`${SPACES[packet.space]} #${packet.number} ${frames.join("+") || "padding"}`);
  }
  return `quic ${parts.join(", ")}`;
}
