/**
 * A relay's part in a federation: a session with each relay it is configured to know, which users are registered there, their messages and their media.
 * To the call desk a user of another relay is a peer like its own clients (`standIn`): what the desk says to it is forwarded, what it says comes from
 * there. There is no transit: a relay takes messages for its own users alone, from users that the sender has announced, so nothing can go in circles.
 */
import type { Address } from "../../base/address.ts";
import type { RefusalReason } from "../../base/record.ts";
import { Instant, type Micros, millis, toMillis } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import {
  checkSignal,
  type FederatedSignalForward,
  type FederationChannel,
  type FederationHello,
  MAX_USERS,
  type SignalMessage,
} from "../../wire/signal.ts";
import { parseStun } from "../../wire/stun.ts";
import { unpackTrunk } from "../../wire/trunk.ts";
import type { CallDesk, Peer } from "../call-desk.ts";
import type { Call } from "../call-registry.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { Identity } from "../identity.ts";
import type { Outbox } from "../outbox.ts";
import { REPLACED } from "../registration.ts";
import * as probe from "../relay-probe.ts";
import type { SessionEvent, SessionId } from "../session.ts";
import * as supervisor from "../supervisor.ts";
import { signHello, verifyHello } from "./hello.ts";
import { TrunkLine } from "./trunk-line.ts";

/** A relay to federate with: `pin` of its certificate, `fingerprint` of its identity. Of two relays the one whose name comes first dials. */
export type PeerRelay = {
  readonly name: string;
  readonly address: Address;
  readonly pin: string;
  readonly fingerprint: string;
};

export type Config = {
  /** As the peers know this relay; printable ASCII, 128 characters at most. */
  readonly name: string;
  readonly identity: Identity;
  readonly peers: readonly PeerRelay[];
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  readonly backoff: readonly Micros[];
};

/** The relay around it. */
export type Hub = {
  /** SHA-256 of this relay's certificate, lowercase hex. */
  readonly pin: string;
  readonly crypto: CryptoEngine;
  readonly out: Outbox;
  now(): Instant;
  desk(): CallDesk;
  /** The session a client of this relay is registered by. */
  local(fingerprint: string): Peer | undefined;
  locals(): Iterable<string>;
};

/** Stand-ins bear session numbers from here on, which no endpoint gives out. */
const FIRST_STAND_IN = 2 ** 40;
/** Users of one other relay that are remembered. chosen: four times what a relay admits by default. */
const MAX_REMOTE_USERS = 16_384;
/** How often a relay that is away is asked for a sign of life. chosen: at most a quarter of a second more in a recovery. */
const PROBE_EVERY: Micros = millis(250);
type StandIn = Peer & { readonly isRemote: true };
type Link = {
  readonly relay: PeerRelay;
  readonly dials: boolean;
  watch: supervisor.State;
  asking: probe.State;
  attempt: SessionId | undefined;
  /** Up while it is there. */
  session: SessionId | undefined;
  readonly users: Set<string>;
  readonly standIns: Map<string, StandIn>;
  readonly trunk: TrunkLine;
};

export type Federation = {
  /** Opens the links that are this relay's to open. */
  start(): void;
  deadline(): Instant | undefined;
  wake(): void;
  /** Whether a session is one with another relay. */
  owns(session: SessionId): boolean;
  session(session: SessionId, event: SessionEvent): void;
  /** A relay says hello on an accepted session; true: it is one with another relay from now on. */
  hello(session: SessionId, message: FederationHello): boolean;
  /** A STUN response; false: nobody here asked. */
  answer(from: Address, bytes: Uint8Array): boolean;
  /** The peer that stands for a user of another relay. */
  registered(fingerprint: string): Peer | undefined;
  standIn(session: SessionId): Peer | undefined;
  /** The desk says something to a stand-in. */
  send(peer: Peer, message: SignalMessage): void;
  /** A stand-in carries a call from now on. */
  carries(peer: Peer, call: Call): void;
  /** A call is over here: its numbers are free. */
  released(call: Call): void;
  /** Media from the client `from` of this relay, for the stand-in on the other side of `call`. */
  media(peer: Peer, call: Call, from: string, packet: Uint8Array): void;
  /** A client has registered here, or is gone. */
  changed(fingerprint: string, isHere: boolean): void;
  stop(): void;
  view(): View;
};

