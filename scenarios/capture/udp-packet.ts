/**
 * The IP and UDP headers of a packet that exists only as a model (RFC 791, RFC 8200, RFC 768), for captures. Left out on purpose: fragments, options, extension
 * headers, and over IPv4 the UDP checksum, which a sender may leave at zero there.
 */
import { parseAddress } from "../../impl/base/address.ts";

const UDP_HEADER = 8;
const PROTOCOL_UDP = 17;
/** As Linux sends. */
const TTL = 64;

/**
 * Headers for a packet of `bytes` octets in all, followed by `payload` as far as there is one; what there is not counts as zeros. `from` and `to` are of one
 * family; RangeError for anything else, or when the payload does not fit.
 */
export function udpPacket(from: string, to: string, bytes: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  const [source, destination] = [endpoint(from), endpoint(to)];
  if (source.host.length !== destination.host.length) throw new RangeError(`address: want one family, got ${from} and ${to}`);
  const header = source.host.length === 4 ? 20 : 40;
  const least = header + UDP_HEADER + payload.length;
  if (!(bytes >= least && bytes <= 0xffff)) throw new RangeError(`bytes: want ${least}..65535, got ${bytes}`);
  const out = new Uint8Array(least);
  const view = new DataView(out.buffer);
  out.set(payload, header + UDP_HEADER);
  view.setUint16(header, source.port);
  view.setUint16(header + 2, destination.port);
  view.setUint16(header + 4, bytes - header);
  if (header === 20) {
    out[0] = 0x45; // version 4, five words of header
    view.setUint16(2, bytes);
    view.setUint16(6, 0x4000); // not to be fragmented
    out.set([TTL, PROTOCOL_UDP], 8);
    out.set(source.host, 12);
    out.set(destination.host, 16);
    view.setUint16(10, checksum(view));
    return out;
  }
  out[0] = 0x60; // version 6
  view.setUint16(4, bytes - header);
  out.set([PROTOCOL_UDP, TTL], 6);
  out.set(source.host, 8);
  out.set(destination.host, 24);
  // RFC 8200 section 8.1: over both addresses, the length and the protocol too, and never zero.
  view.setUint16(header + 6, checksum(view, 8, least - 8, bytes - header + PROTOCOL_UDP) || 0xffff);
  return out;
}

function endpoint(of: string): { readonly host: readonly number[]; readonly port: number } {
  const parts = parseAddress(of);
  if (parts === undefined) throw new RangeError(`address: want a.b.c.d:port or [v6]:port, got ${of}`);
  const { host, port, family } = parts;
  if (family === 4) return { host: host.split(".").map(Number), port };
  const [head = "", tail] = host.split("::");
  const [left, right] = [head, tail ?? ""].map((side) => side.split(":").filter((group) => group !== ""));
  const missing = Array<string>(8 - (left?.length ?? 0) - (right?.length ?? 0)).fill("0");
  const words = [...(left ?? []), ...missing, ...(right ?? [])].map((group) => Number.parseInt(group, 16));
  return { host: words.flatMap((word) => [word >> 8, word & 0xff]), port };
}

/** Of `length` octets from `from`, and of what is not written out, with its own place still zero (RFC 1071). */
export function checksum(view: DataView, from = 0, length = 20, beside = 0): number {
  let sum = beside;
  for (let at = from; at < from + length; at += 2) sum += at + 1 < from + length ? view.getUint16(at) : view.getUint8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
