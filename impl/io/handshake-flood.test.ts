/** A session beside a flood of handshakes that nobody goes on with. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import { millis, seconds } from "../base/units.ts";
import { observer } from "../core/session.contract.ts";
import { DEFAULT_SESSION } from "../core/session.ts";
import { cHeapBytes } from "./c-heap.fixture.ts";
import { makeCertificate } from "./certificate.ts";
import { QuicConnection } from "./quic-connection.ts";
import { openEndpoint } from "./quic-endpoint.ts";
import { engineConfig, quiche } from "./quic-engine.ts";
import { realClock } from "./quic-world.fixture.ts";
import { reclaimMemory } from "./reclaim.ts";
import { openUdpSocket } from "./udp-socket.ts";

const HANDSHAKES = 200;
/** Of these sizes each handshake is accompanied by noise. */
const NOISE = [1_200, 90, 90, 90, 90];

test("a session loses nothing to handshakes that nobody goes on with and to noise, few of them are kept, and nothing is left of them", async () => {
  const now = realClock();
  const certificate = makeCertificate();
  // No idle time or silence that a busy machine reaches, and a limit that ends handshakes within the test.
  const config = { ...DEFAULT_SESSION, idleTimeout: seconds(60), silence: seconds(60), handshakeTimeout: seconds(1) };
  const [here, there] = [observer(now), observer(now)];
  let [floods, dropped] = [0, 0];
  const common = { host: "127.0.0.1", port: 0, now };
  const server = await openEndpoint({
    ...{ ...common, config, certificate, listener: here.listener, limits: { unproved: 8, all: 16 } },
    afterFlood: () => floods++,
    dropped: () => dropped++,
  });
  const patient = { ...config, handshakeTimeout: seconds(60) };
  const client = await openEndpoint({ ...common, config: patient, listener: there.listener });
  const socket = createSocket("udp4");
  const count = (of: typeof here, type: string): number =>
    of.seen.filter((seen) => seen.type === "event" && seen.event.type === type).length;
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1)); // the test's own limit ends it
  };
  try {
    client.connect(1, server.local, certificate.fingerprint);
    await until(() => count(here, "connected") === 1 && count(there, "connected") === 1);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const local = { host: "127.0.0.1", port: socket.address().port };
    const target = { host: "127.0.0.1", port: parseAddress(server.local)?.port ?? 0 };
    const [strangers, luck, out] = [engineConfig(patient), new Stream(11, "flood"), new Uint8Array(1_500)];
    let most = 0;
    for (let i = 1; i <= HANDSHAKES; i++) {
      for (const size of NOISE) socket.send(luck.nextBytes(1 + luck.nextBelow(size)), target.port, target.host);
      const stranger = quiche.Connection.connect(null, luck.nextBytes(20), local, target, strangers);
      socket.send(out.slice(0, stranger.send(out)?.[0]), target.port, target.host);
      client.sendDatagram(1, new Uint8Array(88));
      server.sendDatagram(-1, new Uint8Array(88));
      // At the pace of the receiver: what is judged is what it keeps and carries, not the room of its socket.
      await until(() => count(here, "datagram") === i && count(there, "datagram") === i);
      most = Math.max(most, server.counters().halfOpen);
    }
    expect([count(here, "closed"), count(there, "closed")]).toEqual([0, 0]);
    expect(most).toBe(8);
    expect(server.counters().retries).toBeGreaterThan(0);
    await until(() => server.counters().halfOpen === 0);
    expect(floods).toBeGreaterThan(0);
    // The client's own, which came to something, is none of them.
    expect(dropped + server.counters().retries).toBe(HANDSHAKES);
  } finally {
    socket.close();
    await client.closeAll();
    await server.closeAll();
  }
}, 60_000);

