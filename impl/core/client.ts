/**
 * The client: one registration kept up by the supervisor, one call at a time, media over whatever session leads to the relay.
 * The call belongs to the client and not to a session: sessions come and go underneath it.
 */

import type { Address } from "../base/address.ts";
import { fromHex } from "../base/cursor.ts";
import { DEFAULT_JITTER_BUFFER, type JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, millis } from "../base/units.ts";
import { peekChannel } from "../wire/media-header.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { parseStun } from "../wire/stun.ts";
import * as call from "./call.ts";
import { verifyCallProof } from "./call-proof.ts";
import type { CodecEngine, CodecSettings } from "./codec.ts";
import type { CryptoEngine } from "./crypto.ts";
import type { Machine, WorldInput } from "./effect.ts";
import { Farewells } from "./farewell.ts";
import { fingerprintOf, type Identity } from "./identity.ts";
import { DEFAULT_FEC, type FecOptions } from "./media-stream.ts";
import { Outbox } from "./outbox.ts";
import { REPLACED, signRegistration } from "./registration.ts";
import { type Link, lingersUntil, startLink, viewOf } from "./relay-link.ts";
import * as probe from "./relay-probe.ts";
import type { SessionEvent, SessionId } from "./session.ts";
import * as supervisor from "./supervisor.ts";

/** What the client does with an incoming call; `after` counts from ringing. */
export type AnswerPolicy = { readonly mode: "AcceptTrusted" | "AcceptGeneric" | "Reject"; readonly after: Micros };

export type Config = {
  readonly identity: Identity;
  readonly crypto: CryptoEngine;
  readonly codec: CodecEngine;
  readonly settings: CodecSettings;
  /** DEFAULT_JITTER_BUFFER unless told. */
  readonly jitterBuffer?: JitterBufferName;
  /** DEFAULT_FEC unless told. */
  readonly fec?: FecOptions;
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** Undefined: let it ring. */
  readonly answer: AnswerPolicy | undefined;
  readonly backoff: readonly Micros[];
  /** How often the relay is asked for a sign of life while a call, wherever it stands, waits for its relay. */
  readonly probeEvery: Micros;
};

/** Probes of 48 octets while signalling is down and there is a call. chosen: 100 ms adds at most 100 ms to a recovery and costs 4 kbit/s. */
export const DEFAULT_PROBE: Micros = millis(100);

/** How long a party waits for its own reflexive address before it offers or answers without it. chosen: two long round trips. */
const REFLEXIVE_PATIENCE: Micros = millis(500);

export type Command =
  | { readonly type: "register"; readonly relay: supervisor.RelayTarget }
  | { readonly type: "deregister" }
  /** Calls the client with this fingerprint as soon as this one is registered. */
  | { readonly type: "call"; readonly peer: string }
  | { readonly type: "hang-up"; readonly reason: string }
  /** Hang up, deregister, close everything. */
  | { readonly type: "stop" };

export type Input =
  | WorldInput
  | { readonly type: "command"; readonly command: Command }
  /** One frame from the microphone (960 samples), every 20 ms of the party's own clock. */
  | { readonly type: "capture"; readonly pcm: Int16Array }
  /** The loudspeaker wants a frame, every 20 ms of the party's own clock. */
  | { readonly type: "playout" }
  /** Say what is still held. */
  | { readonly type: "held" };

