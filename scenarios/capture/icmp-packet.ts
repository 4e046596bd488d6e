/**
 * An ICMP error of a router (destination unreachable: RFC 792, RFC 4443 section 3.1) that refuses a UDP packet, for captures of what exists only as a model. Left out on
 * purpose: over IPv4, more of the refused packet than the standard's 64 bits after its header.
 */
import type { AddressFamily } from "../../impl/base/address.ts";
import { REJECT_CODES, type RejectAnswer } from "../middlebox.ts";
import { checksum, udpPacket } from "./udp-packet.ts";

type Shape = {
  readonly header: number;
  /** Place of the protocol's number in the IP header, and that number. */
  readonly protocol: readonly [at: number, number: number];
  readonly type: number;
  readonly codes: Readonly<Record<RejectAnswer, number>>;
  /** Octets that the IP packet has at most. */
  readonly most: number;
};

const V4: Shape = { header: 20, protocol: [9, 1], type: 3, codes: REJECT_CODES, most: 56 };
/** RFC 4443 section 2.4 (c): as much of the packet as fits into IPv6's least MTU. */
const V6: Shape = {
  header: 40,
  protocol: [6, 58],
  type: 1,
  codes: { "admin-prohibited": 1, "port-unreachable": 4 },
  most: 1_280,
};

/** Octets of the whole IP packet about a refused one of `bytes` octets: header, ICMP's eight, and of what was refused all that there is room for. */
export const icmpBytes = (family: AddressFamily, bytes: number): number => {
  const { header, most } = family === "v4" ? V4 : V6;
  return Math.min(most, header + 8 + bytes);
};

/**
 * From `router` to `source` about its packet of `bytes` octets to `destination`; all are `a.b.c.d:port` or `[v6]:port`, of the router the port does not count. What there is
 * not of the refused packet counts as zeros, and is left out.
 */
export function icmpPacket(router: string, source: string, destination: string, bytes: number, answer: RejectAnswer): Uint8Array {
  const family = source.startsWith("[") ? "v6" : "v4";
  const { header, protocol, type, codes } = family === "v4" ? V4 : V6;
  const length = icmpBytes(family, bytes);
  const refused = udpPacket(source, destination, bytes);
  const out = new Uint8Array(header + 8 + refused.length);
  out.set(udpPacket(router, source, length).subarray(0, header));
  out[protocol[0]] = protocol[1];
  out.set([type, codes[answer]], header);
  out.set(refused, header + 8);
  const view = new DataView(out.buffer);
  if (family === "v4") {
    view.setUint16(10, 0);
    view.setUint16(10, checksum(view));
    view.setUint16(header + 2, checksum(view, header, out.length - header));
  } else view.setUint16(header + 2, checksum(view, 8, out.length - 8, length - header + protocol[1])); // RFC 4443 section 2.3
  return out;
}
