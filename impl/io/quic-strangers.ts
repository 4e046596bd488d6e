/**
 * What an endpoint that accepts does with packets of nobody it knows: first packets of handshakes, met in their turn behind everything that came for sessions; leftovers of
 * sessions of a former life, whose peers learn so by a stateless reset; noise. It bounds what strangers cost: handshakes under way, answers a second, packets that wait.
 */
import { randomBytes } from "node:crypto";
import { address } from "../base/address.ts";
import type { Instant } from "../base/units.ts";
import type { SessionConfig } from "../core/session.ts";
import { type OuterHeader, resetPacket, resetTokenNumber, SMALLEST_CAUSE } from "./connection-id.ts";
import { type FirstPacket, firstPacket, type HandshakeLimits } from "./first-packet.ts";
import { type ConnectionHost, QuicConnection } from "./quic-connection.ts";
import { type EngineConfig, type EngineConnection, type Host, quiche } from "./quic-engine.ts";

/** Resets and version negotiations a second. chosen: a restarted relay reaches 1000 sessions within a second; a flood gains nothing. */
const STATELESS_PER_SECOND = 1_000;
/** First packets met in a turn, when everything for known sessions has been read: a flood of strangers takes its turn behind calls. chosen: two milliseconds of handshakes. */
const MET_A_TURN = 4;
/** First packets that wait to be met; more are not looked at. chosen: a crowd that comes to a relay as it starts, in some 1.5 MB. */
const STRANGERS = 1_024;

export type StrangerHost = {
  readonly now: () => Instant;
  readonly config: SessionConfig;
  readonly limits: HandshakeLimits;
  /** Undefined: nobody is accepted. */
  readonly accepting: EngineConfig | undefined;
  /** 32 octets for stateless reset tokens. */
  readonly resetKey: Uint8Array;
  readonly connections: ConnectionHost;
  transmit(packet: Uint8Array, to: Host): void;
  /** The connection with this ID, if it has become one meanwhile. */
  known(id: Uint8Array): QuicConnection | undefined;
  /** A handshake has begun; the connection is found by these IDs from now on. */
  began(connection: QuicConnection, ids: readonly Uint8Array[]): void;
  /** One that others began is given up for want of room. */
  evict(connection: QuicConnection): void;
  /** A known connection has been given a packet. */
  touch(connection: QuicConnection): void;
  /** Handshakes under way, which were so many that addresses had to be proved, are nearly none again. */
  afterFlood(): void;
};

/** Cumulative, but for `halfOpen`; EndpointCounters says what each is. */
export type StrangerCounters = { droppedUnknown: number; retries: number; evicted: number; resets: number };

type LongHeader = OuterHeader & { readonly form: "long" };

export class QuicStrangers {
  readonly count: StrangerCounters = { droppedUnknown: 0, retries: 0, evicted: 0, resets: 0 };
  readonly #host: StrangerHost;
  /** A relay that starts again does not know the Retry tokens of its former life: their clients dial once more. */
  readonly #tokenKey = new Uint8Array(randomBytes(32));
  /** Accepted and not established, oldest first. */
  readonly #halfOpen = new Set<QuicConnection>();
  #isFlooded = false;
  readonly #waiting: (() => void)[] = [];
  #stateless = { second: -1, sent: 0 };

  constructor(host: StrangerHost) {
    this.#host = host;
  }

  /** Handshakes under way that others began. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }
  /** First packets that wait to be met. */
  get waiting(): number {
    return this.#waiting.length;
  }
  isHalfOpen(connection: QuicConnection): boolean {
    return this.#halfOpen.has(connection);
  }

  /** A packet with a long header for nobody that is known. False: there is nobody to accept it, or no room. */
  wait(packet: Uint8Array, header: LongHeader, from: Host): boolean {
    if (this.#host.accepting === undefined || this.#waiting.length >= STRANGERS) return false;
    this.#waiting.push(() => this.#meet(packet, header, from));
    return true;
  }

  /** Meets those whose turn it is. */
  meet(): void {
    for (const one of this.#waiting.splice(0, MET_A_TURN)) one();
  }

  /** A handshake is over, well or not. */
  settle(connection: QuicConnection): void {
    this.#halfOpen.delete(connection);
    if (!this.#isFlooded || this.#halfOpen.size > this.#host.limits.unproved / 16) return;
    this.#isFlooded = false;
    this.#host.afterFlood();
  }

  /** A packet with a short header for the ID `to`, from a peer of a former life of ours, which learns so, or from nowhere. */
  reset(packet: Uint8Array, to: Uint8Array, from: Host): void {
    if (packet.length < SMALLEST_CAUSE || !this.#mayAnswer()) return;
    const reset = resetPacket(this.#host.resetKey, to, packet.length);
    if (reset === undefined) return;
    this.count.resets++;
    this.#host.transmit(reset, from);
  }

  #mayAnswer(): boolean {
    const second = Math.floor(this.#host.now() / 1_000_000);
    if (this.#stateless.second !== second) this.#stateless = { second, sent: 0 };
    return this.#stateless.sent++ < STATELESS_PER_SECOND;
  }

  /** The packet of a stranger, who may have become known since it came. */
  #meet(packet: Uint8Array, header: LongHeader, from: Host): void {
    const connection = this.#host.known(header.to);
    if (connection === undefined) return this.#first(packet, header, from);
    connection.receive(packet, from, true);
    this.#host.touch(connection);
  }

  #first(packet: Uint8Array, header: LongHeader, from: Host): void {
    const mustProve = this.#halfOpen.size >= this.#host.limits.unproved;
    const met = firstPacket(packet, header, from, { key: this.#tokenKey, now: this.#host.now(), mustProve });
    if (met.type === "retry") {
      this.count.retries++;
      this.#host.transmit(met.answer, from);
      return;
    }
    this.count.droppedUnknown++;
    if (met.type === "negotiate" && this.#mayAnswer()) this.#host.transmit(met.answer, from);
    if (met.type === "accept") this.#accept(packet, header, from, met);
  }

  #accept(
    packet: Uint8Array,
    header: LongHeader,
    from: Host,
    { id, originalId }: FirstPacket & { readonly type: "accept" },
  ): void {
    const { accepting, connections, config, limits } = this.#host;
    if (accepting === undefined) return;
    const chosen = new Uint8Array(header.to);
    accepting.setStatelessResetToken(resetTokenNumber(this.#host.resetKey, id));
    let engine: EngineConnection;
    try {
      engine = quiche.Connection.accept(id, originalId, connections.local, from, accepting);
    } catch {
      return; // an ID the engine does not take
    }
    const remote = address(from.host, from.port);
    const connection = new QuicConnection({ engine, host: connections, config, remote, role: "server" });
    connection.receive(packet, from, true);
    if (!connection.authentic) return;
    this.count.droppedUnknown--;
    const [oldest] = this.#halfOpen;
    if (this.#halfOpen.size >= limits.all && oldest !== undefined) {
      this.count.evicted++;
      this.#host.evict(oldest);
    }
    this.#halfOpen.add(connection);
    this.#isFlooded ||= this.#halfOpen.size >= limits.unproved;
    // Without a Retry also by the client's choice, used until it knows ours.
    this.#host.began(connection, originalId === null ? [id, chosen] : [id]);
  }
}
