/**
 * The client: one registration kept up by its relay sessions, one call at a time, media over whatever session leads to the relay.
 * The call belongs to the client and not to a session: sessions come and go underneath it.
 */

import { fromHex } from "../base/cursor.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros, millis } from "../base/units.ts";
import { peekChannel } from "../wire/media-header.ts";
import type { SignalMessage } from "../wire/signal.ts";
import * as call from "./call.ts";
import { verifyCallProof } from "./call-proof.ts";
import type { CodecEngine, CodecSettings } from "./codec.ts";
import type { Machine, WorldInput } from "./effect.ts";
import { Farewells } from "./farewell.ts";
import { type ClientIce, clientIce, type IceConfig } from "./ice/client-ice.ts";
import { fingerprintOf } from "./identity.ts";
import { type MediaChoices, withDefaults } from "./media-choices.ts";
import { Outbox } from "./outbox.ts";
import type { Link } from "./relay-link.ts";
import { type Config as RelayConfig, type RelaySessions, relaySessions } from "./relay-sessions.ts";
import type { RelayTarget } from "./supervisor.ts";

/** What the client does with an incoming call; `after` counts from ringing. */
export type AnswerPolicy = { readonly mode: "AcceptTrusted" | "AcceptGeneric" | "Reject"; readonly after: Micros };

export type Config = Omit<RelayConfig, "isPrivate"> &
  IceConfig &
  MediaChoices & {
    readonly codec: CodecEngine;
    readonly settings: CodecSettings;
    /** Undefined: let it ring. */
    readonly answer: AnswerPolicy | undefined;
  };

/** Probes of 48 octets while signalling is down and there is a call. chosen: 100 ms adds at most 100 ms to a recovery and costs 4 kbit/s. */
export const DEFAULT_PROBE: Micros = millis(100);

/** How long a party waits for its own reflexive address before it offers or answers without it. chosen: two long round trips. */
const REFLEXIVE_PATIENCE: Micros = millis(500);

