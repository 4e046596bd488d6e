/**
 * One QUIC connection as a session: the message stream, datagrams, path changes, and the timers of SessionConfig that the engine does
 * not have (handshake limit, silence, keep-alive). It owns no socket and no timer: its host feeds it packets, wakes it at `deadline`
 * and carries what it transmits.
 */
import { type Address, address } from "../base/address.ts";
import { Instant, type Micros, millis } from "../base/units.ts";
import { type CloseReason, MAX_MESSAGE_BYTES, type SessionConfig, type SessionEvent, type SessionId } from "../core/session.ts";
import { type FrameEvent, FrameReader, frame } from "../wire/framing.ts";
import { fingerprintOf } from "./certificate.ts";
import type { IdKey } from "./connection-id.ts";
import { type EngineConnection, type Host, LARGEST_PATHS, MESSAGE_STREAM } from "./quic-engine.ts";

/** What a connection needs of its endpoint. None of these calls back. */
export type ConnectionHost = {
  now(): Instant;
  /** Our own address as the engine knows it. */
  readonly local: Host;
  /** A server's connection is established: its number from now on. */
  accept(connection: QuicConnection): SessionId;
  emit(session: SessionId, event: SessionEvent): void;
  /** Sends one UDP packet, which the host may keep. */
  transmit(packet: Uint8Array, to: Host): void;
};

/** Facts of a session's current path, cumulative for the connection. */
export type PathFacts = {
  /** Smoothed; the engine tells whole milliseconds. */
  readonly rtt: Micros;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Octets of the congestion window. */
  readonly window: number;
};

/**
 * While a peer is silent its last packet is sent again this often, outside the congestion window. The engine's own probes back off
 * exponentially (RFC 9002 section 6.2) and would find a peer that came back only seconds later; a repeated packet is what any network may
 * deliver, is ignored by a live peer that had it, and makes one without state answer with a reset. chosen: 100 ms, ten packets a second.
 */
const REPEAT_EVERY: Micros = millis(100);
/**
 * The same packet is repeated so often once the peer is heard again, the first time at once: a congestion window that filled up meanwhile stays full until the peer
 * acknowledges something, and the engine's next probe may be seconds away. chosen: one of three gets through.
 */
const AFTER_SILENCE = 3;
/** Messages waiting for the peer's flow control before the session is given up. chosen: 64 of the largest. */
const LARGEST_BACKLOG = 64 * MAX_MESSAGE_BYTES;
/**
 * Error codes of our CONNECTION_CLOSE, all of the transport (RFC 9000 section 20.1): the engine sends acknowledgements without end when
 * an application's close meets a handshake that is complete and not confirmed (quiche 0.18). What is meant is in the reason phrase.
 */
const NO_ERROR = 0x0;
const APPLICATION_ERROR = 0xc;
/**
 * An acknowledgement of datagrams alone waits so long for something to travel with, which in a call is the other party's next packet: half of a relay's packets would be
 * acknowledgements otherwise. chosen: a frame's time, within the 25 ms that every peer allows for (RFC 9000 section 18.2, max_ack_delay).
 */
const ACKNOWLEDGE_WITHIN: Micros = millis(20);
/** It waits for one packet only: with so many it goes (RFC 9000 section 13.2.2: at least every second one). */
const UNACKNOWLEDGED = 2;
/** ... and only where nothing but datagrams has gone either way for so long: set-ups, changes of address and losses are answered at once. chosen: some round trips of any network. */
const AT_REST: Micros = millis(1_000);
/** Packets of one `write`; windows and queues allow about half of it, so more is an engine that runs away. */
const LARGEST_FLIGHT = 256;

const scratch = new Uint8Array(65_536);
const utf8 = new TextEncoder();

export type ConnectionOptions = {
  readonly engine: EngineConnection;
  readonly host: ConnectionHost;
  readonly config: SessionConfig;
  readonly remote: Address;
} & (
  | { readonly role: "client"; readonly session: SessionId; readonly pin: string }
  /** A server's session gets its number when the handshake is complete. */
  | { readonly role: "server" }
);

