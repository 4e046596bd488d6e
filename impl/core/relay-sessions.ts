/**
 * A client's sessions with relays: the registered one, the attempt that is to replace it, and those being left. It connects, registers, switches
 * and lets go; the supervisor decides when. What the client's call has to do with it goes by `CallSide`.
 */
import type { Address } from "../base/address.ts";
import { Instant, Micros, millis } from "../base/units.ts";
import type { View } from "../base/view.ts";
import type { RelayDraining, SignalMessage } from "../wire/signal.ts";
import type { CallSide } from "./call-side.ts";
import type { CryptoEngine } from "./crypto.ts";
import { Departures } from "./departure.ts";
import type { HostNetwork } from "./effect.ts";
import { canReach } from "./ice/reach.ts";
import type { Identity } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import * as refuge from "./refuge.ts";
import { nonceAt, OVERTAKEN_WITHIN, REPLACED, signRegistration } from "./registration.ts";
import { relayDial } from "./relay-dial.ts";
import { type Link, viewOf } from "./relay-link.ts";
import { relayLiveness } from "./relay-liveness.ts";
import { addressesOf, reachable, waysTo } from "./relay-route.ts";
import type { SessionEvent, SessionId } from "./session.ts";
import * as supervisor from "./supervisor.ts";

export type Config = {
  readonly identity: Identity;
  readonly crypto: CryptoEngine;
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** Milliseconds of Unix time at instant 0, so that registrations of a process that starts again are later ones; without it they count from instant 0. */
  readonly unixMsAtStart?: number;
  readonly backoff: readonly Micros[];
  /** How often the relay is asked for a sign of life while a call, wherever it stands, waits for its relay. */
  readonly probeEvery: Micros;
  /** This client answers in privacy mode: it asks nobody for its reflexive address. */
  readonly isPrivate: boolean;
};

export type RelaySessions = {
  /** The host's network has changed. */
  network(network: HostNetwork): void;
  /** The user wants to be registered with this relay, or with none. */
  desire(relay: supervisor.RelayTarget | undefined): void;
  isRegistered(): boolean;
  /** The relay that the user wants now. */
  wanted(): supervisor.RelayTarget | undefined;
  isRegisteredBy(link: Link): boolean;
  /** Another session has taken this one's place, or no relay is wanted. */
  isLeft(link: Link): boolean;
  /** The session media leave on: the newest one that carries the call. A silent one still carries what it can. */
  mediaLink(): Link | undefined;
  /** Sends on the registered session, if there is one. */
  send(message: SignalMessage): void;
  /** What came by an event of a session or by a packet that is not QUIC. */
  session(id: SessionId, event: SessionEvent): void;
  packet(from: Address, bytes: Uint8Array): void;
  acknowledged(link: Link, message: SignalMessage & { type: "RegisterAck" }): void;
  /** The relay asks to be left. */
  draining(link: Link, message: RelayDraining): void;
  /** The call is set up, by `link`: its media go by `channel` of the registered session. Where that is another one, its relay has yet to take the call up. */
  granted(link: Link | undefined, channel: number | undefined): void;
  /** The relay carries the call by `channel` of this session. False: of one that is being left, which only changes its channel. */
  carries(link: Link, channel: number): boolean;
  /** The peer is there too, so media may go that way. */
  joined(link: Link): void;
  /** The call is over; `word` is said to every relay that has a part of it and was not told yet. */
  callOver(word: SignalMessage, isTold: boolean): void;
  wake(): void;
  /** To be called after every step: starts and ends asking for the relay's return. */
  attend(): void;
  deadline(): Instant | undefined;
  /** Sessions that are not closed yet. */
  count(): number;
  supervisors(): number;
  view(): Readonly<Record<string, View>>;
};

/** A relay that stops tells all its clients at one instant: those without a call come back spread over this. chosen: a thousand make 500 a second. */
const GOODBYE_SPREAD: Micros = millis(2_000);

