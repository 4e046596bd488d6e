/** Many clients of one relay in this process, over real QUIC, without codec or sound: they register, call each other and carry voice packets. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { type Address, parseAddress } from "../impl/base/address.ts";
import { Instant } from "../impl/base/units.ts";
import { type Identity, identityFromSecret } from "../impl/core/identity.ts";
import { makeShare } from "../impl/core/key-agreement.ts";
import { signRegistration } from "../impl/core/registration.ts";
import { DEFAULT_SESSION, type SessionEvent } from "../impl/core/session.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { endpointOn, type QuicEndpoint } from "../impl/io/quic-endpoint.ts";
import { encodeSignal, parseSignal, type SignalMessage } from "../impl/wire/signal.ts";
import { type LoadSocket, openLoadSocket, readInTurn } from "./load-socket.ts";
import type { Slot } from "./paced-sender.ts";
import { PACKET_BYTES } from "./voice-load.ts";

/** Sockets, each with an address of its own: a relay bounds what comes from one. */
const ADDRESSES = 4;
/** Handshakes at once. chosen: fewer than make a relay ask for proof of address. */
const AT_ONCE = 50;
/** chosen: far above what a thousand registrations take. */
const PATIENCE_MS = 60_000;

type Client = {
  readonly identity: Identity;
  readonly endpoint: QuicEndpoint;
  readonly socket: LoadSocket;
  readonly session: number;
  isRegistered: boolean;
  channel: number | undefined;
};

export type RelayClients = {
  /** The first `2 * calls` clients talk to each other in pairs: sender n is client n. */
  call(calls: number): Promise<void>;
  /** Seals a packet of at least PACKET_BYTES and puts it into the slot; the array may be used again. */
  send(sender: number, packet: Uint8Array, slot: Slot): void;
  /** UDP ports that they are on. */
  readonly ports: readonly number[];
  /** Sessions that were closed since the registration. */
  readonly lost: number;
  close(): Promise<void>;
};

/** Registers so many clients; `arrived` gets every datagram, with the kernel's stamp where it has one. Rejects when they are not registered in time, or `signal` is aborted before. */
export async function relayClients(
  relay: { readonly address: Address; readonly pin: string },
  count: number,
  arrived: (packet: Uint8Array, at: number | undefined) => void,
  signal?: AbortSignal,
): Promise<RelayClients> {
  const began = process.hrtime.bigint();
  const now = (): Instant => Instant(Number((process.hrtime.bigint() - began) / 1_000n));
  const clients: Client[] = [];
  let [lost, isOver] = [0, false];
  const bySession = Array.from({ length: ADDRESSES }, () => new Map<number, Client>());
  const send = (client: Client, message: SignalMessage): void => client.endpoint.send(client.session, encodeSignal(message));
  const event = (client: Client, one: SessionEvent): void => {
    if (one.type === "datagram") return arrived(one.bytes, client.endpoint.arrivedAt);
    if (one.type === "closed" && !isOver) lost++;
    if (one.type === "connected")
      send(client, {
        type: "Register",
        ...signRegistration(nodeCrypto, client.identity, relay.pin, new Uint8Array(randomBytes(16))),
      });
    const parsed = one.type === "message" ? parseSignal(one.bytes) : undefined;
    if (parsed?.ok !== true) return;
    const { message } = parsed;
    if (message.type === "RegisterAck") client.isRegistered = message.ok;
    else if (message.type === "CallSetup") client.channel = message.channel;
    else if (message.type === "DirectCallOffer") {
      const { call_id: call, caller_fingerprint: peer, caller_share: answering } = message;
      const share = makeShare(nodeCrypto, client.identity, new Uint8Array(randomBytes(32)), {
        call,
        peer,
        role: "callee",
        answering,
      });
      send(client, {
        type: "DirectCallAnswer",
        call_id: call,
        mode: "AcceptGeneric",
        callee_fingerprint: client.identity.fingerprint,
        callee_share: share,
      });
    }
  };
  const sockets = bySession.map((_, index) => openLoadSocket(`127.0.0.${index + 1}`, PACKET_BYTES));
  const endpoints = sockets.map((socket, index) =>
    endpointOn(socket, {
      socket: { stamps: true },
      config: DEFAULT_SESSION,
      now,
      listener: {
        accepted: () => undefined,
        packet: () => undefined,
        event: (session, one) => {
          const client = bySession[index]?.get(session);
          if (client !== undefined) event(client, one);
        },
      },
    }),
  );
  const stopReading = readInTurn(sockets);
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    const limit = performance.now() + PATIENCE_MS;
    while (!holds()) {
      signal?.throwIfAborted();
      if (performance.now() > limit) throw new Error(`${what}: not within ${PATIENCE_MS / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const close = async (): Promise<void> => {
    isOver = true;
    stopReading();
    await Promise.all(endpoints.map((one) => one.closeAll()));
  };
  try {
    for (let at = 0; at < count; at += AT_ONCE) {
      for (let n = at; n < Math.min(count, at + AT_ONCE); n++) {
        const [endpoint, socket] = [endpoints[n % ADDRESSES] as QuicEndpoint, sockets[n % ADDRESSES] as LoadSocket];
        const session = n + 1;
        const client: Client = {
          identity: identityFromSecret(nodeCrypto, new Uint8Array(randomBytes(32))),
          ...{ endpoint, socket, session, isRegistered: false, channel: undefined },
        };
        clients.push(client);
        bySession[n % ADDRESSES]?.set(session, client);
        endpoint.connect(session, relay.address, relay.pin);
      }
      await until(`${clients.length} clients registered`, () => clients.every((one) => one.isRegistered));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get lost() {
      return lost;
    },
    call: async (calls) => {
      for (let n = 0; n < calls; n++) {
        const [caller, callee] = [clients[2 * n], clients[2 * n + 1]];
        if (caller === undefined || callee === undefined) throw new RangeError(`calls: want at most ${count / 2}, got ${calls}`);
        const call = randomBytes(16).toString("hex");
        const peer = callee.identity.fingerprint;
        const share = makeShare(nodeCrypto, caller.identity, new Uint8Array(randomBytes(32)), { call, peer, role: "caller" });
        send(caller, {
          type: "DirectCallOffer",
          call_id: call,
          caller_fingerprint: caller.identity.fingerprint,
          callee_fingerprint: peer,
          caller_share: share,
        });
      }
      await until(`${calls} calls set up`, () => clients.slice(0, 2 * calls).every((one) => one.channel !== undefined));
    },
    send: (sender, packet, slot) => {
      const client = clients[sender];
      if (client?.channel === undefined) return;
      packet[0] = 0b1000_0000;
      packet[1] = client.channel;
      client.socket.slot = slot;
      client.endpoint.sendDatagram(client.session, packet);
      client.endpoint.flush();
      client.socket.slot = undefined;
    },
    ports: endpoints.map((one) => parseAddress(one.local)?.port ?? 0),
    close,
  };
}
