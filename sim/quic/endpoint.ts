/**
 * A UDP socket's worth of QUIC connections in virtual time: the simulator's driver of impl/core/session.ts.
 * Sources: RFC 9000 sections 5 (connections), 10.3 (stateless reset), RFC 9443 (STUN beside QUIC). Left out on purpose: see packet.ts.
 *
 * Every entry from outside (a packet, a timer) is worked off in one go: state first, then the events it caused, then what
 * the connections have to send, all in the same instant. Calls of `Endpoint` made meanwhile join that work.
 */
import type { Address } from "../../impl/base/address.ts";
import { freshOctets } from "../../impl/base/octet-slab.ts";
import { hashName, type Stream } from "../../impl/base/random.ts";
import type { Instant, Micros } from "../../impl/base/units.ts";
import type { View } from "../../impl/base/view.ts";
import {
  type Endpoint,
  type EndpointListener,
  MAX_DATAGRAM_BYTES,
  MAX_MESSAGE_BYTES,
  type SessionConfig,
  type SessionEvent,
  type SessionId,
} from "../../impl/core/session.ts";
import { transmit } from "./assemble.ts";
import { close, deadline, isForgotten, reset, takeDatagram, wake } from "./connection.ts";
import { type Connection, type Counters, type Surroundings, startConnection, startCounters } from "./connection-state.ts";
import { enqueue, oldest } from "./datagram-queue.ts";
import { beginHandshake } from "./handshake.ts";
import {
  APPLICATION,
  headerBytes,
  INITIAL,
  MIN_SHORT_PACKET,
  type QuicPacket,
  RESET_BYTES,
  readPayload,
  type StreamMessage,
  type WirePacket,
} from "./packet.ts";
import { queueMessage } from "./streams.ts";
import { tokenBucket } from "./token-bucket.ts";

/** The kernel's clock as the model needs it. `post` is used when present: it spares the handle of a timer that is never cancelled. */
export type Clock = {
  readonly now: Instant;
  after(length: Micros, action: () => void): { cancel(): void };
  post?(time: Instant, action: () => void): void;
};

/** The bound UDP socket. `send` must not deliver before it returns. */
export type Socket = {
  readonly local: Address;
  send(to: Address, packet: WirePacket): void;
};

/** What a party that accepts sessions is known by; both stay the same over a restart. */
export type ServerIdentity = { readonly fingerprint: string; readonly resetKey: string };

export type SimEndpointOptions = {
  readonly clock: Clock;
  readonly socket: Socket;
  readonly config: SessionConfig;
  readonly listener: EndpointListener;
  /** Absent: this endpoint only dials. */
  readonly server?: ServerIdentity;
  /** Randomness for connection IDs and path challenges. */
  readonly stream: Stream;
  /** Told of every datagram of so many octets that newer ones pushed out of the queue before it was sent. */
  readonly crowdedOut?: (octets: number) => void;
  /** Told of every packet of so many octets, headers included, whose datagram was thrown away because too many later packets had arrived before it. */
  readonly overtaken?: (octets: number) => void;
};

/** Where a session stands; for reports and tests. Times in microseconds, windows in octets. */
export type PathFacts = {
  readonly remote: Address;
  readonly validated: boolean;
  readonly rtt: Micros;
  readonly minRtt: Micros;
  readonly window: number;
  readonly inFlight: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly datagramsQueued: number;
  readonly datagramsSent: number;
  /** Declared lost by loss detection; they were not sent again. */
  readonly datagramsLost: number;
};

export type SimEndpoint = Endpoint & {
  /** A packet reached the socket. */
  receive(from: Address, packet: WirePacket): void;
  /** The process is killed: everything is forgotten, nothing is sent, no event and no timer comes any more. */
  shutdown(): void;
  readonly counters: Readonly<Counters>;
  /** Undefined for a session that is not open. */
  pathFacts(session: SessionId): PathFacts | undefined;
  /** Every connected session with its path. */
  paths(): [SessionId, PathFacts][];
  /** Open sessions, accepted or dialled. */
  readonly sessions: number;
  /** Every open session as it stands, by number: its state, path facts, and the instant it next does something by itself. */
  view(): View;
  /** Misbehaves for a test: announces and sends a message of `length` octets, however many. */
  announce(session: SessionId, length: number): void;
};

