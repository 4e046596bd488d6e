/**
 * What every transport driver promises, as one suite of tests: a driver's own test file calls `sessionContract` with a world
 * that runs two of its endpoints against each other, in real or in virtual time. Follows impl/core/session.ts word by word.
 * Speed is left out: only the bounds a call depends on (restart detection, timeouts) are checked.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Address } from "../base/address.ts";
import { type Instant, millis } from "../base/units.ts";
import { bindingRequest, bindingResponse, parseStun } from "../wire/stun.ts";
import type { CloseReason, Endpoint, EndpointListener, SessionConfig, SessionEvent, SessionId } from "./session.ts";
import { MAX_DATAGRAM_BYTES, MAX_MESSAGE_BYTES } from "./session.ts";

/** One call of a listener, with the instant at which it came. */
export type Seen =
  | { readonly at: Instant; readonly type: "accepted"; readonly session: SessionId; readonly remote: Address }
  | { readonly at: Instant; readonly type: "event"; readonly session: SessionId; readonly event: SessionEvent }
  | { readonly at: Instant; readonly type: "packet"; readonly from: Address; readonly bytes: Uint8Array };

/** A listener that writes down every call. `react`, when set, runs inside the call; `deepest` is how far calls nested (1 = never). */
export type Observer = {
  readonly listener: EndpointListener;
  readonly seen: Seen[];
  react: ((seen: Seen) => void) | undefined;
  deepest: number;
};

/** `now` is the world's clock. Both worlds build their sides from this. */
export function observer(now: () => Instant): Observer {
  let depth = 0;
  const note = (seen: Seen): void => {
    self.seen.push(seen);
    self.deepest = Math.max(self.deepest, ++depth);
    self.react?.(seen);
    depth--;
  };
  const self: Observer = {
    seen: [],
    react: undefined,
    deepest: 0,
    listener: {
      accepted: (session, remote) => note({ at: now(), type: "accepted", session, remote }),
      event: (session, event) => note({ at: now(), type: "event", session, event }),
      packet: (from, bytes) => note({ at: now(), type: "packet", from, bytes }),
    },
  };
  return self;
}

/** One end of the wire. `endpoint` of the server is a new one after `restartServer`; its observer stays the same. */
export type SessionSide = { readonly endpoint: Endpoint; readonly observer: Observer };

/** What the network between the two does to every UDP packet, in both directions. */
export type Impairment = {
  /** One way, milliseconds. */
  readonly delayMillis: number;
  /** 0..1, independent for every packet. */
  readonly lossRatio: number;
  /** Nothing passes. */
  readonly blocked: boolean;
};

/** Two endpoints of one driver with a network between them. It starts with no delay, no loss, not blocked. */
export type SessionWorld = {
  readonly client: SessionSide;
  readonly server: SessionSide;
  /** Where the client dials. */
  readonly serverAddress: Address;
  /** Where the server reaches the client, on the socket that the client dials with. */
  readonly clientAddress: Address;
  /** Fingerprint of the client's certificate: it accepts sessions too. */
  readonly clientPin: string;
  /** Fingerprint of the server's certificate; the same after a restart. */
  readonly serverPin: string;
  now(): Instant;
  /** Lets time pass until `until()` holds (true) or `limitMillis` have gone by (false). `until` is asked after every event at least. */
  run(until: () => boolean, limitMillis: number): Promise<boolean>;
  /** Members left out stay as they are. Packets already under way are not affected. */
  impair(change: Partial<Impairment>): void;
  /** The server dies without a word; packets to it vanish or are refused. */
  killServer(): Promise<void>;
  /** A new server with the same certificate, reset key and address, and no memory of any session. */
  restartServer(): Promise<void>;
  /** From now on the server sees the client's packets come from another port, and answers to the old one vanish. */
  rebindClient(): void;
  /** The client misbehaves: it announces a message of `length` octets (more than allowed) on the stream and sends them all. */
  sendOversized(session: SessionId, length: number): void;
  /** Everything is released; the process could exit. */
  close(): Promise<void>;
};

/** The timers under which the suite runs, both sides. chosen: short enough for real time, with silence well above the delays used. */
export const CONTRACT_CONFIG: SessionConfig = {
  handshakeTimeout: millis(1_500),
  idleTimeout: millis(2_500),
  keepAlive: millis(200),
  silence: millis(300),
};

/** How late a driver in real time may be, in milliseconds, on a busy machine. */
const SLACK = 150;

