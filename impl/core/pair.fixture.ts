/** Two clients and a relay on perfect wires. */
import type { Address } from "../base/address.ts";
import { toHex } from "../base/cursor.ts";
import { randomness } from "../base/random.ts";
import type { LogRecord, Saying } from "../base/record.ts";
import { Instant, type Micros, millis, seconds } from "../base/units.ts";
import * as client from "./client.ts";
import { type CodecEngine, FRAME_SAMPLES, GOOD } from "./codec.ts";
import { type Ports, type Runner, run } from "./effect.ts";
import { identityFromSecret } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import * as relay from "./relay.ts";
import type { Endpoint, EndpointListener, SessionEvent, SessionId } from "./session.ts";
import { DEFAULT_BACKOFF } from "./supervisor.ts";

/** A codec that carries one number a frame, so that a test sees which frame came out. */
const counting: CodecEngine = {
  name: "counting",
  mode: "sized",
  encoder: () => ({ encode: (pcm) => new Uint8Array([(pcm[0] ?? 0) & 255, 1, 2, 3]), free: () => {} }),
  decoder: () => ({
    decode: (packet) => new Int16Array(FRAME_SAMPLES).fill(packet[0] ?? 0),
    recover: () => undefined,
    conceal: () => new Int16Array(FRAME_SAMPLES),
    free: () => {},
  }),
};

export const RELAY: Address = "198.51.100.1:4433";
export const PIN: string = "ab".repeat(32);

type Peer = { readonly listener: EndpointListener; readonly address: Address };
/** Somebody who is neither of the two nor their relay: what came to him, and a session that he says something on. */
export type Intruder = {
  readonly accepted: SessionId[];
  readonly heard: { readonly session: SessionId; readonly event: SessionEvent }[];
  send(session: SessionId, message: Uint8Array): void;
  sendDatagram(session: SessionId, bytes: Uint8Array): void;
  connect(session: SessionId, remote: Address, pin: string): void;
};
type Wire = { readonly a: Peer; readonly b: Peer; readonly idA: SessionId; readonly idB: SessionId };

/** Two clients and a relay joined by wires of one millisecond and no loss: the smallest world in which a call exists. */
export class Pair {
  now: Instant = Instant(0);
  readonly log: LogRecord[] = [];
  /** One more client. */
  readonly join: (name: string, address: Address, secret: Uint8Array) => Runner<client.Input>;
  readonly alice: Runner<client.Input>;
  readonly bob: Runner<client.Input>;
  relay: Runner<relay.Input>;
  /** Every message on its way: return undefined to lose it. */
  tamper: (bytes: Uint8Array, from: Address) => Uint8Array | undefined = (bytes) => bytes;
  /** Every datagram on its way, the same. */
  tamperDatagram: (bytes: Uint8Array, from: Address) => Uint8Array | undefined = (bytes) => bytes;
  /** Every packet that was sent beside the sessions, lost or not. */
  readonly packets: { readonly from: Address; readonly to: Address; readonly bytes: Uint8Array }[] = [];
  isRelayUp = true;
  /** Whose certificate is shown at the relay's address. */
  shown: string = PIN;
  /** Certificates shown at the addresses of those who accept direct sessions. */
  readonly certificates: Map<Address, string> = new Map();
  readonly #queue: { at: number; action: () => void }[] = [];
  readonly #wires: Wire[] = [];
  readonly #peers = new Map<Address, Peer>();
  #accepted = 0;

  /** `direct`: the clients accept sessions of each other. */
  constructor(answer: client.AnswerPolicy | undefined, options: { token?: string; direct?: boolean } = {}) {
    const entropy = randomness(5);
    this.join = (name: string, address: Address, secret: Uint8Array): Runner<client.Input> => {
      const stream = entropy.stream(name);
      const certificate = options.direct === true ? toHex(secret).replaceAll("0", "c") : undefined;
      if (certificate !== undefined) this.certificates.set(address, certificate);
      const machine = client.client({
        identity: identityFromSecret(nobleCrypto, secret),
        crypto: nobleCrypto,
        codec: counting,
        settings: GOOD,
        entropy: (length) => stream.nextBytes(length),
        answer,
        backoff: DEFAULT_BACKOFF,
        probeEvery: client.DEFAULT_PROBE,
        ...(certificate === undefined ? {} : { certificate }),
      });
      return this.#attach(name, address, machine);
    };
    this.relay = this.#attach("r1", RELAY, this.relayMachine(options.token));
    this.alice = this.join("alice", "198.51.100.2:5000", secretOf(1));
    this.bob = this.join("bob", "198.51.100.3:5000", secretOf(2));
  }