/** Resets a second (section 10.3.3 asks for a limit); 1,000 as in the real driver. */
const RESETS_PER_SECOND = 1_000;
/** Bits of a connection ID. chosen: the largest small integer of the engine, collisions at 1,000 connections below 0.1 %. */
const ID_SHIFT = 2;

const EMPTY = new Uint8Array(0);

/** The caller may use its buffer again at once, and the receiver owns what it gets: one copy on the way. */
const copyOf = (bytes: Uint8Array): Uint8Array => {
  const copy = freshOctets(bytes.length);
  copy.set(bytes);
  return copy;
};

type Queued = SessionEvent | { readonly type: "accepted"; readonly remote: Address };

/** Opens an endpoint on a bound socket. TypeError for a session number that is used twice or not positive in `connect`. */
export function openSimEndpoint(options: SimEndpointOptions): SimEndpoint {
  const { clock, socket, config, listener, server, stream } = options;
  const counters = startCounters();
  /** Connections by their own ID, and a server's also by the ID its client began with. */
  const byId = new Map<number, Connection>();
  const bySession = new Map<SessionId, Connection>();
  const byToken = new Map<number, Connection>();
  const tokens = new Map<Connection, number>();
  /** A restarted process draws from the same stream: the instant of its start keeps its IDs apart from the dead one's. */
  const salt = stream.at(clock.now % 0x1_0000_0000);
  const resets = tokenBucket(RESETS_PER_SECOND, RESETS_PER_SECOND, clock.now);
  /** Events to tell and connections to flush. Emptied by their counts: `length = 0` would cost a new array for every packet. */
  const queuedFor: SessionId[] = [];
  const queued: (Queued | undefined)[] = [];
  let queuedCount = 0;
  const dirty: (Connection | undefined)[] = [];
  let dirtyCount = 0;
  const backlog: { from: Address; packet: WirePacket }[] = [];
  let lastAccepted = 0;
  let busy = false;
  let dead = false;
  let workPosted = false;

  const draw = (): number => ((stream.nextUint32() ^ salt) >>> 0) >>> ID_SHIFT;
  const drawId = (): number => {
    for (;;) {
      const id = draw();
      if (id !== 0 && !byId.has(id)) return id;
    }
  };
  const tell = (session: SessionId, event: Queued): void => {
    queuedFor[queuedCount] = session;
    queued[queuedCount++] = event;
  };
  const tokenOf = (id: number): number => hashName(`${server?.resetKey ?? ""}/${id}`);

  const around: Surroundings = {
    config,
    counters,
    emit: (session, event) => {
      tell(session, event);
    },
    accept: (connection) => {
      connection.session = --lastAccepted;
      bySession.set(connection.session, connection);
      tell(connection.session, { type: "accepted", remote: connection.path.remote });
    },
    watchToken: (connection, token) => {
      byToken.set(token, connection);
      tokens.set(connection, token);
    },
    transmit: (to, packet) => {
      counters.sentPackets++;
      counters.sentBytes += packet.bytes;
      socket.send(to, packet);
    },
    draw,
    overtaken: (octets) => options.overtaken?.(octets),
  };

  const schedule = (at: number, action: () => void): void => {
    if (clock.post === undefined) clock.after((at - clock.now) as Micros, action);
    else clock.post(at as Instant, action);
  };

  /** Makes sure of a wake no later than the deadline. One that comes too early looks again: nothing is ever cancelled. */
  const arm = (c: Connection): void => {
    if (isForgotten(c, clock.now)) {
      forgetConnection(c);
      return;
    }
    const at = deadline(c, config);
    if (at >= c.wakeAt) return;
    const due = Math.max(Math.ceil(at), clock.now);
    c.wakeAt = due;
    if (c.awaken !== undefined) schedule(due, c.awaken);
  };

  const awake = (c: Connection): void => {
    if (dead || clock.now < c.wakeAt) return; // a wake that was overtaken by an earlier one
    c.wakeAt = Number.POSITIVE_INFINITY;
    if (c.awaken === undefined) return;
    if (c.recovery.confirmed && deadline(c, config) > clock.now) return arm(c); // it was put off meanwhile, as nearly always in a call
    busy = true;
    wake(c, around, clock.now);
    touch(c);
    work();
  };

  const forgetConnection = (c: Connection): void => {
    byId.delete(c.id);
    if (!c.client && byId.get(c.originalId) === c) byId.delete(c.originalId);
    const token = tokens.get(c);
    if (token !== undefined && byToken.get(token) === c) byToken.delete(token);
    tokens.delete(c);
    c.awaken = undefined;
  };

  const touch = (c: Connection): void => {
    if (c.dirty) return;
    c.dirty = true;
    dirty[dirtyCount++] = c;
  };

  /** Works off events, packets that came meanwhile, and what is to be sent, until nothing is left. Leaves `busy` false. */
  const work = (): void => {
    for (;;) {
      for (let i = 0; i < queuedCount; i++) {
        const session = queuedFor[i] as SessionId;
        const event = queued[i] as Queued;
        queued[i] = undefined;
        if (event.type === "accepted") listener.accepted(session, event.remote);
        else {
          if (event.type === "closed") bySession.delete(session);
          listener.event(session, event);
        }
        if (dead) return;
      }
      queuedCount = 0;
      for (let i = 0; i < dirtyCount; i++) {
        const c = dirty[i] as Connection;
        dirty[i] = undefined;
        c.dirty = false;
        transmit(c, around, clock.now);
        arm(c);
      }
      dirtyCount = 0;
      if (backlog.length === 0 && queuedCount === 0) break;
      for (const { from, packet } of backlog.splice(0)) {
        takeIn(from, packet);
        if (dead) return;
      }
    }
    busy = false;
  };

  /** After a call from outside: sends at once, leaves events to a turn of their own in this instant. */
  const flush = (c: Connection): void => {
    if (busy) {
      touch(c);
      return;
    }
    busy = true;
    transmit(c, around, clock.now);
    arm(c);
    busy = false;
    if (queuedCount > 0 || backlog.length > 0) workSoon();
  };

  const workSoon = (): void => {
    if (busy || workPosted) return;
    workPosted = true;
    schedule(clock.now, () => {
      workPosted = false;
      if (dead || busy) return;
      busy = true;
      work();
    });
  };

  const takeIn = (from: Address, packet: WirePacket): void => {
    counters.receivedPackets++;
    counters.receivedBytes += packet.bytes;
    const payload = readPayload(packet.payload);
    if (payload === undefined) counters.unknownPayloads++;
    else if (payload.proto === "quic") takeQuic(from, payload, packet.bytes);
    else if (payload.proto === "stun") listener.packet(from, payload.bytes);
    else {
      const c = byToken.get(payload.token);
      if (c === undefined || c.path.remote !== from) counters.resetsIgnored++;
      else {
        reset(c, around, clock.now);
        touch(c);
      }
    }
  };

  const takeQuic = (from: Address, first: QuicPacket, bytes: number): void => {
    const c = byId.get(first.dcid) ?? welcome(from, first);
    if (c === undefined) {
      counters.unknownConnections++;
      if (first.space === APPLICATION && server !== undefined) answerReset(from, first.dcid, bytes - headerBytes(from));
      return;
    }
    takeDatagram(c, around, from, first, bytes, clock.now);
    touch(c);
  };

  /** A connection for a client's first packet, when this endpoint accepts any. */
  const welcome = (from: Address, first: QuicPacket): Connection | undefined => {
    if (server === undefined || first.space !== INITIAL) return undefined;
    if (first.frames?.some((frame) => frame.type === "crypto" && frame.idleTimeout !== undefined) !== true) return undefined;
    const id = drawId();
    const greeting = { fingerprint: server.fingerprint, resetToken: tokenOf(id), idleTimeout: config.idleTimeout };
    const opening = {
      client: false,
      session: 0,
      id,
      peerId: first.scid,
      originalId: first.dcid,
      remote: from,
      pin: "",
      greeting,
    };
    const c = startConnection(opening, config, clock.now);
    c.awaken = () => awake(c);
    byId.set(id, c);
    byId.set(first.dcid, c);
    beginHandshake(c);
    return c;
  };

  const answerReset = (to: Address, dcid: number, trigger: number): void => {
    if (trigger < MIN_SHORT_PACKET) return;
    const size = Math.min(RESET_BYTES, trigger - 1); // smaller than what it answers, so no two endpoints answer for ever (section 10.3.3)
    if (!resets.take(clock.now)) {
      counters.resetsWithheld++;
      return;
    }
    counters.resetsSent++;
    around.transmit(to, { bytes: size + headerBytes(to), payload: { proto: "quic-reset", token: tokenOf(dcid) } });
  };

  const queue = (session: SessionId, message: StreamMessage): void => {
    const c = bySession.get(session);
    if (c === undefined || c.state === "closed") return;
    queueMessage(c.outgoing, message);
    if (c.state !== "connected") return;
    touch(c); // leaves at the end of the instant: a close in the same turn overtakes it, as in the real driver
    workSoon();
  };

  return {
    counters,
    get sessions() {
      return bySession.size;
    },
    connect: (session, remote, pin) => {
      if (!Number.isSafeInteger(session) || session <= 0)
        throw new TypeError(`connect: want a session number > 0, got ${session}`);
      if (bySession.has(session)) throw new TypeError(`connect: session ${session} is in use`);
      if (dead) return;
      const id = drawId();
      const guess = drawId();
      const opening = { client: true, session, id, peerId: guess, originalId: guess, remote, pin, greeting: undefined };
      const c = startConnection(opening, config, clock.now);
      c.awaken = () => awake(c);
      byId.set(id, c);
      bySession.set(session, c);
      queueMessage(c.outgoing, { length: 0, bytes: EMPTY }); // opens the stream, so that the server may be the first to speak
      beginHandshake(c);
      flush(c);
    },
    send: (session, message) => {
      if (message.length > MAX_MESSAGE_BYTES)
        throw new RangeError(`send: want at most ${MAX_MESSAGE_BYTES} octets, got ${message.length}`);
      queue(session, { length: message.length, bytes: copyOf(message) });
    },
    sendDatagram: (session, bytes) => {
      if (bytes.length > MAX_DATAGRAM_BYTES) {
        throw new RangeError(`sendDatagram: want at most ${MAX_DATAGRAM_BYTES} octets, got ${bytes.length}`);
      }
      const c = bySession.get(session);
      if (c === undefined || c.state !== "connected") return;
      const pushedOut = oldest(c.datagrams)?.length ?? 0;
      if (!enqueue(c.datagrams, copyOf(bytes))) {
        counters.datagramsDropped++;
        options.crowdedOut?.(pushedOut);
      }
      flush(c);
    },
    close: (session, detail) => {
      const c = bySession.get(session);
      if (c === undefined || c.state === "closed") return;
      close(c, around, detail, clock.now);
      flush(c);
    },
    sendPacket: (to, bytes) => {
      if (!dead) around.transmit(to, { bytes: bytes.length + headerBytes(to), payload: { proto: "stun", bytes: copyOf(bytes) } });
    },
    receive: (from, packet) => {
      if (dead) return;
      if (busy) {
        backlog.push({ from, packet });
        return;
      }
      busy = true;
      takeIn(from, packet);
      if (!dead) work();
    },
    shutdown: () => {
      dead = true;
      for (const map of [byId, bySession, byToken]) map.clear();
      tokens.clear();
      for (const list of [queued, queuedFor, backlog, dirty]) list.length = 0;
      queuedCount = 0;
      dirtyCount = 0;
    },
    pathFacts: (session) => {
      const c = bySession.get(session);
      return c === undefined ? undefined : factsOf(c);
    },
    paths: () => [...bySession].flatMap(([session, c]) => (c.state === "connected" ? [[session, factsOf(c)]] : [])),
    view: () =>
      Object.fromEntries(
        [...bySession].map(([session, c]) => [
          session,
          { state: c.state, silent: c.silent, ...factsOf(c), deadline: finite(deadline(c, config)) },
        ]),
      ),
    announce: (session, length) => queue(session, { length, bytes: undefined }),
  };
}

function factsOf(c: Connection): PathFacts {
  const r = c.recovery;
  return {
    remote: c.path.remote,
    validated: c.path.validated,
    rtt: r.roundTrip.smoothed as Micros,
    minRtt: r.roundTrip.minimum as Micros,
    window: Math.floor(r.congestion.window),
    inFlight: r.inFlight,
    sent: c.packetsSent,
    received: c.packetsReceived,
    lost: r.packetsLost,
    datagramsQueued: c.datagrams.size,
    datagramsSent: c.datagramsSent,
    datagramsLost: r.datagramsLost,
  };
}

const finite = (at: number): number | null => (Number.isFinite(at) ? Math.ceil(at) : null);
