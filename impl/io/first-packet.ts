/**
 * What becomes of the first packet of a connection nobody knows yet: a version negotiation (RFC 9000 section 6), a Retry that asks the sender
 * to prove its address (section 8.1.2), a connection, or nothing. Nothing is kept of a packet that does not become a connection.
 */
import { ByteReader } from "../base/cursor.ts";
import type { Instant } from "../base/units.ts";
import { newConnectionId, type OuterHeader } from "./connection-id.ts";
import { type Host, quiche } from "./quic-engine.ts";
import { makeRetryToken, readRetryToken } from "./retry-token.ts";

/** Bounds on handshakes under way. */
export type HandshakeLimits = {
  /**
   * From this many on an address must be proved before anything is kept for it: whoever writes false addresses on first packets (section 21.3)
   * can take no more than these.
   */
  readonly unproved: number;
  /** One more takes the place of the oldest, which an honest client completes in a round trip and a half. */
  readonly all: number;
};

/**
 * chosen: a relay that returns to a few hundred clients costs none of them the Retry's round trip; and a handshake costs some 50 kB and lasts at most
 * the handshake limit.
 */
export const DEFAULT_LIMITS: HandshakeLimits = { unproved: 256, all: 1_024 };
/** Smallest UDP payload of a client's first packet (RFC 9000 section 14.1). */
const INITIAL_BYTES = 1_200;
/** Shortest connection ID a client may choose for the server (RFC 9000 section 7.2). */
const INITIAL_ID_BYTES = 8;
/** Octets of a Retry beside its token: first, version, two IDs with their lengths, integrity tag (section 17.2.5), rounded up. */
const RETRY_ROOM = 128;

export type FirstPacket =
  | { readonly type: "nothing" }
  /** To be sent back; shorter than what it answers. */
  | { readonly type: "negotiate" | "retry"; readonly answer: Uint8Array }
  /**
   * `id` is our connection ID. `originalId` is the ID that the client chose before a Retry told it ours, and its address is then proved;
   * null: there was no Retry, and packets addressed to the client's choice belong to the connection too.
   */
  | { readonly type: "accept"; readonly id: Uint8Array; readonly originalId: Uint8Array | null };

const NOTHING: FirstPacket = { type: "nothing" };

/** `key` is for tokens; an address must be proved when `mustProve`. Never throws. */
export function firstPacket(
  packet: Uint8Array,
  header: OuterHeader & { readonly form: "long" },
  from: Host,
  state: { readonly key: Uint8Array; readonly now: Instant; readonly mustProve: boolean },
): FirstPacket {
  if (header.version === 0 || packet.length < INITIAL_BYTES) return NOTHING;
  try {
    if (!quiche.versionIsSupported(header.version)) {
      const answer = new Uint8Array(INITIAL_BYTES);
      return { type: "negotiate", answer: answer.subarray(0, quiche.negotiateVersion(header.from, header.to, answer)) };
    }
    if (!header.initial || header.to.length < INITIAL_ID_BYTES) return NOTHING;
    const token = initialToken(header.rest);
    if (token === undefined) return NOTHING;
    const sender = `${from.host} ${from.port}`;
    if (token.length > 0) {
      // The client must be answered with the ID that the Retry gave it (section 7.3), however few handshakes are under way by now.
      const id = new Uint8Array(header.to);
      const originalId = readRetryToken(state.key, { from: sender, ourId: id }, token, state.now);
      return originalId === undefined ? NOTHING : { type: "accept", id, originalId };
    }
    const id = newConnectionId();
    if (!state.mustProve) return { type: "accept", id, originalId: null };
    const made = makeRetryToken(state.key, { from: sender, ourId: id }, header.to, state.now);
    const answer = new Uint8Array(RETRY_ROOM + made.length);
    return {
      type: "retry",
      answer: answer.subarray(0, quiche.retry(header.from, header.to, id, made, header.version, answer)),
    };
  } catch {
    return NOTHING; // an ID or a version the engine does not take: not a packet of our protocol
  }
}

/**
 * The token of an Initial packet, a view of it, empty where there is none; undefined when the packet ends before it does. `rest`: what follows the IDs (RFC 9000
 * section 17.2.2). Not read by the engine: each look at its header's token leaves some 130 octets in the C library's heap for good (@matrixai/quic 2.0.9), which were
 * a megabyte and a quarter a flood of ten thousand.
 */
export function initialToken(rest: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(rest);
  // Its length is a variable-length integer (section 16): the first two bits say of how many octets.
  const first = reader.uint(1);
  let length = first & 0x3f;
  for (let more = (1 << (first >> 6)) - 1; more > 0; more--) length = length * 256 + reader.uint(1);
  const token = reader.bytes(length);
  return reader.bad ? undefined : token;
}
