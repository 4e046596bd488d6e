/**
 * What the link drivers need to know of a frame: whether it is a packet of the call, how long it is, and between whom.
 * The call's packets are unicast IPv4 UDP (RFC 791, RFC 768); everything else (ARP, broadcasts, other protocols) only keeps the network
 * going. Left out on purpose: IPv6, VLAN tags.
 */

/** Octets of the virtio-net header that a macvtap device puts before each frame (linux/virtio_net.h, without the merged-buffers field). */
export const VNET_HEADER = 10;

const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_UDP = 17;
const UDP_HEADER = 8;

export type UdpFrame = {
  /** Octets of the IP packet, headers included. */
  readonly bytes: number;
  /** IPv4 addresses as whole numbers. */
  readonly source: number;
  readonly destination: number;
  /** Where in the frame its payload begins. */
  readonly payload: number;
};

/** Undefined for a frame (virtio-net header first) that is not a unicast IPv4 UDP packet. Never throws. */
export function udpFrame(frame: Uint8Array): UdpFrame | undefined {
  const ip = VNET_HEADER + ETHERNET_HEADER;
  if (frame.length < ip + 20) return undefined;
  if (((frame[VNET_HEADER] as number) & 1) === 1) return undefined; // Ethernet group address
  if (((frame[ip - 2] as number) << 8) + (frame[ip - 1] as number) !== ETHERTYPE_IPV4) return undefined;
  if ((frame[ip] as number) >> 4 !== 4 || frame[ip + 9] !== PROTOCOL_UDP) return undefined;
  return {
    bytes: ((frame[ip + 2] as number) << 8) + (frame[ip + 3] as number),
    source: word(frame, ip + 12),
    destination: word(frame, ip + 16),
    payload: ip + ((frame[ip] as number) & 15) * 4 + UDP_HEADER,
  };
}

const word = (from: Uint8Array, at: number): number =>
  (((from[at] as number) << 24) |
    ((from[at + 1] as number) << 16) |
    ((from[at + 2] as number) << 8) |
    (from[at + 3] as number)) >>>
  0;

/** Whether an IPv4 address, as a whole number, lies in one of some prefixes. */
export type Prefixes = (host: number) => boolean;

/** Prefixes written `192.168.1.0/24`, or `192.0.2.1` for one address. TypeError for anything else. */
export function prefixes(written: readonly string[]): Prefixes {
  const parsed = written.map((one) => {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(one);
    const octets = match?.slice(1, 5).map(Number) ?? [];
    const length = Number(match?.[5] ?? 32);
    if (match === null || octets.some((octet) => octet > 255) || length > 32)
      throw new TypeError(`prefix: want a.b.c.d or a.b.c.d/n, got ${one}`);
    const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
    return { mask, value: (word(Uint8Array.from(octets), 0) & mask) >>> 0 };
  });
  return (host) => parsed.some(({ mask, value }) => (host & mask) >>> 0 === value);
}
