/**
 * A UDP socket that hands many packets to the kernel, or takes them from it, in one system call: recvmmsg(2) and sendmmsg(2) of Linux, called through koffi
 * on memory laid out once. node:dgram makes a call and some objects for each packet, which was half of what a relay spent on one.
 * Left out on purpose: segmentation offload (UDP_SEGMENT), which wants packets of one size for one peer in a row.
 */
import { getSystemErrorName } from "node:util";
import { EAGAIN, EINTR, type Kernel, kernelSockets } from "./kernel-socket.ts";
import { CONTROL_ROOM, MESSAGE, NAME_BYTES, NAME_ROOM, PacketBatch, putPort } from "./packet-batch.ts";
import type { Host } from "./quic-engine.ts";
import { AF_INET6 } from "./socket-addresses.ts";
import { ANY_V6, fromMapped, LARGEST_PACKET, RECEIVE_BUFFER, toMapped } from "./udp-address.ts";
import type { UdpListener, UdpOptions, UdpSocket } from "./udp-socket.ts";

/** Packets of a `read`. chosen: what 10,000 a second bring in 3 ms. */
const RECEIVED = 32;
/** Packets that may wait while the system takes none; what comes then is lost, for late voice is worth no more. chosen: more than are given between two flushes. */
const SENT = 64;
/** They are given to the system in bundles of so many although more are to come, so that the first does not wait for the last. chosen: half a millisecond of a relay's work. */
const FLUSHED = 16;
/** Tries to get rid of what waits before a socket closes, a millisecond each. chosen: a full queue of any device is sent by then. */
const LAST_TRIES = 50;

/** Undefined where this machine has none, or the address cannot be had. */
export function batchedUdpSocket(
  { host, port, stamps = false }: UdpOptions,
  kernel: Kernel | undefined = kernelSockets(),
): UdpSocket | undefined {
  const isBoth = host === ANY_V6;
  const addresses = kernel?.addresses(isBoth ? fromMapped : (told) => told);
  const wanted = addresses?.name(host)?.slice();
  if (kernel === undefined || addresses === undefined || wanted === undefined) return undefined;
  const isV6 = wanted[0] === AF_INET6;
  putPort(wanted, 0, port);
  const fd = kernel.open(wanted, { both: isBoth, receiveBuffer: RECEIVE_BUFFER, stamps });
  if (fd === undefined) return undefined;
  const name = kernel.name(fd);
  if (name === undefined) {
    kernel.close(fd);
    return undefined;
  }
  // As bound: of `::` that is `::` itself, which no mapping is about.
  return socketOn(kernel, fd, { local: addresses.host(name, 0), isBoth, isV6, stamps, addresses });
}

type Bound = {
  readonly local: Host;
  readonly isBoth: boolean;
  readonly isV6: boolean;
  readonly stamps: boolean;
  readonly addresses: ReturnType<Kernel["addresses"]>;
};

function socketOn(kernel: Kernel, fd: number, { local, isBoth, isV6, stamps, addresses }: Bound): UdpSocket {
  const incoming = new PacketBatch(kernel, RECEIVED, stamps);
  const outgoing = new PacketBatch(kernel, SENT, false);
  const nameBytes = isV6 ? NAME_BYTES : 16;
  let listener: UdpListener | undefined;
  let poll: ReturnType<Kernel["poll"]> | undefined;
  let soon: NodeJS.Immediate | undefined;
  let isClosed = false;
  /** Of `outgoing`: what was sent, what waits. */
  let [first, end] = [0, 0];
  /** The system takes none for now. */
  let isFull = false;

  const ready = (events: { readonly readable: boolean; readonly writable: boolean }): void => {
    if (events.writable && isFull) {
      isFull = false;
      poll?.awaitsRoom(false);
      flush();
    }
    // koffi's callback is none of Node.js's, which runs promises after its own.
    if (events.readable)
      soon ??= setImmediate(() => {
        soon = undefined;
        listener?.readable();
      });
  };

  const flush = (): void => {
    while (first < end && !isFull && !isClosed) {
      const sent = kernel.send(fd, outgoing.at(first), end - first);
      if (sent > 0) {
        first += sent;
        continue;
      }
      const errno = kernel.errno();
      if (errno === EINTR) continue;
      if (errno === EAGAIN) {
        isFull = true;
        poll?.awaitsRoom(true);
        return;
      }
      first++; // the one that the error is about
      listener?.refused(errno === 0 ? "UNKNOWN" : getSystemErrorName(-errno));
    }
    if (first === end) first = end = 0;
  };

  return {
    local,
    listen: (given) => {
      listener = given;
      poll = kernel.poll(fd, ready);
    },
    reaches: isBoth ? () => true : (to) => to.includes(":") === isV6,
    send: (packet, to) => {
      const name = packet.length > LARGEST_PACKET ? undefined : addresses.name(isBoth ? toMapped(to.host) : to.host);
      if (name === undefined || end === SENT) {
        listener?.refused(name !== undefined ? "EAGAIN" : packet.length > LARGEST_PACKET ? "EMSGSIZE" : "EINVAL");
        return;
      }
      outgoing.packets.set(packet, LARGEST_PACKET * end);
      outgoing.names.set(name, NAME_ROOM * end);
      putPort(outgoing.names, NAME_ROOM * end, to.port);
      outgoing.words[outgoing.message(end) + MESSAGE.nameLength] = nameBytes;
      outgoing.words[outgoing.length(end)] = packet.length;
      end++;
      if (end - first >= FLUSHED) flush();
    },
    flush,
    read: () => {
      if (isClosed) return 0;
      let count = kernel.receive(fd, incoming.at(0), RECEIVED);
      while (count < 0 && kernel.errno() === EINTR) count = kernel.receive(fd, incoming.at(0), RECEIVED);
      const { words, names, packets } = incoming;
      for (let n = 0; n < count; n++) {
        const message = incoming.message(n);
        const length = words[message + MESSAGE.octets] as number;
        words[message + MESSAGE.nameLength] = NAME_BYTES; // the kernel wrote how much of it all it has used
        if (stamps) words[message + MESSAGE.controlLength] = CONTROL_ROOM;
        const from = addresses.host(names, NAME_ROOM * n);
        const at = LARGEST_PACKET * n;
        if (length > LARGEST_PACKET) listener?.oversized(length, from);
        else listener?.heard(packets.subarray(at, at + length), from, stamps ? incoming.stamp(n) : undefined);
      }
      return Math.max(0, count);
    },
    close: async () => {
      if (isClosed) return;
      for (let tries = 0; tries < LAST_TRIES; tries++) {
        flush();
        if (first === end) break;
        await new Promise((resolve) => setTimeout(resolve, 1));
        isFull = false;
      }
      isClosed = true;
      if (soon !== undefined) clearImmediate(soon);
      poll?.close();
      kernel.close(fd);
    },
  };
}
