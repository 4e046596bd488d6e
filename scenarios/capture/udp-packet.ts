/**
 * The IPv4 and UDP headers of a packet that exists only as a model (RFC 791, RFC 768), for captures. Left out on purpose: fragments, options, IPv6, and
 * the UDP checksum, which IPv4 lets a sender leave at zero.
 */

const HEADERS = 28;
const PROTOCOL_UDP = 17;
/** As Linux sends. */
const TTL = 64;

/**
 * Headers for a packet of `bytes` octets in all, followed by `payload` as far as there is one. `from` and `to` are `a.b.c.d:port`;
 * RangeError for anything else, or when the payload does not fit.
 */
export function udpPacket(from: string, to: string, bytes: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  if (!(bytes >= HEADERS + payload.length && bytes <= 0xffff))
    throw new RangeError(`bytes: want ${HEADERS + payload.length}..65535, got ${bytes}`);
  const [source, destination] = [endpoint(from), endpoint(to)];
  const out = new Uint8Array(HEADERS + payload.length);
  const view = new DataView(out.buffer);
  out[0] = 0x45; // version 4, five words of header
  view.setUint16(2, bytes);
  view.setUint16(6, 0x4000); // not to be fragmented
  out[8] = TTL;
  out[9] = PROTOCOL_UDP;
  out.set(source.host, 12);
  out.set(destination.host, 16);
  view.setUint16(10, checksum(view));
  view.setUint16(20, source.port);
  view.setUint16(22, destination.port);
  view.setUint16(24, bytes - 20);
  out.set(payload, HEADERS);
  return out;
}

function endpoint(address: string): { readonly host: readonly number[]; readonly port: number } {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(address);
  const [a = 256, b = 256, c = 256, d = 256, port = 65_536] = match?.slice(1).map(Number) ?? [];
  if ([a, b, c, d].some((octet) => octet > 255) || port > 65_535)
    throw new RangeError(`address: want a.b.c.d:port, got ${address}`);
  return { host: [a, b, c, d], port };
}

/** Of `length` octets (an even number) from `from`, with its own place still zero (RFC 1071). */
export function checksum(view: DataView, from = 0, length = 20): number {
  let sum = 0;
  for (let at = from; at < from + length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
