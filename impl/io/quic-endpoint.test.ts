import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { address, parseAddress } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import { millis } from "../base/units.ts";
import { CONTRACT_CONFIG, type Observer, observer, type Seen, sessionContract } from "../core/session.contract.ts";
import { MAX_MESSAGE_BYTES, type SessionEvent } from "../core/session.ts";
import { bindingRequest } from "../wire/stun.ts";
import { makeCertificate } from "./certificate.ts";
import type { IoError } from "./io-error.ts";
import { openEndpoint, type QuicEndpoint } from "./quic-endpoint.ts";
import { type EngineConfig, type EngineConnection, engineConfig, type Host, quiche } from "./quic-engine.ts";
import { quicWorld, realClock } from "./quic-world.fixture.ts";

sessionContract("real QUIC over a UDP proxy", quicWorld);

const certificate = makeCertificate();
const now = realClock();
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of cleanup.splice(0).reverse()) await release();
});

const until = async (holds: () => boolean, limitMillis: number): Promise<boolean> => {
  const limit = now() + limitMillis * 1_000;
  while (!holds() && now() < limit) await new Promise((resolve) => setTimeout(resolve, 1));
  return holds();
};
const open = async (serving: boolean, host = "127.0.0.1"): Promise<{ endpoint: QuicEndpoint; observer: Observer }> => {
  const watch = observer(now);
  const common = { host, port: 0, config: CONTRACT_CONFIG, listener: watch.listener, now };
  const endpoint = await openEndpoint(serving ? { ...common, certificate } : common);
  cleanup.push(() => endpoint.closeAll());
  return { endpoint, observer: watch };
};
const events = (watch: Observer, session?: number): SessionEvent[] =>
  watch.seen.flatMap((seen) => (seen.type === "event" && (session ?? seen.session) === seen.session ? [seen.event] : []));
