/**
 * Trunk datagrams between relays: packets of many calls in one. Each is two octets of number, two octets of length, both big-endian, and the packet.
 * Numbers are chosen by the receiver (`FederationChannel`).
 */
import { putUint } from "../base/cursor.ts";

/** Octets in front of each packet. */
export const TRUNK_HEADER_BYTES = 4;

export type Trunked = { readonly number: number; readonly packet: Uint8Array };

export function packTrunk(packets: readonly Trunked[]): Uint8Array {
  const out = new Uint8Array(packets.reduce((sum, { packet }) => sum + TRUNK_HEADER_BYTES + packet.length, 0));
  let at = 0;
  for (const { number, packet } of packets) {
    putUint(out, at, 2, number);
    putUint(out, at + 2, 2, packet.length);
    out.set(packet, at + TRUNK_HEADER_BYTES);
    at += TRUNK_HEADER_BYTES + packet.length;
  }
  return out;
}

/** The packets, views into `bytes`; undefined when the octets are not whole packets. Never throws. */
export function unpackTrunk(bytes: Uint8Array): readonly Trunked[] | undefined {
  const out: Trunked[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + TRUNK_HEADER_BYTES > bytes.length) return undefined;
    const number = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    at += TRUNK_HEADER_BYTES;
    if (length === 0 || at + length > bytes.length) return undefined;
    out.push({ number, packet: bytes.subarray(at, at + length) });
    at += length;
  }
  return out;
}
