/**
 * The relay: registry of clients, call registry and media forwarding. It keeps nothing a client cannot tell it again, so a
 * restart costs a reconnect and never a call: both parties register anew and resume the call by its id.
 * It never holds a media key; media packets are forwarded as they came, found by (session, channel).
 */
import { type Address, parseAddress } from "../base/address.ts";
import { sameBytes } from "../base/cursor.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, seconds } from "../base/units.ts";
import { peekChannel } from "../wire/media-header.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { bindingResponse, parseStun } from "../wire/stun.ts";
import { type Call, CallRegistry, type Side } from "./call-registry.ts";
import type { CryptoEngine } from "./crypto.ts";
import type { Machine, WorldInput } from "./effect.ts";
import { Outbox } from "./outbox.ts";
import { REPLACED, verifyRegistration } from "./registration.ts";
import { MAX_DATAGRAM_BYTES, type SessionEvent, type SessionId } from "./session.ts";
import { textOctets } from "./transcript.ts";

export type Config = {
  /** SHA-256 of this relay's certificate, lowercase hex: what registrations are signed for. */
  readonly fingerprint: string;
  readonly crypto: CryptoEngine;
  /** Clients must present it when set. */
  readonly token?: string;
  /** A session that has not registered by then is closed. */
  readonly registerWithin: Micros;
  /** A call whose party is gone for longer than this is ended for the other one. */
  readonly resumeWithin: Micros;
  /** An offer that is neither answered nor taken back by then is ended for both. */
  readonly answerWithin: Micros;
  /** Sessions at once; more are closed with a reason. */
  readonly maxSessions: number;
  /** Calls at once, offered ones included; more are refused. */
  readonly maxCalls: number;
  /** Offers of one client at once that wait for their answer; more are refused. */
  readonly maxOffers: number;
};

/**
 * chosen: a register flight needs one round trip, the slowest link here has 1.5 s; a party may reboot within a minute; clients let it ring for a
 * minute; one core forwards about 1,000 calls; a client makes one call at a time, a gateway some more.
 */
export const DEFAULTS: Omit<Config, "fingerprint" | "crypto"> = {
  registerWithin: seconds(5),
  resumeWithin: seconds(60),
  answerWithin: seconds(90),
  maxSessions: 4_096,
  maxCalls: 16_384,
  maxOffers: 16,
};

/** `held` says what is still held, `stop` closes everything. */
export type Input = WorldInput | { readonly type: "held" } | { readonly type: "stop" };

type Peer = {
  readonly session: SessionId;
  readonly since: Instant;
  remote: Address;
  fingerprint: string | undefined;
  readonly channels: Map<number, Call>;
  /** Calls it offered that wait for their answer. */
  offers: Set<Call>;
};

/** Transaction of a ReflectResponse that nobody asked for: a NAT moved the client. */
const UNASKED = 0;
/** How often overdue sessions and orphaned calls are looked for while there are any. */
const SWEEP: Micros = seconds(1);

