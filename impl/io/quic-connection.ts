/**
 * One QUIC connection as a session: the message stream, datagrams, path changes, and the timers of SessionConfig that the engine does
 * not have (handshake limit, silence, keep-alive). It owns no socket and no timer: its host feeds it packets, wakes it at `deadline`
 * and carries what it transmits.
 */
import { type Address, address } from "../base/address.ts";
import { freshOctets } from "../base/octet-slab.ts";
import { Instant, type Micros, millis } from "../base/units.ts";
import { type CloseReason, MAX_MESSAGE_BYTES, type SessionConfig, type SessionEvent, type SessionId } from "../core/session.ts";
import { type FrameEvent, FrameReader, frame } from "../wire/framing.ts";
import { AcknowledgementWait } from "./acknowledgement-wait.ts";
import type { Watch } from "./alarms.ts";
import { fingerprintOf } from "./certificate.ts";
import { type IdKey, isRetry } from "./connection-id.ts";
import { PacketRepeat } from "./packet-repeat.ts";
import { type EngineConnection, type Host, LARGEST_PATHS, MESSAGE_STREAM } from "./quic-engine.ts";

/** What a connection needs of its endpoint. None of these calls back. */
export type ConnectionHost = {
  now(): Instant;
  /** Our own address as the engine knows it. */
  readonly local: Host;
  /** A server's connection is established: its number from now on. */
  accept(connection: QuicConnection): SessionId;
  emit(session: SessionId, event: SessionEvent): void;
  /** Sends one UDP packet, which the host does not keep. */
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

/** Messages waiting for the peer's flow control before the session is given up. chosen: 64 of the largest. */
const LARGEST_BACKLOG = 64 * MAX_MESSAGE_BYTES;
/**
 * Error codes of our CONNECTION_CLOSE, all of the transport (RFC 9000 section 20.1): the engine sends acknowledgements without end when
 * an application's close meets a handshake that is complete and not confirmed (quiche 0.18). What is meant is in the reason phrase.
 */
const NO_ERROR = 0x0;
const APPLICATION_ERROR = 0xc;
/** The engine fills a packet while it has something to say: in a session at rest one as short as this is its last. */
const SHORT_PACKET = 600;
/** Datagrams that make room when the engine's queue is full: for each purge it shows all it has, at four times the price of a packet. chosen: 80 ms of voice. */
const PURGED = 4;
/** Packets of one `write`; windows and queues allow about half of it, so more is an engine that runs away. */
const LARGEST_FLIGHT = 256;

const scratch = new Uint8Array(65_536);
/** The first octets of `scratch`, for whoever wants them. */
function copied(length: number): Uint8Array {
  const copy = freshOctets(length);
  copy.set(scratch.subarray(0, length));
  return copy;
}
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
  /** For its host: when the last packet arrived. */
  arrivedAt: number | undefined;
  /** For its host's alarms. */
  watch: Watch | undefined;
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
  /** The server's Retry has come, and whether it was told. */
  #retry: "none" | "come" | "told" = "none";
  /** The closing event was told, or there is nobody to tell. */
  #ended = false;
  /** Left without another word. */
  #abandoned = false;
  #streamOpen = false;
  #outbound: Uint8Array[] = [];
  #outboundBytes = 0;
  #engineDeadline: Instant | undefined;
  /** Packets since the last `read`. */
  #arrivals = 0;
  #arrivedBytes = 0;
  /** Ways of the last of them. */
  #way: { readonly from: Host; readonly to: Host } | undefined;
  /** The engine may have ended the connection. */
  #isDoubtful = false;
  readonly #wait: AcknowledgementWait;
  #heardAt: Instant;
  /** First ack-eliciting packet since something was heard. */
  #askedAt: Instant | undefined;
  /** The next packets carry something to be acknowledged. */
  #eliciting = false;
  #keepAliveAt: Instant;
  readonly #repeat: PacketRepeat;
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
    this.#wait = new AcknowledgementWait(options.role, this.#began);
    this.#repeat = new PacketRepeat((packet, to) => options.host.transmit(packet, to));
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
    this.#arrivals++;
    this.#arrivedBytes += packet.length;
    const before = this.#way?.from;
    if (before?.port !== from.port || before.host !== from.host) this.#wait.stir(this.#host.now());
    const way = before === from && this.#way !== undefined ? this.#way : { from, to: this.#host.local };
    this.#way = way;
    if (ours && this.#retry === "none" && this.role === "client" && !this.#established && isRetry(packet)) this.#retry = "come";
    try {
      this.#engine.recv(packet, way);
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
          this.#engine.dgramPurgeOutgoing(() => asked++ < PURGED); // the oldest
        }
        this.#engine.dgramSend(bytes);
      }
      this.#wait.spoke(this.#host.now(), bytes.length);
      this.#eliciting = true;
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
      this.#isDoubtful = true; // and an engine's timeout has events too
      this.#wait.probes(this.#host.now());
      this.#eliciting = true; // a probe or a retransmission, if anything
    }
    // Calls into the engine cost more than anything else here: without news it is not asked.
    if (this.#arrivals > 0 || this.#isDoubtful) {
      if (this.#retry === "come") {
        this.#retry = "told";
        this.#emit({ type: "retried" });
      }
      if (!this.#established && this.#engine.isEstablished()) this.#establish(now);
      const datagrams = this.open ? this.#read(now) : 0;
      // A packet that closes the connection has no datagram.
      if (this.#isDoubtful || ((datagrams < this.#arrivals || !this.#wait.isAtRest(now)) && this.#isLeft())) this.#end();
      this.#isDoubtful = false;
      this.#arrivals = 0;
      this.#arrivedBytes = 0;
    }
    if (!this.#ended) this.#mind(now);
  }

  /** Second half: sends what is to be sent, acknowledgements with it, and sets `deadline`. It emits nothing but `closed`. */
  write(): void {
    if (this.#mayWait()) {
      this.deadline = Instant.earliest(this.#engineDeadline, this.#wait.due, this.#ownDeadline());
      return;
    }
    this.#transmit();
    const remaining = this.#engine.timeout();
    const now = this.#host.now();
    this.#engineDeadline = remaining === null ? undefined : Instant.after(now, millis(Math.max(1, remaining)));
    this.deadline = Instant.earliest(this.#engineDeadline, this.#ownDeadline());
  }

  #isLeft(): boolean {
    return this.#engine.isDraining() || this.#engine.isClosed();
  }

  /** Whether there is at most an acknowledgement to send, and it waits for company. */
  #mayWait(): boolean {
    return this.open && this.#outbound.length === 0 && this.#wait.holds(this.#host.now());
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

  /** Takes everything out of the engine. Returns how many datagrams that were. */
  #read(now: Instant): number {
    // Asking the engine costs, so only when a silence may end.
    if (this.#repeat.isSilent && this.#repeat.heard(now, this.#engine.stats().recv)) this.#emit({ type: "heard" });
    if (!this.#wait.isAtRest(now)) this.#readPaths();
    this.#readStream();
    let [datagrams, around] = [0, this.#arrivedBytes];
    // Copied out: a vector of the engine's is memory outside the heap with a finalizer of its own, three times as dear.
    const next = (): number | null => this.#engine.dgramRecv(scratch);
    for (let length = next(); length !== null; length = next()) {
      datagrams++;
      around -= length;
      this.#emit({ type: "datagram", bytes: copied(length) });
    }
    this.#wait.read(now, this.#arrivals, datagrams, around);
    return datagrams;
  }

  #readStream(): void {
    try {
      while (this.open && this.#engine.streamReadable(MESSAGE_STREAM)) {
        const piece = this.#engine.streamRecv(MESSAGE_STREAM, scratch);
        if (piece === null) return;
        this.#wait.stir(this.#host.now());
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
      this.#wait.stir(this.#host.now());
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
    if (!this.#repeat.isSilent && this.#askedAt !== undefined && Instant.between(this.#askedAt, now) >= silence) {
      this.#repeat.silent(now, this.#engine.stats().recv);
      this.#emit({ type: "silent", for: Instant.between(this.#heardAt, now) });
    }
    this.#repeat.repeat(now);
  }

  #ownDeadline(): Instant | undefined {
    if (this.#ended) return undefined;
    if (!this.#established) return Instant.after(this.#began, this.#config.handshakeTimeout);
    const silentAt = this.#askedAt === undefined ? undefined : Instant.after(this.#askedAt, this.#config.silence);
    return Instant.earliest(
      this.role === "client" ? this.#keepAliveAt : undefined,
      this.#repeat.isSilent ? undefined : silentAt,
      this.#repeat.deadline,
    );
  }

  /** Moves queued messages into the engine and its packets to the host. */
  #transmit(): void {
    const now = this.#host.now();
    let [packets, octets] = [0, 0];
    try {
      if (this.open) this.#writeStream();
      const isBrief = this.open && this.#wait.isBrief(now);
      this.#wait.goes();
      for (let sent = this.#engine.send(scratch); sent !== null; sent = this.#engine.send(scratch)) {
        const packet = scratch.subarray(0, sent[0]);
        octets += packet.length;
        if (++packets > LARGEST_FLIGHT) {
          this.#abandoned = true;
          this.#over("error", "the QUIC engine does not stop sending");
          return;
        }
        if (((packet[0] as number) & 0x80) === 0) this.#repeat.remember(packet, sent[1].to);
        this.#host.transmit(packet, sent[1].to);
        if (isBrief && packet.length < SHORT_PACKET) break;
      }
      this.#wait.went(octets, () => this.#engine.dgramSendQueueLen() === 0);
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
      this.#wait.stir(this.#host.now());
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