test("what comes for a session is read and told before handshakes that came earlier are looked at", async () => {
  const now = realClock();
  const certificate = makeCertificate();
  const config = { ...DEFAULT_SESSION, idleTimeout: seconds(60), silence: seconds(60), handshakeTimeout: seconds(60) };
  const there = observer(now);
  let metBefore: number | undefined;
  let isConnected = false;
  const met = (): number => server.counters().halfOpen + server.counters().retries;
  const common = { host: "127.0.0.1", port: 0, now, config };
  const server = await openEndpoint({
    ...{ ...common, certificate, limits: { unproved: 8, all: 16 } },
    listener: {
      accepted: () => undefined,
      packet: () => undefined,
      event: (_, { type }) => {
        isConnected ||= type === "connected";
        if (type === "datagram") metBefore ??= met();
      },
    },
  });
  const client = await openEndpoint({ ...common, listener: there.listener });
  const stranger = await openUdpSocket({ host: "127.0.0.1", port: 0 });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1)); // the test's own limit ends it
  };
  try {
    client.connect(1, server.local, certificate.fingerprint);
    await until(() => isConnected && there.seen.some((seen) => seen.type === "event" && seen.event.type === "connected"));
    server.send(-1, new Uint8Array(1)); // with it, or before it, goes the word that the handshake is confirmed (RFC 9001 section 4.1.2)
    await until(() => there.seen.some((seen) => seen.type === "event" && seen.event.type === "message"));
    const target = { host: "127.0.0.1", port: parseAddress(server.local)?.port ?? 0 };
    const [strangers, luck, out] = [engineConfig(config), new Stream(12, "flood"), new Uint8Array(1_500)];
    // All within one turn of the event loop, in which the server reads nothing.
    for (let i = 0; i < 40; i++) {
      const flight = quiche.Connection.connect(null, luck.nextBytes(20), stranger.local, target, strangers);
      stranger.send(out.subarray(0, flight.send(out)?.[0]), target);
    }
    stranger.flush();
    client.sendDatagram(1, new Uint8Array(88));
    client.flush();
    await until(() => met() === 40);
    expect(metBefore).toBe(0);
  } finally {
    await stranger.close();
    await client.closeAll();
    await server.closeAll();
  }
}, 60_000);

test("one flood after another leaves no connection, no timer, and no more memory than the one before it", async () => {
  const now = realClock();
  const certificate = makeCertificate();
  const config = { ...DEFAULT_SESSION, idleTimeout: seconds(60), silence: seconds(60), handshakeTimeout: millis(300) };
  const there = observer(now);
  const ignored = { accepted: () => undefined, packet: () => undefined, event: () => undefined };
  const common = { host: "127.0.0.1", port: 0, now };
  const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const [others, ofEndpoints] = [timers(), 2];
  let dropped = 0;
  const server = await openEndpoint({
    ...{ ...common, config, certificate, listener: ignored, limits: { unproved: 64, all: 128 } },
    dropped: () => dropped++,
  });
  const client = await openEndpoint({
    ...common,
    config: { ...config, handshakeTimeout: seconds(60) },
    listener: there.listener,
  });
  const stranger = await openUdpSocket({ host: "127.0.0.1", port: 0 });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1)); // the test's own limit ends it
  };
  const target = { host: "127.0.0.1", port: parseAddress(server.local)?.port ?? 0 };
  const [strangers, luck, out] = [engineConfig(config), new Stream(13, "flood"), new Uint8Array(1_500)];
  const FLIGHTS = 1_000;
  const flood = async (): Promise<void> => {
    const met = (): number => dropped + server.counters().halfOpen + server.counters().retries;
    const before = met();
    for (let i = 1; i <= FLIGHTS; i++) {
      const flight = quiche.Connection.connect(null, luck.nextBytes(20), stranger.local, target, strangers);
      stranger.send(out.subarray(0, flight.send(out)?.[0]), target);
      stranger.send(luck.nextBytes(1 + luck.nextBelow(90)), target);
      if (i % 20 > 0) continue;
      stranger.flush();
      await until(() => met() >= before + i);
    }
    await until(() => server.counters().halfOpen === 0);
  };
  const objects = (): number => queryObjects(QuicConnection, { format: "count" });
  const kept = async () => {
    await reclaimMemory();
    return { connections: objects(), timers: timers(), cHeap: cHeapBytes?.() ?? 0, heap: process.memoryUsage().heapUsed };
  };
  try {
    client.connect(1, server.local, certificate.fingerprint);
    await until(() => there.seen.some((seen) => seen.type === "event" && seen.event.type === "connected"));
    const first = await kept();
    expect(first.connections).toBe(2); // both ends of the session
    const after: Awaited<ReturnType<typeof kept>>[] = [];
    for (let n = 0; n < 4; n++) {
      await flood();
      after.push(await kept());
    }
    expect(after.map(({ connections }) => connections)).toEqual(after.map(() => 2));
    for (const one of after) expect(one.timers).toBeLessThanOrEqual(others + ofEndpoints);
    // The first makes code and buffers. 134 octets a first packet once stayed, which the engine's reading of its token had left (first-packet.ts).
    const [, second, , last] = after as [typeof first, typeof first, typeof first, typeof first];
    expect(last.cHeap - second.cHeap).toBeLessThan(20 * 2 * FLIGHTS);
    expect(last.heap - second.heap).toBeLessThan(100 * 2 * FLIGHTS);
  } finally {
    await stranger.close();
    await client.closeAll();
    await server.closeAll();
  }
}, 60_000);
