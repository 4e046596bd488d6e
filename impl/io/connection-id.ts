/**
 * Connection IDs of our own and what can be told about a packet from the outside: the version-independent header (RFC 8999),
 * stateless reset tokens and packets (RFC 9000 section 10.3). A token is a function of the key and the ID, so a process that
 * lost all its state but kept its key can still tell a peer so.
 */
import { createHmac, randomBytes } from "node:crypto";
import { ByteReader } from "../base/cursor.ts";

/** Octets of every connection ID we issue: the longest of QUIC version 1 (RFC 9000 section 17.2), so that short headers need no guessing. */
export const CONNECTION_ID_BYTES = 20;
const TOKEN_BYTES = 16; // RFC 9000 section 10.3
/**
 * Smallest packet answered with a reset: what our own engine sends for a bare PING (1 + 20 + 1 header, 4 payload, 16 tag). The answer is
 * always shorter than its cause, so two endpoints without state fall silent (RFC 9000 section 10.3.3).
 */
export const SMALLEST_CAUSE = 42;
const LONGEST_RESET = 43; // chosen: long enough to pass for a short packet (RFC 9000 section 10.3: at least 5 + 16 + the ID's length)

/** A connection ID as a Map key. */
export type IdKey = string;

export const newConnectionId = (): Uint8Array => new Uint8Array(randomBytes(CONNECTION_ID_BYTES));
export const idKey = (id: Uint8Array): IdKey => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");

/** The key of the ID that a packet with a short header is addressed to; of no ID at all when the packet is shorter. */
export const shortKey = (packet: Buffer): IdKey => packet.toString("latin1", 1, 1 + CONNECTION_ID_BYTES);

/** The 16 octets that end a stateless reset for `id`. */
export const resetToken = (key: Uint8Array, id: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(id).digest().subarray(0, TOKEN_BYTES);

/** The token as the 128-bit number the engine wants. */
export const resetTokenNumber = (key: Uint8Array, id: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(resetToken(key, id)).toString("hex")}`);

/** The reset that answers a packet of `causeBytes` octets addressed to `id`; undefined when the packet is too small to be answered. */
export function resetPacket(key: Uint8Array, id: Uint8Array, causeBytes: number): Uint8Array | undefined {
  if (causeBytes < SMALLEST_CAUSE) return undefined;
  const packet = new Uint8Array(randomBytes(Math.min(causeBytes - 1, LONGEST_RESET)));
  packet[0] = 0x40 | ((packet[0] as number) & 0x3f); // a short header with the fixed bit
  packet.set(resetToken(key, id), packet.length - TOKEN_BYTES);
  return packet;
}

/** What every version of QUIC shows (RFC 8999), with short headers read as ours. */
export type OuterHeader =
  | { readonly form: "short"; readonly to: Uint8Array }
  | {
      readonly form: "long";
      readonly version: number;
      readonly initial: boolean;
      readonly to: Uint8Array;
      readonly from: Uint8Array;
      /** What follows the IDs, as the version says. */
      readonly rest: Uint8Array;
    };

/** Undefined for what cannot be QUIC. IDs and rest are views of `packet`. Never throws. */
export function readOuterHeader(packet: Uint8Array): OuterHeader | undefined {
  const reader = new ByteReader(packet);
  const first = reader.uint(1);
  if ((first & 0x80) === 0) {
    const to = reader.bytes(CONNECTION_ID_BYTES);
    return reader.bad || (first & 0x40) === 0 ? undefined : { form: "short", to };
  }
  const version = reader.uint(4);
  const to = reader.bytes(reader.uint(1));
  const from = reader.bytes(reader.uint(1));
  if (reader.bad) return undefined;
  return { form: "long", version, initial: (first & 0x30) === 0, to, from, rest: reader.rest() };
}

/** Whether a packet looks like a Retry (RFC 9000 section 17.2.5) and is no version negotiation; whether it is one for this connection only the engine can tell. */
export const isRetry = (packet: Uint8Array): boolean =>
  ((packet[0] ?? 0) & 0xf0) === 0xf0 && packet.subarray(1, 5).some((octet) => octet !== 0);
