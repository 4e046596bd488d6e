/** What tests of an endpoint are made of: endpoints, bare sockets and engines on them, all closed after each test. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach } from "vitest";
import { parseAddress } from "../base/address.ts";
import type { Instant } from "../base/units.ts";
import { CONTRACT_CONFIG, type Observer, observer } from "../core/session.contract.ts";
import type { SessionEvent } from "../core/session.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { openEndpoint, type QuicEndpoint } from "./quic-endpoint.ts";
import { type EngineConfig, type EngineConnection, type Host, quiche } from "./quic-engine.ts";
import { realClock } from "./quic-world.fixture.ts";

/** Of the servers. */
export const certificate: Certificate = makeCertificate();
export const now: () => Instant = realClock();
/** What is let go of after the test, the last first. */
export const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of cleanup.splice(0).reverse()) await release();
});

/** Whether it holds within that time. */
export const until = async (holds: () => boolean, limitMillis: number): Promise<boolean> => {
  const limit = now() + limitMillis * 1_000;
  while (!holds() && now() < limit) await new Promise((resolve) => setTimeout(resolve, 1));
  return holds();
};
export type Watched = { readonly endpoint: QuicEndpoint; readonly observer: Observer };
export const open = async (serving: boolean, host = "127.0.0.1"): Promise<Watched> => {
  const watch = observer(now);
  const common = { host, port: 0, config: CONTRACT_CONFIG, listener: watch.listener, now };
  const endpoint = await openEndpoint(serving ? { ...common, certificate } : common);
  cleanup.push(() => endpoint.closeAll());
  return { endpoint, observer: watch };
};
/** What a session was told; of all sessions when none is named. */
export const events = (watch: Observer, session?: number): SessionEvent[] =>
  watch.seen.flatMap((seen) => (seen.type === "event" && (session ?? seen.session) === seen.session ? [seen.event] : []));
export type BareSocket = { readonly socket: Socket; readonly received: Uint8Array[]; readonly local: Host };
export const bareSocket = async (): Promise<BareSocket> => {
  const socket = createSocket("udp4");
  const received: Uint8Array[] = [];
  socket.on("message", (packet) => received.push(new Uint8Array(packet)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanup.push(() => socket.close());
  return { socket, received, local: { host: "127.0.0.1", port: socket.address().port } };
};
export const portOf = (endpoint: QuicEndpoint): number => parseAddress(endpoint.local)?.port ?? 0;
/** Whether a new client gets through to it. */
export const handshakes = async (server: QuicEndpoint): Promise<boolean> => {
  const client = await open(false);
  client.endpoint.connect(1, server.local, certificate.fingerprint);
  return until(() => events(client.observer, 1)[0]?.type === "connected", 1_000);
};

export type BareEngine = { readonly local: Host; flush(): void; engine(): EngineConnection | undefined };
/** The engine on a bare socket, for peers that do what our endpoint never does. */
export const engineOn = async (make: (local: Host, from: Host) => EngineConnection, first?: Host): Promise<BareEngine> => {
  const { socket, local } = await bareSocket();
  let engine = first === undefined ? undefined : make(local, first);
  const flush = (): void => {
    const out = new Uint8Array(1_500);
    for (let sent = engine?.send(out); sent; sent = engine?.send(out))
      socket.send(out.slice(0, sent[0]), sent[1].to.port, sent[1].to.host);
  };
  socket.on("message", (packet: Buffer, sender: RemoteInfo) => {
    const from = { host: sender.address, port: sender.port };
    engine ??= make(local, from);
    try {
      engine.recv(new Uint8Array(packet), { from, to: local });
    } catch {
      // Refused by the engine; its state is what the tests look at.
    }
    flush();
  });
  flush();
  return { local, flush, engine: () => engine };
};
export const dialler = (config: EngineConfig, target: Host): Promise<BareEngine> =>
  engineOn((local) => quiche.Connection.connect(null, new Uint8Array(20).fill(7), local, target, config), target);
/** ... that speaks another protocol. */
export const foreign = (config: EngineConfig): EngineConfig => {
  config.setApplicationProtos(["other/1"]);
  return config;
};