export function client(config: Config): Machine<Input> {
  const out = new Outbox();
  let watch: supervisor.State = supervisor.start();
  /** The registered session, and the one that is to replace it. */
  let primary: Link | undefined;
  let attempt: Link | undefined;
  let sessions = 0;
  let nextSession = 1;
  let current: call.Call | undefined;
  const farewells = new Farewells();
  let reflexive: Address | undefined;
  let asking: probe.State = probe.start();
  /** Sessions given up on purpose, and when they are closed: what was said last still has to arrive. */
  const leaving = new Map<SessionId, Instant>();
  let now = Instant(0);

  const say = (saying: Saying): void => out.say(saying);
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const sendOn = (link: Link, message: SignalMessage): void => out.send(link.id, message);
  const send = (message: SignalMessage): void => {
    if (primary !== undefined) sendOn(primary, message);
  };
  const isRegistered = (): boolean => watch.at === "registered" && primary !== undefined;
  const closeLink = (link: Link | undefined, detail: string): void => {
    if (link !== undefined) out.push({ type: "close", session: link.id, detail });
  };

  function supervise(input: supervisor.Input): void {
    const [next, effects] = supervisor.step({ backoff: config.backoff }, watch, now, input);
    watch = next;
    for (const effect of effects) {
      switch (effect.type) {
        case "say":
          say(effect.saying);
          break;
        case "abandon":
          closeLink(attempt, "abandoned");
          attempt = undefined;
          break;
        case "release":
          if (primary !== undefined) leaving.set(primary.id, lingersUntil(primary, now));
          primary = undefined;
          break;
        case "attempt": {
          closeLink(attempt, "superseded");
          attempt = startLink(nextSession++, effect.relay);
          sessions++;
          say({ ev: "session", session: attempt.id, state: "connecting", remote: effect.relay.address });
          out.push({ type: "connect", session: attempt.id, remote: effect.relay.address, pin: effect.relay.pin });
          break;
        }
      }
    }
  }

  /** A call, from the moment it is wanted, is worth asking for the relay's return. */
  function attend(): void {
    const isWanted = supervisor.supervisors(watch) === 1 && current !== undefined;
    asking = isWanted ? probe.begin(asking, now) : probe.end(asking);
  }

  function ask(): void {
    const [next, question] = probe.wake({ every: config.probeEvery, entropy: config.entropy }, asking, now);
    asking = next;
    const relay = supervisor.desired(watch);
    if (question !== undefined && relay !== undefined) out.push({ type: "packet", to: relay.address, bytes: question });
  }

  function packet(from: Address, bytes: Uint8Array): void {
    const stun = parseStun(bytes);
    if (!stun.ok) return refuse("malformed", "STUN packet");
    const asked = stun.kind === "response" ? probe.askedAt(asking, stun.transactionId) : undefined;
    if (asked === undefined || from !== supervisor.desired(watch)?.address) return refuse("unexpected", `STUN ${stun.kind}`);
    alive(asked);
  }

  /** An attempt that is through to the relay only waits for its answer: no sign of life makes it better. */
  const alive = (asked: Instant | undefined): void => {
    if (attempt?.isConnected !== true) supervise({ type: "alive", asked });
  };

  function session(id: SessionId, event: SessionEvent): void {
    const link = id === attempt?.id ? attempt : id === primary?.id ? primary : undefined;
    if (event.type === "closed") {
      sessions--;
      say({ ev: "session", session: id, state: "closed", reason: event.reason });
      leaving.delete(id);
      if (link === undefined) return;
      if (link === attempt) {
        attempt = undefined;
        return event.reason === "pin-mismatch"
          ? mistaken(link, event.detail ?? "")
          : supervise({ type: "failed", reason: event.reason });
      }
      primary = undefined;
      if (watch.at === "registered" && event.reason === "peer" && event.detail === REPLACED) return displaced(link);
      if (watch.at === "registered") {
        interrupted();
        return supervise({ type: "lost", reason: event.reason });
      }
      if (event.reason === "reset") alive(undefined); // the relay is back and has forgotten us
      return;
    }
    if (link === undefined) return;
    switch (event.type) {
      case "connected":
        link.isConnected = true;
        link.rtt = event.rtt;
        say({ ev: "session", session: id, state: "connected", remote: link.relay.address, rttMs: event.rtt / 1_000 });
        return enrol(link);
      case "message":
        return signal(link, event.bytes);
      case "datagram":
        return media(event.bytes);
      case "oversized":
        return refuse("oversized", `message of ${event.length} octets`);
      case "path-changed":
        return say({ ev: "session", session: id, state: "path-changed", remote: event.remote });
      case "silent":
        say({ ev: "session", session: id, state: "silent" });
        if (link !== primary || watch.at !== "registered") return;
        interrupted();
        return supervise({ type: "lost", reason: "silent" });
      case "heard":
        say({ ev: "session", session: id, state: "heard" });
        if (link !== primary || attempt?.isConnected === true) return;
        supervise({ type: "restored" });
        return drive({ type: "restored" });
    }
  }

  /** Another process has registered with this identity. Taking it back would go on for ever, so the newer one keeps it. */
  function displaced(link: Link): void {
    const reason = "another client uses this identity";
    say({ ev: "registration", state: "refused", relay: link.relay.address, supervisors: 0, reason });
    leave(reason);
  }

  /**
   * Somebody else answered at the relay's address. Before the first registration the pin or the address is wrong, and asking again cannot mend
   * it; afterwards it may be an impostor on the path, who must not be able to end a call, so the supervisor goes on.
   */
  function mistaken(link: Link, found: string): void {
    const reason = `pin-mismatch: expected ${link.relay.pin}, ${found}`;
    if (watch.at === "attempting" && watch.again) return supervise({ type: "failed", reason });
    say({ ev: "registration", state: "refused", relay: link.relay.address, supervisors: 1, reason });
    supervise({ type: "desire", relay: undefined });
  }

  /** On a fresh session: register, and in the same flight take the call up again, media included. */
  function enrol(link: Link): void {
    const { token } = link.relay;
    const registration = signRegistration(config.crypto, config.identity, link.relay.pin, config.entropy(16));
    sendOn(link, { type: "Register", ...registration, ...(token === undefined ? {} : { token }) });
    if (current === undefined) return;
    const resume = call.resume(context(), current, now);
    if (resume === undefined) return;
    sendOn(link, resume);
    link.hasCallChannel = true;
    current.media?.resync();
  }

  function signal(link: Link, bytes: Uint8Array): void {
    const message = out.read(link.id, bytes);
    if (message === undefined) return;
    switch (message.type) {
      case "RegisterAck":
        return registered(link, message);
      case "ReflectResponse":
        return reflected(message.addr);
      case "DirectCallOffer":
        return link === primary ? offered(link, message) : refuse("unexpected", message.type);
      case "Refusal":
        return refused(message);
      case "CallResume":
        return challenged(link, message);
      case "Hangup":
        return hungUp(link, message);
      case "HangupAck":
        return farewells.acknowledged(message.call_id);
      case "DirectCallAnswer":
      case "CallSetup":
      case "CallResumed":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        if (current?.id === message.call_id) return drive({ type: "signal", message });
        if (message.type === "DirectCallAnswer") sayLastWord(link, message.call_id);
        return refuse("unknown-call", message.type);
      default:
        return refuse("unexpected", message.type);
    }
  }

  function registered(link: Link, message: SignalMessage & { type: "RegisterAck" }): void {
    if (link !== attempt) return refuse("duplicate", message.type);
    if (!message.ok) {
      say({
        ev: "registration",
        state: "refused",
        relay: link.relay.address,
        supervisors: 1,
        reason: message.reason ?? "refused",
      });
      return supervise({ type: "desire", relay: undefined });
    }
    closeLink(primary, "replaced");
    primary = link;
    attempt = undefined;
    supervise({ type: "succeeded" });
    for (const owed of farewells.reopened(now)) send(owed);
    drive({ type: "registered" });
  }

  /** The registration is in doubt: the call goes on as well as it can. */
  const interrupted = (): void => drive({ type: "interrupted" });

  /** The relay tells our address as it sees it: asked for at set-up, unasked when a NAT rebound us. */
  function reflected(address: Address): void {
    const isNew = reflexive !== undefined && reflexive !== address;
    reflexive = address;
    drive({ type: "reflexive", address, isNew });
  }

  function refused(message: SignalMessage & { type: "Refusal" }): void {
    if (current === undefined || message.call_id !== current.id) return;
    if (message.re === "DirectCallOffer" || message.re === "DirectCallAnswer" || message.re === "CallResume")
      drive({ type: "refused", re: message.re, reason: message.reason });
  }

  /** Whoever still asks about a call that is over is told how it ended. */
  function sayLastWord(link: Link, id: string): void {
    const word = farewells.lastWord(id);
    if (word !== undefined) sendOn(link, word);
  }

  function hungUp(link: Link, message: SignalMessage & { type: "Hangup" }): void {
    sendOn(link, { type: "HangupAck", call_id: message.call_id });
    if (current?.id === message.call_id) return drive({ type: "signal", message });
    if (farewells.lastWord(message.call_id) !== undefined) return farewells.acknowledged(message.call_id);
    farewells.remember(now, message.call_id, message, false); // an offer that it overtook must not ring
    refuse("unknown-call", message.type);
  }

  /** The peer takes up a call that we have not taken up at this relay: it has to be told when we never shall. */
  function challenged(link: Link, message: SignalMessage & { type: "CallResume" }): void {
    const { call_id: id, caller_share: caller, callee_share: callee } = message;
    const { crypto, identity } = config;
    if (caller === undefined || callee === undefined || message.peer_fingerprint !== identity.fingerprint)
      return refuse("unexpected", message.type);
    const key = fromHex((message.role === "caller" ? caller : callee).identity);
    const other = key === undefined ? "" : fingerprintOf(crypto, key);
    const [from, to] = message.role === "caller" ? [other, identity.fingerprint] : [identity.fingerprint, other];
    const checked = verifyCallProof(crypto, { caller, callee }, { call: id, caller: from, callee: to });
    if (!checked.ok) return refuse(checked.reason, message.type);
    if (current?.id === id) return;
    if (farewells.lastWord(id) === undefined)
      farewells.remember(now, id, { type: "Hangup", call_id: id, reason: "call-lost" }, false);
    sayLastWord(link, id);
  }

  function offered(link: Link, message: SignalMessage & { type: "DirectCallOffer" }): void {
    if (message.callee_fingerprint !== config.identity.fingerprint) return refuse("unknown-call", message.type);
    if (current?.id === message.call_id) return drive({ type: "offered", message });
    if (farewells.lastWord(message.call_id) !== undefined) {
      refuse("duplicate", "DirectCallOffer of a call that is over");
      return sayLastWord(link, message.call_id);
    }
    const isCrossing = isCrossed(message);
    if (isCrossing && current?.stage === "offering" && current.id < message.call_id)
      return refuse("duplicate", "DirectCallOffer that crossed ours");
    if (current !== undefined && !isCrossing) {
      const busy: SignalMessage = {
        type: "DirectCallAnswer",
        call_id: message.call_id,
        mode: "Reject",
        callee_fingerprint: config.identity.fingerprint,
        reason: "busy",
      };
      farewells.remember(now, message.call_id, busy, false);
      return sendOn(link, busy);
    }
    const incoming = call.incoming(context(), now, message, isCrossing ? willing() : config.answer);
    if (!incoming.ok) return refuse(incoming.reason, message.type);
    drive({ type: "hang-up", reason: "glare" });
    current = incoming.call;
    apply(incoming.effects);
  }

  /** Both call each other at once (glare). The call with the lower id goes on at both ends; one that was not offered yet gives way. */
  const isCrossed = (message: SignalMessage & { type: "DirectCallOffer" }): boolean =>
    current?.role === "caller" &&
    current.peer === message.caller_fingerprint &&
    (current.stage === "waiting" || current.stage === "offering");

  /** Who calls somebody is willing to be called by them: answered at once, in privacy mode where that is the rule. */
  const willing = (): AnswerPolicy => ({
    mode: config.answer?.mode === "AcceptGeneric" ? "AcceptGeneric" : "AcceptTrusted",
    after: millis(0),
  });

  function drive(input: call.Input): void {
    if (current !== undefined) apply(call.step(context(), current, now, input));
  }

  const context = (): call.Context => ({
    ...config,
    jitterBuffer: config.jitterBuffer ?? DEFAULT_JITTER_BUFFER,
    fec: config.fec ?? DEFAULT_FEC,
    say,
    refuse,
    reflexive,
    patience: REFLEXIVE_PATIENCE,
    isRegistered: isRegistered(),
  });

  function apply(effects: readonly call.Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "send") send(effect.message);
      else if (effect.type === "active" && primary !== undefined) primary.hasCallChannel = true;
      else if (effect.type === "ended") {
        if (current !== undefined) farewells.remember(now, current.id, effect.word, effect.isOwed, effect.opening);
        current = undefined;
        reflexive = undefined;
        for (const link of [primary, attempt]) if (link !== undefined) link.hasCallChannel = false;
      }
    }
  }

  function media(bytes: Uint8Array): void {
    const channel = peekChannel(bytes);
    if (channel === undefined) return refuse("malformed", "datagram");
    if (current?.media === undefined || channel !== current.channel) return refuse("unknown-call", "datagram");
    const reason = current.media.receive(now, bytes);
    if (reason !== undefined) refuse(reason, "media packet");
  }

  /** The session media leave on: the newest one that knows the call. A silent one still carries what it can. */
  const mediaLink = (): Link | undefined => (attempt?.hasCallChannel ? attempt : primary?.hasCallChannel ? primary : undefined);

  function command(order: Command): void {
    switch (order.type) {
      case "register":
        return supervise({ type: "desire", relay: order.relay });
      case "deregister":
        return leave("deregistered");
      case "call":
        if (current !== undefined) return say({ ev: "note", text: "a call is up already" });
        current = call.outgoing(context(), now, order.peer);
        return drive({ type: "wake" });
      case "hang-up":
        return drive({ type: "hang-up", reason: order.reason });
      case "stop":
        return leave("stopped");
    }
  }

  function leave(reason: string): void {
    drive({ type: "hang-up", reason });
    farewells.forgive();
    supervise({ type: "desire", relay: undefined });
  }

  return {
    view: () => ({
      supervisor: supervisor.view(watch),
      primary: viewOf(primary),
      attempt: viewOf(attempt),
      leaving: [...leaving].map(([id, until]) => ({ session: id, until })),
      probe: { due: probe.deadline(asking) ?? null, unanswered: asking.asked.size },
      call: current === undefined ? null : call.view(current),
      hangUpDue: farewells.deadline() ?? null,
    }),
    deadline: () =>
      Instant.earliest(
        supervisor.deadline(watch),
        probe.deadline(asking),
        current === undefined ? undefined : call.deadline(current),
        isRegistered() ? farewells.deadline() : undefined,
        ...(leaving.size === 0 ? [] : leaving.values()),
      ),
    step(at, input) {
      now = at;
      switch (input.type) {
        case "capture": {
          if (current?.media === undefined) break;
          const link = mediaLink();
          const sealed = current.media.capture(now, input.pcm, link === undefined ? undefined : current.channel);
          if (link !== undefined) for (const bytes of sealed) out.push({ type: "datagram", session: link.id, bytes });
          break;
        }
        case "playout": {
          const pcm = current?.media?.playout(now);
          if (pcm !== undefined) out.push({ type: "play", pcm });
          break;
        }
        case "session":
          session(input.session, input.event);
          break;
        case "packet":
          packet(input.from, input.bytes);
          break;
        case "wake":
          supervise({ type: "wake" });
          ask();
          for (const [id, at] of leaving) {
            if (now < at) continue;
            leaving.delete(id);
            out.push({ type: "close", session: id, detail: "released" });
          }
          if (isRegistered()) for (const owed of farewells.due(now)) send(owed);
          drive({ type: "wake" });
          break;
        case "command":
          command(input.command);
          break;
        case "accepted":
          refuse("unexpected", "incoming session");
          out.push({ type: "close", session: input.session, detail: "not expected" });
          break;
        case "held":
          say({ ev: "held", sessions, calls: current === undefined ? 0 : 1, supervisors: supervisor.supervisors(watch) });
          break;
      }
      attend();
      return out.take();
    },
  };
}
