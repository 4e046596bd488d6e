/**
 * Tokens of QUIC Retry packets (RFC 9000 sections 8.1.2 and 8.1.4): a client that brings one back has shown that it receives what is sent to
 * its address, and the server has kept nothing meanwhile. A token holds when it was made and the connection ID that the client
 * chose first; a MAC binds both to the client's address and to the ID that the Retry gave it. Tokens for later connections (NEW_TOKEN) are left out.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ByteReader, putUint } from "../base/cursor.ts";
import { Instant, type Micros, seconds } from "../base/units.ts";

/** chosen: a client answers within a round trip, and gives a handshake up after 4 s (DEFAULT_SESSION). */
const LIFETIME: Micros = seconds(5);
/** Octets of a time in microseconds. */
const TIME_BYTES = 6;
/** chosen: half of SHA-256, too long to be guessed in five seconds. */
const MAC_BYTES = 16;

/** What a token is bound to. `from` is the client's address as the server sees it, `ourId` the connection ID in the Retry packet. */
export type RetryBinding = { readonly from: string; readonly ourId: Uint8Array };

/** A token for a client whose first packet was addressed to `originalId` (at most 255 octets). `now` at or after 0. */
export function makeRetryToken(key: Uint8Array, binding: RetryBinding, originalId: Uint8Array, now: Instant): Uint8Array {
  const token = new Uint8Array(TIME_BYTES + originalId.length + MAC_BYTES);
  putUint(token, 0, TIME_BYTES, now);
  token.set(originalId, TIME_BYTES);
  token.set(mac(key, binding, token.subarray(0, -MAC_BYTES)), token.length - MAC_BYTES);
  return token;
}

/** The ID that the client chose first, when `token` was made for this binding at most five seconds ago; else undefined. Never throws. */
export function readRetryToken(key: Uint8Array, binding: RetryBinding, token: Uint8Array, now: Instant): Uint8Array | undefined {
  if (token.length < TIME_BYTES + MAC_BYTES) return undefined;
  const content = token.subarray(0, -MAC_BYTES);
  if (!timingSafeEqual(mac(key, binding, content), token.subarray(-MAC_BYTES))) return undefined;
  const age = Instant.between(Instant(new ByteReader(content).uint(TIME_BYTES)), now);
  return age > LIFETIME ? undefined : content.slice(TIME_BYTES);
}

function mac(key: Uint8Array, { from, ourId }: RetryBinding, content: Uint8Array): Uint8Array {
  // The ID's length goes in front, so that no two inputs run together.
  const digest = createHmac("sha256", key)
    .update(Uint8Array.of(ourId.length))
    .update(ourId)
    .update(Uint8Array.of(content.length));
  return digest.update(content).update(from).digest().subarray(0, MAC_BYTES);
}