export type Command =
  | { readonly type: "register"; readonly relay: RelayTarget }
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
  let current: call.Call | undefined;
  /** The session that the last set-up came by. */
  let setUpBy: Link | undefined;
  const farewells = new Farewells();
  let nextSession = 1;
  let now = Instant(0);
  /** What `deadline` last came to, while it still holds: half of all inputs are ticks of the loudspeaker, which owe nothing to time. */
  let due: { readonly at: Instant | undefined } | undefined;

  const say = (saying: Saying): void => out.say(saying);
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);
  const sendOn = (link: Link, message: SignalMessage): void => out.send(link.id, message);
  const isPrivate = config.answer?.mode === "AcceptGeneric";
  const relays: RelaySessions = relaySessions({ ...config, isPrivate }, out, {
    now: () => now,
    nextSession: () => nextSession++,
    isWanted: () => current !== undefined,
    hasMedia: () => current?.media !== undefined,
    needsRelay: () => current !== undefined && !ice.isBeyondDoubt(),
    resumption: () => {
      const message = current === undefined ? undefined : call.resume(context, current, now);
      return message === undefined ? undefined : { message, channel: current?.channel };
    },
    rerouted: () => current?.media?.resync(),
    interrupted: () => drive({ type: "interrupted" }),
    restored: () => {
      drive({ type: "restored" });
      ice.rejoined();
    },
    registered: () => {
      for (const owed of farewells.reopened(now)) relays.send(owed);
      drive({ type: "registered" });
    },
    signal,
    media,
    displaced: leave,
  });
  const ice: ClientIce = clientIce(config, out, {
    now: () => now,
    nextSession: () => nextSession++,
    relays,
    call: () => current,
    drive,
    media: receive,
  });

  function signal(link: Link, bytes: Uint8Array): void {
    const message = out.read(link.id, bytes);
    if (message === undefined) return;
    switch (message.type) {
      case "RegisterAck":
        return relays.acknowledged(link, message);
      case "RelayDraining":
        return relays.draining(link, message);
      case "ReflectResponse":
        return ice.reflected(message.addr);
      case "DirectCallOffer":
        // The relay that a callee leaves has its session, and brings the offer of who comes there meanwhile.
        return relays.isRegisteredBy(link) || current?.id === message.call_id
          ? offered(link, message)
          : refuse("unexpected", message.type);
      case "Refusal":
        return refused(message);
      case "CallResume":
        return challenged(link, message);
      case "Hangup":
        return hungUp(link, message);
      case "HangupAck":
        return farewells.acknowledged(message.call_id);
      case "CallResumed":
        return current?.id === message.call_id ? resumed(link, message) : refuse("unknown-call", message.type);
      case "CallSetup":
        if (current?.id !== message.call_id) return refuse("unknown-call", message.type);
        setUpBy = link;
        return drive({ type: "signal", message });
      case "DirectCallAnswer":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        if (current?.id === message.call_id) return drive({ type: "signal", message });
        if (message.type === "DirectCallAnswer") answeredInVain(link, message);
        return refuse("unknown-call", message.type);
      default:
        return refuse("unexpected", message.type);
    }
  }

  function resumed(link: Link, message: SignalMessage & { type: "CallResumed" }): void {
    if (!relays.carries(link, message.channel)) return;
    drive({ type: "signal", message });
    if (message.peer_present && current?.media !== undefined) {
      relays.joined(link);
      ice.rejoined();
    }
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

  /** Only a process of before this one can have offered what nobody here remembers: who answers it, and the relay that sets it up, wait for nobody. */
  function answeredInVain(link: Link, { call_id: id, mode }: SignalMessage & { type: "DirectCallAnswer" }): void {
    if (farewells.lastWord(id) === undefined && mode !== "Reject")
      farewells.remember(now, id, { type: "Hangup", call_id: id, reason: "call-lost" }, true);
    sayLastWord(link, id);
  }

  function hungUp(link: Link, message: SignalMessage & { type: "Hangup" }): void {
    sendOn(link, { type: "HangupAck", call_id: message.call_id });
    // Both may have left that relay, and it cannot know: the call is another one's now.
    if (current?.id === message.call_id && isGuess(message) && relays.isLeft(link) && !link.hasCallChannel)
      return refuse("unexpected", "Hangup by a relay that is left");
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
    const last = farewells.lastWord(message.call_id);
    if (last !== undefined && !isGuess(last)) {
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
    const incoming = call.incoming(context, now, message, isCrossing ? willing() : config.answer);
    if (!incoming.ok) return refuse(incoming.reason, message.type);
    drive({ type: "hang-up", reason: "glare" });
    current = incoming.call;
    apply(incoming.effects);
  }

  /** A relay took the caller for lost. One that offers the call still, by another relay as a rule, is not. */
  const isGuess = (word: SignalMessage): boolean => word.type === "Hangup" && word.reason === "peer-lost";

  /** Both call each other at once (glare). The call with the lower id goes on at both ends; one that was not offered yet gives way. */
  const isCrossed = (message: SignalMessage & { type: "DirectCallOffer" }): boolean =>
    current?.role === "caller" &&
    current.peer === message.caller_fingerprint &&
    (current.stage === "waiting" || current.stage === "offering");

  /** Who calls somebody is willing to be called by them: answered at once, in privacy mode where that is the rule. */
  const willing = (): AnswerPolicy => ({
    mode: isPrivate ? "AcceptGeneric" : "AcceptTrusted",
    after: millis(0),
  });

  function drive(input: call.Input): void {
    if (current !== undefined) apply(call.step(context, current, now, input));
  }

  /** Made once: a call reads how things stand when it asks. */
  const context: call.Context = {
    ...config,
    ...withDefaults(config),
    say,
    refuse,
    certificate: ice.certificate,
    patience: REFLEXIVE_PATIENCE,
    get candidates() {
      return ice.candidates();
    },
    get isDirect() {
      return ice.isDirect();
    },
    get isRegistered() {
      return relays.isRegistered();
    },
  };

  function apply(effects: readonly call.Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "send") relays.send(effect.message);
      else if (effect.type === "active") {
        relays.granted(setUpBy, current?.channel);
        ice.begin();
      } else if (effect.type !== "ended") ice.apply(effect);
      else if (effect.type === "ended") {
        if (current !== undefined) farewells.remember(now, current.id, effect.word, effect.isOwed, effect.opening);
        ice.end(effect.isOwed && effect.word.type === "Hangup" ? (effect.word.reason ?? "hung-up") : undefined);
        current = undefined;
        relays.callOver(effect.word, effect.isOwed);
      }
    }
  }

  function media(link: Link, bytes: Uint8Array): void {
    const channel = peekChannel(bytes);
    if (channel === undefined) return refuse("malformed", "datagram");
    if (current?.media === undefined || channel !== link.channel) return refuse("unknown-call", "datagram");
    receive(bytes);
  }

  /** A packet of the peer, whichever way it came. While it may come both ways, the second copy is nothing to complain about. */
  function receive(bytes: Uint8Array): void {
    const reason = current?.media?.receive(now, bytes);
    if (reason !== undefined && !(reason === "replayed" && ice.expectsCopies())) refuse(reason, "media packet");
  }

  function command(order: Command): void {
    switch (order.type) {
      case "register":
        return relays.desire(order.relay);
      case "deregister":
        return leave("deregistered");
      case "call":
        if (current !== undefined) return say({ ev: "note", text: "a call is up already" });
        current = call.outgoing(context, now, order.peer);
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
    relays.desire(undefined);
  }

  return {
    view: () => ({
      ...relays.view(),
      ice: ice.view(),
      call: current === undefined ? null : call.view(current),
      hangUpDue: farewells.deadline() ?? null,
    }),
    deadline: () => {
      due ??= {
        at: Instant.earliest(
          relays.deadline(),
          ice.deadline(),
          current === undefined ? undefined : call.deadline(current),
          relays.isRegistered() ? farewells.deadline() : undefined,
        ),
      };
      return due.at;
    },
    step(at, input) {
      now = at;
      if (input.type === "playout") {
        const pcm = current?.media?.playout(now);
        if (pcm !== undefined) out.push({ type: "play", pcm });
        return out.take();
      }
      // A microphone that nobody listens to owes nothing to time either: it is that for most of a client's life.
      if (input.type === "capture" && current?.media === undefined) return out.take();
      due = undefined;
      switch (input.type) {
        case "capture": {
          if (current?.media === undefined) break;
          const channel = relays.mediaLink()?.channel ?? (ice.isDirect() ? current.channel : undefined);
          ice.send(current.media.capture(now, input.pcm, channel));
          break;
        }
        case "session":
          if (!ice.session(input.session, input.event)) relays.session(input.session, input.event);
          break;
        case "packet":
          if (!ice.packet(input.from, input.bytes)) relays.packet(input.from, input.bytes);
          break;
        case "http":
          ice.http(input.id, input.response);
          break;
        case "network":
          relays.network(input.network);
          ice.network(input.network);
          break;
        case "network-stirs":
          ice.stirred();
          break;
        case "wake":
          relays.wake();
          ice.wake();
          if (relays.isRegistered()) for (const owed of farewells.due(now)) relays.send(owed);
          drive({ type: "wake" });
          break;
        case "command":
          command(input.command);
          break;
        case "accepted":
          ice.accepted(input.session, input.remote);
          break;
        case "held":
          say({
            ev: "held",
            sessions: relays.count() + ice.count(),
            calls: current === undefined ? 0 : 1,
            supervisors: relays.supervisors(),
          });
          break;
      }
      relays.attend();
      return out.take();
    },
  };
}