  relayMachine(token?: string): ReturnType<typeof relay.relay> {
    return relay.relay({ ...relay.DEFAULTS, fingerprint: PIN, crypto: nobleCrypto, ...(token === undefined ? {} : { token }) });
  }

  /** Somebody at `address` who takes every session and shows `certificate`. */
  intrude(address: Address, certificate: string): Intruder {
    const [accepted, heard]: [SessionId[], Intruder["heard"]] = [[], []];
    const listener: EndpointListener = {
      accepted: (session) => void accepted.push(session),
      event: (session, event) => void heard.push({ session, event }),
      packet: () => {},
    };
    this.certificates.set(address, certificate);
    const me = { listener, address };
    this.#peers.set(address, me);
    return { accepted, heard, ...this.#endpoint(me) };
  }

  /** The relay's process is replaced: all its sessions are gone without a word, then reset. */
  restartRelay(): void {
    this.relay = this.#attach("r1", RELAY, this.relayMachine());
    for (const wire of this.#wires.splice(0)) this.#deliver(wire.a, wire.idA, { type: "closed", reason: "reset" });
  }

  register(who: Runner<client.Input>, token?: string): void {
    who.input({
      type: "command",
      command: { type: "register", relay: { address: RELAY, pin: PIN, ...(token === undefined ? {} : { token }) } },
    });
  }

  /** Lets `length` pass; both clients' audio devices tick every 20 ms and speak the number of the tick. */
  pass(length: Micros): void {
    const until = Instant.after(this.now, length);
    for (let at = this.now - (this.now % 20_000) + 20_000; at <= until; at += 20_000) {
      const pcm = new Int16Array(FRAME_SAMPLES).fill((at / 20_000) & 255);
      for (const who of [this.alice, this.bob]) {
        this.#at(at, () => who.input({ type: "capture", pcm }));
        this.#at(at, () => who.input({ type: "playout" }));
      }
    }
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.at > until) break;
      this.#queue.shift();
      this.now = Instant(next.at);
      next.action();
    }
    this.now = until;
  }

  records<Ev extends LogRecord["ev"]>(who: string, ev: Ev): Extract<LogRecord, { ev: Ev }>[] {
    return this.log.filter((record): record is Extract<LogRecord, { ev: Ev }> => record.who === who && record.ev === ev);
  }

