/**
 * Clients of a TURN server in pairs, just enough of RFC 8656 to have voice relayed: Allocate without credentials, a channel each way, ChannelData.
 * Each has a socket of its own, as TURN knows clients by their 5-tuple.
 */
import { randomBytes } from "node:crypto";
import { ByteReader, putUint } from "../impl/base/cursor.ts";
import type { Host } from "../impl/io/quic-engine.ts";
import { type LoadSocket, openLoadSocket, readInTurn } from "./load-socket.ts";
import type { Slot } from "./paced-sender.ts";
import { PACKET_BYTES } from "./voice-load.ts";

const MAGIC_COOKIE = 0x2112_a442; // RFC 8489 section 5
const ALLOCATE = 0x0003; // RFC 8656 section 17
const CHANNEL_BIND = 0x0009;
const CHANNEL_NUMBER = 0x000c; // section 18
const XOR_PEER_ADDRESS = 0x0012;
const XOR_RELAYED_ADDRESS = 0x0016;
const REQUESTED_TRANSPORT = 0x0019;
/** The first of those that may be bound (section 12). */
const CHANNEL = 0x4000;
/** IANA's number of UDP. */
const UDP = 17;
const HEADER = 20;
const PATIENCE_MS = 5_000;

export type TurnPairs = {
  /** Puts a packet of PACKET_BYTES into the slot, as channel data; the array may be used again. */
  send(sender: number, packet: Uint8Array, slot: Slot): void;
  /** UDP ports that the clients are on. */
  readonly ports: readonly number[];
  close(): Promise<void>;
};

/** A client's socket: what it hears goes to `heard`. */
type Client = { readonly socket: LoadSocket; heard: (packet: Uint8Array, at: number | undefined) => void };

/** `arrived` gets what is relayed, with the kernel's stamp where it has one. */
export async function openTurnPairs(
  port: number,
  pairs: number,
  arrived: (packet: Uint8Array, at: number | undefined) => void,
): Promise<TurnPairs> {
  const server = { host: "127.0.0.1", port };
  const clients: Client[] = Array.from({ length: 2 * pairs }, () => ({
    socket: openLoadSocket("127.0.0.1", PACKET_BYTES),
    heard: () => undefined,
  }));
  const stopReading = readInTurn(clients.map(({ socket }) => socket));
  const data = new Uint8Array(4 + PACKET_BYTES);
  const close = async (): Promise<void> => {
    stopReading();
    await Promise.all(clients.map(({ socket }) => socket.close()));
  };
  try {
    const relayed: Uint8Array[] = [];
    for (const client of clients) {
      client.socket.listen({
        heard: (packet, _, at) => client.heard(packet, at),
        oversized: () => undefined,
        refused: () => undefined,
        readable: () => void client.socket.read(),
      });
      const answer = await ask(client, server, ALLOCATE, [[REQUESTED_TRANSPORT, Uint8Array.of(UDP, 0, 0, 0)]]);
      const address = attribute(answer, XOR_RELAYED_ADDRESS);
      if (address === undefined) throw new Error("the TURN server allocates nothing");
      relayed.push(address);
    }
    for (const [n, client] of clients.entries()) {
      const peer = relayed[n ^ 1];
      if (peer === undefined) continue;
      await ask(client, server, CHANNEL_BIND, [
        [CHANNEL_NUMBER, Uint8Array.of(CHANNEL >> 8, CHANNEL & 255, 0, 0)],
        [XOR_PEER_ADDRESS, peer], // XORed with the cookie alone (RFC 8489 section 14.2), so it may be handed on as it is
      ]);
      client.heard = (packet, at) => arrived(packet.subarray(4), at);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    send: (sender, packet, slot) => {
      const socket = clients[sender]?.socket;
      if (socket === undefined) return;
      putUint(data, 0, 2, CHANNEL);
      putUint(data, 2, 2, packet.length);
      data.set(packet, 4);
      socket.slot = slot;
      socket.send(data, server);
      socket.slot = undefined;
    },
    ports: clients.map(({ socket }) => socket.local.port),
    close,
  };
}

/** Sends a request again until it is answered, as RFC 8489 section 6.2.1 asks; rejects when it is refused. */
async function ask(
  client: Client,
  server: Host,
  method: number,
  attributes: readonly (readonly [type: number, value: Uint8Array])[],
): Promise<Uint8Array> {
  const body = attributes.flatMap(([type, value]) => [type >> 8, type & 255, value.length >> 8, value.length & 255, ...value]);
  const request = new Uint8Array(HEADER + body.length);
  putUint(request, 0, 2, method);
  putUint(request, 2, 2, body.length);
  putUint(request, 4, 4, MAGIC_COOKIE);
  request.set(randomBytes(12), 8);
  request.set(body, HEADER);
  const answered = Promise.withResolvers<Uint8Array>();
  client.heard = (packet) => answered.resolve(new Uint8Array(packet));
  const send = (): void => {
    client.socket.send(request, server);
    client.socket.flush();
  };
  const again = setInterval(send, 200);
  const limit = setTimeout(() => answered.reject(new Error("the TURN server does not answer")), PATIENCE_MS);
  send();
  try {
    const answer = await answered.promise;
    if (new ByteReader(answer).uint(2) !== (method | 0x0100))
      throw new Error(`the TURN server refuses request 0x${method.toString(16)}`);
    return answer;
  } finally {
    clearInterval(again);
    clearTimeout(limit);
  }
}

function attribute(message: Uint8Array, wanted: number): Uint8Array | undefined {
  for (let at = HEADER; at + 4 <= message.length; ) {
    const reader = new ByteReader(message.subarray(at));
    const [type, length] = [reader.uint(2), reader.uint(2)];
    if (type === wanted) return new Uint8Array(message.subarray(at + 4, at + 4 + (length ?? 0)));
    at += 4 + Math.ceil((length ?? 0) / 4) * 4;
  }
  return undefined;
}
