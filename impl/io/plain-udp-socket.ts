/** A UDP socket by node:dgram: a call and an event a packet, on every platform. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIPv6 } from "node:net";
import { address } from "../base/address.ts";
import { IoError } from "./io-error.ts";
import type { Host } from "./quic-engine.ts";
import { ANY_V4, ANY_V6, fromMapped, LARGEST_PACKET, RECEIVE_BUFFER, toMapped } from "./udp-address.ts";
import type { UdpListener, UdpSocket } from "./udp-socket.ts";

/** IoError `bind` when the address cannot be had. */
export async function plainUdpSocket({ host, port }: Host): Promise<UdpSocket> {
  const isBoth = host === ANY_V6;
  const family = isIPv6(host) ? 6 : 4;
  // The addresses are literals already: answering at once spares the resolver's detour on every packet.
  const lookup = (name: string, _: unknown, done: (error: null, found: string, version: number) => void): void =>
    done(null, name, family);
  const buffers = { lookup, recvBufferSize: RECEIVE_BUFFER };
  const socket = createSocket(family === 6 ? { type: "udp6", ipv6Only: !isBoth, ...buffers } : { type: "udp4", ...buffers });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: host, port, exclusive: true }, resolve);
    });
  } catch (cause) {
    if (isBoth && (cause as NodeJS.ErrnoException).code === "EAFNOSUPPORT") return plainUdpSocket({ host: ANY_V4, port });
    throw new IoError("bind", `cannot listen on UDP ${address(host, port)}: choose another port or address`, cause);
  }
  socket.removeAllListeners("error");
  const bound = socket.address();
  let [listener, heard]: [UdpListener | undefined, [Buffer, RemoteInfo][]] = [undefined, []];
  let soon: NodeJS.Immediate | undefined;
  let isClosed = false;
  const told = (error: (Error & { readonly code?: string }) | null): void => {
    if (error !== null) listener?.refused(error.code ?? "UNKNOWN");
  };
  const message = (packet: Buffer, from: RemoteInfo): void => {
    heard.push([packet, from]);
    soon ??= setImmediate(() => {
      soon = undefined;
      listener?.readable();
    });
  };
  return {
    local: { host: bound.address, port: bound.port },
    listen: (given) => {
      listener = given;
      socket.on("message", message);
      socket.on("error", told);
    },
    reaches: isBoth ? () => true : (to) => to.includes(":") === (family === 6),
    send: (packet, to) => {
      if (packet.length > LARGEST_PACKET) listener?.refused("EMSGSIZE");
      // Nobody waits for the outcome: an unreachable network or a full queue is loss, and who sends deals with that.
      else socket.send(new Uint8Array(packet), to.port, isBoth ? toMapped(to.host) : to.host, told);
    },
    flush: () => undefined,
    read: () => {
      const batch = isClosed ? [] : heard;
      heard = [];
      for (const [packet, sender] of batch) {
        const from = { host: isBoth ? fromMapped(sender.address) : sender.address, port: sender.port };
        if (packet.length > LARGEST_PACKET) listener?.oversized(packet.length, from);
        else listener?.heard(packet, from, undefined);
      }
      return batch.length;
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      while (socket.getSendQueueCount() > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (soon !== undefined) clearImmediate(soon);
      socket.removeListener("message", message);
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}
