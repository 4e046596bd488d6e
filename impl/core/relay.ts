/**
 * The relay: registry of clients, calls (call-desk.ts) and media forwarding. It keeps nothing a client cannot tell it again, so a
 * restart costs a reconnect and never a call: both parties register anew and resume the call by its id.
 * It never holds a media key; media packets are forwarded as they came, found by (session, channel).
 */
import { parseAddress } from "../base/address.ts";
import { sameBytes } from "../base/cursor.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, seconds } from "../base/units.ts";
import { peekChannel, withChannel } from "../wire/media-header.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { bindingResponse, parseStun } from "../wire/stun.ts";
import { Admission, type Config as AdmissionConfig, DEFAULT_ADMISSION } from "./admission.ts";
import { type CallLimits, callDesk, type Peer } from "./call-desk.ts";
import type { CryptoEngine } from "./crypto.ts";
import type { Machine, WorldInput } from "./effect.ts";
import * as federations from "./federation/federation.ts";
import { Outbox } from "./outbox.ts";
import { REPLACED, verifyRegistration } from "./registration.ts";
import { MAX_DATAGRAM_BYTES, type SessionEvent, type SessionId } from "./session.ts";
import { textOctets } from "./transcript.ts";

export type Config = CallLimits & {
  /** SHA-256 of this relay's certificate, lowercase hex: what registrations are signed for. */
  readonly fingerprint: string;
  readonly crypto: CryptoEngine;
  /** Clients must present it when set. */
  readonly token?: string;
  /** A session that has not registered by then is closed. */
  readonly registerWithin: Micros;
  /** How fast clients are registered when many come at once. */
  readonly admission: AdmissionConfig;
  /** Sessions at once; more are closed with a reason. */
  readonly maxSessions: number;
  /** The relays it federates with; absent: none. */
  readonly federation?: federations.Config;
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
  maxSessions: 4_096,
  maxCalls: 16_384,
  maxOffers: 16,
};

/** `start` opens the sessions with other relays, `held` says what is still held, `stop` closes everything. */
export type Input = WorldInput | { readonly type: "start" } | { readonly type: "held" } | { readonly type: "stop" };

/** Transaction of a ReflectResponse that nobody asked for: a NAT moved the client. */
const UNASKED = 0;
/** How often overdue sessions and orphaned calls are looked for while there are any. */
const SWEEP: Micros = seconds(1);

export function relay(config: Config): Machine<Input> {
  const peers = new Map<SessionId, Peer>();
  const registry = new Map<string, Peer>();
  const out = new Outbox();
  const admission = new Admission<SessionId, SignalMessage>(config.admission);
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
            locals: () => registry.keys(),
          },
          (call, to, packet) => out.push({ type: "datagram", session: to, bytes: withChannel(packet, call.channel) }),
        );
  const send = (peer: Peer, message: SignalMessage): void =>
    peer.isRemote === true ? federation?.send(peer, message) : out.send(peer.session, message);
  const refusal = (peer: Peer, re: string, reason: string): void => send(peer, { type: "Refusal", re, reason });
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
    const before = registry.get(checked.fingerprint);
    if (before !== undefined && before !== peer) {
      desk.detach(before);
      peers.delete(before.session);
      out.push({ type: "close", session: before.session, detail: REPLACED });
      peer.offers = before.offers;
    }
    peer.fingerprint = checked.fingerprint;
    registry.set(checked.fingerprint, peer);
    send(peer, { type: "RegisterAck", ok: true });
    federation?.changed(checked.fingerprint, true);
    desk.welcome(peer, checked.fingerprint);
  }

  function signal(peer: Peer, bytes: Uint8Array): void {
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
    const other = call.parties[0] === peer.fingerprint ? call.sessions[1] : call.sessions[0];
    if (other === undefined) return;
    const remote = federation?.standIn(other);
    if (remote === undefined) out.push({ type: "datagram", session: other, bytes });
    else federation?.media(remote, call, peer.fingerprint ?? "", bytes);
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
      case "heard":
        return say({ ev: "session", session: peer.session, state: event.type });
      case "closed":
        admission.forget(peer.session);
        desk.detach(peer);
        peers.delete(peer.session);
        if (peer.fingerprint !== undefined && registry.get(peer.fingerprint) === peer) {
          registry.delete(peer.fingerprint);
          federation?.changed(peer.fingerprint, false);
        }
        desk.leave(peer);
        return say({ ev: "session", session: peer.session, state: "closed", reason: event.reason });
    }
  }

  function sweep(): void {
    sweepAt = undefined;
    let isMore = desk.sweep();
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
      ...(federation === undefined ? {} : { federation: federation.view() }),
    }),
    deadline: () => Instant.earliest(sweepAt, admission.deadline(), federation?.deadline()),
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
          if (peers.size >= config.maxSessions) {
            refuse("limit", "sessions");
            out.push({ type: "close", session: input.session, detail: "relay full" });
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
          else out.push({ type: "packet", to: input.from, bytes: bindingResponse(stun.transactionId, input.from) });
          break;
        }
        case "wake":
          admit();
          if (sweepAt !== undefined && now >= sweepAt) sweep();
          federation?.wake();
          break;
        case "held":
          say({ ev: "held", sessions: peers.size, calls: desk.size, supervisors: 0 });
          break;
        case "start":
          federation?.start();
          break;
        case "stop":
          federation?.stop();
          for (const peer of peers.values()) out.push({ type: "close", session: peer.session, detail: "relay stopped" });
          desk.clear();
          admission.clear();
          break;
      }
      return out.take();
    },
  };
}
