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
  type FederationChannel,
  type FederationHello,
  type FederationUsers,
  MAX_USERS,
  type SignalMessage,
} from "../../wire/signal.ts";
import { parseStun } from "../../wire/stun.ts";
import { unpackTrunk } from "../../wire/trunk.ts";
import type { Peer } from "../call-desk.ts";
import type { Call } from "../call-registry.ts";
import { REPLACED, registeredAt } from "../registration.ts";
import * as probe from "../relay-probe.ts";
import type { SessionEvent, SessionId } from "../session.ts";
import type { RelayTarget } from "../supervisor.ts";
import * as supervisor from "../supervisor.ts";
import { Directory, FIRST_STAND_IN } from "./directory.ts";
import { forwarding } from "./forwarding.ts";
import { signHello, verifyHello } from "./hello.ts";
import { type Config, type Hub, type Link, type LocalUser, startLink } from "./link.ts";

/** How often a relay that is away is asked for a sign of life. chosen: at most a quarter of a second more in a recovery. */
const PROBE_EVERY: Micros = millis(250);

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
  /** Whether the user is registered with a partner. */
  claims(fingerprint: string): boolean;
  standIn(session: SessionId): Peer | undefined;
  /** The desk says something to a stand-in. */
  send(peer: Peer, message: SignalMessage): void;
  /** A stand-in carries a call from now on. */
  carries(peer: Peer, call: Call): void;
  /** A call is over here: its numbers are free. */
  released(call: Call): void;
  /** Media from the client `from` of this relay, for the stand-in on the other side of `call`. */
  media(peer: Peer, call: Call, from: string, packet: Uint8Array): void;
  /** A client has registered here. */
  arrived(user: LocalUser): void;
  /** A client is gone. */
  gone(fingerprint: string): void;
  /** Whether sessions from this address are likely to be another relay's. */
  knows(address: Address): boolean;
  /** The relays that clients could be sent to. */
  readonly relays: readonly RelayTarget[];
  stop(): void;
  view(): View;
};

