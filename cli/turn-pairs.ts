/**
 * Clients of a TURN server in pairs, just enough of RFC 8656 to have voice relayed: Allocate without credentials, a channel each way, ChannelData.
 * Each has a socket of its own, as TURN knows clients by their 5-tuple.
 */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { ByteReader, putUint } from "../impl/base/cursor.ts";

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

export type TurnPairs = { send(sender: number, packet: Uint8Array): void; close(): void };

export async function openTurnPairs(port: number, pairs: number, arrived: (packet: Uint8Array) => void): Promise<TurnPairs> {
  const sockets: Socket[] = [];
  const close = (): void => {
    for (const socket of sockets) socket.close();
  };
  try {
    const relayed: Uint8Array[] = [];
    for (let n = 0; n < 2 * pairs; n++) {
      const socket = createSocket({ type: "udp4", lookup: (name, _, done) => done(null, name, 4) });
      sockets.push(socket);
      const listening = once(socket, "listening"); // an address needs no looking up, so it may be told at once
      socket.bind(0, "127.0.0.1");
      await listening;
      const answer = await ask(socket, port, ALLOCATE, [[REQUESTED_TRANSPORT, Uint8Array.of(UDP, 0, 0, 0)]]);
      const address = attribute(answer, XOR_RELAYED_ADDRESS);
      if (address === undefined) throw new Error("the TURN server allocates nothing");
      relayed.push(address);
    }
    for (const [n, socket] of sockets.entries()) {
      const peer = relayed[n ^ 1];
      if (peer === undefined) continue;
      await ask(socket, port, CHANNEL_BIND, [
        [CHANNEL_NUMBER, Uint8Array.of(CHANNEL >> 8, CHANNEL & 255, 0, 0)],
        [XOR_PEER_ADDRESS, peer], // XORed with the cookie alone (RFC 8489 section 14.2), so it may be handed on as it is
      ]);
      socket.on("message", (packet) => arrived(packet.subarray(4)));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    send: (sender, packet) => {
      const data = new Uint8Array(4 + packet.length);
      putUint(data, 0, 2, CHANNEL);
      putUint(data, 2, 2, packet.length);
      data.set(packet, 4);
      sockets[sender]?.send(data, port, "127.0.0.1");
    },
    close,
  };
}

/** Sends a request again until it is answered, as RFC 8489 section 6.2.1 asks; rejects when it is refused. */
async function ask(
  socket: Socket,
  port: number,
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
  const again = setInterval(() => socket.send(request, port, "127.0.0.1"), 200);
  socket.send(request, port, "127.0.0.1");
  try {
    const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Uint8Array];
    if (new ByteReader(answer).uint(2) !== (method | 0x0100))
      throw new Error(`the TURN server refuses request 0x${method.toString(16)}`);
    return answer;
  } finally {
    clearInterval(again);
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