export class QuicConnection {
  /** The Map keys under which the endpoint finds this connection. */
  readonly ids: Set<IdKey> = new Set();
  readonly role: "client" | "server";
  /** The peer's validated address. */
  remote: Address;
  /** When `read` and `write` must be called next; undefined means not before a packet or a call. */
  deadline: Instant | undefined;
  /** Established and not ended. */
  open = false;

  readonly #engine: EngineConnection;
  readonly #host: ConnectionHost;
  readonly #config: SessionConfig;
  readonly #pin: string;
  readonly #frames: FrameReader = new FrameReader(MAX_MESSAGE_BYTES);
  readonly #began: Instant;
  #session: SessionId | undefined;
  /** Established at some time, whether or not ended since. */
  #established = false;
  /** The closing event was told, or there is nobody to tell. */
  #ended = false;
  /** Left without another word. */
  #abandoned = false;
  #streamOpen = false;
  #outbound: Uint8Array[] = [];
  #outboundBytes = 0;
  #engineDeadline: Instant | undefined;
  /** Something came since the last `read`. */
  #hasReceived = true;
  /** The engine may have ended the connection. */
  #isDoubtful = false;
  /** Datagrams received since something was last sent. */
  #unacknowledged = 0;
  /** The engine may have something to send other than an acknowledgement that can wait. */
  #isPressing = true;
  #acknowledgeAt: Instant | undefined;
  /** When something other than a datagram last went either way. */
  #stirredAt: Instant;
  #heardAt: Instant;
  /** First ack-eliciting packet since something was heard. */
  #askedAt: Instant | undefined;
  /** The next packets carry something to be acknowledged. */
  #eliciting = false;
  #keepAliveAt: Instant;
  #silent: { readonly received: number; repeatAt: Instant } | undefined;
  /** What is repeated after a silence, when next, and how often still. */
  #rousing: { readonly packet: Uint8Array; readonly to: Host; at: Instant; left: number } | undefined;
  #last: { readonly packet: Uint8Array; readonly to: Host } | undefined;
  /** Addresses the peer has had. */
  #paths = 1;

  constructor(options: ConnectionOptions) {
    this.role = options.role;
    this.remote = options.remote;
    this.#engine = options.engine;
    this.#host = options.host;
    this.#config = options.config;
    this.#session = options.role === "client" ? options.session : undefined;
    this.#pin = options.role === "client" ? options.pin : "";
    this.#began = options.host.now();
    this.#heardAt = this.#began;
    this.#stirredAt = this.#began;
    this.#keepAliveAt = this.#began;
    // An empty message opens the stream, so that the server may be the first to speak (RFC 9000 section 2.1: opened by use).
    if (options.role === "client") this.#queue(new Uint8Array(0));
  }

  get session(): SessionId | undefined {
    return this.#session;
  }
  /** Nothing is left to do or to answer: the endpoint may forget it. */
  get finished(): boolean {
    return this.#abandoned || (this.#ended && (this.#session === undefined || this.#engine.isClosed()));
  }
  /** False while nothing that was received could be decrypted: then there is nobody to keep it for. */
  get authentic(): boolean {
    // A handshake that TLS refuses is not counted as received; its alert is a code of this range (RFC 9001 section 4.8).
    const refusal = this.#engine.localError()?.errorCode ?? 0;
    return this.#engine.stats().recv > 0 || (refusal >= 0x100 && refusal < 0x200);
  }

  /** One UDP packet, which is overwritten. `ours` is false when it carries no connection ID of this connection (a reset, perhaps). */
  receive(packet: Uint8Array, from: Host, ours: boolean): void {
    this.#hasReceived = true;
    try {
      this.#engine.recv(packet, { from, to: this.#host.local });
    } catch {
      this.#isDoubtful = true; // the engine refuses the packet or ends the connection; `#end` reads which from its state
    }
    if (!ours) return;
    this.#heardAt = this.#host.now();
    this.#askedAt = undefined;
  }