export function relay(config: Config): Machine<Input> {
  const peers = new Map<SessionId, Peer>();
  const registry = new Map<string, Peer>();
  const calls = new CallRegistry();
  const out = new Outbox();
  let sweepAt: Instant | undefined;
  let now = Instant(0);

  const say = (saying: Saying): void => out.say(saying);
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const send = (peer: Peer, message: SignalMessage): void => out.send(peer.session, message);
  const sendTo = (fingerprint: string, message: SignalMessage): boolean => {
    const peer = registry.get(fingerprint);
    if (peer === undefined) return false;
    send(peer, message);
    return true;
  };
  const refusal = (peer: Peer, re: string, reason: string, call?: string): void =>
    send(peer, { type: "Refusal", re, reason, ...(call === undefined ? {} : { call_id: call }) });

  const attach = (call: Call, side: Side, peer: Peer): void => {
    call.sessions[side] = peer.session;
    peer.channels.set(call.channel, call);
  };
  const detach = (peer: Peer): void => {
    for (const call of peer.channels.values()) {
      for (const side of [0, 1] as const) if (call.sessions[side] === peer.session) call.sessions[side] = undefined;
      call.orphanedAt ??= now;
      sweepAt ??= Instant.after(now, SWEEP);
    }
    peer.channels.clear();
  };
  const release = (call: Call): void => {
    registry.get(call.parties[0])?.offers.delete(call);
    for (const session of call.sessions) if (session !== undefined) peers.get(session)?.channels.delete(call.channel);
    calls.remove(call.id);
  };
  /** A channel number neither side uses yet; `wish` when it is free. */
  const freeChannel = (wish: number | undefined, ...sides: readonly (Peer | undefined)[]): number | undefined => {
    const isFree = (channel: number): boolean => sides.every((peer) => !peer?.channels.has(channel));
    if (wish !== undefined && isFree(wish)) return wish;
    for (let channel = 0; channel < 256; channel++) if (isFree(channel)) return channel;
    return undefined;
  };

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
      detach(before);
      peers.delete(before.session);
      out.push({ type: "close", session: before.session, detail: REPLACED });
      peer.offers = before.offers;
    }
    peer.fingerprint = checked.fingerprint;
    registry.set(checked.fingerprint, peer);
    send(peer, { type: "RegisterAck", ok: true });
  }

  function offer(peer: Peer, from: string, message: SignalMessage & { type: "DirectCallOffer" }): void {
    if (message.caller_fingerprint !== from) return refuse("forged-signature", "DirectCallOffer in another's name");
    if (calls.find(message.call_id) !== undefined) return refuse("duplicate", "DirectCallOffer for a known call");
    const callee = registry.get(message.callee_fingerprint);
    if (callee === undefined || message.callee_fingerprint === from)
      return refusal(peer, message.type, "unknown-peer", message.call_id);
    if (calls.size >= config.maxCalls || peer.offers.size >= config.maxOffers) {
      refuse("limit", "offers");
      return refusal(peer, message.type, "relay-full", message.call_id);
    }
    const call: Call = {
      id: message.call_id,
      parties: [from, message.callee_fingerprint],
      stage: "offered",
      channel: -1,
      sessions: [undefined, undefined],
      addresses: [
        addressesOf(message.caller_reflexive_addr, message.caller_local_addrs, message.caller_mapped_addr),
        addressesOf(undefined, undefined, undefined),
      ],
      since: now,
      orphanedAt: undefined,
    };
    calls.add(call);
    peer.offers.add(call);
    sweepAt ??= Instant.after(now, SWEEP);
    send(callee, message);
  }

  function answer(peer: Peer, from: string, message: SignalMessage & { type: "DirectCallAnswer" }): void {
    const call = calls.find(message.call_id);
    if (call === undefined || call.parties[1] !== from) return refuse("unknown-call", "DirectCallAnswer");
    if (call.stage !== "offered") return refuse("duplicate", "DirectCallAnswer");
    const caller = registry.get(call.parties[0]);
    if (caller === undefined) {
      release(call);
      return refusal(peer, message.type, "unknown-peer", call.id);
    }
    send(caller, message);
    if (message.mode === "Reject") return release(call);
    const channel = freeChannel(undefined, caller, peer);
    if (channel === undefined) {
      refuse("limit", "channels of a session");
      for (const one of [caller, peer]) send(one, { type: "Hangup", call_id: call.id, reason: "relay-full" });
      return release(call);
    }
    call.channel = channel;
    call.stage = "set-up";
    caller.offers.delete(call);
    if (message.mode === "AcceptTrusted")
      call.addresses[1] = addressesOf(message.callee_reflexive_addr, message.callee_local_addrs, message.callee_mapped_addr);
    attach(call, 0, caller);
    attach(call, 1, peer);
    const setup = (role: "dialer" | "acceptor", side: Side): SignalMessage => ({
      type: "CallSetup",
      call_id: call.id,
      role,
      channel,
      relay_path: true,
      ...call.addresses[side],
    });
    if (call.addresses.every((side) => Object.keys(side).length > 0))
      say({ ev: "note", text: `p2p_viable=true call=${call.id}` });
    send(caller, setup("dialer", 1));
    send(peer, setup("acceptor", 0));
  }

  function resume(peer: Peer, from: string, message: SignalMessage & { type: "CallResume" }): void {
    const side: Side = message.role === "caller" ? 0 : 1;
    const parties: [string, string] = side === 0 ? [from, message.peer_fingerprint] : [message.peer_fingerprint, from];
    let call = calls.find(message.call_id);
    if (message.peer_fingerprint === from) return refuse("unexpected", "CallResume with oneself");
    if (call === undefined) {
      if (calls.size >= config.maxCalls) {
        refuse("limit", "calls");
        return refusal(peer, message.type, "relay-full", message.call_id);
      }
      const other = registry.get(message.peer_fingerprint);
      const channel = freeChannel(message.channel, peer, other);
      if (channel === undefined) return refusal(peer, message.type, "relay-full", message.call_id);
      call = {
        id: message.call_id,
        parties,
        stage: "set-up",
        channel,
        sessions: [undefined, undefined],
        addresses: [{}, {}],
        since: now,
        orphanedAt: now,
      };
      calls.add(call);
      sweepAt ??= Instant.after(now, SWEEP);
    } else if (call.stage !== "set-up" || call.parties[0] !== parties[0] || call.parties[1] !== parties[1]) {
      refuse("unknown-call", "CallResume of a call between others");
      return refusal(peer, message.type, "unknown-call", message.call_id);
    }
    if (peer.channels.has(call.channel) && peer.channels.get(call.channel) !== call) {
      const channel = freeChannel(
        undefined,
        peer,
        ...call.sessions.map((session) => (session === undefined ? undefined : peers.get(session))),
      );
      if (channel === undefined) return refusal(peer, message.type, "relay-full", message.call_id);
      rechannel(call, channel);
    }
    attach(call, side, peer);
    const other = call.sessions[side === 0 ? 1 : 0];
    const isPeerPresent = other !== undefined;
    if (isPeerPresent) call.orphanedAt = undefined;
    send(peer, { type: "CallResumed", call_id: call.id, channel: call.channel, peer_present: isPeerPresent });
    const otherPeer = other === undefined ? undefined : peers.get(other);
    if (otherPeer !== undefined)
      send(otherPeer, { type: "CallResumed", call_id: call.id, channel: call.channel, peer_present: true });
  }

  const rechannel = (call: Call, channel: number): void => {
    for (const session of call.sessions) {
      const peer = session === undefined ? undefined : peers.get(session);
      if (peer === undefined) continue;
      peer.channels.delete(call.channel);
      peer.channels.set(channel, call);
    }
    call.channel = channel;
  };

  function forward(from: string, message: SignalMessage & { call_id: string }): void {
    const call = calls.find(message.call_id);
    const side = call?.parties.indexOf(from) ?? -1;
    if (call === undefined || side === -1) return refuse("unknown-call", message.type);
    const other = call.parties[side === 0 ? 1 : 0];
    if (message.type === "Hangup") release(call);
    else if (message.type !== "Ringing" && call.stage !== "set-up")
      return refuse("unexpected", `${message.type} before the answer`);
    sendTo(other, message);
  }

  function signal(peer: Peer, bytes: Uint8Array): void {
    const message = out.read(peer.session, bytes);
    if (message === undefined) return;
    if (message.type === "Register") return register(peer, message);
    const from = peer.fingerprint;
    if (from === undefined) {
      refuse("unauthenticated", message.type);
      return refusal(peer, message.type, "not-registered");
    }
    switch (message.type) {
      case "Reflect":
        return send(peer, { type: "ReflectResponse", txn: message.txn, addr: peer.remote });
      case "DirectCallOffer":
        return offer(peer, from, message);
      case "DirectCallAnswer":
        return answer(peer, from, message);
      case "CallResume":
        return resume(peer, from, message);
      case "Hangup":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        return forward(from, message);
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
    const other = call.sessions[0] === peer.session ? call.sessions[1] : call.sessions[0];
    if (other !== undefined) out.push({ type: "datagram", session: other, bytes });
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
        detach(peer);
        peers.delete(peer.session);
        if (peer.fingerprint !== undefined && registry.get(peer.fingerprint) === peer) registry.delete(peer.fingerprint);
        for (const call of peer.offers) {
          sendTo(call.parties[1], { type: "Hangup", call_id: call.id, reason: "peer-lost" });
          release(call);
        }
        return say({ ev: "session", session: peer.session, state: "closed", reason: event.reason });
    }
  }

  function sweep(): void {
    sweepAt = undefined;
    let isMore = false;
    for (const peer of peers.values()) {
      if (peer.fingerprint !== undefined) continue;
      if (Instant.between(peer.since, now) >= config.registerWithin) {
        refuse("unauthenticated", "session that never registered");
        out.push({ type: "close", session: peer.session, detail: "not registered in time" });
      } else isMore = true;
    }
    for (const call of calls.all()) {
      const isOffered = call.stage === "offered";
      const waitsSince = isOffered ? call.since : call.orphanedAt;
      if (waitsSince === undefined) continue;
      if (Instant.between(waitsSince, now) < (isOffered ? config.answerWithin : config.resumeWithin)) {
        isMore = true;
        continue;
      }
      const reason = isOffered ? "no-answer" : "peer-lost";
      for (const party of call.parties) sendTo(party, { type: "Hangup", call_id: call.id, reason });
      release(call);
    }
    if (isMore) sweepAt = Instant.after(now, SWEEP);
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
      calls: [...calls.all()].map((call) => ({
        id: call.id,
        parties: call.parties,
        stage: call.stage,
        channel: call.channel,
        sessions: call.sessions.map((session) => session ?? null),
        orphanedAt: call.orphanedAt ?? null,
      })),
    }),
    deadline: () => sweepAt,
    step(at, input) {
      now = at;
      switch (input.type) {
        case "session": {
          const peer = peers.get(input.session);
          if (peer !== undefined) session(peer, input.event);
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
          sweepAt ??= Instant.after(now, SWEEP);
          break;
        }
        case "packet": {
          const stun = parseStun(input.bytes);
          if (!stun.ok) refuse("malformed", "STUN packet");
          else if (stun.kind !== "request") refuse("unexpected", "STUN response");
          // An IPv6 link-local sender has a zone in its address (RFC 4007), which means nothing to anybody else.
          else if (parseAddress(input.from) === undefined) refuse("unexpected", "STUN packet from a link-local address");
          else out.push({ type: "packet", to: input.from, bytes: bindingResponse(stun.transactionId, input.from) });
          break;
        }
        case "wake":
          if (sweepAt !== undefined && now >= sweepAt) sweep();
          break;
        case "held":
          say({ ev: "held", sessions: peers.size, calls: calls.size, supervisors: 0 });
          break;
        case "stop":
          for (const peer of peers.values()) out.push({ type: "close", session: peer.session, detail: "relay stopped" });
          for (const call of [...calls.all()]) release(call);
          break;
      }
      return out.take();
    },
  };
}

type PeerAddresses = { peer_direct_addr?: Address; peer_local_addrs?: Address[]; peer_mapped_addr?: Address };

const addressesOf = (
  reflexive: Address | undefined,
  local: readonly Address[] | undefined,
  mapped: Address | undefined,
): PeerAddresses => ({
  ...(reflexive === undefined ? {} : { peer_direct_addr: reflexive }),
  ...(local === undefined || local.length === 0 ? {} : { peer_local_addrs: [...local] }),
  ...(mapped === undefined ? {} : { peer_mapped_addr: mapped }),
});
