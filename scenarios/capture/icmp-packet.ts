/**
 * An ICMP error of a router (RFC 792, destination unreachable) that refuses a UDP packet, for captures of what exists only as a model. Left out on purpose: more of the
 * refused packet than the standard's 64 bits after its header.
 */
import { REJECT_CODES, type RejectAnswer } from "../middlebox.ts";
import { checksum, udpPacket } from "./udp-packet.ts";

const HEADER = 20;
const PROTOCOL_ICMP = 1;
const UNREACHABLE = 3;
/** Octets of the whole IP packet: header, ICMP's eight, and header and eight octets of what was refused. */
export const ICMP_BYTES = 56;

/** From `router` to `source` about its packet of `bytes` octets to `destination`; all are `a.b.c.d:port`, of the router the port does not count. */
export function icmpPacket(router: string, source: string, destination: string, bytes: number, answer: RejectAnswer): Uint8Array {
  const out = new Uint8Array(ICMP_BYTES);
  const refused = udpPacket(source, destination, bytes);
  out.set(udpPacket(router, source, ICMP_BYTES).subarray(0, HEADER));
  out[9] = PROTOCOL_ICMP;
  out.set([UNREACHABLE, REJECT_CODES[answer]], HEADER);
  out.set(refused, HEADER + 8);
  const view = new DataView(out.buffer);
  view.setUint16(10, 0);
  view.setUint16(10, checksum(view));
  view.setUint16(HEADER + 2, checksum(view, HEADER, ICMP_BYTES - HEADER));
  return out;
}