  /** What is due at one instant is done in the order in which it was asked for. */
  #at(at: number, action: () => void): void {
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > at) place--;
    this.#queue.splice(place, 0, { at, action });
  }
  #later(action: () => void): void {
    this.#at(this.now + 1_000, action);
  }
  #deliver(peer: Peer, session: SessionId, event: SessionEvent): void {
    this.#later(() => peer.listener.event(session, event));
  }

  #wireOf(
    { address }: Peer,
    session: SessionId,
  ): { readonly wire: Wire; readonly other: Peer; readonly id: SessionId } | undefined {
    for (const wire of this.#wires) {
      if (wire.a.address === address && wire.idA === session) return { wire, other: wire.b, id: wire.idB };
      if (wire.b.address === address && wire.idB === session) return { wire, other: wire.a, id: wire.idA };
    }
    return undefined;
  }

  #endpoint(me: Peer): Endpoint {
    const pass = (session: SessionId, event: SessionEvent): void => {
      const found = this.#wireOf(me, session);
      if (found !== undefined) this.#deliver(found.other, found.id, event);
    };
    return {
      connect: (session, remote, pin) => {
        const other = this.#peers.get(remote);
        if (other === undefined || (remote === RELAY && !this.isRelayUp))
          return void this.#deliver(me, session, { type: "closed", reason: "handshake-timeout" });
        const shown = remote === RELAY ? this.shown : (this.certificates.get(remote) ?? "");
        if (pin !== shown)
          return void this.#deliver(me, session, { type: "closed", reason: "pin-mismatch", detail: `found ${shown}` });
        const wire: Wire = { a: me, b: other, idA: session, idB: --this.#accepted };
        this.#later(() => {
          this.#wires.push(wire);
          other.listener.accepted(wire.idB, me.address);
          other.listener.event(wire.idB, { type: "connected", rtt: millis(2), handshake: millis(2), fingerprint: "" });
          this.#deliver(me, session, { type: "connected", rtt: millis(2), handshake: millis(2), fingerprint: pin });
        });
      },
      send: (session, message) => {
        const bytes = this.tamper(message, me.address);
        if (bytes !== undefined) pass(session, { type: "message", bytes });
      },
      sendDatagram: (session, datagram) => {
        const bytes = this.tamperDatagram(datagram, me.address);
        if (bytes !== undefined) pass(session, { type: "datagram", bytes });
      },
      close: (session, detail) => {
        const found = this.#wireOf(me, session);
        if (found === undefined) return;
        this.#wires.splice(this.#wires.indexOf(found.wire), 1);
        this.#deliver(found.other, found.id, { type: "closed", reason: "peer", detail });
        this.#deliver(me, session, { type: "closed", reason: "local" });
      },
      sendPacket: (to, bytes) => {
        this.packets.push({ from: me.address, to, bytes });
        const other = this.#peers.get(to);
        if (other !== undefined && (to !== RELAY || this.isRelayUp)) this.#later(() => other.listener.packet(me.address, bytes));
      },
    };
  }

  #attach<Input>(
    name: string,
    address: Address,
    machine: { step: never; deadline: never } | Parameters<typeof run<Input>>[0],
  ): Runner<Input> {
    let wakeAt = -1;
    const ports: Ports = {
      now: () => this.now,
      say: (saying: Saying) => void this.log.push({ t: this.now, who: name, ...saying } as LogRecord),
      play: () => {},
      schedule: (at) => {
        wakeAt = at ?? -1;
        if (at !== undefined) this.#at(Math.max(at, this.now), () => wakeAt === at && runner.input({ type: "wake" }));
      },
      endpoint: {
        connect: (...given) => endpoint.connect(...given),
        send: (...given) => endpoint.send(...given),
        sendDatagram: (...given) => endpoint.sendDatagram(...given),
        close: (...given) => endpoint.close(...given),
        sendPacket: (...given) => endpoint.sendPacket(...given),
      },
    };
    const runner: Runner<Input> = run(machine as Parameters<typeof run<Input>>[0], () => ports);
    const me: Peer = { listener: runner.listener, address };
    const endpoint = this.#endpoint(me);
    this.#peers.set(address, me);
    return runner;
  }
}

export const secretOf = (value: number): Uint8Array => new Uint8Array(32).fill(value);
export const fingerprintOf = (value: number): string => identityFromSecret(nobleCrypto, secretOf(value)).fingerprint;

export const trusted: client.AnswerPolicy = { mode: "AcceptTrusted", after: millis(100) };

export function connected(answer: client.AnswerPolicy | undefined, options: { direct?: boolean } = {}): Pair {
  const pair = new Pair(answer, options);
  pair.register(pair.alice);
  pair.register(pair.bob);
  pair.pass(millis(100));
  pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
  pair.pass(seconds(1));
  return pair;
}
export const states = (pair: Pair, who: string): string[] => pair.records(who, "call").map((record) => record.state);
export const played = (pair: Pair, who: string): number =>
  pair.records(who, "media-played").reduce((sum, record) => sum + (record.kind === "source" ? record.n : 0), 0);
export const refusals = (pair: Pair, who: string, reason: string): number =>
  pair.records(who, "refused").filter((one) => one.reason === reason).length;
