/**
 * A relay on loopback between two browsers' media transports that drops and delays RTP as a list says and touches nothing else: STUN, DTLS and RTCP pass at once
 * (RFC 7983 tells them apart by the first octet, RFC 5761 RTCP by the second).
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { FRAME_MICROS } from "../impl/core/codec.ts";
import { Lateness } from "./lateness.ts";

export type ListedRelay = {
  /** Port that stands in for the receiver, and the one that stands in for the sender. */
  readonly ports: { readonly toReceiver: number; readonly toSender: number };
  /** From the next RTP packet of the sender on `delays` are what packets take, microseconds, by their sequence number; negative: lost. Later packets take what the first one of the list does. */
  apply(delays: Float64Array): void;
  /** RTP packets of the list that passed, and those it dropped. */
  counts(): { readonly passed: number; readonly dropped: number };
  /** By how much later than even sending and the list say packets went on: the sender's lateness and the relay's own. */
  readonly lateness: Lateness;
  close(): void;
};

const LOOPBACK = "127.0.0.1";
const isStun = (bytes: Uint8Array): boolean => (bytes[0] ?? 0) < 4;
const isRtp = (bytes: Uint8Array): boolean => {
  const [first = 0, second = 0] = bytes;
  const type = second & 0x7f;
  return first >= 128 && first < 192 && !(type >= 64 && type < 96);
};

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  return socket;
}

export async function listedRelay(): Promise<ListedRelay> {
  const [near, far] = await Promise.all([bound(), bound()]);
  let [sender, receiver]: (RemoteInfo | undefined)[] = [];
  let delays: Float64Array | undefined;
  let first: number | undefined;
  let [passed, dropped] = [0, 0];
  const timers = new Set<NodeJS.Timeout>();
  const lateness = new Lateness();

  const onward = (bytes: Uint8Array): void => {
    if (receiver !== undefined) far.send(bytes, receiver.port, receiver.address);
  };
  near.on("message", (bytes, from) => {
    if (sender === undefined || !isStun(bytes)) sender = from;
    if (!isRtp(bytes) || delays === undefined) return onward(bytes);
    const seq = bytes.readUInt16BE(2);
    first ??= seq;
    const index = (seq - first) & 0xffff;
    const micros = delays[index] ?? delays.find((one) => one >= 0) ?? 0;
    if (micros < 0) {
      dropped++;
      return;
    }
    if (index < delays.length) passed++;
    const timer = setTimeout(() => {
      timers.delete(timer);
      onward(bytes);
      const now = 1_000 * performance.now();
      if (index < (delays?.length ?? 0)) lateness.observe(now, now - index * FRAME_MICROS - micros);
    }, micros / 1_000);
    timers.add(timer);
  });
  far.on("message", (bytes, from) => {
    if (receiver === undefined || !isStun(bytes)) receiver = from;
    if (sender !== undefined) near.send(bytes, sender.port, sender.address);
  });
  return {
    ports: { toReceiver: near.address().port, toSender: far.address().port },
    apply: (list) => {
      delays = list;
    },
    counts: () => ({ passed, dropped }),
    lateness,
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      near.close();
      far.close();
    },
  };
}
