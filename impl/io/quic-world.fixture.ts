/** The session contract's world on real sockets: two endpoints of 127.0.0.1 with a UDP proxy between them, in real time. For tests. */

import { parseAddress } from "../base/address.ts";
import { Instant } from "../base/units.ts";
import { observer, type SessionWorld } from "../core/session.contract.ts";
import type { SessionConfig } from "../core/session.ts";
import { frame } from "../wire/framing.ts";
import { makeCertificate } from "./certificate.ts";
import { endpointOn, openEndpoint, type QuicEndpoint } from "./quic-endpoint.ts";
import { openUdpProxy, type UdpProxy } from "./udp-proxy.ts";
import { openUdpSocket } from "./udp-socket.ts";

export type QuicWorld = SessionWorld & {
  readonly client: { readonly endpoint: QuicEndpoint };
  readonly server: { readonly endpoint: QuicEndpoint };
  readonly proxy: UdpProxy;
};

/** Microseconds of the process's monotonic clock since the call. */
export function realClock(): () => Instant {
  const began = process.hrtime.bigint();
  return () => Instant(Number((process.hrtime.bigint() - began) / 1_000n));
}

export async function quicWorld(config: SessionConfig): Promise<QuicWorld> {
  const now = realClock();
  const certificate = makeCertificate();
  const [clientObserver, serverObserver] = [observer(now), observer(now)];
  let isServerMute = false;
  const openServer = async (port: number): Promise<QuicEndpoint> => {
    const socket = await openUdpSocket({ host: "127.0.0.1", port });
    isServerMute = false;
    const send: typeof socket.send = (packet, to) => {
      if (!isServerMute) socket.send(packet, to);
    };
    return endpointOn({ ...socket, send }, { certificate, config, listener: serverObserver.listener, now });
  };
  let server = await openServer(0);
  const port = parseAddress(server.local)?.port ?? 0;
  const own = makeCertificate();
  const client = await openEndpoint({
    ...{ host: "127.0.0.1", port: 0, certificate: own, config, listener: clientObserver.listener, now },
  });
  const proxy = await openUdpProxy({ target: server.local, delayMillis: 0, lossRatio: 0, seed: 1 });
  let serverAlive = true;
  const sides = {
    client: { endpoint: client, observer: clientObserver },
    server: {
      get endpoint(): QuicEndpoint {
        return server;
      },
      observer: serverObserver,
    },
  };
  const killServer = async (): Promise<void> => {
    // A killed process says nothing and logs nothing: its farewells never reach its socket, and are kept out of the record.
    isServerMute = true;
    const { seen, react } = serverObserver;
    const before = seen.length;
    serverObserver.react = undefined;
    serverAlive = false;
    await server.closeAll();
    seen.length = before;
    serverObserver.react = react;
  };
  return {
    ...sides,
    proxy,
    serverAddress: proxy.local,
    serverPin: certificate.fingerprint,
    clientAddress: client.local,
    clientPin: own.fingerprint,
    now,
    run: async (until, limitMillis) => {
      const limit = now() + limitMillis * 1_000;
      while (!until()) {
        if (now() >= limit) return false;
        await pause(1);
      }
      return true;
    },
    impair: (change) => proxy.impair(change),
    killServer,
    restartServer: async () => {
      if (serverAlive) await killServer();
      server = await openServer(port);
      serverAlive = true;
    },
    rebindClient: () => proxy.rebind(),
    sendOversized: (session, length) => client.sendRaw(session, frame(new Uint8Array(length))),
    close: async () => {
      await Promise.all([client.closeAll(), serverAlive ? server.closeAll() : undefined]);
      await proxy.close();
    },
  };
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));