/** What a desk says to a stand-in is for the other relay's user; the rest (set-ups, resumptions granted) that relay says itself. */
const FORWARDED: ReadonlySet<SignalMessage["type"]> = new Set([
  "DirectCallOffer",
  "DirectCallAnswer",
  "Ringing",
  "Hangup",
  "HangupAck",
  "CandidateUpdate",
  "MediaPathReport",
  "CallResume",
  "Refusal",
]);

/**
 * A client that moves keeps its session with the relay of before until the next one carries the call. Meanwhile the next one is believed nothing but a
 * resumption that proves itself, which no relay can forge: who is here cannot be taken away by an announcement.
 */
const claimsProof = (message: SignalMessage): boolean =>
  message.type === "CallResume" && message.caller_share !== undefined && message.callee_share !== undefined;

export function federation(
  config: Config,
  hub: Hub,
  deliver: (call: Call, to: SessionId, packet: Uint8Array) => void,
): Federation {
  const { out } = hub;
  const links: readonly Link[] = config.peers.map((relay) => ({
    relay,
    dials: config.name < relay.name,
    watch: supervisor.start(),
    asking: probe.start(),
    attempt: undefined,
    session: undefined,
    users: new Set<string>(),
    standIns: new Map<string, StandIn>(),
    trunk: new TrunkLine(),
  }));
  const bySession = new Map<SessionId, Link>();
  const byStandIn = new Map<SessionId, { readonly link: Link; readonly peer: StandIn; readonly user: string }>();
  let nextSession = 1;
  let nextStandIn = FIRST_STAND_IN;
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const close = (session: SessionId | undefined, detail: string): void => {
    if (session !== undefined) out.push({ type: "close", session, detail });
  };
  const tell = (link: Link, message: SignalMessage): void => {
    if (link.session !== undefined) out.send(link.session, message);
  };

  function supervise(link: Link, input: supervisor.Input): void {
    const [next, effects] = supervisor.step({ backoff: config.backoff }, link.watch, hub.now(), input);
    link.watch = next;
    for (const effect of effects) {
      if (effect.type === "say") {
        const { state, attempt, delayMs, reason } = effect.saying;
        if (state === "connecting" || state === "reconnecting")
          out.say({
            ev: "federation",
            peer: link.relay.name,
            state: "connecting",
            ...(attempt === undefined ? {} : { attempt }),
            ...(delayMs === undefined ? {} : { delayMs }),
            ...(reason === undefined ? {} : { reason }),
          });
      } else if (effect.type === "attempt") {
        abandon(link, "superseded");
        link.attempt = nextSession++;
        bySession.set(link.attempt, link);
        out.say({ ev: "session", session: link.attempt, state: "connecting", remote: effect.relay.address });
        out.push({ type: "connect", session: link.attempt, remote: effect.relay.address, pin: effect.relay.pin });
      } else if (effect.type === "abandon") abandon(link, "abandoned");
    }
    const isAway =
      supervisor.supervisors(link.watch) === 1 && (next.at !== "attempting" || next.attempt > 1 || next.aim !== "connecting");
    link.asking = isAway ? probe.begin(link.asking, hub.now()) : probe.end(link.asking);
  }
  const abandon = (link: Link, why: string): void => {
    close(link.attempt, why);
    link.attempt = undefined;
  };

  function up(link: Link, session: SessionId): void {
    down(link, REPLACED);
    link.session = session;
    bySession.set(session, link);
    out.say({ ev: "federation", peer: link.relay.name, state: "up", session });
    const users = [...hub.locals()];
    for (let at = 0; at === 0 || at < users.length; at += MAX_USERS)
      tell(link, { type: "FederationUsers", whole: at === 0, added: users.slice(at, at + MAX_USERS), removed: [] });
  }

  /** Its users are out of reach; calls with them wait for them as for any client that is away. */
  function down(link: Link, reason: string): void {
    if (link.session === undefined) return;
    close(link.session, reason);
    link.session = undefined;
    out.say({ ev: "federation", peer: link.relay.name, state: "down", reason });
    for (const peer of link.standIns.values()) {
      hub.desk().detach(peer);
      byStandIn.delete(peer.session);
    }
    link.standIns.clear();
    link.users.clear();
    link.trunk.clear();
  }

  function standInOf(link: Link, user: string): StandIn {
    const known = link.standIns.get(user);
    if (known !== undefined) return known;
    const session = nextStandIn++;
    const peer: StandIn = {
      session,
      since: hub.now(),
      remote: link.relay.address,
      fingerprint: user,
      channels: new Map(),
      offers: new Set(),
      isRemote: true,
    };
    link.standIns.set(user, peer);
    byStandIn.set(session, { link, peer, user });
    return peer;
  }

  function announced(link: Link, added: readonly string[], removed: readonly string[], whole: boolean): void {
    const gone = whole ? [...link.users].filter((user) => !added.includes(user)) : removed;
    for (const user of gone) {
      link.users.delete(user);
      const peer = link.standIns.get(user);
      if (peer === undefined) continue;
      hub.desk().detach(peer);
      hub.desk().leave(peer);
      link.standIns.delete(user);
      byStandIn.delete(peer.session);
    }
    for (const user of added) {
      if (link.users.size >= MAX_REMOTE_USERS) return refuse("limit", "users of another relay");
      for (const other of links) if (other !== link && other.users.has(user)) announced(other, [], [user], false);
      link.users.add(user);
      if (hub.local(user) === undefined) hub.desk().welcome(standInOf(link, user), user);
    }
  }

  function forwarded(link: Link, forward: FederatedSignalForward): void {
    const { from, to } = forward;
    if (forward.from_relay !== link.relay.name) return refuse("unexpected", "forward in another relay's name");
    const checked = checkSignal(forward.message);
    const own = hub.local(to);
    // About an offer to somebody who is not there: the user it comes from is nobody's.
    if (checked.ok && checked.message.type === "Refusal" && checked.message.call_id !== undefined && own !== undefined)
      return from !== undefined && hub.desk().peerOf(checked.message.call_id, to) === from
        ? out.send(own.session, checked.message)
        : refuse("unknown-call", checked.message.type);
    const isMoving = from !== undefined && hub.local(from) !== undefined;
    if (from === undefined || !link.users.has(from) || (isMoving && !(checked.ok && claimsProof(checked.message))))
      return refuse("unauthenticated", "forward for a user who is not the sender's");
    if (!checked.ok) return refuse(checked.reason, "message in a forward");
    const { message } = checked;
    const peer = standInOf(link, from);
    const desk = hub.desk();
    if (own === undefined) {
      refuse("unexpected", "forward for a user who is not here");
      if (message.type === "DirectCallOffer")
        tellUser(link, to, from, { type: "Refusal", re: message.type, reason: "unknown-peer", call_id: message.call_id });
      return;
    }
    switch (message.type) {
      case "DirectCallOffer":
        return message.callee_fingerprint === to
          ? desk.offer(peer, from, message)
          : refuse("unexpected", "offer to somebody else");
      case "DirectCallAnswer":
        return desk.answer(peer, from, message);
      case "CallResume":
        return message.peer_fingerprint === to
          ? desk.resume(peer, from, message)
          : refuse("unexpected", "resumption with somebody else");
      case "HangupAck":
        return desk.acknowledged(from, message);
      case "Hangup":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        return desk.forward(peer, from, message);
      default:
        return refuse("unexpected", `forward of ${message.type}`);
    }
  }

  const tellUser = (link: Link, from: string, to: string, message: SignalMessage): void =>
    tell(link, { type: "FederatedSignalForward", from_relay: config.name, from, to, message: { ...message } });

  function send(peer: Peer, message: SignalMessage): void {
    const known = byStandIn.get(peer.session);
    if (known === undefined || !FORWARDED.has(message.type)) return;
    const from = senderOf(message, known.user);
    if (from === undefined) return;
    tellUser(known.link, from, known.user, message);
  }

  /** In whose name this relay says it: the other party of the call, or of what is asked. */
  function senderOf(message: SignalMessage, to: string): string | undefined {
    switch (message.type) {
      case "DirectCallOffer":
        return message.caller_fingerprint;
      case "DirectCallAnswer":
        return message.callee_fingerprint;
      default:
        return "call_id" in message && message.call_id !== undefined ? hub.desk().peerOf(message.call_id, to) : undefined;
    }
  }

  function carries(peer: Peer, call: Call): void {
    const known = byStandIn.get(peer.session);
    if (known === undefined) return;
    const number = known.link.trunk.take(known.peer, call);
    tell(known.link, { type: "FederationChannel", call_id: call.id, from: known.user, number });
  }

  const push = (link: Link, datagrams: readonly Uint8Array[]): void => {
    if (link.session !== undefined) for (const bytes of datagrams) out.push({ type: "datagram", session: link.session, bytes });
  };

  function media(peer: Peer, call: Call, from: string, packet: Uint8Array): void {
    const link = byStandIn.get(peer.session)?.link;
    if (link === undefined) return;
    const sent = link.trunk.send(hub.now(), call, from, packet);
    if (typeof sent === "string") refuse(sent, "media for another relay");
    else push(link, sent);
  }

  function trunk(link: Link, bytes: Uint8Array): void {
    const packets = unpackTrunk(bytes);
    if (packets === undefined) return refuse("malformed", "trunk datagram");
    for (const { number, packet } of packets) {
      const known = link.trunk.find(number);
      if (known === undefined) {
        refuse("unknown-call", "packet in a trunk datagram");
        continue;
      }
      const { parties, sessions } = known.call;
      const to = parties[0] === known.peer.fingerprint ? sessions[1] : sessions[0];
      if (to !== undefined && to < FIRST_STAND_IN) deliver(known.call, to, packet);
    }
  }

  function given(link: Link, { call_id: id, from, number }: FederationChannel): void {
    if (hub.local(from) === undefined) refuse("unexpected", "FederationChannel for a user who is not here");
    else if (!link.trunk.give(id, from, number)) refuse("limit", "calls with another relay");
  }

  function message(link: Link, session: SessionId, bytes: Uint8Array): void {
    const parsed = out.read(session, bytes);
    if (parsed === undefined) return;
    if (parsed.type === "FederationHelloAck") {
      if (session !== link.attempt) return refuse("unexpected", parsed.type);
      if (!parsed.ok) {
        abandon(link, "refused");
        return supervise(link, { type: "failed", reason: parsed.reason ?? "refused" });
      }
      link.attempt = undefined;
      supervise(link, { type: "succeeded" });
      return up(link, session);
    }
    if (session !== link.session) return refuse("unexpected", parsed.type);
    switch (parsed.type) {
      case "FederationUsers":
        return announced(link, parsed.added, parsed.removed, parsed.whole);
      case "FederationChannel":
        return given(link, parsed);
      case "FederatedSignalForward":
        return forwarded(link, parsed);
      default:
        return refuse("unexpected", parsed.type);
    }
  }

  function session(id: SessionId, event: SessionEvent): void {
    const link = bySession.get(id);
    if (link === undefined) return;
    switch (event.type) {
      case "connected":
        out.say({ ev: "session", session: id, state: "connected", remote: link.relay.address, rttMs: toMillis(event.rtt) });
        return out.send(id, signHello(hub.crypto, config.identity, config.name, link.relay.pin, config.entropy(16)));
      case "message":
        return message(link, id, event.bytes);
      case "datagram":
        return id === link.session ? trunk(link, event.bytes) : refuse("unexpected", "trunk datagram");
      case "oversized":
        return refuse("oversized", `message of ${event.length} octets`);
      case "path-changed":
        return out.say({ ev: "session", session: id, state: "path-changed", remote: event.remote });
      case "silent":
      case "heard":
        out.say({ ev: "session", session: id, state: event.type });
        if (id !== link.session || !link.dials) return;
        return supervise(link, event.type === "silent" ? { type: "lost", reason: "silent" } : { type: "restored" });
      case "closed":
        bySession.delete(id);
        out.say({ ev: "session", session: id, state: "closed", reason: event.reason });
        if (id === link.attempt) {
          link.attempt = undefined;
          return supervise(link, { type: "failed", reason: event.reason });
        }
        if (id !== link.session) return;
        down(link, event.reason);
        if (!link.dials) return;
        if (link.watch.at === "registered") supervise(link, { type: "lost", reason: event.reason });
        else if (event.reason === "reset") supervise(link, { type: "alive", asked: undefined });
    }
  }

  return {
    start: () => {
      for (const link of links)
        if (link.dials) supervise(link, { type: "desire", relay: { address: link.relay.address, pin: link.relay.pin } });
    },
    deadline: () =>
      Instant.earliest(
        ...links.flatMap((link) => [supervisor.deadline(link.watch), probe.deadline(link.asking), link.trunk.deadline]),
      ),
    wake: () => {
      for (const link of links) {
        supervise(link, { type: "wake" });
        const [next, question] = probe.wake({ every: PROBE_EVERY, entropy: config.entropy }, link.asking, hub.now());
        link.asking = next;
        if (question !== undefined) out.push({ type: "packet", to: link.relay.address, bytes: question });
        const { deadline } = link.trunk;
        if (deadline !== undefined && hub.now() >= deadline) push(link, link.trunk.flush());
      }
    },
    owns: (id) => bySession.has(id),
    session,
    hello: (id, hello) => {
      const link = links.find((one) => one.relay.name === hello.relay);
      const reason =
        link === undefined || link.dials ? "unauthenticated" : verifyHello(hub.crypto, hello, hub.pin, link.relay.fingerprint);
      if (link === undefined || reason !== undefined) {
        refuse(reason ?? "unauthenticated", hello.type);
        out.send(id, { type: "FederationHelloAck", ok: false, reason: reason ?? "unauthenticated" });
        return false;
      }
      out.send(id, { type: "FederationHelloAck", ok: true });
      up(link, id);
      return true;
    },
    answer: (from, bytes) => {
      const stun = parseStun(bytes);
      const link = links.find((one) => one.relay.address === from);
      if (!stun.ok || link === undefined) return false;
      const asked = probe.askedAt(link.asking, stun.transactionId);
      if (asked === undefined) return false;
      supervise(link, { type: "alive", asked });
      return true;
    },
    registered: (user) => {
      const link = links.find((one) => one.users.has(user));
      return link === undefined ? undefined : standInOf(link, user);
    },
    standIn: (id) => byStandIn.get(id)?.peer,
    send,
    carries,
    released: (call) => {
      for (const link of links) link.trunk.forget(call);
    },
    media,
    changed: (user, isHere) => {
      const moved = isHere ? undefined : links.find((link) => link.users.has(user));
      if (moved !== undefined) hub.desk().welcome(standInOf(moved, user), user);
      for (const link of links)
        tell(link, { type: "FederationUsers", whole: false, added: isHere ? [user] : [], removed: isHere ? [] : [user] });
    },
    stop: () => {
      for (const link of links) {
        supervise(link, { type: "desire", relay: undefined });
        down(link, "relay stopped");
      }
    },
    view: () =>
      links.map((link) => ({
        relay: link.relay.name,
        session: link.session ?? null,
        supervisor: supervisor.view(link.watch),
        users: [...link.users],
        calls: link.trunk.calls,
      })),
  };
}
