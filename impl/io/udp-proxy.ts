/**
 * A UDP forwarder that behaves like a bad network: delay, loss, nothing at all, or a NAT that forgets. It stands between a client
 * and one target on real sockets, for tests of endpoints and processes; laboratories have better links.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Address, address, parseAddress } from "../base/address.ts";
import { Stream } from "../base/random.ts";

export type UdpProxyOptions = {
  /** Where clients' packets go; IPv4. */
  readonly target: Address;
  /** One way, milliseconds; order is kept. */
  readonly delayMillis: number;
  /** 0..1, independent for every packet. */
  readonly lossRatio: number;
  /** Decides which packets are lost. */
  readonly seed: number;
};

export type UdpProxy = {
  /** Where clients send. */
  readonly local: Address;
  /** Members left out stay as they are; packets under way are not affected. */
  impair(change: { readonly delayMillis?: number; readonly lossRatio?: number; readonly blocked?: boolean }): void;
  /** From now on every client reaches the target from a new port; what is sent to the old one is lost. */
  rebind(): void;
  /** Packets forwarded and dropped since the start. */
  counters(): { readonly forwarded: number; readonly dropped: number };
  close(): Promise<void>;
};

/** Binds a free port of 127.0.0.1. TypeError when `target` is no IPv4 address. */
export async function openUdpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const target = parseAddress(options.target);
  if (target === undefined || target.family !== 4) throw new TypeError(`target: want an IPv4 address, got ${options.target}`);
  let state = { delayMillis: options.delayMillis, lossRatio: options.lossRatio, blocked: false };
  const count = { forwarded: 0, dropped: 0 };
  const upstream = new Map<Address, Socket>();
  const waiting = new Set<NodeJS.Timeout>();
  const front = createSocket("udp4");

  const carry = (luck: Stream, deliver: () => void): void => {
    if (state.blocked || luck.nextChance(state.lossRatio)) {
      count.dropped++;
      return;
    }
    count.forwarded++;
    if (state.delayMillis === 0) {
      deliver();
      return;
    }
    const timer = setTimeout(() => {
      waiting.delete(timer);
      deliver();
    }, state.delayMillis);
    waiting.add(timer);
  };
  const [up, down] = [new Stream(options.seed, "up"), new Stream(options.seed, "down")];

  const socketFor = (client: Address, port: number, host: string): Socket => {
    const found = upstream.get(client);
    if (found !== undefined) return found;
    const fresh = createSocket("udp4");
    fresh.on("error", () => {}); // lost, as on any network
    fresh.on("message", (packet) =>
      carry(down, () => {
        if (upstream.get(client) === fresh) front.send(packet, port, host, () => {});
      }),
    );
    upstream.set(client, fresh);
    return fresh;
  };
  front.on("message", (packet, from) => {
    const client = address(from.address, from.port);
    carry(up, () => socketFor(client, from.port, from.address).send(packet, target.port, target.host, () => {}));
  });
  front.bind(0, "127.0.0.1");
  await once(front, "listening");

  return {
    local: address("127.0.0.1", front.address().port),
    impair: (change) => {
      state = { ...state, ...change };
    },
    rebind: () => {
      for (const old of upstream.values()) old.close();
      upstream.clear();
    },
    counters: () => ({ ...count }),
    close: async () => {
      front.removeAllListeners("message");
      for (const timer of waiting) clearTimeout(timer);
      const sockets = [front, ...upstream.values()];
      upstream.clear();
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
}
