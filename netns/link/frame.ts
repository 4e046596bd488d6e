/**
 * What the link drivers need to know of a frame: whether it is a packet of the call, how long it is, and between whom.
 * The call's packets are unicast UDP (RFC 768) over IPv4 (RFC 791) or IPv6 (RFC 8200); everything else (ARP, neighbour discovery, broadcasts, other protocols) only keeps the
 * network going. Left out on purpose: extension headers, VLAN tags.
 */

/** Octets of the virtio-net header that a macvtap device puts before each frame (linux/virtio_net.h, without the merged-buffers field). */
export const VNET_HEADER = 10;

const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_HEADER = 40;
const PROTOCOL_UDP = 17;
const UDP_HEADER = 8;

/** An IPv4 address as a whole number, or the first 64 bits of an IPv6 one. */
export type Station = number | bigint;

export type UdpFrame = {
  /** Octets of the IP packet, headers included. */
  readonly bytes: number;
  readonly source: Station;
  readonly destination: Station;
  /** Where in the frame its payload begins. */
  readonly payload: number;
};

/** Undefined for a frame (virtio-net header first) that is not a unicast UDP packet. Never throws. */
export function udpFrame(frame: Uint8Array): UdpFrame | undefined {
  const ip = VNET_HEADER + ETHERNET_HEADER;
  if (frame.length < ip + 20) return undefined;
  if (((frame[VNET_HEADER] as number) & 1) === 1) return undefined; // Ethernet group address
  const type = half(frame, ip - 2);
  if (type === ETHERTYPE_IPV6) return udpFrame6(frame, ip);
  if (type !== ETHERTYPE_IPV4) return undefined;
  if ((frame[ip] as number) >> 4 !== 4 || frame[ip + 9] !== PROTOCOL_UDP) return undefined;
  return {
    bytes: half(frame, ip + 2),
    source: word(frame, ip + 12),
    destination: word(frame, ip + 16),
    payload: ip + ((frame[ip] as number) & 15) * 4 + UDP_HEADER,
  };
}

function udpFrame6(frame: Uint8Array, ip: number): UdpFrame | undefined {
  if (frame.length < ip + IPV6_HEADER || (frame[ip] as number) >> 4 !== 6 || frame[ip + 6] !== PROTOCOL_UDP) return undefined;
  return {
    bytes: IPV6_HEADER + half(frame, ip + 4),
    source: prefixAt(frame, ip + 8),
    destination: prefixAt(frame, ip + 24),
    payload: ip + IPV6_HEADER + UDP_HEADER,
  };
}

const half = (from: Uint8Array, at: number): number => ((from[at] as number) << 8) + (from[at + 1] as number);

const prefixAt = (from: Uint8Array, at: number): bigint => (BigInt(word(from, at)) << 32n) + BigInt(word(from, at + 4));

const word = (from: Uint8Array, at: number): number =>
  (((from[at] as number) << 24) |
    ((from[at + 1] as number) << 16) |
    ((from[at + 2] as number) << 8) |
    (from[at + 3] as number)) >>>
  0;

/** Whether a station lies in one of some prefixes. */
export type Prefixes = (host: Station) => boolean;

/** Prefixes written `192.168.1.0/24`, `192.0.2.1` for one address, or `2001:db8:1::/64`. TypeError for anything else. */
export function prefixes(written: readonly string[]): Prefixes {
  const sixes = new Set<Station>(written.filter((one) => one.includes(":")).map(prefix6));
  const parsed = written
    .filter((one) => !one.includes(":"))
    .map((one) => {
      const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(one);
      const octets = match?.slice(1, 5).map(Number) ?? [];
      const length = Number(match?.[5] ?? 32);
      if (match === null || octets.some((octet) => octet > 255) || length > 32)
        throw new TypeError(`prefix: want a.b.c.d or a.b.c.d/n, got ${one}`);
      const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
      return { mask, value: (word(Uint8Array.from(octets), 0) & mask) >>> 0 };
    });
  return (host) => (typeof host === "bigint" ? sixes.has(host) : parsed.some(({ mask, value }) => (host & mask) >>> 0 === value));
}

function prefix6(written: string): bigint {
  const groups = /^([0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,3})::\/64$/.exec(written)?.[1]?.split(":");
  if (groups === undefined) throw new TypeError(`prefix: want the first 64 bits, as 2001:db8:1::/64, got ${written}`);
  return [...groups, "0", "0", "0"].slice(0, 4).reduce((sum, group) => (sum << 16n) + BigInt(Number.parseInt(group, 16)), 0n);
}
