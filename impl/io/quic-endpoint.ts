/**
 * The real transport: QUIC, STUN and port mapping on one UDP socket, dialling and (with a certificate) accepting at the same time.
 * Demultiplexing by RFC 9443; connections are found by their connection IDs, so a peer may change its address.
 * Left out on purpose: NEW_TOKEN, 0-RTT, active migration, and ICMP errors, which the system does not
 * report to a socket that is not connected: an address where nobody listens is a handshake-timeout.
 */

import { randomBytes } from "node:crypto";
import { type Address, address, parseAddress } from "../base/address.ts";
import type { Instant } from "../base/units.ts";
import {
  type Endpoint,
  type EndpointListener,
  MAX_DATAGRAM_BYTES,
  MAX_MESSAGE_BYTES,
  type SessionConfig,
  type SessionEvent,
  type SessionId,
} from "../core/session.ts";
import { isMappingResponse } from "../wire/pcp.ts";
import { isSearchResponse } from "../wire/ssdp.ts";
import { isStun } from "../wire/stun.ts";
import { Alarms } from "./alarms.ts";
import type { Certificate } from "./certificate.ts";
import { idKey, newConnectionId, readOuterHeader, shortKey } from "./connection-id.ts";
import { DEFAULT_LIMITS, type HandshakeLimits } from "./first-packet.ts";
import { type ConnectionHost, type PathFacts, QuicConnection } from "./quic-connection.ts";
import { engineConfig, type Host, quiche } from "./quic-engine.ts";
import { QuicStrangers } from "./quic-strangers.ts";
import { SendErrorCount, type SendErrors } from "./send-errors.ts";
import { headerBytes } from "./udp-address.ts";
import { openUdpSocket, type UdpOptions, type UdpSocket } from "./udp-socket.ts";

export type EndpointOptions = {
  /** IP address to bind: one address of this machine, or `0.0.0.0`, which decide the family; the other one cannot be reached. `::`: both families. */
  readonly host: string;
  /** UDP port, 0 for any. */
  readonly port: number;
  /** Given: the endpoint accepts sessions with it. */
  readonly certificate?: Certificate;
  /** 32 octets for stateless reset tokens; otherwise the certificate's, otherwise random. */
  readonly resetKey?: Uint8Array;
  readonly config: SessionConfig;
  /** DEFAULT_LIMITS when not given. */
  readonly limits?: HandshakeLimits;
  /** Told when handshakes under way, which were so many that addresses had to be proved, are nearly none again. */
  readonly afterFlood?: () => void;
  /** Told of each handshake that others began and that came to nothing: the engine's memory of it waits for the garbage collector. */
  readonly dropped?: () => void;
  readonly listener: EndpointListener;
  /** A clock that never goes back. */
  readonly now: () => Instant;
  /** Of the socket: `plain` for Node.js's own. */
  readonly socket?: Pick<UdpOptions, "kind" | "stamps">;
};

/** UDP traffic of the socket, cumulative, payload octets. */
export type EndpointCounters = {
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** Of UDP and IP, beside those. */
  readonly sentHeaderBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly receivedHeaderBytes: number;
  /** Received and neither STUN nor for any connection: noise, strangers, or leftovers of sessions long gone. */
  readonly droppedUnknown: number;
  /** First packets answered with a Retry: the sender is to prove its address. */
  readonly retries: number;
  /** Handshakes given up because there were too many under way. */
  readonly evicted: number;
  /** Handshakes under way that others began; not cumulative. */
  readonly halfOpen: number;
  /** Stateless resets sent. */
  readonly resets: number;
  /** What the system refused to send, by its error. */
  readonly sendErrors: SendErrors;
};

