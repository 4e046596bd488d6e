/**
 * The one UDP socket of a party, for one address family or, bound to `::`, for both: IPv4 addresses then go as IPv4-mapped ones (RFC 4291 section 2.5.5.2,
 * RFC 3493 section 3.7) between here and the system, and nowhere else. On Linux many packets pass in one system call (batched-udp-socket.ts), elsewhere Node.js
 * carries each (plain-udp-socket.ts): the contract is the same.
 */
import { batchedUdpSocket } from "./batched-udp-socket.ts";
import { plainUdpSocket } from "./plain-udp-socket.ts";
import type { Host } from "./quic-engine.ts";

/** What a socket tells. None of these may close it. */
export type UdpListener = {
  /**
   * A packet, which is the listener's until it returns. `from` is one object for as long as that sender is remembered. `at`: microsecond of the system's clock
   * (CLOCK_REALTIME) when the kernel had it; told by a batched socket opened with `stamps`.
   */
  heard(packet: Buffer, from: Host, at: number | undefined): void;
  /** One longer than LARGEST_PACKET, of so many octets: nothing of ours. */
  oversized(octets: number, from: Host): void;
  /** Something has arrived: `read` gets it. Told in a loop turn of its own. */
  readable(): void;
  /** The system did not send a packet, by the name of its error. */
  refused(code: string): void;
};

export type UdpSocket = {
  /** The address bound. */
  readonly local: Host;
  /** From now on it reads. Once. */
  listen(listener: UdpListener): void;
  /** Whether packets can be sent to that host at all. */
  reaches(host: string): boolean;
  /** Takes a packet for `to`, which it reaches; the array is the caller's again. It leaves with `flush`, or before. */
  send(packet: Uint8Array, to: Host): void;
  flush(): void;
  /** Tells what has arrived, at most a batch. Returns how many packets that were. */
  read(): number;
  /** Sends what it was given, as far as the system takes it, and lets go of the port. */
  close(): Promise<void>;
};

export type UdpOptions = Host & {
  /** `plain`: Node.js's own sockets, wherever it runs. */
  readonly kind?: "plain";
  /** Packets are told with the time they arrived at, where the system says so. */
  readonly stamps?: boolean;
};

/** Binds; where the machine has no IPv6, `::` is IPv4 alone. IoError `bind` when the address cannot be had. */
export async function openUdpSocket(options: UdpOptions): Promise<UdpSocket> {
  // Whatever the reason is that there is none, the plain one does without, or has better words for it.
  return (options.kind === "plain" ? undefined : batchedUdpSocket(options)) ?? (await plainUdpSocket(options));
}