const bytesOf = (length: number, fill: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + fill) & 0xff);
const eventsOf = (side: SessionSide, session: SessionId): SessionEvent[] =>
  side.observer.seen.flatMap((seen) => (seen.type === "event" && seen.session === session ? [seen.event] : []));
const typesOf = (side: SessionSide, session: SessionId): string[] => eventsOf(side, session).map((event) => event.type);
const messagesOf = (side: SessionSide, session: SessionId): Uint8Array[] =>
  eventsOf(side, session).flatMap((event) => (event.type === "message" ? [event.bytes] : []));
const datagramsOf = (side: SessionSide, session: SessionId): Uint8Array[] =>
  eventsOf(side, session).flatMap((event) => (event.type === "datagram" ? [event.bytes] : []));
const closedOf = (side: SessionSide, session: SessionId): CloseReason | undefined =>
  eventsOf(side, session).flatMap((event) => (event.type === "closed" ? [event.reason] : []))[0];
const instantOf = (side: SessionSide, session: SessionId, type: SessionEvent["type"]): Instant | undefined =>
  side.observer.seen.find((seen) => seen.type === "event" && seen.session === session && seen.event.type === type)?.at;
const acceptedBy = (side: SessionSide): SessionId[] =>
  side.observer.seen.flatMap((seen) => (seen.type === "accepted" ? [seen.session] : []));
const has = (side: SessionSide, session: SessionId, type: SessionEvent["type"]): boolean => typesOf(side, session).includes(type);