export type QuicEndpoint = Endpoint & {
  /** The address bound. */
  readonly local: Address;
  counters(): EndpointCounters;
  /** Undefined for a session that is not, or no longer, known. */
  pathFacts(session: SessionId): PathFacts | undefined;
  /** Every connected session with its path. */
  paths(): [SessionId, PathFacts][];
  /** Sends what sessions were given at once, not in a loop turn of its own. Not to be called by a listener, whose words go out when it returns. */
  flush(): void;
  /** While an event is told to the listener: when the kernel had the packet it came with, or a later one of that session, by `stamps` of the socket. */
  readonly arrivedAt: number | undefined;
  /** Puts octets on the message stream without a length in front: a misbehaving peer, for tests and chaos runs. */
  sendRaw(session: SessionId, octets: Uint8Array): void;
  /** Closes every session (each is told `closed`, reason `local`), then the socket. Nothing is left running. */
  closeAll(): Promise<void>;
};

/** Batches read before timers and other sockets of this process are looked after. chosen: some milliseconds of work. */
const READS_A_TURN = 8;
/** Binds the socket. IoError `bind` when the address cannot be had; TypeError when `host` is no IP address. */
export async function openEndpoint(options: EndpointOptions): Promise<QuicEndpoint> {
  if (parseAddress(address(options.host, options.port)) === undefined)
    throw new TypeError(`host: want an IP address, got ${options.host}:${options.port}`);
  return endpointOn(await openUdpSocket({ host: options.host, port: options.port, ...options.socket }), options);
}

