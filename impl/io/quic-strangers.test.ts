/** What an endpoint does with those it does not know: noise, first packets, floods of them, other protocols. */
import { describe, expect, test } from "vitest";
import { address } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import { millis } from "../base/units.ts";
import { CONTRACT_CONFIG, observer } from "../core/session.contract.ts";
import {
  bareSocket,
  certificate,
  cleanup,
  dialler,
  engineOn,
  events,
  foreign,
  handshakes,
  now,
  open,
  portOf,
  until,
} from "./quic-endpoint.fixture.ts";
import { openEndpoint, type QuicEndpoint } from "./quic-endpoint.ts";
import { engineConfig, quiche } from "./quic-engine.ts";

describe("an endpoint and strangers:", () => {
  test("random octets at the port are dropped and counted, and answered with nothing larger; a handshake then works", async () => {
    const server = await open(true);
    const stranger = await bareSocket();
    const luck = new Stream(7, "noise");
    let sent = 0;
    for (let i = 0; i < 3_000; i++) {
      const packet = luck.nextBytes(luck.nextBelow(i % 3 === 0 ? 1_400 : 90));
      if (i % 4 === 1 && packet.length > 6) packet.set([0xc0, 0, 0, 0, 1, luck.nextBelow(30)]);
      sent += packet.length;
      stranger.socket.send(packet, portOf(server.endpoint), "127.0.0.1");
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => server.endpoint.counters().droppedUnknown >= 3_000, 2_000);
    const { droppedUnknown, receivedPackets, sentBytes } = server.endpoint.counters();
    expect(receivedPackets).toBeGreaterThan(2_000);
    expect(droppedUnknown).toBe(receivedPackets);
    expect(sentBytes).toBeLessThan(sent);
    expect(server.observer.seen).toEqual([]);
    expect(await handshakes(server.endpoint)).toBe(true);
  });

  test("an unknown version is answered with the versions known, once for a packet of full size and never for a negotiation", async () => {
    const server = await open(true);
    const stranger = await bareSocket();
    const packet = (version: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length).fill(1);
      bytes.set([
        0xc0,
        version >>> 24,
        version >>> 16,
        version >>> 8,
        version,
        8,
        1,
        1,
        1,
        1,
        1,
        1,
        1,
        1,
        8,
        2,
        2,
        2,
        2,
        2,
        2,
        2,
        2,
      ]);
      return bytes;
    };
    for (const [version, length] of [[0x1a2a3a4a, 1_199], [0, 1_200], [0x1a2a3a4a, 1_200]] as const) // biome-ignore format: a table
      stranger.socket.send(packet(version, length), portOf(server.endpoint), "127.0.0.1");
    await until(() => server.endpoint.counters().receivedPackets === 3 && stranger.received.length > 0, 1_000);
    expect(stranger.received.length).toBe(1);
    const answer = stranger.received[0] ?? new Uint8Array();
    expect([...answer.subarray(1, 5)]).toEqual([0, 0, 0, 0]);
    expect([...answer.subarray(5, 23)]).toEqual([8, 2, 2, 2, 2, 2, 2, 2, 2, 8, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(Buffer.from(answer.subarray(23)).includes(Buffer.from([0, 0, 0, 1]))).toBe(true);
  });

  test("strangers get at most a thousand resets a second, each shorter than its cause, and none for a packet too small", async () => {
    const server = await open(true);
    const stranger = await bareSocket();
    const cause = (length: number): Uint8Array => new Uint8Array(length).fill(0x41);
    stranger.socket.send(cause(41), portOf(server.endpoint), "127.0.0.1");
    stranger.socket.send(cause(42), portOf(server.endpoint), "127.0.0.1");
    await until(() => stranger.received.length > 0, 1_000);
    expect(stranger.received.map((packet) => packet.length)).toEqual([41]);
    const first = Math.floor(now() / 1_000_000);
    for (let i = 0; i < 2_500; i++) {
      stranger.socket.send(cause(60), portOf(server.endpoint), "127.0.0.1");
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => server.endpoint.counters().receivedPackets >= 2_502, 1_000);
    const seconds = 1 + Math.floor(now() / 1_000_000) - first;
    expect(server.endpoint.counters().resets).toBeGreaterThan(900);
    expect(server.endpoint.counters().resets).toBeLessThanOrEqual(1_000 * seconds);
  });

  describe("with at most 8 unproved handshakes under way and 16 in all", () => {
    const config = { ...CONTRACT_CONFIG, handshakeTimeout: millis(60_000) };
    const serving = async (): Promise<QuicEndpoint> => {
      const { listener } = observer(now);
      const limits = { unproved: 8, all: 16 };
      const server = await openEndpoint({ host: "127.0.0.1", port: 0, certificate, config, limits, listener, now });
      cleanup.push(() => server.closeAll());
      return server;
    };
    /** First packets of `count` clients, each sent once the one before has arrived. A Retry is answered when `proves`; then they are silent. */
    const flood = async (server: QuicEndpoint, count: number, proves: boolean): Promise<void> => {
      const target = { host: "127.0.0.1", port: portOf(server) };
      const clients = engineConfig(config);
      for (let i = 0; i < count; i++) {
        const { socket, local } = await bareSocket();
        const engine = quiche.Connection.connect(null, new Uint8Array(20).fill(i), local, target, clients);
        const out = new Uint8Array(1_500);
        const send = (): void => {
          const sent = engine.send(out);
          if (sent !== null) socket.send(out.slice(0, sent[0]), target.port, target.host);
        };
        let answered = false;
        socket.on("message", (packet: Buffer) => {
          if (!proves || (packet[0] ?? 0) >> 4 !== 0xf) return; // 0xf: a Retry
          engine.recv(new Uint8Array(packet), { from: target, to: local });
          send();
          answered = true;
        });
        const { receivedPackets, retries } = server.counters();
        send();
        const expected = (): number => receivedPackets + (proves && server.counters().retries > retries ? 2 : 1);
        await until(() => server.counters().receivedPackets >= expected(), 10_000);
        if (proves && server.counters().retries > retries) expect(answered).toBe(true);
      }
    };
    /** What a client is told until it is connected. */
    const registers = async (server: QuicEndpoint): Promise<readonly string[]> => {
      const watch = observer(now);
      const client = await openEndpoint({ host: "127.0.0.1", port: 0, config, listener: watch.listener, now });
      cleanup.push(() => client.closeAll());
      client.connect(1, server.local, certificate.fingerprint);
      await until(() => events(watch, 1).some(({ type }) => type === "connected"), 20_000);
      return events(watch, 1).map(({ type }) => type);
    };

    test("first packets beyond the 8 get a Retry and nothing is kept for them; a client registers all the same", async () => {
      const server = await serving();
      await flood(server, 7, false);
      expect(await registers(server)).toEqual(["connected"]);
      expect(server.counters().retries).toBe(0);
      await flood(server, 31, false);
      expect(server.counters().retries).toBe(30);
      expect(await registers(server)).toEqual(["retried", "connected"]);
      expect(server.counters()).toMatchObject({ retries: 31, droppedUnknown: 0, evicted: 0 });
    });

    test("of 16 that proved their addresses and go no further the oldest makes room for a client that does", async () => {
      const server = await serving();
      await flood(server, 20, true);
      expect(server.counters()).toMatchObject({ retries: 12, evicted: 4, droppedUnknown: 0 });
      expect(await registers(server)).toEqual(["retried", "connected"]);
      expect(server.counters().evicted).toBe(5);
    });
  });

  test("a server that speaks another protocol refuses, and a client that does is never accepted", async () => {
    const client = await open(false);
    const other = await engineOn((local, from) =>
      quiche.Connection.accept(
        new Uint8Array(20).fill(9),
        null,
        local,
        from,
        foreign(engineConfig(CONTRACT_CONFIG, certificate)),
      ),
    );
    client.endpoint.connect(1, address(other.local.host, other.local.port), certificate.fingerprint);
    expect(await until(() => events(client.observer, 1).length > 0, 1_000)).toBe(true);
    expect(events(client.observer, 1)).toMatchObject([{ type: "closed", reason: "refused" }]);

    const server = await open(true);
    const caller = await dialler(foreign(engineConfig(CONTRACT_CONFIG)), { host: "127.0.0.1", port: portOf(server.endpoint) });
    expect(await until(() => caller.engine()?.peerError() !== null, 1_000)).toBe(true);
    expect(server.observer.seen).toEqual([]);
    expect(await handshakes(server.endpoint)).toBe(true);
  });

  test("an endpoint without a certificate accepts nobody", async () => {
    const deaf = await open(false);
    expect(await handshakes(deaf.endpoint)).toBe(false);
    expect(deaf.observer.seen).toEqual([]);
  });
});
