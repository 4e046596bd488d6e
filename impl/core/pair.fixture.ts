/** Two clients and a relay on perfect wires. */
import type { Address } from "../base/address.ts";
import { randomness } from "../base/random.ts";
import type { LogRecord, Saying } from "../base/record.ts";
import { Instant, type Micros, millis, seconds } from "../base/units.ts";
import * as client from "./client.ts";
import { type CodecEngine, FRAME_SAMPLES, GOOD } from "./codec.ts";
import { type Ports, type Runner, run } from "./effect.ts";
import { identityFromSecret } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import * as relay from "./relay.ts";
import type { EndpointListener, SessionEvent, SessionId } from "./session.ts";
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
  isRelayUp = true;
  /** Whose certificate is shown at the relay's address. */
  shown: string = PIN;
  readonly #queue: { at: number; action: () => void }[] = [];
  readonly #wires: Wire[] = [];
  readonly #peers = new Map<Address, Peer>();
  #accepted = 0;

  constructor(answer: client.AnswerPolicy | undefined, options: { token?: string } = {}) {
    const entropy = randomness(5);
    this.join = (name: string, address: Address, secret: Uint8Array): Runner<client.Input> => {
      const stream = entropy.stream(name);
      const machine = client.client({
        identity: identityFromSecret(nobleCrypto, secret),
        crypto: nobleCrypto,
        codec: counting,
        settings: GOOD,
        entropy: (length) => stream.nextBytes(length),
        answer,
        backoff: DEFAULT_BACKOFF,
        probeEvery: client.DEFAULT_PROBE,
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
      this.#queue.sort((a, b) => a.at - b.at);
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

  #at(at: number, action: () => void): void {
    this.#queue.push({ at, action });
  }
  #later(action: () => void): void {
    this.#at(this.now + 1_000, action);
  }
  #deliver(peer: Peer, session: SessionId, event: SessionEvent): void {
    this.#later(() => peer.listener.event(session, event));
  }

  #attach<Input>(
    name: string,
    address: Address,
    machine: { step: never; deadline: never } | Parameters<typeof run<Input>>[0],
  ): Runner<Input> {
    let wakeAt = -1;
    const wireOf = (session: SessionId): { wire: Wire; isA: boolean } | undefined => {
      const wire = this.#wires.find(
        (one) => (one.a.address === address && one.idA === session) || (one.b.address === address && one.idB === session),
      );
      return wire && { wire, isA: wire.a.address === address };
    };
    const pass = (session: SessionId, event: SessionEvent): void => {
      const found = wireOf(session);
      if (found === undefined) return;
      const { wire, isA } = found;
      this.#deliver(isA ? wire.b : wire.a, isA ? wire.idB : wire.idA, event);
    };
    const ports: Ports = {
      now: () => this.now,
      say: (saying: Saying) => void this.log.push({ t: this.now, who: name, ...saying } as LogRecord),
      play: () => {},
      schedule: (at) => {
        wakeAt = at ?? -1;
        if (at !== undefined) this.#at(Math.max(at, this.now), () => wakeAt === at && runner.input({ type: "wake" }));
      },
      endpoint: {
        connect: (session, remote, pin) => {
          const other = this.#peers.get(remote);
          if (other === undefined || !this.isRelayUp)
            return void this.#deliver(me, session, { type: "closed", reason: "handshake-timeout" });
          if (pin !== this.shown)
            return void this.#deliver(me, session, { type: "closed", reason: "pin-mismatch", detail: `found ${this.shown}` });
          const wire: Wire = { a: me, b: other, idA: session, idB: --this.#accepted };
          this.#later(() => {
            this.#wires.push(wire);
            other.listener.accepted(wire.idB, address);
            other.listener.event(wire.idB, { type: "connected", rtt: millis(2), handshake: millis(2), fingerprint: "" });
            this.#deliver(me, session, { type: "connected", rtt: millis(2), handshake: millis(2), fingerprint: pin });
          });
        },
        send: (session, message) => {
          const bytes = this.tamper(message, address);
          if (bytes !== undefined) pass(session, { type: "message", bytes });
        },
        sendDatagram: (session, datagram) => {
          const bytes = this.tamperDatagram(datagram, address);
          if (bytes !== undefined) pass(session, { type: "datagram", bytes });
        },
        close: (session, detail) => {
          const found = wireOf(session);
          if (found === undefined) return;
          this.#wires.splice(this.#wires.indexOf(found.wire), 1);
          const { wire, isA } = found;
          this.#deliver(isA ? wire.b : wire.a, isA ? wire.idB : wire.idA, { type: "closed", reason: "peer", detail });
          this.#deliver(me, session, { type: "closed", reason: "local" });
        },
        sendPacket: (to, bytes) => {
          const other = this.#peers.get(to);
          if (other !== undefined && this.isRelayUp) this.#later(() => other.listener.packet(address, bytes));
        },
      },
    };
    const runner: Runner<Input> = run(machine as Parameters<typeof run<Input>>[0], () => ports);
    const me: Peer = { listener: runner.listener, address };
    this.#peers.set(address, me);
    return runner;
  }
}

export const secretOf = (value: number): Uint8Array => new Uint8Array(32).fill(value);
export const fingerprintOf = (value: number): string => identityFromSecret(nobleCrypto, secretOf(value)).fingerprint;

export const trusted: client.AnswerPolicy = { mode: "AcceptTrusted", after: millis(100) };

export function connected(answer: client.AnswerPolicy | undefined): Pair {
  const pair = new Pair(answer);
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