/** Registers the suite under `name`. `makeWorld` gets the timers both endpoints must run with. */
export function sessionContract(name: string, makeWorld: (config: SessionConfig) => Promise<SessionWorld>): void {
  describe(`session contract: ${name}`, () => {
    let world: SessionWorld;
    let client: SessionSide;
    beforeEach(async () => {
      world = await makeWorld(CONTRACT_CONFIG);
      client = world.client;
    });
    afterEach(() => world.close());

    /** Dials as session `session` and waits for both ends; the result is the server's number for it. */
    const connect = async (session: SessionId): Promise<SessionId> => {
      const before = acceptedBy(world.server).length;
      client.endpoint.connect(session, world.serverAddress, world.serverPin);
      const both = (): boolean => {
        const accepted = acceptedBy(world.server)[before];
        return has(client, session, "connected") && accepted !== undefined && has(world.server, accepted, "connected");
      };
      expect(await world.run(both, 1_400), "both ends connected").toBe(true);
      return acceptedBy(world.server)[before] as SessionId;
    };
    const elapse = (limitMillis: number): Promise<boolean> => world.run(() => false, limitMillis);

    test("a handshake ends in connected on both sides, with times of at least a round trip and the pinned fingerprint", async () => {
      world.impair({ delayMillis: 30 });
      const accepted = await connect(1);
      const event = eventsOf(client, 1)[0];
      expect(event?.type).toBe("connected");
      if (event?.type !== "connected") return;
      expect(event.fingerprint).toBe(world.serverPin);
      expect(event.handshake).toBeGreaterThanOrEqual(60_000);
      expect(event.handshake).toBeLessThan(60_000 * 3 + SLACK * 1_000);
      expect(event.rtt).toBeGreaterThanOrEqual(58_000);
      expect(event.rtt).toBeLessThan(60_000 + SLACK * 1_000);
      expect(accepted).toBeLessThan(0);
      expect(world.server.observer.seen.map((seen) => seen.type).slice(0, 2)).toEqual(["accepted", "event"]);
      expect(eventsOf(world.server, accepted)[0]).toMatchObject({ type: "connected", fingerprint: "" });
    });

    test("messages arrive once, whole and in order, both ways, when a fifth of all packets is lost", async () => {
      world.impair({ delayMillis: 10 });
      const accepted = await connect(1);
      world.impair({ lossRatio: 0.2 });
      const up = Array.from({ length: 60 }, (_, i) => bytesOf(1 + i * 20, i));
      const down = Array.from({ length: 60 }, (_, i) => bytesOf(1 + i * 20, i + 100));
      for (const message of up) client.endpoint.send(1, message);
      for (const message of down) world.server.endpoint.send(accepted, message);
      await world.run(() => messagesOf(world.server, accepted).length >= 60 && messagesOf(client, 1).length >= 60, 15_000);
      expect(messagesOf(world.server, accepted)).toEqual(up);
      expect(messagesOf(client, 1)).toEqual(down);
    });

    test("the server may speak first, and the client may queue before the handshake", async () => {
      const accepted = await connect(1);
      world.server.endpoint.send(accepted, bytesOf(5, 1));
      expect(await world.run(() => messagesOf(client, 1).length === 1, 1_000)).toBe(true);
      expect(messagesOf(client, 1)[0]).toEqual(bytesOf(5, 1));
      expect(messagesOf(world.server, accepted)).toEqual([]);
      client.endpoint.connect(2, world.serverAddress, world.serverPin);
      client.endpoint.send(2, bytesOf(7, 2));
      const second = (): SessionId | undefined => acceptedBy(world.server)[1];
      expect(await world.run(() => second() !== undefined && has(world.server, second() as SessionId, "message"), 1_000)).toBe(
        true,
      );
      expect(messagesOf(world.server, second() as SessionId)).toEqual([bytesOf(7, 2)]);
    });

    test("a message of the largest size passes both ways and a larger one is a RangeError", async () => {
      const accepted = await connect(1);
      client.endpoint.send(1, bytesOf(MAX_MESSAGE_BYTES, 1));
      world.server.endpoint.send(accepted, bytesOf(MAX_MESSAGE_BYTES, 2));
      await world.run(() => has(world.server, accepted, "message") && has(client, 1, "message"), 3_000);
      expect(messagesOf(world.server, accepted)).toEqual([bytesOf(MAX_MESSAGE_BYTES, 1)]);
      expect(messagesOf(client, 1)).toEqual([bytesOf(MAX_MESSAGE_BYTES, 2)]);
      expect(() => client.endpoint.send(1, new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(RangeError);
      expect(() => client.endpoint.sendDatagram(1, new Uint8Array(MAX_DATAGRAM_BYTES + 1))).toThrow(RangeError);
    });

    test("an announced message that is too large is told and skipped, and the next one arrives", async () => {
      const accepted = await connect(1);
      world.sendOversized(1, 50_000);
      client.endpoint.send(1, bytesOf(3, 3));
      expect(await world.run(() => has(world.server, accepted, "message"), 3_000)).toBe(true);
      expect(eventsOf(world.server, accepted).slice(1)).toEqual([
        { type: "oversized", length: 50_000 },
        { type: "message", bytes: bytesOf(3, 3) },
      ]);
    });

    test("datagrams of every size arrive unchanged on a clean path, both ways", async () => {
      const accepted = await connect(1);
      await elapse(50); // a datagram that shares a packet with the end of the handshake may be lost with it
      const sent = [1, 20, 160, 1_000, MAX_DATAGRAM_BYTES].map((length) => bytesOf(length, length));
      for (const bytes of sent) {
        client.endpoint.sendDatagram(1, bytes);
        world.server.endpoint.sendDatagram(accepted, bytes);
      }
      await world.run(() => datagramsOf(world.server, accepted).length >= 5 && datagramsOf(client, 1).length >= 5, 1_000);
      const byLength = (list: Uint8Array[]): Uint8Array[] => list.toSorted((a, b) => a.length - b.length);
      expect(byLength(datagramsOf(world.server, accepted))).toEqual(sent);
      expect(byLength(datagramsOf(client, 1))).toEqual(sent);
    });

    test("under loss some datagrams vanish, none is altered or repeated, and none is sent before connected", async () => {
      client.endpoint.connect(1, world.serverAddress, world.serverPin);
      client.endpoint.sendDatagram(1, bytesOf(10, 0));
      await world.run(() => has(client, 1, "connected") && acceptedBy(world.server).length === 1, 1_400);
      const accepted = acceptedBy(world.server)[0] as SessionId;
      world.impair({ lossRatio: 0.3 });
      for (let i = 1; i <= 100; i++) {
        client.endpoint.sendDatagram(1, bytesOf(100, i));
        await elapse(5);
      }
      world.impair({ lossRatio: 0 });
      await elapse(100);
      const numbers = datagramsOf(world.server, accepted).map((bytes) => bytes[0] as number);
      expect(datagramsOf(world.server, accepted)).toEqual(numbers.map((number) => bytesOf(100, number)));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers).not.toContain(0);
      expect(numbers.length).toBeGreaterThan(30);
      expect(numbers.length).toBeLessThan(97);
    });

    test("a certificate other than the pinned one is pin-mismatch and never connected", async () => {
      client.endpoint.connect(1, world.serverAddress, "00".repeat(32));
      expect(await world.run(() => has(client, 1, "closed"), 1_400)).toBe(true);
      await elapse(200);
      expect(typesOf(client, 1)).toEqual(["closed"]);
      expect(closedOf(client, 1)).toBe("pin-mismatch");
      for (const accepted of acceptedBy(world.server)) expect(closedOf(world.server, accepted)).toBe("peer");
    });

    test("a blocked path is a handshake-timeout at the limit, and not before", async () => {
      world.impair({ blocked: true });
      const began = world.now();
      client.endpoint.connect(1, world.serverAddress, world.serverPin);
      expect(await world.run(() => has(client, 1, "closed"), 1_500 + SLACK)).toBe(true);
      expect(eventsOf(client, 1)).toMatchObject([{ type: "closed", reason: "handshake-timeout" }]);
      expect(world.now() - began).toBeGreaterThanOrEqual(1_499_000);
      expect(world.server.observer.seen).toEqual([]);
    });

    test("an address where nobody listens is refused or times out", async () => {
      await world.killServer();
      client.endpoint.connect(1, world.serverAddress, world.serverPin);
      expect(await world.run(() => has(client, 1, "closed"), 1_500 + SLACK)).toBe(true);
      expect(typesOf(client, 1)).toEqual(["closed"]);
      expect(["refused", "handshake-timeout"]).toContain(closedOf(client, 1));
    });

    test("a close is local for its author and peer for the other, from either end, once", async () => {
      const first = await connect(1);
      const second = await connect(2);
      client.endpoint.close(1, "done");
      world.server.endpoint.close(second, "done");
      const all = (): boolean =>
        has(client, 1, "closed") &&
        has(client, 2, "closed") &&
        has(world.server, first, "closed") &&
        has(world.server, second, "closed");
      expect(await world.run(all, 1_000)).toBe(true);
      expect([closedOf(client, 1), closedOf(world.server, first)]).toEqual(["local", "peer"]);
      expect([closedOf(client, 2), closedOf(world.server, second)]).toEqual(["peer", "local"]);
    });

    test("after closed there are no events, and calls on the session are ignored", async () => {
      const accepted = await connect(1);
      client.endpoint.close(1, "done");
      client.endpoint.close(1, "again");
      client.endpoint.send(1, bytesOf(4, 4));
      client.endpoint.sendDatagram(1, bytesOf(4, 4));
      expect(await world.run(() => has(world.server, accepted, "closed"), 1_000)).toBe(true);
      world.server.endpoint.send(accepted, bytesOf(4, 4));
      world.server.endpoint.sendDatagram(accepted, bytesOf(4, 4));
      world.server.endpoint.close(accepted, "too late");
      client.endpoint.close(99, "never was");
      await elapse(400);
      expect(typesOf(client, 1)).toEqual(["connected", "closed"]);
      expect(typesOf(world.server, accepted)).toEqual(["connected", "closed"]);
    });

    test("a blocked session ends in idle-timeout on both sides, after silence was told once", async () => {
      const accepted = await connect(1);
      await elapse(300);
      const blockedAt = world.now();
      world.impair({ blocked: true });
      client.endpoint.sendDatagram(1, bytesOf(20, 1));
      world.server.endpoint.sendDatagram(accepted, bytesOf(20, 1));
      const both = (): boolean => has(client, 1, "closed") && has(world.server, accepted, "closed");
      expect(await world.run(both, 2_500 + 400 + SLACK)).toBe(true);
      expect(closedOf(client, 1)).toBe("idle-timeout");
      expect(closedOf(world.server, accepted)).toBe("idle-timeout");
      expect((instantOf(client, 1, "closed") ?? 0) - blockedAt).toBeGreaterThan(2_200_000);
      expect(typesOf(client, 1)).toEqual(["connected", "silent", "closed"]);
    });

    test("an idle session stays open for longer than the idle timeout, without a silence", async () => {
      const accepted = await connect(1);
      await elapse(3_200);
      expect(typesOf(client, 1)).toEqual(["connected"]);
      expect(typesOf(world.server, accepted)).toEqual(["connected"]);
    });

    test("a block shorter than the idle timeout is silent, then heard, and the session goes on", async () => {
      const accepted = await connect(1);
      const talk = async (rounds: number): Promise<void> => {
        for (let i = 0; i < rounds; i++) {
          client.endpoint.sendDatagram(1, bytesOf(100, i));
          await elapse(20);
        }
      };
      await talk(10);
      world.impair({ blocked: true });
      await talk(40);
      world.impair({ blocked: false });
      expect(typesOf(client, 1)).toEqual(["connected", "silent"]);
      const silent = eventsOf(client, 1)[1];
      if (silent?.type === "silent") expect(silent.for).toBeGreaterThanOrEqual(299_000);
      await talk(30);
      expect(typesOf(client, 1)).toEqual(["connected", "silent", "heard"]);
      client.endpoint.send(1, bytesOf(9, 9));
      expect(await world.run(() => has(world.server, accepted, "message"), 1_000)).toBe(true);
    });

    test("a restarted server is noticed as reset within a round trip and one packet of its return", async () => {
      world.impair({ delayMillis: 20 });
      const accepted = await connect(1);
      const talk = (): Promise<boolean> => {
        client.endpoint.sendDatagram(1, bytesOf(100, 1));
        return world.run(() => has(client, 1, "closed"), 20);
      };
      for (let i = 0; i < 5; i++) await talk();
      await world.killServer();
      for (let i = 0; i < 25; i++) await talk();
      expect(has(client, 1, "closed")).toBe(false);
      const returned = world.now();
      await world.restartServer();
      for (let i = 0; i < 20 && !(await talk()); i++);
      expect(closedOf(client, 1)).toBe("reset");
      expect((instantOf(client, 1, "closed") ?? 0) - returned).toBeLessThan((40 + 20 + SLACK) * 1_000);
      expect(has(world.server, accepted, "closed"), "the dead server said nothing").toBe(false);
      const again = await connect(2);
      expect(again).toBeLessThan(0);
    });

    test("a client that only listens notices a restart at its next keep-alive", async () => {
      await connect(1);
      await elapse(100); // until the handshake is confirmed (RFC 9001 section 4.1.2) a client probes with long headers, which no reset answers
      await world.killServer();
      await world.restartServer();
      expect(await world.run(() => has(client, 1, "closed"), 200 + SLACK)).toBe(true);
      expect(closedOf(client, 1)).toBe("reset");
    });

    test("a client whose address changes keeps its session, again and again, and the server tells the new path", async () => {
      world.impair({ delayMillis: 10 });
      const accepted = await connect(1);
      const remotes = new Set(world.server.observer.seen.flatMap((seen) => (seen.type === "accepted" ? [seen.remote] : [])));
      for (let turn = 1; turn <= 10; turn++) {
        world.rebindClient();
        client.endpoint.send(1, bytesOf(10, turn));
        const changes = (): SessionEvent[] => eventsOf(world.server, accepted).filter((event) => event.type === "path-changed");
        expect(await world.run(() => changes().length === turn, 1_000), `path change ${turn}`).toBe(true);
        const change = changes()[turn - 1];
        if (change?.type === "path-changed") remotes.add(change.remote);
        world.server.endpoint.send(accepted, bytesOf(10, turn));
        world.server.endpoint.sendDatagram(accepted, bytesOf(11, turn));
        const back = (): boolean => messagesOf(client, 1).length === turn && datagramsOf(client, 1).length === turn;
        expect(await world.run(back, 1_000), `answer ${turn}`).toBe(true);
      }
      expect(remotes.size).toBe(11);
      expect(typesOf(client, 1).filter((type) => type === "path-changed" || type === "closed")).toEqual([]);
      expect(messagesOf(world.server, accepted)).toHaveLength(10);
    });

    test("two sessions of one endpoint are apart: closing one leaves the other", async () => {
      const first = await connect(1);
      const second = await connect(2);
      expect(first).not.toBe(second);
      client.endpoint.close(1, "done");
      client.endpoint.send(2, bytesOf(6, 6));
      expect(await world.run(() => has(world.server, second, "message") && has(world.server, first, "closed"), 1_000)).toBe(true);
      expect(messagesOf(world.server, first)).toEqual([]);
      expect(has(client, 2, "closed")).toBe(false);
    });

    test("one endpoint dials and accepts: each side opens a session on the same two sockets, and they are apart", async () => {
      const accepted = await connect(1);
      world.server.endpoint.connect(5, world.clientAddress, world.clientPin);
      expect(await world.run(() => has(world.server, 5, "connected") && acceptedBy(client).length === 1, 1_400)).toBe(true);
      const [own] = acceptedBy(client) as [SessionId];
      expect(own).toBeLessThan(0);
      const connected = eventsOf(world.server, 5).find((event) => event.type === "connected");
      expect(connected).toMatchObject({ fingerprint: world.clientPin });
      client.endpoint.sendDatagram(1, bytesOf(5, 1));
      client.endpoint.send(own, bytesOf(6, 2));
      world.server.endpoint.sendDatagram(5, bytesOf(7, 3));
      world.server.endpoint.send(accepted, bytesOf(8, 4));
      const all = (): boolean =>
        datagramsOf(world.server, accepted).length === 1 &&
        messagesOf(world.server, 5).length === 1 &&
        datagramsOf(client, own).length === 1 &&
        messagesOf(client, 1).length === 1;
      expect(await world.run(all, 1_000)).toBe(true);
      expect([datagramsOf(world.server, accepted)[0], messagesOf(world.server, 5)[0]]).toEqual([bytesOf(5, 1), bytesOf(6, 2)]);
      world.server.endpoint.close(5, "done");
      expect(await world.run(() => has(client, own, "closed"), 1_000)).toBe(true);
      client.endpoint.send(1, bytesOf(9, 5));
      expect(await world.run(() => messagesOf(world.server, accepted).length === 1, 1_000)).toBe(true);
      expect(has(client, 1, "closed")).toBe(false);
    });

    test("two that dial each other at the same instant get both sessions; a pin that is not the client's gets none", async () => {
      client.endpoint.connect(1, world.serverAddress, world.serverPin);
      world.server.endpoint.connect(1, world.clientAddress, world.clientPin);
      world.server.endpoint.connect(2, world.clientAddress, world.serverPin);
      const both = (): boolean =>
        has(client, 1, "connected") && has(world.server, 1, "connected") && has(world.server, 2, "closed");
      expect(await world.run(() => both() && acceptedBy(world.server).length === 1, 1_400)).toBe(true);
      expect(closedOf(world.server, 2)).toBe("pin-mismatch");
    });

    test("no call re-enters the listener, and every endpoint method may be called from inside it", async () => {
      client.observer.react = (seen) => {
        if (seen.type !== "event") return;
        if (seen.event.type === "connected") {
          client.endpoint.send(1, bytesOf(8, 8));
          client.endpoint.sendDatagram(1, bytesOf(8, 8));
        } else if (seen.event.type === "message") client.endpoint.close(1, "heard enough");
      };
      world.server.observer.react = (seen) => {
        if (seen.type === "event" && seen.event.type === "message") world.server.endpoint.send(seen.session, seen.event.bytes);
      };
      client.endpoint.connect(1, world.serverAddress, world.serverPin);
      expect(await world.run(() => has(client, 1, "closed"), 1_400)).toBe(true);
      expect(typesOf(client, 1)).toEqual(["connected", "message", "closed"]);
      expect(client.observer.deepest).toBe(1);
      expect(world.server.observer.deepest).toBe(1);
      client.observer.react = undefined;
      await connect(2);
      const before = client.observer.seen.length;
      client.endpoint.close(2, "done");
      client.endpoint.connect(3, world.serverAddress, world.serverPin);
      expect(client.observer.seen.length, "nothing is told inside a call").toBe(before);
      expect(await world.run(() => has(client, 2, "closed"), 1_000)).toBe(true);
    });

    test("STUN passes beside QUIC on the same socket, both ways", async () => {
      const transaction = bytesOf(12, 1);
      client.endpoint.sendPacket(world.serverAddress, bindingRequest(transaction));
      const packets = (side: SessionSide) => side.observer.seen.flatMap((seen) => (seen.type === "packet" ? [seen] : []));
      expect(await world.run(() => packets(world.server).length === 1, 1_000)).toBe(true);
      const request = packets(world.server)[0];
      if (request === undefined) return;
      expect(parseStun(request.bytes)).toMatchObject({ ok: true, kind: "request", transactionId: transaction });
      world.server.endpoint.sendPacket(request.from, bindingResponse(transaction, request.from));
      expect(await world.run(() => packets(client).length === 1, 1_000)).toBe(true);
      expect(parseStun(packets(client)[0]?.bytes ?? new Uint8Array())).toMatchObject({
        ok: true,
        kind: "response",
        mapped: request.from,
      });
    });
  });
}