export function federation(
  config: Config,
  hub: Hub,
  deliver: (call: Call, to: SessionId, packet: Uint8Array) => void,
): Federation {
  const { out } = hub;
  const links: readonly Link[] = config.peers.map((relay) => startLink(config, relay));
  const bySession = new Map<SessionId, Link>();
  const directory = new Directory(links, hub);
  let nextSession = 1;
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const close = (session: SessionId | undefined, detail: string): void => {
    if (session !== undefined) out.push({ type: "close", session, detail });
  };
  const tell = (link: Link, message: SignalMessage): void => {
    if (link.session !== undefined) out.send(link.session, message);
  };

  const { send, forwarded } = forwarding(config.name, hub, directory, tell);

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
      tell(link, announcement(users.slice(at, at + MAX_USERS), at === 0));
  }

  /** Its users are out of reach; calls with them wait for them as for any client that is away. */
  function down(link: Link, reason: string): void {
    if (link.session === undefined) return;
    close(link.session, reason);
    link.session = undefined;
    out.say({ ev: "federation", peer: link.relay.name, state: "down", reason });
    directory.clear(link);
  }

  /** Nothing gets through to the other relay and back. Who dials tries anew; who is dialled lets go, so that nobody is called into the void. */
  function fellSilent(link: Link): void {
    if (link.session === undefined) return;
    if (!link.dials) down(link, "silent");
    else if (link.watch.at === "registered") supervise(link, { type: "lost", reason: "silent" });
  }

  /**
   * A relay that was not heard for a moment may have been started anew and know nothing of the link, which its answers to STUN do not tell; asked by the link, it resets it. What
   * is said is that no user has come.
   */
  const challenge = (link: Link): void => tell(link, announcement([], false));

  function carries(peer: Peer, call: Call): void {
    const known = directory.find(peer.session);
    if (known === undefined) return;
    const number = known.link.trunk.take(known.peer, call);
    tell(known.link, { type: "FederationChannel", call_id: call.id, from: known.user, number });
  }

  const push = (link: Link, datagrams: readonly Uint8Array[]): void => {
    if (link.session !== undefined) for (const bytes of datagrams) out.push({ type: "datagram", session: link.session, bytes });
  };

  function media(peer: Peer, call: Call, from: string, packet: Uint8Array): void {
    const link = directory.find(peer.session)?.link;
    if (link === undefined) return hub.undelivered(call);
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
      else hub.undelivered(known.call);
    }
  }

  function given(link: Link, { call_id: id, from, number }: FederationChannel): void {
    if (hub.local(from) === undefined) refuse("unexpected", "FederationChannel for a user who is not here");
    else if (!link.trunk.give(id, from, number)) refuse("limit", "calls with another relay");
    else hub.desk().carriedOn(id, from);
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
        return directory.announced(link, parsed);
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
        else if (event.reason === "reset") supervise(link, { type: "alive" });
    }
  }

  /** Asks how the way to the other relay is, and tells. */
  function explore(link: Link): void {
    const wasSilent = link.path.isSilent;
    const { question, report } = link.path.wake(hub.now());
    if (question !== undefined) out.push({ type: "packet", to: link.relay.address, bytes: question });
    if (report !== undefined) {
      const { asked, lost, rtt, jitter } = report;
      const times = rtt === undefined || jitter === undefined ? {} : { rttMs: toMillis(rtt), jitterMs: toMillis(jitter) };
      out.say({ ev: "relay-path", peer: link.relay.name, asked, lost, ...times });
    }
    if (link.path.isSilent && !wasSilent) fellSilent(link);
  }

  return {
    start: () => {
      for (const link of links) {
        link.path.begin(hub.now());
        if (link.dials) supervise(link, { type: "desire", relay: { address: link.relay.address, pin: link.relay.pin } });
      }
    },
    deadline: () => {
      let first: Instant | undefined;
      for (const { watch, asking, trunk, path } of links) {
        const next = Instant.earliest(supervisor.deadline(watch), probe.deadline(asking), trunk.deadline, path.deadline);
        first = Instant.earliest(first, next);
      }
      return first;
    },
    wake: () => {
      for (const link of links) {
        supervise(link, { type: "wake" });
        const [next, question] = probe.wake(
          { every: PROBE_EVERY, entropy: config.entropy, isPrivate: false },
          link.asking,
          hub.now(),
        );
        link.asking = next;
        if (question !== undefined) out.push({ type: "packet", to: link.relay.address, bytes: question });
        explore(link);
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
      const heard = link.path.heard(hub.now(), stun.transactionId);
      if (heard === "heard-again") challenge(link);
      if (heard !== "unknown") return true;
      const asked = probe.askedAt(link.asking, stun.transactionId);
      if (asked === undefined) return false;
      supervise(link, { type: "alive", asked });
      return true;
    },
    registered: (user) => {
      const link = directory.linkOf(user);
      return link === undefined ? undefined : directory.standIn(link, user);
    },
    claims: (user) => directory.linkOf(user) !== undefined,
    standIn: (id) => directory.find(id)?.peer,
    send,
    carries,
    released: (call) => {
      for (const link of links) link.trunk.forget(call);
    },
    media,
    arrived: (user) => {
      directory.registered(user.fingerprint, registeredAt(user.proof));
      for (const link of links) tell(link, announcement([user], false));
    },
    gone: (user) => {
      const moved = directory.linkOf(user);
      if (moved !== undefined) hub.desk().welcome(directory.standIn(moved, user), user);
      for (const link of links) tell(link, { type: "FederationUsers", whole: false, added: [], removed: [user] });
    },
    knows: (address) => links.some((link) => link.relay.address === address),
    relays: config.peers.map(({ address, pin }) => ({ address, pin })),
    stop: () => {
      for (const link of links) {
        link.path.end();
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
        isSilent: link.path.isSilent,
      })),
  };
}

const announcement = (users: readonly LocalUser[], whole: boolean): FederationUsers => ({
  type: "FederationUsers",
  whole,
  added: users.map(({ fingerprint }) => fingerprint),
  proofs: users.map(({ proof }) => proof),
  removed: [],
});
