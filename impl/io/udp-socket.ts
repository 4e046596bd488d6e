/**
 * The one UDP socket of a party, for one address family or, bound to `::`, for both: IPv4 addresses then go as IPv4-mapped ones (RFC 4291 section 2.5.5.2,
 * RFC 3493 section 3.7) between here and the system, and nowhere else.
 */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { address } from "../base/address.ts";
import { IoError } from "./io-error.ts";
import type { Host } from "./quic-engine.ts";

export type UdpSocket = {
  readonly socket: Socket;
  /** Whether packets can be sent to that host at all. */
  reaches(host: string): boolean;
  /** As the system is to be told. */
  toSystem(host: string): string;
  /** As the system tells. */
  fromSystem(host: string): string;
};

const ANY_V6 = "::";
const ANY_V4 = "0.0.0.0";
const MAPPED = "::ffff:";

/** Octets of UDP and IP headers of a packet to or from a host: 8 + 20 (RFC 791) or 8 + 40 (RFC 8200). */
export const headerBytes = (host: string): number => (host.includes(":") ? 48 : 28);

const toMapped = (host: string): string => (host.includes(":") ? host : MAPPED + host);
const fromMapped = (host: string): string => (host.startsWith(MAPPED) ? host.slice(MAPPED.length) : host);
const same = (host: string): string => host;

/** Binds; where the machine has no IPv6, `::` is IPv4 alone. IoError `bind` when the address cannot be had. */
export async function openUdpSocket({ host, port }: Host): Promise<UdpSocket> {
  const isBoth = host === ANY_V6;
  const family = isIPv6(host) ? 6 : 4;
  // The addresses are literals already: answering at once spares the resolver's detour on every packet.
  const lookup = (name: string, _: unknown, done: (error: null, found: string, version: number) => void): void =>
    done(null, name, family);
  const buffers = { lookup, recvBufferSize: 1 << 20 };
  const socket = createSocket(family === 6 ? { type: "udp6", ipv6Only: !isBoth, ...buffers } : { type: "udp4", ...buffers });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: host, port, exclusive: true }, resolve);
    });
  } catch (cause) {
    if (isBoth && (cause as NodeJS.ErrnoException).code === "EAFNOSUPPORT") return openUdpSocket({ host: ANY_V4, port });
    throw new IoError("bind", `cannot listen on UDP ${address(host, port)}: choose another port or address`, cause);
  }
  socket.removeAllListeners("error");
  return isBoth
    ? { socket, reaches: () => true, toSystem: toMapped, fromSystem: fromMapped }
    : { socket, reaches: (to) => to.includes(":") === (family === 6), toSystem: same, fromSystem: same };
}