const bareSocket = async (): Promise<{ socket: Socket; received: Uint8Array[]; local: Host }> => {
  const socket = createSocket("udp4");
  const received: Uint8Array[] = [];
  socket.on("message", (packet) => received.push(new Uint8Array(packet)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanup.push(() => socket.close());
  return { socket, received, local: { host: "127.0.0.1", port: socket.address().port } };
};
const portOf = (endpoint: QuicEndpoint): number => parseAddress(endpoint.local)?.port ?? 0;
const handshakes = async (server: QuicEndpoint): Promise<boolean> => {
  const client = await open(false);
  client.endpoint.connect(1, server.local, certificate.fingerprint);
  return until(() => events(client.observer, 1)[0]?.type === "connected", 1_000);
};

/** The engine on a bare socket, for peers that do what our endpoint never does. */
const engineOn = async (make: (local: Host, from: Host) => EngineConnection, first?: Host) => {
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
const dialler = (config: EngineConfig, target: Host) =>
  engineOn((local) => quiche.Connection.connect(null, new Uint8Array(20).fill(7), local, target, config), target);
const foreign = (config: EngineConfig): EngineConfig => {
  config.setApplicationProtos(["other/1"]);
  return config;
};

describe("quic endpoint", () => {
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

  test("a session whose every packet is preceded by altered copies of it works as if they were not there", async () => {
    const server = await open(true);
    const client = await open(false);
    const luck = new Stream(8, "altered");
    const [front, back] = [await bareSocket(), await bareSocket()];
    const pass = (socket: Socket, packet: Uint8Array, port: number): void => {
      for (let i = 0; i < 3; i++) {
        const altered = new Uint8Array(packet);
        for (let j = 0; j <= i; j++)
          altered[luck.nextBelow(i === 0 ? Math.min(30, altered.length) : altered.length)] = luck.nextBelow(256);
        socket.send(i === 2 ? altered.subarray(0, luck.nextBelow(altered.length)) : altered, port, "127.0.0.1");
      }
      socket.send(packet, port, "127.0.0.1");
    };
    front.socket.on("message", (packet) => pass(back.socket, packet, portOf(server.endpoint)));
    back.socket.on("message", (packet) => pass(front.socket, packet, portOf(client.endpoint)));
    client.endpoint.connect(1, address("127.0.0.1", front.local.port), certificate.fingerprint);
    const messages = Array.from({ length: 50 }, (_, i) => new Uint8Array(1 + i * 50).fill(i));
    for (const message of messages) client.endpoint.send(1, message);
    await until(() => events(server.observer).filter((event) => event.type === "message").length >= 50, 5_000);
    expect(events(server.observer).flatMap((event) => (event.type === "message" ? [event.bytes] : []))).toEqual(messages);
    expect(events(client.observer).map((event) => event.type)).toEqual(["connected"]);
  });

  test("a restarted relay is noticed within a repetition and a round trip even when the congestion window is full", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(world.close);
    world.impair({ delayMillis: 20 });
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    await world.run(() => events(world.server.observer)[0]?.type === "connected", 1_000);
    await world.run(() => false, 150);
    await world.killServer();
    for (let i = 0; i < 75; i++) {
      world.client.endpoint.sendDatagram(1, new Uint8Array(1_000));
      await world.run(() => false, 20);
    }
    await world.restartServer();
    const returned = world.now();
    expect(await world.run(() => events(world.client.observer, 1).at(-1)?.type === "closed", 1_000)).toBe(true);
    expect(events(world.client.observer, 1).at(-1)).toEqual({ type: "closed", reason: "reset" });
    expect(world.now() - returned).toBeLessThan((100 + 40 + 100) * 1_000);
  });

  test("a process that was busy reads what arrived meanwhile before it calls its peer silent", async () => {
    const server = new Worker(new URL("./quic-server.fixture.ts", import.meta.url));
    cleanup.push(() => server.terminate());
    const [{ address: remote, pin }] = await once(server, "message");
    const client = await open(false);
    client.endpoint.connect(1, remote, pin);
    await until(() => events(client.observer, 1)[0]?.type === "connected", 1_000);
    await until(() => false, 50);
    const before = client.endpoint.counters().sentPackets;
    client.endpoint.sendDatagram(1, new Uint8Array(80));
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.endpoint.counters().sentPackets).toBeGreaterThan(before);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CONTRACT_CONFIG.silence / 1_000 + 200); // this thread is busy
    await until(() => false, 50);
    expect(events(client.observer, 1).map((event) => event.type)).toEqual(["connected"]);
  });

  test("the round trip estimate stays with the path while packets are lost", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(() => world.close());
    const { endpoint } = world.client;
    world.impair({ delayMillis: 25, lossRatio: 0.05, blocked: false });
    endpoint.connect(1, world.serverAddress, world.serverPin);
    const talk = setInterval(() => endpoint.sendDatagram(1, new Uint8Array(80)), 5);
    cleanup.push(() => clearInterval(talk));
    await until(() => (endpoint.pathFacts(1)?.lost ?? 0) >= 20, 10_000);
    const facts = endpoint.pathFacts(1);
    expect(facts?.lost).toBeGreaterThanOrEqual(20);
    expect(facts?.rtt).toBeLessThan(500_000); // ten times the path: an estimate that runs away gains a second a second
  });

  test("what waits for a full congestion window is the newest, and comes out after it opens", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(world.close);
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    await world.run(() => events(world.server.observer)[0]?.type === "connected", 1_000);
    await world.run(() => false, 50);
    world.impair({ blocked: true });
    for (let i = 0; i < 100; i++) world.client.endpoint.sendDatagram(1, new Uint8Array(1_000).fill(i));
    await world.run(() => false, 400);
    world.impair({ blocked: false });
    const arrived = () => events(world.server.observer).flatMap((event) => (event.type === "datagram" ? [event.bytes[0]] : []));
    expect(await world.run(() => arrived().includes(99), 1_500)).toBe(true);
    expect(arrived().filter((number) => number !== undefined && number > 20 && number < 84)).toEqual([]);
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
    const registers = async (server: QuicEndpoint): Promise<boolean> => {
      const watch = observer(now);
      const client = await openEndpoint({ host: "127.0.0.1", port: 0, config, listener: watch.listener, now });
      cleanup.push(() => client.closeAll());
      client.connect(1, server.local, certificate.fingerprint);
      return until(() => events(watch, 1)[0]?.type === "connected", 20_000);
    };

    test("first packets beyond the 8 get a Retry and nothing is kept for them; a client registers all the same", async () => {
      const server = await serving();
      await flood(server, 7, false);
      expect(await registers(server)).toBe(true);
      expect(server.counters().retries).toBe(0);
      await flood(server, 31, false);
      expect(server.counters().retries).toBe(30);
      expect(await registers(server)).toBe(true);
      expect(server.counters()).toMatchObject({ retries: 31, droppedUnknown: 0, evicted: 0 });
    });

    test("of 16 that proved their addresses and go no further the oldest makes room for a client that does", async () => {
      const server = await serving();
      await flood(server, 20, true);
      expect(server.counters()).toMatchObject({ retries: 12, evicted: 4, droppedUnknown: 0 });
      expect(await registers(server)).toBe(true);
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

  test.each([
    ["ends the message stream", (engine: EngineConnection) => engine.streamSend(0, new Uint8Array(4), true)],
    [
      "resets the message stream",
      (engine: EngineConnection) => [engine.streamSend(0, new Uint8Array(4), false), engine.streamShutdown(0, 1, 5)],
    ],
  ])("a client that %s ends its session as an error", async (_, misbehave) => {
    const server = await open(true);
    const caller = await dialler(engineConfig(CONTRACT_CONFIG), { host: "127.0.0.1", port: portOf(server.endpoint) });
    await until(() => caller.engine()?.isEstablished() === true, 1_000);
    const engine = caller.engine();
    if (engine !== undefined) misbehave(engine);
    caller.flush();
    expect(await until(() => events(server.observer).at(-1)?.type === "closed", 1_000)).toBe(true);
    expect(events(server.observer).at(-1)).toMatchObject({ type: "closed", reason: "error" });
  });

  test("a session lives through 62 address changes, also two within a round trip, and is then closed rather than left mute", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(world.close);
    const heard = (): number => events(world.client.observer, 1).filter((event) => event.type === "message").length;
    const told = (type: string): number => events(world.server.observer).filter((event) => event.type === type).length;
    const isClosed = (): boolean => events(world.client.observer, 1).at(-1)?.type === "closed";
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    await world.run(() => told("connected") > 0, 1_000);
    // A new path needs a connection ID that nobody has used (RFC 9000 section 9.5). The client's first ones go before its first message.
    world.client.endpoint.send(1, new Uint8Array(1));
    expect(await world.run(() => told("message") > 0, 1_000)).toBe(true);
    world.impair({ delayMillis: 10 });
    for (let i = 0; i < 2; i++) {
      world.rebindClient();
      world.client.endpoint.sendDatagram(1, new Uint8Array(10));
      expect(await world.run(() => told("datagram") > i, 500)).toBe(true); // the server asks about the new path now
    }
    await world.run(() => false, 100);
    world.impair({ delayMillis: 0 });
    let lived = 2; // what the two cost depends on which question was answered: none of the changes after them goes without a word
    for (const most = lived + 70; lived < most; lived++) {
      const [changes, answers] = [told("path-changed"), heard()];
      world.rebindClient();
      world.client.endpoint.sendDatagram(1, new Uint8Array(10));
      await world.run(() => told("path-changed") > changes || isClosed(), 500);
      world.server.endpoint.send(-1, new Uint8Array(1));
      expect(await world.run(() => heard() > answers || isClosed(), 1_000), `after change ${lived + 1}`).toBe(true);
      if (isClosed()) break;
    }
    expect([lived >= 62, events(world.client.observer, 1).at(-1)]).toMatchObject([true, { type: "closed", reason: "peer" }]);
  });

  test("a session closed after its handshake and before that is confirmed comes to an end", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(world.close);
    world.client.observer.react = (seen) => {
      if (seen.type === "event" && seen.event.type === "connected") world.impair({ blocked: true });
    };
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    await world.run(() => events(world.client.observer, 1).length > 0, 1_000);
    await world.run(() => false, 300);
    const { sentPackets } = world.client.endpoint.counters();
    world.client.endpoint.close(1, "done");
    for (const busy = now() + 1_000_000; now() < busy; ); // a busy process: the next probe is due before the farewell is sent
    expect(await world.run(() => events(world.client.observer, 1).at(-1)?.type === "closed", 1_000)).toBe(true);
    await world.run(() => false, 20);
    expect(events(world.client.observer, 1).at(-1)).toEqual({ type: "closed", reason: "local", detail: "done" });
    expect(world.client.endpoint.counters().sentPackets - sentPackets).toBeLessThan(10);
  });

  test("a peer that takes no messages costs a bounded backlog, then the session", async () => {
    const client = await open(false);
    const nobody = await bareSocket();
    client.endpoint.connect(1, address(nobody.local.host, nobody.local.port), certificate.fingerprint);
    for (let i = 0; i < 80; i++) client.endpoint.send(1, new Uint8Array(MAX_MESSAGE_BYTES));
    await until(() => events(client.observer, 1).length > 0, 500);
    expect(events(client.observer, 1)).toMatchObject([{ type: "closed", reason: "error" }]);
  });

  test("an endpoint without a certificate accepts nobody", async () => {
    const deaf = await open(false);
    expect(await handshakes(deaf.endpoint)).toBe(false);
    expect(deaf.observer.seen).toEqual([]);
  });

  test("IPv6 works end to end, and the other family is out of reach", async () => {
    const server = await open(true, "::1");
    const client = await open(false, "::1");
    client.endpoint.connect(1, server.endpoint.local, certificate.fingerprint);
    expect(await until(() => events(client.observer, 1)[0]?.type === "connected", 1_000)).toBe(true);
    client.endpoint.connect(2, "127.0.0.1:9", certificate.fingerprint);
    client.endpoint.sendPacket("127.0.0.1:9", new Uint8Array(20));
    expect(await until(() => events(client.observer, 2).length > 0, 1_000)).toBe(true);
    expect(events(client.observer, 2)).toMatchObject([{ type: "closed", reason: "error" }]);
    expect([...client.endpoint.counters().sendErrors]).toEqual([["EAFNOSUPPORT", 1]]);
  });

  test("a socket for both families hears each by its own address, in sessions and beside them", async () => {
    const server = await open(true, "::");
    const question = bindingRequest(new Uint8Array(12).fill(3));
    for (const [session, host, headers] of [
      [1, "127.0.0.1", 28],
      [2, "::1", 48],
    ] as const) {
      const client = await open(false, "::");
      const from = address(host, portOf(client.endpoint));
      const to = address(host, portOf(server.endpoint));
      client.endpoint.connect(session, to, certificate.fingerprint);
      expect(await until(() => events(client.observer, session)[0]?.type === "connected", 1_000)).toBe(true);
      client.endpoint.sendPacket(to, question);
      const heard = (type: Seen["type"]): boolean =>
        server.observer.seen.some(
          (seen) => seen.type === type && ("remote" in seen ? seen.remote : "from" in seen && seen.from) === from,
        );
      expect(await until(() => heard("accepted") && heard("packet"), 1_000)).toBe(true);
      const { sentPackets, sentHeaderBytes } = client.endpoint.counters();
      expect(sentHeaderBytes).toBe(sentPackets * headers);
    }
  });

  test("misuse is named: hosts that are names, addresses that are none, session numbers taken or not positive", async () => {
    const { endpoint } = await open(false);
    await expect(open(false, "localhost")).rejects.toThrow(TypeError);
    expect(() => endpoint.connect(1, "nowhere", "")).toThrow(TypeError);
    expect(() => endpoint.connect(-1, "127.0.0.1:9", "")).toThrow(RangeError);
    endpoint.connect(1, "127.0.0.1:9", "");
    expect(() => endpoint.connect(1, "127.0.0.1:9", "")).toThrow(RangeError);
    expect(() => endpoint.sendPacket("nowhere", new Uint8Array(1))).toThrow(TypeError);
  });

  test("a port already taken is an IoError that says so", async () => {
    const { endpoint } = await open(false);
    const again = openEndpoint({
      host: "127.0.0.1",
      port: portOf(endpoint),
      config: CONTRACT_CONFIG,
      listener: observer(now).listener,
      now,
    });
    await expect(again).rejects.toMatchObject({ name: "IoError", code: "bind" } satisfies Partial<IoError>);
  });

  test("closeAll tells every session, says goodbye to peers and leaves nothing running; path facts are there before and gone after", async () => {
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith("UDP")).length;
    const before = handles();
    const server = await open(true);
    const client = await open(false);
    client.endpoint.connect(1, server.endpoint.local, certificate.fingerprint);
    await until(() => events(server.observer).length > 0, 1_000);
    const facts = client.endpoint.pathFacts(1);
    expect(facts?.sent).toBeGreaterThan(1);
    expect(facts?.rtt).toBeLessThan(millis(200));
    await client.endpoint.closeAll();
    await client.endpoint.closeAll();
    expect(events(client.observer, 1).at(-1)).toMatchObject({ type: "closed", reason: "local" });
    expect(await until(() => events(server.observer).at(-1)?.type === "closed", 1_000)).toBe(true);
    await server.endpoint.closeAll();
    expect(client.endpoint.pathFacts(1)).toBe(undefined);
    client.endpoint.sendPacket(server.endpoint.local, new Uint8Array(20));
    expect(handles()).toBe(before);
  });
});
