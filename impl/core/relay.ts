/**
 * The relay: registry of clients, calls (call-desk.ts) and media forwarding. It keeps nothing a client cannot tell it again, so a
 * restart costs a reconnect and never a call: both parties register anew and resume the call by its id.
 * It never holds a media key; media packets are forwarded as they came, found by (session, channel).
 */
import { type Address, parseAddress } from "../base/address.ts";
import { sameBytes } from "../base/cursor.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, seconds, toMillis } from "../base/units.ts";
import { peekChannel, withChannel } from "../wire/media-header.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { bindingRefusal, bindingResponse, parseStun } from "../wire/stun.ts";
import { Admission, type Config as AdmissionConfig, DEFAULT_ADMISSION } from "./admission.ts";
import { type CallLimits, callDesk, type Peer } from "./call-desk.ts";
import type { CryptoEngine } from "./crypto.ts";
import * as drains from "./drain.ts";
import type { Machine, WorldInput } from "./effect.ts";
import * as federations from "./federation/federation.ts";
import type { Config as FederationConfig } from "./federation/link.ts";
import { Outbox } from "./outbox.ts";
import { isOvertaken, REPLACED, verifyRegistration } from "./registration.ts";
import { type ClientLimits, DEFAULT_LIMITS, RelayLimits } from "./relay-limits.ts";
import { relayedMedia } from "./relayed-media.ts";
import { MAX_DATAGRAM_BYTES, type SessionEvent, type SessionId } from "./session.ts";
import type { RelayTarget } from "./supervisor.ts";
import { textOctets } from "./transcript.ts";

export type Config = CallLimits &
  ClientLimits & {
    /** SHA-256 of this relay's certificate, lowercase hex: what registrations are signed for. */
    readonly fingerprint: string;
    readonly crypto: CryptoEngine;
    /** Clients must present it when set. */
    readonly token?: string;
    /** A session that has not registered by then is closed. */
    readonly registerWithin: Micros;
    /** How fast clients are registered when many come at once. */
    readonly admission: AdmissionConfig;
    /** Sessions at once; more are closed with a reason, unless they come from where another relay is. */
    readonly maxSessions: number;
    /** The relays it federates with; absent: none. */
    readonly federation?: FederationConfig;
  };

/**
 * chosen: a register flight needs one round trip, the slowest link here has 1.5 s; a party may reboot within a minute; clients let it ring for a
 * minute; one core forwards about 1,000 calls; a client makes one call at a time, a gateway some more.
 */
export const DEFAULTS: Omit<Config, "fingerprint" | "crypto" | "federation"> = {
  registerWithin: seconds(5),
  resumeWithin: seconds(60),
  answerWithin: seconds(90),
  admission: DEFAULT_ADMISSION,
  ...DEFAULT_LIMITS,
  maxSessions: 4_096,
  maxCalls: 16_384,
  maxOffers: 16,
};

/**
 * `start` opens the sessions with other relays, `held` says what is still held, `stop` closes everything. `drain` asks all clients to go elsewhere, within
 * that time and to these relays (those it federates with, unless others are named), and ends the process when they have.
 */
export type Input =
  | WorldInput
  | { readonly type: "start" }
  | { readonly type: "held" }
  | { readonly type: "stop" }
  | { readonly type: "drain"; readonly within: Micros; readonly refuges?: readonly RelayTarget[] };

/** Transaction of a ReflectResponse that nobody asked for: a NAT moved the client. */
const UNASKED = 0;
/** How often overdue sessions and orphaned calls are looked for while there are any. */
const SWEEP: Micros = seconds(1);

export type Relay = Machine<Input> & {
  /** What there is no room for: a client more, or a call more. Undefined: it takes both. */
  full(): "sessions" | "calls" | undefined;
};