/** An endpoint on a socket that is open already and nobody listens to; it is the endpoint's from now on. */
export function endpointOn(socket: UdpSocket, options: Omit<EndpointOptions, "host" | "port">): QuicEndpoint {
  const { listener, now, config, certificate, limits = DEFAULT_LIMITS } = options;
  const resetKey = options.resetKey ?? certificate?.resetKey ?? new Uint8Array(randomBytes(32));
  const { local } = socket;
  const isStamped = options.socket?.stamps === true;
  const dialling = engineConfig(config);
  const accepting = certificate === undefined ? undefined : engineConfig(config, certificate);
  const count = {
    sentPackets: 0,
    sentBytes: 0,
    sentHeaderBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    receivedHeaderBytes: 0,
  };
  const sendErrors = new SendErrorCount();

  const connections = new Set<QuicConnection>();
  const byId = new Map<string, QuicConnection>();
  const bySession = new Map<SessionId, QuicConnection>();
  const dialled = new Map<Address, Set<QuicConnection>>();
  const dirty = new Set<QuicConnection>();
  let events: (() => void)[] = [];
  let accepted = 0;
  let closed = false;
  let turning = false;
  let soon: NodeJS.Immediate | undefined;
  const alarms = new Alarms<QuicConnection>(now, (due) => {
    for (const connection of due) dirty.add(connection);
    work();
  });
  let tellsOf: number | undefined;

  const transmit = (packet: Uint8Array, to: Host): void => {
    if (closed || to.port === 0 || !socket.reaches(to.host)) {
      sendErrors.add("EAFNOSUPPORT");
      return;
    }
    count.sentPackets++;
    count.sentBytes += packet.length;
    count.sentHeaderBytes += headerBytes(to.host);
    socket.send(packet, to);
    awaken(); // to flush it, if nothing else is to be done
  };

  const host: ConnectionHost = {
    now,
    local,
    transmit,
    accept: (connection) => {
      const session = -++accepted;
      strangers.settle(connection);
      bySession.set(session, connection);
      const { remote } = connection;
      events.push(() => listener.accepted(session, remote));
      return session;
    },
    emit: (session, event: SessionEvent) => {
      const at = isStamped ? bySession.get(session)?.arrivedAt : undefined;
      events.push(() => {
        tellsOf = at;
        listener.event(session, event);
      });
    },
  };
  const register = (connection: QuicConnection, id: Uint8Array): void => {
    connection.ids.add(idKey(id));
    byId.set(idKey(id), connection);
  };
  const add = (connection: QuicConnection, ids: readonly Uint8Array[]): void => {
    connections.add(connection);
    for (const id of ids) register(connection, id);
    touch(connection);
  };
  const forget = (connection: QuicConnection): void => {
    if (strangers.isHalfOpen(connection)) options.dropped?.();
    strangers.settle(connection);
    connections.delete(connection);
    dirty.delete(connection);
    alarms.forget(connection);
    for (const key of connection.ids) byId.delete(key);
    if (connection.session !== undefined) bySession.delete(connection.session);
    const others = dialled.get(connection.remote);
    if (others?.delete(connection) && others.size === 0) dialled.delete(connection.remote);
  };
  /** `connection` has something to do: soon, in a loop turn of its own, so that no call re-enters the listener. */
  const touch = (connection: QuicConnection): void => {
    dirty.add(connection);
    awaken();
  };
  const awaken = (): void => {
    if (!turning && !closed) soon ??= setImmediate(work);
  };
  const strangers = new QuicStrangers({
    ...{ now, config, limits, accepting, resetKey, connections: host },
    transmit,
    known: (id) => byId.get(idKey(id)),
    began: add,
    evict: forget,
    touch,
    afterFlood: () => options.afterFlood?.(),
  });

  const turn = (): void => {
    if (soon !== undefined) clearImmediate(soon);
    soon = undefined;
    turning = true;
    try {
      while (dirty.size > 0 || events.length > 0) {
        const batch = [...dirty];
        dirty.clear();
        for (const connection of batch) connection.read();
        const due = events;
        events = [];
        for (const tell of due) tell();
        for (const connection of batch) {
          dirty.delete(connection); // what the listener asked of it goes out now, together with the acknowledgements
          connection.write();
          if (connection.finished) forget(connection);
          else alarms.watch(connection);
        }
      }
      socket.flush();
    } finally {
      turning = false;
    }
    if (!closed) alarms.set();
  };
  /**
   * Reads and does what is to be done, until nothing more comes, or so much that others of this process want their turn. What has arrived is read before anybody
   * concludes from the time that nothing did.
   */
  const work = (): void => {
    for (let reads = 0; reads < READS_A_TURN && !closed; reads++) {
      turning = true;
      const packets = socket.read();
      turning = false;
      if (packets === 0 && reads > 0) break;
      turn();
    }
    if (strangers.waiting === 0 || closed) return;
    turning = true;
    strangers.meet();
    turn();
    if (strangers.waiting > 0) awaken();
  };

  const came = (octets: number, from: Host): void => {
    count.receivedPackets++;
    count.receivedBytes += octets;
    count.receivedHeaderBytes += headerBytes(from.host);
  };
  const heard = (buffer: Buffer, from: Host, at: number | undefined): void => {
    came(buffer.length, from);
    const known = ((buffer[0] as number) & 0xc0) === 0x40 ? byId.get(shortKey(buffer)) : undefined;
    if (known !== undefined) {
      known.arrivedAt = at;
      known.receive(buffer, from, true);
      return touch(known);
    }
    const packet = new Uint8Array(buffer); // a copy, for those who keep it
    if (isStun(packet) || isMappingResponse(packet, from.port) || isSearchResponse(packet, from.port)) {
      events.push(() => listener.packet(address(from.host, from.port), packet));
      awaken();
      return;
    }
    const header = readOuterHeader(packet);
    const connection = header === undefined ? undefined : byId.get(idKey(header.to));
    if (connection !== undefined) {
      connection.receive(packet, from, true);
      touch(connection);
    } else if (header?.form === "short") strange(packet, header.to, from);
    else if (header?.form === "long" && strangers.wait(packet, header, from)) awaken();
    else strangers.count.droppedUnknown++;
  };

  /** A packet for an unknown connection: a reset from a peer we dialled, or of somebody who is to have one. */
  const strange = (packet: Uint8Array, to: Uint8Array, from: Host): void => {
    const known = dialled.get(address(from.host, from.port));
    strangers.count.droppedUnknown++;
    for (const connection of known ?? []) {
      connection.receive(packet.slice(), from, false);
      touch(connection);
    }
    if (known === undefined) strangers.reset(packet, to, from);
  };

  const connect = (session: SessionId, remote: Address, pin: string): void => {
    const parts = parseAddress(remote);
    if (parts === undefined) throw new TypeError(`remote: want an address, got ${remote}`);
    if (!Number.isSafeInteger(session) || session <= 0 || bySession.has(session))
      throw new RangeError(`session: want a new number above 0, got ${session}`);
    if (closed) throw new TypeError("connect: the endpoint is closed");
    if (parts.port === 0 || !socket.reaches(parts.host)) {
      events.push(() =>
        listener.event(session, { type: "closed", reason: "error", detail: `no way to ${remote} from ${endpoint.local}` }),
      );
      awaken();
      return;
    }
    const id = newConnectionId();
    const engine = quiche.Connection.connect(null, id, local, { host: parts.host, port: parts.port }, dialling);
    const at = address(parts.host, parts.port);
    const connection = new QuicConnection({ engine, host, config, remote: at, role: "client", session, pin });
    bySession.set(session, connection);
    const others = dialled.get(at) ?? new Set();
    dialled.set(at, others.add(connection));
    add(connection, [id]);
  };
  /** Does `act` on the session's connection, if there is one, and sees to what follows from it. */
  const on = (session: SessionId, act: (connection: QuicConnection) => void): void => {
    const connection = bySession.get(session);
    if (connection === undefined) return;
    act(connection);
    touch(connection);
  };
  const bounded = (name: string, bytes: Uint8Array, limit: number): void => {
    if (bytes.length > limit) throw new RangeError(`${name}: want at most ${limit} octets, got ${bytes.length}`);
  };

  const closeAll = async (): Promise<void> => {
    if (closed) return;
    for (const connection of connections) {
      connection.close("the endpoint closes");
      dirty.add(connection);
    }
    await new Promise<void>((resolve) => setImmediate(resolve)); // never inside a listener's call
    if (closed) return;
    turn();
    closed = true;
    if (soon !== undefined) clearImmediate(soon);
    alarms.close();
    await socket.close();
    for (const connection of [...connections]) forget(connection);
  };

  socket.listen({
    heard,
    oversized: (octets, from) => {
      came(octets, from);
      strangers.count.droppedUnknown++;
    },
    readable: work,
    refused: (code) => sendErrors.add(code),
  });
  const endpoint: QuicEndpoint = {
    local: address(local.host, local.port),
    connect,
    send: (session, message) => {
      bounded("message", message, MAX_MESSAGE_BYTES);
      on(session, (connection) => connection.send(message));
    },
    sendDatagram: (session, bytes) => {
      bounded("datagram", bytes, MAX_DATAGRAM_BYTES);
      on(session, (connection) => connection.sendDatagram(bytes));
    },
    sendRaw: (session, octets) => on(session, (connection) => connection.sendRaw(octets)),
    close: (session, detail) => on(session, (connection) => connection.close(detail)),
    sendPacket: (to, bytes) => {
      const parts = parseAddress(to);
      if (parts === undefined) throw new TypeError(`to: want an address, got ${to}`);
      transmit(bytes, parts);
    },
    flush: () => {
      if (!turning && !closed) turn();
    },
    get arrivedAt() {
      return tellsOf;
    },
    counters: () => ({ ...count, ...strangers.count, halfOpen: strangers.halfOpen, sendErrors: sendErrors.counts }),
    pathFacts: (session) => bySession.get(session)?.facts(),
    paths: () =>
      [...bySession].flatMap(([session, connection]): [SessionId, PathFacts][] => {
        const facts = connection.isEstablished ? connection.facts() : undefined;
        return facts === undefined ? [] : [[session, facts]];
      }),
    closeAll,
  };
  return endpoint;
}
