import type { Socket } from "node:dgram";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { address } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import { millis } from "../base/units.ts";
import { CONTRACT_CONFIG, observer, type Seen, sessionContract } from "../core/session.contract.ts";
import { MAX_MESSAGE_BYTES } from "../core/session.ts";
import { bindingRequest } from "../wire/stun.ts";
import type { IoError } from "./io-error.ts";
import { bareSocket, certificate, cleanup, dialler, events, now, open, portOf, until } from "./quic-endpoint.fixture.ts";
import { openEndpoint } from "./quic-endpoint.ts";
import { type EngineConnection, engineConfig } from "./quic-engine.ts";
import { quicWorld } from "./quic-world.fixture.ts";

sessionContract("real QUIC over a UDP proxy", quicWorld);

describe("quic endpoint", () => {
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

  test("a relay that restarts is noticed by a repetition even when the congestion window is full", async () => {
    const world = await quicWorld(CONTRACT_CONFIG);
    cleanup.push(world.close);
    const sent = (): number => world.client.endpoint.counters().sentPackets;
    const patience = 20_000;
    world.impair({ delayMillis: 20 });
    world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
    expect(await world.run(() => events(world.server.observer)[0]?.type === "connected", patience)).toBe(true);
    await world.run(() => false, 150);
    await world.killServer();
    const isFull = (): boolean => {
      const before = sent();
      world.client.endpoint.sendDatagram(1, new Uint8Array(1_000));
      world.client.endpoint.flush();
      return sent() === before;
    };
    expect(await world.run(isFull, patience)).toBe(true);
    expect(await world.run(() => events(world.client.observer, 1).at(-1)?.type === "silent", patience)).toBe(true);
    // Ten packets a second from now on: the engine alone would send two each time that its wait has doubled.
    const repeated = sent();
    expect(await world.run(() => sent() >= repeated + 12, patience)).toBe(true);
    await world.restartServer();
    expect(await world.run(() => events(world.client.observer, 1).at(-1)?.type === "closed", patience)).toBe(true);
    expect(events(world.client.observer, 1).at(-1)).toEqual({ type: "closed", reason: "reset" });
    // The first one that arrives is answered; others may be under way by then.
    expect(world.server.endpoint.counters().receivedPackets).toBeLessThanOrEqual(4);
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