export function relay(config: Config): Relay {
  const peers = new Map<SessionId, Peer>();
  const registry = new Map<string, Peer>();
  /** Sessions that nothing has come on for too long. */
  const silent = new Set<SessionId>();
  const out = new Outbox();
  const admission = new Admission<SessionId, SignalMessage>(config.admission);
  const limits = new RelayLimits(config, config.maxSessions);
  let drain = drains.start();
  let sweepAt: Instant | undefined;
  let now = Instant(0);

  const say = (saying: Saying): void => out.say(saying);
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const federation: federations.Federation | undefined =
    config.federation === undefined
      ? undefined
      : federations.federation(
          config.federation,
          {
            pin: config.fingerprint,
            crypto: config.crypto,
            out,
            now: () => now,
            desk: () => desk,
            local: (fingerprint) => registry.get(fingerprint),
            locals: function* () {
              for (const [fingerprint, { proof }] of registry) if (proof !== undefined) yield { fingerprint, proof };
            },
            undelivered: (call) => relayed.undelivered(call),
            claimed: (fingerprint) => giveUpSilent(registry.get(fingerprint)),
          },
          (call, to, packet) => out.push({ type: "datagram", session: to, bytes: withChannel(packet, call.channel) }),
        );
  const send = (peer: Peer, message: SignalMessage): void =>
    peer.isRemote === true ? federation?.send(peer, message) : out.send(peer.session, message);
  const refusal = (peer: Peer, re: string, reason: string): void => send(peer, { type: "Refusal", re, reason });
  const relayed = relayedMedia((saying) => out.say(saying));
  const sweepSoon = (): void => {
    sweepAt ??= Instant.after(now, SWEEP);
  };
  const desk = callDesk({
    limits: config,
    crypto: config.crypto,
    now: () => now,
    peer: (session) => peers.get(session) ?? federation?.standIn(session),
    registered: (fingerprint) => registry.get(fingerprint) ?? federation?.registered(fingerprint),
    send,
    carries: (peer, call) => {
      if (peer.isRemote === true) federation?.carries(peer, call);
    },
    released: (call) => federation?.released(call),
    refuse,
    say,
    sweepSoon,
  });

  /** Compared by hash, so that the time it takes tells nothing of the token. */
  const isAdmitted = (token: string | undefined): boolean => {
    if (config.token === undefined) return true;
    const [wanted, given] = [config.token, token ?? ""].map((text) => config.crypto.hash(textOctets(text)));
    return wanted !== undefined && given !== undefined && sameBytes(wanted, given);
  };

  function register(peer: Peer, message: SignalMessage & { type: "Register" }): void {
    if (!isAdmitted(message.token)) {
      refuse("unauthenticated", "Register without the relay's token");
      send(peer, { type: "RegisterAck", ok: false, reason: "token-required" });
      return;
    }
    const checked = verifyRegistration(config.crypto, message, config.fingerprint);
    if (!checked.ok) {
      refuse(checked.reason, "Register");
      send(peer, { type: "RegisterAck", ok: false, reason: checked.reason });
      return;
    }
    if (peer.fingerprint !== undefined && peer.fingerprint !== checked.fingerprint)
      return refuse("unexpected", "Register as somebody else");
    const { fingerprint } = checked;
    const before = registry.get(fingerprint);
    if (before === undefined && !desk.isInCall(fingerprint) && turnedAway(peer)) return;
    if (before?.proof !== undefined && before !== peer && isOvertaken(message, before.proof)) {
      refuse("unexpected", "Register that a later one has overtaken");
      // Not in the words that displace a client: should it be another process by a slower clock, it comes again.
      out.push({ type: "close", session: peer.session, detail: "overtaken by a later registration" });
      return;
    }
    if (before !== undefined && before !== peer) {
      desk.detach(before, true);
      peers.delete(before.session);
      silent.delete(before.session);
      limits.closed(before.session);
      out.push({ type: "close", session: before.session, detail: REPLACED });
      say({ ev: "session", session: before.session, state: "closed", reason: "local" });
      peer.offers = before.offers;
    }
    peer.fingerprint = fingerprint;
    peer.proof = { identity: message.identity, nonce: message.nonce, signature: message.signature };
    registry.set(fingerprint, peer);
    send(peer, { type: "RegisterAck", ok: true });
    federation?.arrived({ fingerprint, proof: peer.proof });
    desk.welcome(peer, fingerprint);
    askToLeave(peer);
  }

  const askToLeave = (peer: Peer): boolean => {
    const message = drains.message(drain, now);
    if (message !== undefined) send(peer, message);
    return message !== undefined;
  };
  /** A relay that drains takes in nobody new: not refused for good, but shown where else to go, or told to come again. */
  function turnedAway(peer: Peer): boolean {
    if (!askToLeave(peer)) return false;
    refuse("limit", "Register at a relay that drains");
    out.push({ type: "close", session: peer.session, detail: "relay drains" });
    return true;
  }

  /** Ends the process when it has drained. */
  function attendDrain(): void {
    const verdict = drains.verdict(drain, now, registry.size);
    if (verdict === undefined) return;
    say({ ev: "drain", state: verdict, sessions: registry.size, calls: desk.size });
    drain = { at: "over" };
    stop();
    out.push({ type: "finish" });
  }

  function stop(): void {
    federation?.stop();
    for (const peer of peers.values()) out.push({ type: "close", session: peer.session, detail: "relay stopped" });
    desk.clear();
    admission.clear();
  }

  function signal(peer: Peer, bytes: Uint8Array): void {
    if (!limits.message(peer.session, now)) return refuse("limit", "messages of a session");
    const message = out.read(peer.session, bytes);
    if (message === undefined) return;
    if (peer.fingerprint === undefined && isToWait(peer, message)) return;
    act(peer, message);
  }

  /** A client that comes in a crowd is registered in its turn, and what it says meanwhile is looked at then. */
  function isToWait(peer: Peer, message: SignalMessage): boolean {
    const isWaiting = admission.has(peer.session);
    if (!isWaiting && (message.type !== "Register" || (admission.size === 0 && admission.take(now)))) return false;
    if (!admission.keep(peer.session, message, message.type === "CallResume"))
      refuse("limit", "messages before the registration");
    return true;
  }

  function admit(): void {
    for (let next = admission.next(now); next !== undefined; next = admission.next(now)) {
      const peer = peers.get(next.key);
      for (const message of next.kept) if (peer !== undefined) act(peer, message);
    }
  }

  function act(peer: Peer, message: SignalMessage): void {
    if (message.type === "Register") return register(peer, message);
    if (message.type === "FederationHello" && peer.fingerprint === undefined) {
      if (federation?.hello(peer.session, message) === true) peers.delete(peer.session);
      else if (federation === undefined) refuse("unexpected", message.type);
      return;
    }
    const from = peer.fingerprint;
    if (from === undefined) {
      refuse("unauthenticated", message.type);
      return refusal(peer, message.type, "not-registered");
    }
    switch (message.type) {
      case "Reflect":
        return send(peer, { type: "ReflectResponse", txn: message.txn, addr: peer.remote });
      case "DirectCallOffer":
        return desk.offer(peer, from, message);
      case "DirectCallAnswer":
        return desk.answer(peer, from, message);
      case "CallResume":
        return desk.resume(peer, from, message);
      case "HangupAck":
        return desk.acknowledged(from, message);
      case "Hangup":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        return desk.forward(peer, from, message);
      default:
        return refuse("unexpected", message.type);
    }
  }

  function media(peer: Peer, bytes: Uint8Array): void {
    if (bytes.length > MAX_DATAGRAM_BYTES) return refuse("oversized", `datagram of ${bytes.length} octets`);
    const channel = peekChannel(bytes);
    if (channel === undefined) return refuse("malformed", "datagram");
    const call = peer.channels.get(channel);
    if (call === undefined) return refuse(peer.fingerprint === undefined ? "unauthenticated" : "unknown-call", "datagram");
    // By the party: the session of one that moves to another relay is heard until it closes, though another carries the call by then.
    if (!limits.packet(peer.session, now)) return refuse("limit", "packets of a session");
    const other = call.parties[0] === peer.fingerprint ? call.sessions[1] : call.sessions[0];
    if (other === undefined) return relayed.undelivered(call);
    relayed.passed(call, peer.session, other);
    const remote = federation?.standIn(other);
    if (remote === undefined) out.push({ type: "datagram", session: other, bytes });
    else federation?.media(remote, call, peer.fingerprint ?? "", bytes);
  }

  /** Whoever the peer was is not here any more. */
  function unregister(peer: Peer): void {
    admission.forget(peer.session);
    limits.closed(peer.session);
    silent.delete(peer.session);
    desk.detach(peer);
    peers.delete(peer.session);
    if (peer.fingerprint !== undefined && registry.get(peer.fingerprint) === peer) {
      registry.delete(peer.fingerprint);
      federation?.gone(peer.fingerprint);
    }
    desk.leave(peer);
  }

  /** A user whose session is silent here and who is registered with a partner has moved there, and its goodbye was lost. */
  function giveUpSilent(peer: Peer | undefined): void {
    if (peer?.fingerprint === undefined || !silent.has(peer.session) || federation?.claims(peer.fingerprint) !== true) return;
    unregister(peer);
    // Not in the words that displace a client: should the partner be the one that is behind, the user comes back by itself.
    out.push({ type: "close", session: peer.session, detail: "registered with a partner" });
  }

  function session(peer: Peer, event: SessionEvent): void {
    switch (event.type) {
      case "datagram":
        return media(peer, event.bytes);
      case "message":
        return signal(peer, event.bytes);
      case "oversized":
        return refuse("oversized", `message of ${event.length} octets`);
      case "connected":
        return say({ ev: "session", session: peer.session, state: "connected", remote: peer.remote, rttMs: event.rtt / 1_000 });
      case "path-changed":
        peer.remote = event.remote;
        say({ ev: "session", session: peer.session, state: "path-changed", remote: event.remote });
        if (peer.fingerprint !== undefined) send(peer, { type: "ReflectResponse", txn: UNASKED, addr: event.remote });
        return;
      case "silent":
        say({ ev: "session", session: peer.session, state: "silent" });
        silent.add(peer.session);
        return giveUpSilent(registry.get(peer.fingerprint ?? "") === peer ? peer : undefined);
      case "heard":
        silent.delete(peer.session);
        return say({ ev: "session", session: peer.session, state: "heard" });
      case "closed":
        unregister(peer);
        return say({ ev: "session", session: peer.session, state: "closed", reason: event.reason });
    }
  }

  /** Why a new session is closed; other relays get through to one that is full of clients. */
  function refused(id: SessionId, remote: Address): string | undefined {
    if (federation?.knows(remote) === true) return undefined;
    return peers.size >= config.maxSessions ? "relay full" : limits.accept(id, remote, now);
  }

  function sweep(): void {
    sweepAt = undefined;
    const areMoreCalls = desk.sweep();
    let isMore = limits.forgetIdle(now) || areMoreCalls;
    for (const peer of peers.values()) {
      if (peer.fingerprint !== undefined || admission.has(peer.session)) continue;
      if (Instant.between(peer.since, now) >= config.registerWithin) {
        refuse("unauthenticated", "session that never registered");
        out.push({ type: "close", session: peer.session, detail: "not registered in time" });
      } else isMore = true;
    }
    sweepAt = isMore ? Instant.after(now, SWEEP) : undefined;
  }

  return {
    full: () => (peers.size >= config.maxSessions ? "sessions" : desk.size >= config.maxCalls ? "calls" : undefined),
    view: () => ({
      sessions: [...peers.values()].map((peer) => ({
        session: peer.session,
        remote: peer.remote,
        fingerprint: peer.fingerprint ?? null,
        isRegistered: peer.fingerprint !== undefined && registry.get(peer.fingerprint) === peer,
        channels: [...peer.channels.keys()],
        offers: peer.offers.size,
      })),
      calls: desk.view(),
      waiting: admission.size,
      /** For the limits: sessions and addresses. */
      remembered: limits.remembered,
      ...(federation === undefined ? {} : { federation: federation.view() }),
    }),
    deadline: () => Instant.earliest(sweepAt, admission.deadline(), federation?.deadline(), drains.deadline(drain)),
    step(at, input) {
      now = at;
      switch (input.type) {
        case "session": {
          const peer = peers.get(input.session);
          if (federation?.owns(input.session) === true) federation.session(input.session, input.event);
          else if (peer !== undefined) session(peer, input.event);
          break;
        }
        case "accepted": {
          const full = refused(input.session, input.remote);
          if (full !== undefined) {
            refuse("limit", "sessions");
            out.push({ type: "close", session: input.session, detail: full });
            break;
          }
          peers.set(input.session, {
            session: input.session,
            since: now,
            remote: input.remote,
            fingerprint: undefined,
            channels: new Map(),
            offers: new Set(),
          });
          say({ ev: "session", session: input.session, state: "accepted", remote: input.remote });
          sweepSoon();
          break;
        }
        case "packet": {
          const stun = parseStun(input.bytes);
          if (!stun.ok) refuse("malformed", "STUN packet");
          else if (stun.kind !== "request" && federation?.answer(input.from, input.bytes) === true) break;
          else if (stun.kind !== "request") refuse("unexpected", "STUN response");
          // An IPv6 link-local sender has a zone in its address (RFC 4007), which means nothing to anybody else.
          else if (parseAddress(input.from) === undefined) refuse("unexpected", "STUN packet from a link-local address");
          else if (stun.unknown !== undefined)
            out.push({ type: "packet", to: input.from, bytes: bindingRefusal(stun.transactionId, stun.unknown) });
          else out.push({ type: "packet", to: input.from, bytes: bindingResponse(stun.transactionId, input.from) });
          break;
        }
        case "wake":
          admit();
          if (sweepAt !== undefined && now >= sweepAt) sweep();
          federation?.wake();
          break;
        case "held":
          if (drain.at !== "over") say({ ev: "held", sessions: peers.size, calls: desk.size, supervisors: 0 });
          break;
        case "start":
          federation?.start();
          break;
        case "drain":
          drain = drains.begin(drain, now, input.within, input.refuges ?? federation?.relays ?? []);
          if (drain.at === "draining")
            say({ ev: "drain", state: "begun", sessions: registry.size, calls: desk.size, withinMs: toMillis(input.within) });
          for (const peer of registry.values()) askToLeave(peer);
          break;
        case "stop":
          stop();
          break;
      }
      attendDrain();
      return out.take();
    },
  };
}