  send(message: Uint8Array): void {
    if (this.#ended) return;
    this.#queue(message);
    if (this.#outboundBytes > LARGEST_BACKLOG) this.#finish("error", APPLICATION_ERROR, "the peer takes no messages");
  }

  /** Octets for the message stream as they are, without a length in front. */
  sendRaw(octets: Uint8Array): void {
    if (this.#ended) return;
    this.#outbound.push(new Uint8Array(octets));
    this.#outboundBytes += octets.length;
  }

  sendDatagram(bytes: Uint8Array): void {
    if (!this.open) return;
    try {
      // Null: the queue is full.
      if (this.#engine.dgramSend(bytes) === null) {
        this.#transmit();
        if (this.#engine.isDgramSendQueueFull()) {
          let asked = 0;
          this.#engine.dgramPurgeOutgoing(() => asked++ === 0); // the oldest
        }
        this.#engine.dgramSend(bytes);
      }
      this.#eliciting = true;
      this.#isPressing = true;
    } catch {
      // A peer that takes no datagrams, or smaller ones: they are lost, as datagrams may be.
    }
  }

  close(detail: string): void {
    this.#finish("local", NO_ERROR, detail);
  }

  /** The handshake is complete. */
  get isEstablished(): boolean {
    return this.#established;
  }

  facts(): PathFacts | undefined {
    const stats = this.#engine.stats();
    const path = this.#engine.pathStats().find((one) => one.active);
    if (path === undefined) return undefined;
    const { sent, recv, lost, sentBytes, recvBytes } = stats;
    return { rtt: millis(path.rtt), sent, received: recv, lost, sentBytes, receivedBytes: recvBytes, window: path.cwnd };
  }

  /** First half of what is due: timers, and everything received becomes events. Call `write` once they are told. */
  read(): void {
    const now = this.#host.now();
    if (this.#engineDeadline !== undefined && now >= this.#engineDeadline) {
      this.#engine.onTimeout();
      this.#isDoubtful = true;
      this.#hasReceived = true; // an engine's timeout has events too
      this.#stir();
      this.#eliciting = true; // a probe or a retransmission, if anything
    }
    // Calls into the engine cost more than anything else here: without news it is not asked.
    if (this.#hasReceived) {
      this.#hasReceived = false;
      if (!this.#established && this.#engine.isEstablished()) this.#establish(now);
      if (this.open) this.#read();
      if (this.#isDoubtful || this.#engine.isDraining() || this.#engine.isClosed()) this.#end();
      this.#isDoubtful = false;
    }
    if (!this.#ended) this.#mind(now);
  }

  /** Second half: sends what is to be sent, acknowledgements with it, and sets `deadline`. It emits nothing but `closed`. */
  write(): void {
    if (this.#mayWait()) {
      this.deadline = Instant.earliest(this.#engineDeadline, this.#acknowledgeAt, this.#ownDeadline());
      return;
    }
    this.#transmit();
    const remaining = this.#engine.timeout();
    const now = this.#host.now();
    this.#engineDeadline = remaining === null ? undefined : Instant.after(now, millis(Math.max(1, remaining)));
    this.deadline = Instant.earliest(this.#engineDeadline, this.#ownDeadline());
  }

  /** Something other than a datagram: what the engine says to it goes out at once, and so do acknowledgements for a while. */
  #stir(): void {
    this.#stirredAt = this.#host.now();
    this.#isPressing = true;
  }

  /** Whether there is at most an acknowledgement of datagrams to send, and it is not due. A client's always goes at once: it is the one that moves, and tells so with it. */
  #mayWait(): boolean {
    if (this.role === "client" || !this.open || this.#isPressing || this.#outbound.length > 0) return false;
    const now = this.#host.now();
    if (this.#unacknowledged >= UNACKNOWLEDGED || Instant.between(this.#stirredAt, now) < AT_REST) return false;
    if (this.#engine.dgramSendQueueLen() > 0) return false; // the congestion window was full, and what came may have opened it
    this.#acknowledgeAt ??= Instant.after(now, ACKNOWLEDGE_WITHIN);
    return now < this.#acknowledgeAt;
  }

  #queue(message: Uint8Array): void {
    const framed = frame(message);
    this.#outbound.push(framed);
    this.#outboundBytes += framed.length;
  }

  #establish(now: Instant): void {
    this.#established = true;
    if (this.#ended) return;
    const shown = this.#engine.peerCertChain()?.[0];
    const fingerprint = this.role === "client" && shown !== undefined ? fingerprintOf(shown) : "";
    if (this.role === "client" && fingerprint !== this.#pin) {
      this.#finish("pin-mismatch", APPLICATION_ERROR, `found ${fingerprint}`);
      return;
    }
    this.open = true;
    this.#streamOpen = this.role === "client";
    this.#keepAliveAt = Instant.after(now, this.#config.keepAlive);
    this.#session ??= this.#host.accept(this);
    const rtt = this.facts()?.rtt ?? millis(0);
    this.#emit({ type: "connected", rtt, handshake: Instant.between(this.#began, now), fingerprint });
  }

  /** Takes everything out of the engine. */
  #read(): void {
    if (this.#silent !== undefined && this.#engine.stats().recv > this.#silent.received) {
      this.#silent = undefined;
      // Kept now: what is sent next may be an acknowledgement, which asks for no answer.
      if (this.#last !== undefined) this.#rousing = { ...this.#last, at: this.#host.now(), left: AFTER_SILENCE };
      this.#emit({ type: "heard" });
    }
    this.#readPaths();
    this.#readStream();
    // Copied out: a vector of the engine's is memory outside the heap with a finalizer of its own, three times as dear.
    const next = (): number | null => this.#engine.dgramRecv(scratch);
    for (let length = next(); length !== null; length = next()) {
      this.#unacknowledged++;
      this.#emit({ type: "datagram", bytes: scratch.slice(0, length) });
    }
  }

  #readStream(): void {
    try {
      while (this.open && this.#engine.streamReadable(MESSAGE_STREAM)) {
        const piece = this.#engine.streamRecv(MESSAGE_STREAM, scratch);
        if (piece === null) return;
        this.#stir();
        const [length, finished] = piece;
        for (const event of this.#frames.push(scratch.subarray(0, length))) this.#readFrame(event);
        if (finished) this.#finish("error", APPLICATION_ERROR, "the peer ended the message stream");
      }
    } catch {
      this.#finish("error", APPLICATION_ERROR, "the peer reset the message stream");
    }
  }

  #readFrame(event: FrameEvent): void {
    const opener = this.role === "server" && !this.#streamOpen;
    this.#streamOpen = true;
    if (opener && event.type === "message" && event.bytes.length === 0) return;
    this.#emit(event);
  }

  #readPaths(): void {
    for (let event = this.#engine.pathEventNext(); event !== null; event = this.#engine.pathEventNext()) {
      if (event.type === "New" && ++this.#paths >= LARGEST_PATHS)
        this.#finish("error", APPLICATION_ERROR, "the address changed too often for one session");
      this.#stir();
      if (event.type !== "PeerMigrated") continue; // told by the engine once the new path is validated
      this.remote = address(event.new.host, event.new.port);
      this.#emit({ type: "path-changed", remote: this.remote });
    }
  }

  /** The timers the engine does not have. */
  #mind(now: Instant): void {
    const { handshakeTimeout, silence, keepAlive } = this.#config;
    if (!this.#established) {
      if (Instant.between(this.#began, now) >= handshakeTimeout)
        this.#finish("handshake-timeout", APPLICATION_ERROR, "no handshake in time");
      return;
    }
    if (this.role === "client" && now >= this.#keepAliveAt) {
      this.#keepAliveAt = Instant.after(now, keepAlive);
      this.#engine.sendAckEliciting();
      this.#eliciting = true;
    }
    if (this.#silent === undefined && this.#askedAt !== undefined && Instant.between(this.#askedAt, now) >= silence) {
      this.#silent = { received: this.#engine.stats().recv, repeatAt: now };
      this.#rousing = undefined;
      this.#emit({ type: "silent", for: Instant.between(this.#heardAt, now) });
    }
    if (this.#silent !== undefined && now >= this.#silent.repeatAt && this.#last !== undefined) {
      this.#silent.repeatAt = Instant.after(now, REPEAT_EVERY);
      this.#host.transmit(this.#last.packet, this.#last.to);
    }
    if (this.#rousing !== undefined && now >= this.#rousing.at) {
      this.#host.transmit(this.#rousing.packet, this.#rousing.to);
      this.#rousing =
        this.#rousing.left > 1
          ? { ...this.#rousing, at: Instant.after(now, REPEAT_EVERY), left: this.#rousing.left - 1 }
          : undefined;
    }
  }

  #ownDeadline(): Instant | undefined {
    if (this.#ended) return undefined;
    if (!this.#established) return Instant.after(this.#began, this.#config.handshakeTimeout);
    const silentAt = this.#askedAt === undefined ? undefined : Instant.after(this.#askedAt, this.#config.silence);
    return Instant.earliest(
      this.role === "client" ? this.#keepAliveAt : undefined,
      this.#silent === undefined ? silentAt : this.#silent.repeatAt,
      this.#rousing?.at,
    );
  }

  /** Moves queued messages into the engine and its packets to the host. */
  #transmit(): void {
    const now = this.#host.now();
    this.#unacknowledged = 0;
    this.#isPressing = false;
    this.#acknowledgeAt = undefined;
    let packets = 0;
    try {
      if (this.open) this.#writeStream();
      for (let sent = this.#engine.send(scratch); sent !== null; sent = this.#engine.send(scratch)) {
        const packet = scratch.slice(0, sent[0]);
        if (++packets > LARGEST_FLIGHT) {
          this.#abandoned = true;
          this.#over("error", "the QUIC engine does not stop sending");
          return;
        }
        if (((packet[0] as number) & 0x80) === 0) this.#last = { packet, to: sent[1].to };
        this.#host.transmit(packet, sent[1].to);
      }
    } catch (error) {
      this.#finish("error", APPLICATION_ERROR, `sending failed: ${String(error)}`);
    }
    if (packets === 0) return;
    this.#keepAliveAt = Instant.after(now, this.#config.keepAlive);
    if (this.#eliciting) this.#askedAt ??= now;
    this.#eliciting = false;
  }

  #writeStream(): void {
    while (this.#streamOpen) {
      const head = this.#outbound[0];
      if (head === undefined) return;
      const written = this.#engine.streamSend(MESSAGE_STREAM, head, false);
      if (written === null || written === 0) return;
      this.#stir();
      this.#eliciting = true;
      this.#outboundBytes -= written;
      if (written === head.length) this.#outbound.shift();
      else this.#outbound[0] = head.subarray(written);
    }
  }

  /** Reads from the engine whether, and why, the connection is over. */
  #end(): void {
    const engine = this.#engine;
    if (this.#ended) return;
    const own = engine.localError();
    const theirs = engine.peerError();
    if (theirs !== null) this.#over(this.#established ? "peer" : "refused", new TextDecoder().decode(theirs.reason));
    else if (own !== null) this.#over("error", `QUIC error ${own.errorCode}`);
    else if (!engine.isClosed()) return;
    else if (engine.isTimedOut()) this.#over(this.#established ? "idle-timeout" : "handshake-timeout", "");
    // The engine closes at once, with no error on either side, only for a stateless reset or a failed version negotiation.
    else this.#over(this.#established ? "reset" : "refused", "");
  }

  /** Ends the connection from our side. */
  #finish(reason: CloseReason, code: number, detail: string): void {
    if (this.#ended) return;
    this.#over(reason, detail);
    try {
      this.#engine.close(false, code, utf8.encode(detail.slice(0, 100)));
    } catch {
      // Closed already.
    }
  }

  #over(reason: CloseReason, detail: string): void {
    this.#emit(detail === "" ? { type: "closed", reason } : { type: "closed", reason, detail });
    this.#ended = true;
    this.open = false;
    this.#outbound = [];
    this.#outboundBytes = 0;
  }

  #emit(event: SessionEvent): void {
    if (this.#session !== undefined && !this.#ended) this.#host.emit(this.#session, event);
  }
}
