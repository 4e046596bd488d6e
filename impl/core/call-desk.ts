/**
 * What a relay does about calls: it passes offers, answers and hang-ups on, gives a call its channel, and takes it up again for parties that come
 * back. Parties say everything again until they see it was acted upon, so a repeated message is passed on again and never taken for another call.
 */
import type { Address } from "../base/address.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant, type Micros } from "../base/units.ts";
import type { View } from "../base/view.ts";
import type { SignalMessage } from "../wire/signal.ts";
import { verifyCallProof } from "./call-proof.ts";
import { type AdvertisedAddresses, type Call, CallRegistry, type Parties, type Side } from "./call-registry.ts";
import type { CryptoEngine } from "./crypto.ts";
import { EndedCalls } from "./ended-calls.ts";
import type { RegistrationProof } from "./registration.ts";
import type { SessionId } from "./session.ts";

/** What calls may cost a relay. */
export type CallLimits = {
  /** A call whose party is gone for longer than this is ended for the other one; one that is over is remembered for as long. */
  readonly resumeWithin: Micros;
  /** An offer that is neither answered nor taken back by then is ended for both. */
  readonly answerWithin: Micros;
  /** Calls at once, offered ones included; more are refused. As many that are over are remembered. */
  readonly maxCalls: number;
  /** Offers of one client at once that wait for their answer; more are refused. */
  readonly maxOffers: number;
};

/** A session of the relay, registered when it has a fingerprint. */
export type Peer = {
  readonly session: SessionId;
  readonly since: Instant;
  remote: Address;
  fingerprint: string | undefined;
  /** The registration it is known by, for other relays to see. */
  proof?: RegistrationProof;
  readonly channels: Map<number, Call>;
  /** Calls it offered that wait for their answer. */
  offers: Set<Call>;
  /** It stands for a client of another relay, with which it shares calls (impl/core/federation). */
  readonly isRemote?: true;
};

/** The relay around the desk. */
export type Hub = {
  readonly limits: CallLimits;
  readonly crypto: CryptoEngine;
  now(): Instant;
  /** The session with this number, while it lives. */
  peer(session: SessionId): Peer | undefined;
  /** The session that the client with this fingerprint is registered by. */
  registered(fingerprint: string): Peer | undefined;
  send(peer: Peer, message: SignalMessage): void;
  /** `peer` carries `call` from now on. */
  carries(peer: Peer, call: Call): void;
  /** The call is over, or nobody carries it any more. */
  released(call: Call): void;
  refuse(reason: RefusalReason, what: string): void;
  say(saying: Saying): void;
  /** There is something `sweep` has to look at in due time. */
  sweepSoon(): void;
};

type Of<Type extends SignalMessage["type"]> = SignalMessage & { readonly type: Type };

/** `from` is the fingerprint `peer` is registered by. */
export type CallDesk = {
  readonly size: number;
  offer(peer: Peer, from: string, message: Of<"DirectCallOffer">): void;
  answer(peer: Peer, from: string, message: Of<"DirectCallAnswer">): void;
  resume(peer: Peer, from: string, message: Of<"CallResume">): void;
  /** A message for the other party of a call. */
  forward(peer: Peer, from: string, message: Of<"Hangup" | "Ringing" | "CandidateUpdate" | "MediaPathReport">): void;
  /** The other relay of this call that `party` is in has it, and its user. */
  carriedOn(id: string, party: string): void;
  acknowledged(from: string, message: Of<"HangupAck">): void;
  /** The other party of the call with this id that `party` is in, or was. */
  peerOf(id: string, party: string): string | undefined;
  /** Whether there is a call, set up or offered, that `party` is in. */
  isInCall(party: string): boolean;
  /** `peer` has just registered: tells it of calls that ended while it was away, and of those that a peer has resumed. */
  welcome(peer: Peer, from: string): void;
  /** `peer` carries no call any more; each waits for its party to resume it. `isBack`: its client is here on another session already. */
  detach(peer: Peer, isBack?: boolean): void;
  /** The client of `peer` is gone, and its offers with it. */
  leave(peer: Peer): void;
  /** Ends what has waited too long. Whether anything is left to look at later. */
  sweep(): boolean;
  clear(): void;
  /** Where each call stands, for a debugger. */
  view(): View;
};

