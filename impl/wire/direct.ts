/**
 * What two clients say to each other on a session between them, before media may flow: JSON messages on its stream, as signalling is on a relay's.
 * The dialler has checked the acceptor's certificate already; `DirectHello` shows that it is the call's other party, `DirectReady` that it was
 * taken in. What the proofs cover: impl/core/ice/direct-proof.ts. Datagrams are media packets, or the one octet of a keepalive.
 */
import { z } from "zod";

/** Dialler to acceptor. `nonce` 16, `proof` 32 octets as lowercase hex. */
export type DirectHello = {
  readonly type: "DirectHello";
  readonly call_id: string;
  readonly nonce: string;
  readonly proof: string;
};
/** Acceptor to dialler: media may be sent here from now on. */
export type DirectReady = { readonly type: "DirectReady"; readonly call_id: string; readonly proof: string };
export type DirectMessage = DirectHello | DirectReady;

/** Says nothing but that the way is open; no media packet begins like that (impl/wire/media-header.ts). */
export const KEEPALIVE: Uint8Array = new Uint8Array([0x01]);
export const isKeepalive = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0] === KEEPALIVE[0];

const hex = (octets: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${octets * 2}}$`));
const schema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("DirectHello"), call_id: hex(16), nonce: hex(16), proof: hex(32) }),
  z.object({ type: z.literal("DirectReady"), call_id: hex(16), proof: hex(32) }),
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const encodeDirect = (message: DirectMessage): Uint8Array => encoder.encode(JSON.stringify(message));

/** Undefined for anything else. Never throws. */
export function parseDirect(bytes: Uint8Array): DirectMessage | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(decoder.decode(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
