/**
 * Two endpoints of the model with a network of two wires between them, for tests: delay, loss, blocking, a server that dies and
 * returns, a client whose address changes. The real network of the simulator is sim/network.ts; this one has no queue and no NAT.
 */
import type { Address } from "../../impl/base/address.ts";
import { randomness } from "../../impl/base/random.ts";
import { Instant, millis } from "../../impl/base/units.ts";
import {
  type Impairment,
  type Observer,
  observer,
  type SessionSide,
  type SessionWorld,
} from "../../impl/core/session.contract.ts";
import type { SessionConfig } from "../../impl/core/session.ts";
import { Kernel } from "../kernel.ts";
import { openSimEndpoint, type SimEndpoint } from "./endpoint.ts";
import type { WirePacket } from "./packet.ts";

export const SERVER: Address = "192.0.2.1:4433";
export const PIN: string = "ab".repeat(32);
const CLIENT_PIN: string = "cd".repeat(32);
const IDENTITY = { fingerprint: PIN, resetKey: "a secret of the server" };

/** One packet on a wire; `dropped` when it does not arrive. */
export type Passage = { readonly at: number; readonly up: boolean; readonly packet: WirePacket; readonly dropped: boolean };

export type Pair = SessionWorld & {
  readonly kernel: Kernel;
  readonly client: SessionSide & { readonly endpoint: SimEndpoint };
  readonly server: SessionSide & { readonly endpoint: SimEndpoint };
  /** Every packet sent so far. */
  readonly passages: Passage[];
  /** Decides about single packets, after `impair`: true drops. */
  drop: ((packet: WirePacket, up: boolean, number: number) => boolean) | undefined;
  /** As `run`, at once. */
  runFor(limitMillis: number, until?: () => boolean): boolean;
};

export type PairOptions = { readonly seed?: number; readonly clientIdentity?: boolean; readonly log?: boolean };

export function makePair(config: SessionConfig, options: PairOptions = {}): Pair {
  const kernel = new Kernel();
  const random = randomness(options.seed ?? 1);
  const losses = random.stream("loss");
  let network: Impairment = { delayMillis: 0, lossRatio: 0, blocked: false };
  let clientPort = 50_000;
  let incarnation = 0;
  const numbers = { up: 0, down: 0 };
  const passages: Passage[] = [];
  const clientAddress = (): Address => `198.51.100.7:${clientPort}`;

  const carry = (up: boolean, packet: WirePacket, deliver: () => void): void => {
    const number = up ? numbers.up++ : numbers.down++;
    const unlucky = losses.nextChance(network.lossRatio);
    const dropped = network.blocked || unlucky || pair.drop?.(packet, up, number) === true;
    if (options.log === true) passages.push({ at: kernel.now, up, packet, dropped });
    if (!dropped) kernel.post(Instant.after(kernel.now, millis(network.delayMillis)), deliver);
  };
  let server: SimEndpoint | undefined;
  const openServer = (listener: Observer["listener"]): SimEndpoint => {
    const socket = {
      local: SERVER,
      send: (to: Address, packet: WirePacket) =>
        carry(false, packet, () => {
          if (to === clientAddress()) client.receive(SERVER, packet);
        }),
    };
    const stream = random.stream(`quic/server/${incarnation++}`);
    return openSimEndpoint({ clock: kernel, socket, config, listener, server: IDENTITY, stream });
  };
  const clientObserver = observer(() => kernel.now);
  const serverObserver = observer(() => kernel.now);
  const client = openSimEndpoint({
    clock: kernel,
    socket: {
      local: clientAddress(),
      send: (to, packet) => {
        const from = clientAddress();
        carry(true, packet, () => {
          if (to === SERVER) server?.receive(from, packet);
        });
      },
    },
    config,
    listener: clientObserver.listener,
    stream: random.stream("quic/client"),
    ...(options.clientIdentity === true ? { server: { fingerprint: CLIENT_PIN, resetKey: "a secret of the client" } } : {}),
  });
  server = openServer(serverObserver.listener);
  let lastServer = server;

  const runFor = (limitMillis: number, until: () => boolean = () => false): boolean => {
    const end = Instant.after(kernel.now, millis(limitMillis));
    while (!until()) {
      if (kernel.now >= end) return false;
      kernel.run(Instant(Math.min(end, kernel.now + 1_000)));
    }
    return true;
  };
  const pair: Pair = {
    kernel,
    passages,
    drop: undefined,
    client: { endpoint: client, observer: clientObserver },
    server: {
      get endpoint() {
        return lastServer;
      },
      observer: serverObserver,
    },
    serverAddress: SERVER,
    serverPin: PIN,
    get clientAddress() {
      return clientAddress();
    },
    clientPin: CLIENT_PIN,
    now: () => kernel.now,
    runFor,
    run: async (until, limitMillis) => runFor(limitMillis, until),
    impair: (change) => {
      network = { ...network, ...change };
    },
    killServer: async () => {
      server?.shutdown();
      server = undefined;
    },
    restartServer: async () => {
      server = openServer(serverObserver.listener);
      lastServer = server;
    },
    rebindClient: () => {
      clientPort++;
    },
    sendOversized: (session, length) => client.announce(session, length),
    close: async () => {
      client.shutdown();
      server?.shutdown();
    },
  };
  return pair;
}