export function relaySessions(config: Config, out: Outbox, call: CallSide): RelaySessions {
  let watch: supervisor.State = supervisor.start();
  /** The registered session, and the one that is to replace it: that of the attempt under way whose handshake is complete. */
  let primary: Link | undefined;
  let attempt: Link | undefined;
  const departures = new Departures();
  let refuges: refuge.State = refuge.start();
  let network: HostNetwork | undefined;
  /** The address that this client was last registered by on the network as it is. */
  let used: Address | undefined;
  /** Somebody else answered at one of the relay's addresses, in the attempt under way. */
  let mismatch: { readonly link: Link; readonly found: string } | undefined;
  /** The relay that had us last. */
  let home: supervisor.RelayTarget | undefined;
  let open = 0;

  const sendOn = (link: Link, message: SignalMessage): void => out.send(link.id, message);
  const send = (message: SignalMessage): void => {
    if (primary !== undefined) sendOn(primary, message);
  };
  const closeLink = (link: Link | undefined, detail: string): void => {
    if (link !== undefined) out.push({ type: "close", session: link.id, detail });
  };
  const dial = relayDial(out, {
    now: call.now,
    nextSession: () => {
      open++;
      return call.nextSession();
    },
    won: (link) => {
      attempt = link;
      enrol(link);
    },
  });
  const liveness = relayLiveness(config, out, {
    now: call.now,
    wanted: () => supervisor.desired(watch),
    network: () => network,
    isUrgent: call.needsRelay,
    answered,
    moveTo,
  });
  let enrolledMs = 0;
  /** When this client last registered, until the relay answers: on a session that it leaves before, the registration may still arrive. */
  let unansweredAt: Instant | undefined;
  const chance = (): number => (config.entropy(1)[0] ?? 0) / 256;

  function supervise(input: supervisor.Input): void {
    const [next, effects] = supervisor.step({ backoff: config.backoff }, watch, call.now(), input);
    watch = next;
    for (const effect of effects) {
      switch (effect.type) {
        case "say":
          out.say(effect.saying);
          break;
        case "abandon":
          dial.abandon("abandoned");
          attempt = undefined;
          break;
        case "release":
          // Make before break: a call stays on the session that carries it until the next relay does.
          if (primary !== undefined)
            departures.leave(primary, call.now(), watch.at !== "idle" && primary.hasCallChannel && call.hasMedia());
          primary = undefined;
          break;
        case "attempt":
          attempt = undefined;
          mismatch = undefined;
          dial.begin(effect.relay, waysTo(reachable(effect.relay, network), liveness.alive, used));
          break;
      }
    }
  }

  /** The registered session is in doubt. */
  function fellSilent(): void {
    call.interrupted();
    supervise({ type: "lost", reason: "silent" });
  }

  /** The registered session's address is dead and `way` is not: a session there takes over. */
  function moveTo(way: Address): void {
    used = undefined;
    call.interrupted();
    supervise({ type: "lost", reason: `only ${way} answers` });
  }

  /**
   * An attempt that is through to the relay only waits for its answer: no sign of life makes it better. Unless it has fallen silent: a relay that never
   * got the end of the handshake gives the session up, and the client that thinks it up hears nothing of it. The relay's answer at one of its addresses
   * speaks for that one alone: where it is not dialled yet it is now, where its handshake must have been lost that is begun anew, and the handshakes at
   * the others go on: there may be a network that lets questions through and no QUIC, beside one whose round trip is long.
   */
  function answered(way?: Address, asked?: Instant): void {
    if (attempt?.isConnected === true && !attempt.isSilent) return;
    supervise({ type: "alive", asked, dialledAt: way === undefined || asked === undefined ? undefined : dial.alive(way, asked) });
  }

  function session(id: SessionId, event: SessionEvent): void {
    const dialled = dial.find(id);
    const link = dialled ?? (id === primary?.id ? primary : departures.find(id));
    if (event.type === "closed") return closed(id, link, event);
    if (link === undefined) return;
    if (event.type !== "silent") liveness.heard(link);
    const isLeft = link !== dialled && link !== primary;
    switch (event.type) {
      case "message":
        return call.signal(link, event.bytes);
      case "datagram":
        return call.media(link, event.bytes);
      case "oversized":
        return out.refuse("oversized", `message of ${event.length} octets`);
      case "retried":
        link.dialledAt = call.now();
        return;
      case "connected":
        if (isLeft) return;
        link.isConnected = true;
        link.rtt = event.rtt;
        out.say({ ev: "session", session: id, state: "connected", remote: link.remote, rttMs: event.rtt / 1_000 });
        return dial.completed(link, event.rtt);
      case "path-changed":
        return out.say({ ev: "session", session: id, state: "path-changed", remote: event.remote });
      case "silent":
        out.say({ ev: "session", session: id, state: "silent" });
        link.isSilent = true;
        return link === primary && watch.at === "registered" ? fellSilent() : undefined;
      case "heard":
        out.say({ ev: "session", session: id, state: "heard" });
        link.isSilent = false;
        if (link !== primary || attempt?.isConnected === true) return;
        supervise({ type: "restored" });
        return call.restored();
    }
  }

  function closed(id: SessionId, link: Link | undefined, event: SessionEvent & { type: "closed" }): void {
    open--;
    out.say({ ev: "session", session: id, state: "closed", reason: event.reason });
    if (link === undefined) return;
    if (dial.find(id) === link) {
      if (link === attempt) attempt = undefined;
      if (event.reason === "pin-mismatch") mismatch ??= { link, found: event.detail ?? "" };
      if (!dial.ended(link)) return;
      return mismatch === undefined ? failed(event.reason) : mistaken(mismatch.link, mismatch.found);
    }
    if (link !== primary) return departed(link);
    primary = undefined;
    if (watch.at === "registered" && event.reason === "peer" && event.detail === REPLACED && !isByItself())
      return displaced(link);
    if (watch.at === "registered") {
      call.interrupted();
      return supervise({ type: "lost", reason: event.reason, wait: goodbyeWait(event.reason) });
    }
    if (event.reason === "reset") answered(); // the relay is back and has forgotten us
  }

  /** A relay that says goodbye says it to all its clients at once: those without a call come back one by one, not all at one instant. */
  const goodbyeWait = (reason: string): Micros =>
    Micros(reason === "peer" && !call.isWanted() ? Math.floor(GOODBYE_SPREAD * chance()) : 0);

  function failed(reason: string): void {
    supervise({ type: "failed", reason });
    flee(true);
  }

  /** A session that was being left is closed. When it still carried the call, the next one has to do, as after any loss. */
  function departed(link: Link): void {
    const wasCarrying = departures.carrier() === link;
    departures.closed(link.id);
    if (!wasCarrying || departures.carrier() !== undefined) return;
    for (const one of [primary, attempt]) if (one?.channel !== undefined) carry(one);
  }

  /** Goes where the relay that asked to be left has pointed, when it is time or the relay before has failed. */
  function flee(hasFailed: boolean): void {
    const [state, relay] = refuge.next(refuges, call.now(), hasFailed);
    refuges = state;
    if (relay !== undefined) supervise({ type: "desire", relay });
  }

  /** Whether the registration that took this one's place can be this client's own. Once only: the next one is another process's. */
  function isByItself(): boolean {
    const at = unansweredAt;
    unansweredAt = undefined;
    return at !== undefined && Instant.between(at, call.now()) < OVERTAKEN_WITHIN;
  }

  /** Taking the registration back from another process would go on for ever, so the newer one keeps it. */
  function displaced(link: Link): void {
    const reason = "another client uses this identity";
    out.say({ ev: "registration", state: "refused", relay: link.relay.address, supervisors: 0, reason });
    call.displaced(reason);
  }

  /**
   * Somebody else answered at the relay's address. Before the first registration the pin or the address is wrong, and asking again cannot mend
   * it; afterwards it may be an impostor on the path, who must not be able to end a call, so the supervisor goes on.
   */
  function mistaken(link: Link, found: string): void {
    const reason = `pin-mismatch: expected ${link.relay.pin}, ${found}`;
    if (watch.at === "attempting" && watch.aim === "reconnecting") return failed(reason);
    turnedAway(link, reason);
  }

  /** This relay will not have us. Whoever was to move there goes on to the next, or back to the relay that had it before. */
  function turnedAway(link: Link, reason: string): void {
    const { address } = link.relay;
    const isMoving = (watch.at === "attempting" || watch.at === "waiting") && watch.aim === "switching";
    const before = refuges.relays[0] ?? home;
    if (!isMoving || before === undefined || before.address === address) {
      out.say({ ev: "registration", state: "refused", relay: address, supervisors: 1, reason });
      return supervise({ type: "desire", relay: undefined });
    }
    out.say({ ev: "note", text: `${address} refused the registration (${reason}), going to ${before.address}` });
    if (refuges.relays.length > 0) return flee(true);
    supervise({ type: "desire", relay: before });
  }

  /** On a fresh session: register, and in the same flight take the call up again, media included. */
  function enrol(link: Link): void {
    const { token } = link.relay;
    link.enrolledAt = call.now();
    unansweredAt = call.now();
    // Later than the one before, also within a millisecond.
    enrolledMs = Math.max(enrolledMs + 1, (config.unixMsAtStart ?? 0) + Math.floor(call.now() / 1_000));
    const nonce = nonceAt(enrolledMs, config.entropy(16));
    const registration = signRegistration(config.crypto, config.identity, link.relay.pin, nonce);
    sendOn(link, { type: "Register", ...registration, ...(token === undefined ? {} : { token }) });
    if (!takeUp(link)) return;
    if (departures.carrier() === undefined) carry(link); // else that one carries the call until the peer is here too
  }

  /** Asks the relay to take the call up on this session. False: there is none to take up. */
  function takeUp(link: Link): boolean {
    const resume = call.resumption();
    if (resume === undefined) return false;
    sendOn(link, resume.message);
    link.channel = resume.channel;
    link.isTakenUp = true;
    return true;
  }

  /** Media go by this session from now on. */
  function carry(link: Link): void {
    link.hasCallChannel = true;
    call.rerouted();
  }

  return {
    network: (next) => {
      const before = network;
      network = next;
      liveness.networkChanged();
      /** It has no address to use the session from, and has one to use another from. */
      const isCutOff = (link: Link | undefined): boolean =>
        link !== undefined && !canReach(next, link.remote) && addressesOf(link.relay).some((one) => canReach(next, one));
      used = undefined;
      const relay = supervisor.desired(watch);
      const under = dial.links();
      const hasMore = relay?.also?.some((one) => canReach(next, one) && !canReach(before, one)) ?? false;
      if (watch.at === "registered" && isCutOff(primary)) {
        call.interrupted();
        supervise({ type: "lost", reason: "no address of its family" });
      } else if ((under.length > 0 && under.every(isCutOff)) || (watch.at === "waiting" && hasMore)) supervise({ type: "alive" });
    },
    desire: (relay) => {
      refuges = refuge.start();
      supervise({ type: "desire", relay });
    },
    wanted: () => supervisor.desired(watch),
    isRegistered: () => watch.at === "registered" && primary !== undefined,
    isRegisteredBy: (link) => link === primary,
    isLeft: (link) => departures.find(link.id) === link,
    mediaLink: () => (attempt?.hasCallChannel ? attempt : primary?.hasCallChannel ? primary : departures.carrier()),
    send,
    session,
    packet: liveness.packet,
    acknowledged: (link, message) => {
      if (link !== attempt) return out.refuse("duplicate", message.type);
      unansweredAt = undefined;
      if (link.enrolledAt !== undefined) link.rtt = Micros(Math.min(link.rtt, Instant.between(link.enrolledAt, call.now())));
      if (!message.ok) return turnedAway(link, message.reason ?? "refused");
      closeLink(primary, "replaced");
      dial.settled();
      primary = link;
      attempt = undefined;
      used = link.remote;
      home = link.relay;
      refuges = refuge.start();
      supervise({ type: "succeeded" });
      if (!link.isTakenUp && takeUp(link)) carry(link);
      call.registered();
      if (link.isSilent) fellSilent(); // before its answer was read, and that is not said again
    },
    draining: (link, message) => {
      const isHome = link === primary && watch.at === "registered";
      if (!isHome && link !== attempt) return out.refuse("unexpected", message.type);
      out.say({ ev: "note", text: `relay is draining, ${message.alternatives?.length ?? 0} alternatives` });
      refuges = refuge.asked(refuges, call.now(), link.relay, message, isHome ? chance() : 0);
      flee(false);
    },
    granted: (link, channel) => {
      if (primary === undefined) return;
      primary.hasCallChannel = true;
      primary.channel = channel;
      if (link !== primary && takeUp(primary)) call.registered();
    },
    carries: (link, channel) => {
      link.channel = channel;
      return link === primary || link === attempt;
    },
    joined: (link) => {
      if (!link.hasCallChannel) carry(link);
      departures.relieve(call.now());
    },
    callOver: (word, isTold) => {
      const carrier = departures.carrier();
      if (carrier !== undefined) {
        sendOn(carrier, word);
        if (!isTold) send(word);
        departures.relieve(call.now());
      }
      for (const link of [primary, attempt]) {
        if (link === undefined) continue;
        link.hasCallChannel = false;
        link.channel = undefined;
      }
    },
    wake: () => {
      supervise({ type: "wake" });
      dial.wake();
      liveness.wake();
      flee(false);
      for (const id of departures.due(call.now())) out.push({ type: "close", session: id, detail: "released" });
    },
    attend: () => {
      const isAsking = supervisor.supervisors(watch) === 1 && (call.isWanted() || attempt?.isSilent === true);
      liveness.attend(isAsking, watch.at === "registered" ? primary : undefined);
    },
    deadline: () =>
      Instant.earliest(
        Instant.earliest(supervisor.deadline(watch), dial.deadline()),
        liveness.deadline(),
        departures.deadline(),
        refuge.deadline(refuges),
      ),
    count: () => open,
    supervisors: () => supervisor.supervisors(watch),
    view: () => ({
      supervisor: supervisor.view(watch),
      primary: viewOf(primary),
      attempt: viewOf(attempt ?? dial.links()[0]),
      leaving: departures.view(),
      ...liveness.view(),
    }),
  };
}
