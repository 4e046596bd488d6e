/**
 * UDP sockets of a load: read when their turn comes and not whenever something arrives, many packets at once, for the kernel's stamps tell when that was; and what
 * is sent can be put into a slot of a paced sender instead.
 */
import { type Kernel, kernelSockets } from "../impl/io/kernel-socket.ts";
import { CONTROL_ROOM, MESSAGE, NAME_BYTES, NAME_ROOM, PacketBatch, putPort } from "../impl/io/packet-batch.ts";
import { LARGEST_PACKET, RECEIVE_BUFFER } from "../impl/io/udp-address.ts";
import type { UdpListener, UdpSocket } from "../impl/io/udp-socket.ts";
import type { Slot } from "./paced-sender.ts";

/** Packets of a `read`. chosen: more than a turn's share of a full load. */
const RECEIVED = 64;
/** Octets of a struct sockaddr_in (ip(7)). */
const SOCKADDR_IN = 16;

export type LoadSocket = UdpSocket & {
  /** Where the last packet goes that is as long as `shortest`; all others, and without one all, leave at once. */
  slot: Slot | undefined;
  /** Its turn to be read. */
  turn(): void;
};

/** On one IPv4 address and any free port. `shortest`: octets of a packet that belongs in a slot. Throws where the kernel's calls cannot be had: elsewhere than on Linux. */
export function openLoadSocket(host: string, shortest: number): LoadSocket {
  const kernel = kernelSockets();
  const addresses = kernel?.addresses((told) => told);
  const wanted = addresses?.name(host);
  const fd =
    wanted === undefined ? undefined : kernel?.open(wanted, { both: false, receiveBuffer: RECEIVE_BUFFER, stamps: true });
  const name = fd === undefined ? undefined : kernel?.name(fd);
  if (kernel === undefined || addresses === undefined || fd === undefined || name === undefined)
    throw new Error(`no socket on ${host}: bench relay needs Linux, and koffi`);
  return socketOn(kernel, fd, addresses, addresses.host(name, 0), shortest);
}

/** What is read and sent at once is shared by all of them: nobody keeps it. */
let shared: { readonly incoming: PacketBatch; readonly outgoing: PacketBatch } | undefined;

function socketOn(
  kernel: Kernel,
  fd: number,
  addresses: ReturnType<Kernel["addresses"]>,
  local: UdpSocket["local"],
  shortest: number,
): LoadSocket {
  shared ??= { incoming: new PacketBatch(kernel, RECEIVED, true), outgoing: new PacketBatch(kernel, 1, false) };
  const { incoming, outgoing } = shared;
  let listener: UdpListener | undefined;
  let isClosed = false;
  const socket: LoadSocket = {
    local,
    slot: undefined,
    listen: (given) => {
      listener = given;
    },
    turn: () => listener?.readable(),
    reaches: (host) => !host.includes(":"),
    send: (packet, to) => {
      const name = addresses.name(to.host);
      if (name === undefined || isClosed) return;
      outgoing.names.set(name, 0);
      putPort(outgoing.names, 0, to.port);
      const { slot } = socket;
      const inSlot = slot !== undefined && packet.length >= shortest;
      const now = inSlot ? slot.put(fd, packet, outgoing.names.subarray(0, SOCKADDR_IN)) : packet;
      if (now === undefined) return;
      outgoing.packets.set(now);
      outgoing.words[outgoing.message(0) + MESSAGE.nameLength] = SOCKADDR_IN;
      outgoing.words[outgoing.length(0)] = now.length;
      if (kernel.send(fd, outgoing.at(0), 1) !== 1) listener?.refused("EAGAIN");
    },
    flush: () => undefined,
    read: () => {
      const count = isClosed ? 0 : Math.max(0, kernel.receive(fd, incoming.at(0), RECEIVED));
      const { words, names, packets } = incoming;
      for (let n = 0; n < count; n++) {
        const message = incoming.message(n);
        const length = words[message + MESSAGE.octets] as number;
        words[message + MESSAGE.nameLength] = NAME_BYTES; // the kernel wrote how much of it all it has used
        words[message + MESSAGE.controlLength] = CONTROL_ROOM;
        const at = LARGEST_PACKET * n;
        listener?.heard(packets.subarray(at, at + length), addresses.host(names, NAME_ROOM * n), incoming.stamp(n));
      }
      return count;
    },
    close: async () => {
      if (!isClosed) kernel.close(fd);
      isClosed = true;
    },
  };
  return socket;
}

/** How long a socket waits for its turn, milliseconds. chosen: a frame; so long an acknowledgement may wait anyway. */
const ROUND_MS = 20;
const TURN_MS = 4;

/** Gives each its turn, all within a round, until the function returned is called. */
export function readInTurn(sockets: readonly LoadSocket[]): () => void {
  const share = Math.max(Math.min(4, sockets.length), Math.ceil((sockets.length * TURN_MS) / ROUND_MS));
  let at = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < share; n++) sockets[at++ % sockets.length]?.turn();
  }, TURN_MS);
  return () => clearInterval(timer);
}
