/** What both kinds of UDP socket hold to: addresses of a socket for both families, and sizes. */

/** Bound here, a socket is for both families where the machine has both. */
export const ANY_V6 = "::";
export const ANY_V4 = "0.0.0.0";
const MAPPED = "::ffff:";

/** Largest UDP payload taken or sent. chosen: above what fits an Ethernet frame (1472), and every packet of ours is smaller. */
export const LARGEST_PACKET = 1_536;
/**
 * Octets that wait to be read, as the system is asked for them. chosen: a quarter of a second of 10,000 packets of voice and of half as many of the largest, for which Linux counts 2.3 kB each; older voice is
 * worth nothing.
 */
export const RECEIVE_BUFFER: number = 1 << 22;

/** Octets of UDP and IP headers of a packet to or from a host: 8 + 20 (RFC 791) or 8 + 40 (RFC 8200). */
export const headerBytes = (host: string): number => (host.includes(":") ? 48 : 28);

/** An address as a socket for both families is to be told. */
export const toMapped = (host: string): string => (host.includes(":") ? host : MAPPED + host);
/** ... and as it tells one. */
export const fromMapped = (host: string): string => (host.startsWith(MAPPED) ? host.slice(MAPPED.length) : host);