export function callDesk(hub: Hub): CallDesk {
  const calls = new CallRegistry<Call>();
  const ended = new EndedCalls(hub.limits.maxCalls);
  const { refuse, send, registered } = hub;
  const refusal = (peer: Peer, re: string, reason: string, call: string): void =>
    send(peer, { type: "Refusal", re, reason, call_id: call });

  const attach = (call: Call, side: Side, peer: Peer): void => {
    call.sessions[side] = peer.session;
    peer.channels.set(call.channel, call);
    hub.carries(peer, call);
    if (call.sessions.every((session) => session !== undefined)) call.orphanedAt = undefined;
  };
  const release = (call: Call): void => {
    registered(call.parties[0])?.offers.delete(call);
    for (const session of call.sessions) if (session !== undefined) hub.peer(session)?.channels.delete(call.channel);
    calls.remove(call);
    hub.released(call);
  };
  /** The call is over with this word, which `owed` still have to acknowledge. */
  const end = (call: Call, word: SignalMessage, owed: readonly string[]): void => {
    release(call);
    ended.remember(hub.now(), call.id, call.parties, word, owed);
    hub.sweepSoon();
  };
  /** The relay itself ends the call and tells `parties`. */
  const hangUp = (call: Call, reason: string, parties: readonly string[] = call.parties): void => {
    const word: SignalMessage = { type: "Hangup", call_id: call.id, reason };
    end(call, word, parties);
    for (const party of parties) {
      const peer = registered(party);
      if (peer !== undefined) send(peer, word);
    }
  };

  const add = (id: string, parties: Parties, more: Partial<Call>): Call => {
    const call: Call = {
      id,
      parties,
      stage: "offered",
      isProven: false,
      isPrivate: false,
      channel: -1,
      sessions: [undefined, undefined],
      addresses: [{}, {}],
      resumption: undefined,
      nextAttempts: [0, 0],
      since: hub.now(),
      orphanedAt: undefined,
      ...more,
    };
    calls.add(call);
    hub.sweepSoon();
    return call;
  };

  /** Gives the call a channel that is free at all these sessions, its own or `wish` when it is. False: there is none. */
  const ensureChannel = (call: Call, wish: number | undefined, ...sides: readonly (Peer | undefined)[]): boolean => {
    const isFree = (channel: number): boolean =>
      sides.every((side) => side === undefined || (side.channels.get(channel) ?? call) === call);
    const wanted = call.channel === -1 ? wish : call.channel;
    let channel = wanted !== undefined && isFree(wanted) ? wanted : 0;
    while (channel < 256 && !isFree(channel)) channel++;
    if (channel === 256) return false;
    for (const side of sides) {
      if (side?.channels.get(call.channel) !== call) continue;
      side.channels.delete(call.channel);
      side.channels.set(channel, call);
    }
    call.channel = channel;
    return true;
  };
  const carriers = (call: Call): readonly (Peer | undefined)[] =>
    call.sessions.map((session) => (session === undefined ? undefined : hub.peer(session)));

  function offer(peer: Peer, from: string, message: Of<"DirectCallOffer">): void {
    const { call_id: id, callee_fingerprint: to } = message;
    if (message.caller_fingerprint !== from) return refuse("forged-signature", "DirectCallOffer in another's name");
    if (to === from) return refusal(peer, message.type, "unknown-peer", id);
    const lastWord = ended.lastWord(id, from);
    if (lastWord !== undefined) {
      refuse("duplicate", "DirectCallOffer of a call that is over");
      return send(peer, lastWord);
    }
    const callee = registered(to);
    const known = calls.find(id, from) ?? calls.find(id, to);
    if (known !== undefined) {
      if (known.parties[0] !== from || known.parties[1] !== to) return refuse("duplicate", "DirectCallOffer for a known call");
      if (known.stage === "offered") peer.offers.add(known);
    } else {
      if (callee === undefined) return refusal(peer, message.type, "unknown-peer", id);
      if (calls.size >= hub.limits.maxCalls || peer.offers.size >= hub.limits.maxOffers) {
        refuse("limit", "offers");
        return refusal(peer, message.type, "relay-full", id);
      }
    }
    const call = known ?? add(id, [from, to], {});
    if (known === undefined) peer.offers.add(call);
    call.addresses[0] = advertised(message.caller_reflexive_addr, message.caller_local_addrs, message.caller_mapped_addr);
    if (callee !== undefined) send(callee, message);
  }

  function answer(peer: Peer, from: string, given: Of<"DirectCallAnswer">): void {
    const call = calls.find(given.call_id, from);
    if (call === undefined || call.parties[1] !== from) {
      const lastWord = ended.lastWord(given.call_id, from);
      if (lastWord?.type === "Hangup") send(peer, lastWord);
      return refuse("unknown-call", given.type);
    }
    const isAgain = call.stage === "set-up";
    const message = discreet(given);
    const caller = registered(call.parties[0]);
    if (message.mode === "Reject") {
      if (isAgain) return refuse("unexpected", "Reject of a call that is set up");
      if (caller !== undefined) send(caller, message);
      return end(call, message, []);
    }
    if (caller === undefined) return; // it repeats its offer when it is back, and the callee then this answer
    const before = call.channel;
    if (!ensureChannel(call, undefined, caller, peer)) {
      refuse("limit", "channels of a session");
      return hangUp(call, "relay-full");
    }
    send(caller, message);
    call.stage = "set-up";
    call.isProven = true;
    call.isPrivate = message.mode === "AcceptGeneric";
    caller.offers.delete(call);
    if (message.mode === "AcceptTrusted")
      call.addresses[1] = advertised(message.callee_reflexive_addr, message.callee_local_addrs, message.callee_mapped_addr);
    const wasHere = call.sessions.map((session) => session !== undefined);
    attach(call, 0, caller);
    attach(call, 1, peer);
    const setup = (role: "dialer" | "acceptor", side: Side): SignalMessage => ({
      type: "CallSetup",
      call_id: call.id,
      role,
      channel: call.channel,
      relay_path: true,
      ...call.addresses[side],
    });
    if (call.addresses.every((side) => Object.keys(side).length > 0))
      hub.say({ ev: "note", text: `p2p_viable=true call=${call.id}` });
    send(caller, setup("dialer", 1));
    send(peer, setup("acceptor", 0));
    // Who is set up already takes the channel from this, and learns that the other one is here now.
    for (const [side, one] of [caller, peer].entries())
      if (isAgain && (before !== call.channel || (wasHere[side] === true && wasHere[1 - side] !== true))) tellResumed(one, call);
  }

  /** Privacy mode is the callee's promise to itself; the relay keeps it where the callee's software does not. */
  function discreet(message: Of<"DirectCallAnswer">): Of<"DirectCallAnswer"> {
    const { callee_reflexive_addr, callee_local_addrs, callee_mapped_addr, ...rest } = message;
    const isSilent = [callee_reflexive_addr, callee_local_addrs, callee_mapped_addr].every((one) => one === undefined);
    if (message.mode === "AcceptTrusted" || isSilent) return message;
    refuse("unexpected", `addresses in a DirectCallAnswer of mode ${message.mode}`);
    return rest;
  }

  const tellResumed = (peer: Peer, call: Call): void =>
    send(peer, {
      type: "CallResumed",
      call_id: call.id,
      channel: call.channel,
      peer_present: call.sessions.every((session) => session !== undefined),
    });

  function resume(peer: Peer, from: string, message: Of<"CallResume">): void {
    const { call_id: id, peer_fingerprint: other } = message;
    const side: Side = message.role === "caller" ? 0 : 1;
    const parties: Parties = side === 0 ? [from, other] : [other, from];
    if (other === from) return refuse("unexpected", "CallResume with oneself");
    const proven = proofOf(message, parties);
    if (proven === "forged") {
      refuse("forged-signature", message.type);
      return refusal(peer, message.type, "forged-signature", id);
    }
    const lastWord = ended.lastWord(id, from);
    if (lastWord?.type === "Hangup") return send(peer, lastWord);
    const isOther = (call: Call | undefined): call is Call => call !== undefined && call.parties.join() !== parties.join();
    for (const rival of [calls.find(id, from), calls.find(id, other)]) {
      if (!isOther(rival)) continue;
      if (proven !== "proven" || rival.isProven) {
        refuse("unknown-call", "CallResume of a call between others");
        return refusal(peer, message.type, "unknown-call", id);
      }
      release(rival); // somebody used the id of this call without proof of being in it
    }
    const known = calls.find(id, from);
    if (known === undefined && calls.size >= hub.limits.maxCalls) {
      refuse("limit", "calls");
      return refusal(peer, message.type, "relay-full", id);
    }
    const call = known ?? add(id, parties, { orphanedAt: hub.now() });
    if (message.attempt !== undefined) {
      // Another relay tells late what its party said before it came here, or says again what it has from here.
      if (peer.isRemote === true && message.attempt < call.nextAttempts[side]) return refuse("stale-generation", message.type);
      call.nextAttempts[side] = Math.max(call.nextAttempts[side], peer.isRemote === true ? message.attempt : message.attempt + 1);
    }
    if (call.stage === "offered") {
      registered(parties[0])?.offers.delete(call);
      call.stage = "set-up";
      call.orphanedAt = hub.now();
    }
    // The callee's promise, as it gave it in its answer: a relay that comes to know the call by this message keeps it from here on.
    if (side === 1 && message.private === true) call.isPrivate = true;
    if (proven === "proven") {
      call.isProven = true;
      call.resumption = { side, message };
    }
    if (!ensureChannel(call, message.channel, peer, registered(other), ...carriers(call))) {
      if (known === undefined) release(call);
      return refusal(peer, message.type, "relay-full", id);
    }
    attach(call, side, peer);
    const [carrier, home] = [carriers(call)[1 - side], registered(other)];
    if (home?.isRemote === true) {
      // Whether it is there, its own relay knows, and tells when it is not.
      attach(call, side === 0 ? 1 : 0, home);
      tellResumed(peer, call);
      return send(home, message);
    }
    tellResumed(peer, call);
    if (carrier !== undefined) tellResumed(carrier, call);
    else if (home !== undefined && proven === "proven") send(home, message);
  }

  /** `unproven`: from a party of before the proof. */
  function proofOf(message: Of<"CallResume">, [caller, callee]: Parties): "proven" | "unproven" | "forged" {
    const { caller_share, callee_share } = message;
    if (caller_share === undefined && callee_share === undefined) return "unproven";
    if (caller_share === undefined || callee_share === undefined) return "forged";
    const proof = { caller: caller_share, callee: callee_share };
    return verifyCallProof(hub.crypto, proof, { call: message.call_id, caller, callee }).ok ? "proven" : "forged";
  }

  function forward(
    peer: Peer,
    from: string,
    message: Of<"Hangup"> | Of<"Ringing"> | Of<"CandidateUpdate"> | Of<"MediaPathReport">,
  ): void {
    const call = calls.find(message.call_id, from);
    if (call === undefined) {
      if (message.type !== "Hangup" || ended.lastWord(message.call_id, from) === undefined)
        return refuse("unknown-call", message.type);
      ended.acknowledged(message.call_id, from); // both hung up, or this one says it again
      return send(peer, { type: "HangupAck", call_id: message.call_id });
    }
    const isCallee = call.parties[1] === from;
    const other = call.parties[isCallee ? 0 : 1];
    if (message.type === "Hangup") {
      end(call, message, [other]);
      send(peer, { type: "HangupAck", call_id: call.id });
    } else if (message.type !== "Ringing" && call.stage !== "set-up")
      return refuse("unexpected", `${message.type} before the answer`);
    else if (message.type === "CandidateUpdate" && isCallee && call.isPrivate)
      return refuse("unexpected", "CandidateUpdate of a callee in privacy mode");
    const receiver = registered(other);
    if (receiver !== undefined) send(receiver, message);
  }

  return {
    get size(): number {
      return calls.size;
    },
    offer,
    answer,
    resume,
    forward,
    peerOf: (id, party) => calls.find(id, party)?.parties.find((one) => one !== party) ?? ended.peerOf(id, party),
    isInCall: (party) => [...calls.of(party)].length > 0,
    carriedOn: (id, party) => {
      const call = calls.find(id, party);
      if (call?.sessions.every((session) => session !== undefined)) call.orphanedAt = undefined;
    },
    acknowledged: (from, message) => ended.acknowledged(message.call_id, from),
    welcome: (peer, from) => {
      for (const word of ended.owedTo(from)) send(peer, word);
      for (const call of calls.of(from)) {
        const { parties, sessions, resumption } = call;
        const side: Side = parties[0] === from ? 0 : 1;
        if (peer.isRemote === true && call.stage === "set-up" && sessions[side] === undefined) {
          if (registered(parties[1 - side] ?? "")?.isRemote === true) {
            release(call); // both have moved to other relays, which do without this one
            continue;
          }
          if (!ensureChannel(call, undefined, peer, ...carriers(call))) continue;
          attach(call, side, peer);
          // That its user is there does not say that the call came along: who was restarted has none, and nobody else would tell.
          call.orphanedAt = hub.now();
          hub.sweepSoon();
          if (resumption !== undefined && resumption.side !== side) send(peer, resumption.message);
          continue;
        }
        if (sessions[side] === undefined && resumption !== undefined && resumption.side !== side) send(peer, resumption.message);
      }
    },
    detach: (peer, isBack = false) => {
      for (const call of peer.channels.values()) {
        const side = call.sessions.indexOf(peer.session);
        if (side === -1) continue; // its party has moved on, to another session of this relay or to another relay
        call.sessions[side] = undefined;
        call.orphanedAt ??= hub.now();
        hub.sweepSoon();
        // Nobody is left: whoever comes back says all there is to know, and both may have gone to another relay. Who is back already is left.
        if (!isBack && call.sessions.every((session) => session === undefined)) release(call);
      }
      peer.channels.clear();
    },
    leave: (peer) => {
      for (const call of [...peer.offers]) {
        const moved = registered(call.parties[0]);
        if (moved === undefined || moved === peer) hangUp(call, "peer-lost", [call.parties[1]]);
        else moved.offers.add(call);
      }
      peer.offers.clear();
    },
    sweep: () => {
      const now = hub.now();
      ended.expire(now, hub.limits.resumeWithin);
      for (const call of [...calls.all()]) {
        const isOffered = call.stage === "offered";
        const waitsSince = isOffered ? call.since : call.orphanedAt;
        if (waitsSince === undefined) continue;
        if (Instant.between(waitsSince, now) >= (isOffered ? hub.limits.answerWithin : hub.limits.resumeWithin))
          hangUp(call, isOffered ? "no-answer" : "peer-lost");
      }
      return ended.size > 0 || [...calls.all()].some((call) => call.stage === "offered" || call.orphanedAt !== undefined);
    },
    view: () =>
      [...calls.all()].map((call) => ({
        id: call.id,
        parties: call.parties,
        stage: call.stage,
        isProven: call.isProven,
        isPrivate: call.isPrivate,
        channel: call.channel,
        sessions: call.sessions.map((session) => session ?? null),
        orphanedAt: call.orphanedAt ?? null,
      })),
    clear: () => {
      for (const call of [...calls.all()]) release(call);
    },
  };
}

const advertised = (
  reflexive: Address | undefined,
  local: readonly Address[] | undefined,
  mapped: Address | undefined,
): AdvertisedAddresses => ({
  ...(reflexive === undefined ? {} : { peer_direct_addr: reflexive }),
  ...(local === undefined || local.length === 0 ? {} : { peer_local_addrs: [...local] }),
  ...(mapped === undefined ? {} : { peer_mapped_addr: mapped }),
});
