/**
 * All that a client does to be reached directly: it gathers its candidates for offer and answer, races when the call is set up, tells the peer when its
 * network changes, and sends media the ways they are to go. A client without a certificate accepts no sessions and its calls go by the relay; one
 * whose policy is `relay` asks nobody for its address and tells none; one in privacy mode likewise, for that call.
 */
import type { Address } from "../../base/address.ts";
import { Instant, type Micros, millis } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { parseStun } from "../../wire/stun.ts";
import type * as call from "../call.ts";
import type { Candidates } from "../candidate-generation.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { HostNetwork, HttpResponse } from "../effect.ts";
import type { Outbox } from "../outbox.ts";
import { addressesOf } from "../relay-route.ts";
import type { RelaySessions } from "../relay-sessions.ts";
import type { SessionEvent, SessionId } from "../session.ts";
import * as agent from "./agent.ts";
import { type Candidate, inOrder, isSameSet } from "./candidate-set.ts";
import { directPath } from "./direct-path.ts";
import * as portMapping from "./port-mapping.ts";
import { canReach } from "./reach.ts";
import * as igd from "./upnp-igd.ts";

/** W3C webrtc `RTCIceTransportPolicy`: `relay` never reveals an address and never takes a direct path. */
export type IceTransportPolicy = "all" | "relay";

export type IceConfig = {
  readonly crypto: CryptoEngine;
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** SHA-256 of the certificate this party's own endpoint accepts sessions with, lowercase hex; absent: it accepts none. */
  readonly certificate?: string;
  /** `all` unless told. */
  readonly iceTransportPolicy?: IceTransportPolicy;
  /** STUN servers besides the relay. */
  readonly stun?: readonly Address[];
  /** A router that knows neither PCP nor NAT-PMP is asked by UPnP-IGD; its world has to answer `http` effects. */
  readonly usesUpnp?: boolean;
};

export type IceSide = {
  now(): ReturnType<Parameters<typeof directPath>[2]["now"]>;
  nextSession(): SessionId;
  readonly relays: RelaySessions;
  call(): call.Call | undefined;
  drive(input: call.Input): void;
  media(bytes: Uint8Array): void;
};

/** Effects of a call that are about its paths. */
type PathEffect = Extract<call.Effect, { readonly type: "gather" | "peer-candidates" | "peer-path" | "announced" }>;

export type ClientIce = {
  /** What is told in offer and answer; undefined: accepts no sessions. */
  readonly certificate: string | undefined;
  /** Our candidates; undefined while they are being gathered. */
  candidates(): Candidates | undefined;
  isDirect(): boolean;
  /** Media go directly, and there is no doubt that they arrive. */
  isBeyondDoubt(): boolean;
  expectsCopies(): boolean;
  network(network: HostNetwork): void;
  /** The host's network is changing. */
  stirred(): void;
  /** The relay says by which address it sees us. */
  reflected(address: Address): void;
  apply(effect: PathEffect): void;
  /** The call is set up. */
  begin(): void;
  /** The relay carries the call again, and the peer is there. */
  rejoined(): void;
  send(packets: readonly Uint8Array[]): void;
  /** False: none of ours. */
  packet(from: Address, bytes: Uint8Array): boolean;
  session(id: SessionId, event: SessionEvent): boolean;
  accepted(session: SessionId, remote: Address): void;
  /** The call is over; `hangUp`: why, when it was us. */
  end(hangUp: string | undefined): void;
  http(id: number, response: HttpResponse | undefined): void;
  wake(): void;
  deadline(): ReturnType<typeof agent.deadline>;
  count(): number;
  view(): View;
};

/** How long an offer, an answer or an update waits for the first STUN answer. chosen: a round trip to a relay far away; what comes later is told in an update. */
const PATIENCE: Micros = millis(200);
/** How long an answer may take at all. chosen: a request lost four times over is through by then (asked at 0, 100, 300, 700, 1500 ms). */
const GATHERING: Micros = millis(2_000);

export function clientIce(config: IceConfig, out: Outbox, side: IceSide): ClientIce {
  const isHidden = config.iceTransportPolicy === "relay";
  const certificate = isHidden ? undefined : config.certificate;
  let state: agent.State = agent.start();
  let mapping: portMapping.State = portMapping.start();
  let upnp: igd.State = igd.start();
  let isKnown = false;
  /** The peer is to be told whether anything has changed or not. */
  let isUrgent = false;
  /** What the peer was told last, and whether there was nobody to tell it by. */
  let told: Candidates | undefined;
  let isUntold = false;
  let hasMet = false;

  const path = directPath(config.crypto, out, {
    now: side.now,
    entropy: config.entropy,
    nextSession: side.nextSession,
    link: side.relays.mediaLink,
    media: side.media,
    rerouted: () => side.call()?.media?.resync(),
    report: (way, candidate) => {
      const call = side.call();
      const about = candidate === undefined ? {} : { candidate };
      if (call !== undefined) side.relays.send({ type: "MediaPathReport", call_id: call.id, path: way, ...about });
    },
    regather: () => gatherAgain(true),
    hungUp: (reason) => {
      const call = side.call();
      if (call !== undefined) side.drive({ type: "signal", message: { type: "Hangup", call_id: call.id, reason } });
    },
  });

  function tell(input: agent.Input): boolean {
    const [next, effects] = agent.step(
      { entropy: config.entropy, patience: PATIENCE, timeout: GATHERING },
      state,
      side.now(),
      input,
    );
    state = next;
    let isOurs = true;
    for (const effect of effects) {
      if (effect.type === "packet") out.push(effect);
      else if (effect.type === "unexpected") isOurs = false;
      else {
        isKnown = true;
        if (effect.nat !== "unknown") out.say({ ev: "note", text: `NAT: ${effect.nat}` });
        announce(effect.candidates);
      }
    }
    return isOurs;
  }

  function tellMapping(input: portMapping.Input): void {
    const [next, effects] = portMapping.step({ entropy: config.entropy }, mapping, side.now(), input);
    mapping = next;
    for (const effect of effects) {
      if (effect.type === "packet") out.push(effect);
      else if (effect.type === "mapped") tell(effect);
      else out.refuse("unexpected", "answer about a port mapping");
    }
    if (config.usesUpnp !== true) return;
    if (input.type === "network" || input.type === "release") tellUpnp(input);
    if (mapping.lease !== undefined) tellUpnp({ type: "release" });
    else if (mapping.isWanted && portMapping.isUnanswered(mapping)) tellUpnp({ type: "want" });
  }

  function tellUpnp(input: igd.Input): void {
    const [next, effects] = igd.step(upnp, side.now(), input);
    upnp = next;
    for (const effect of effects) {
      if (effect.type === "mapped") {
        if (mapping.lease === undefined) tell(effect);
      } else if (effect.type === "unexpected") out.refuse("unexpected", "answer about a port mapping");
      else out.push(effect);
    }
  }

  /** Offer or answer can go, or the peer of a call that is up learns of what has changed. Between the two there is nobody to tell: `begin` sees to it. */
  function announce(candidates: Candidates): void {
    const call = side.call();
    const isUp = call?.media !== undefined;
    if (!isUp && call?.stage !== "waiting" && call?.stage !== "ringing") return;
    const isNew = isUp && (isUrgent || told === undefined || !isSameSet(told, candidates));
    told = candidates;
    isUrgent = false;
    side.drive({ type: "candidates", candidates, isNew });
  }

  function servers(): readonly Address[] {
    const relay = side.relays.wanted();
    const all = [...new Set([...(relay === undefined ? [] : addressesOf(relay)), ...(config.stun ?? [])])];
    return all.filter((one) => canReach(state.network, one));
  }

  /** The peer's candidates of families that this network has: pairs are of one family (RFC 8445 section 6.1.2.2). */
  const peers = (peer: Candidates): readonly Candidate[] => inOrder(peer).filter((one) => canReach(state.network, one.address));

  function gatherAgain(mustTell: boolean): void {
    if (!hasMet) return;
    isUrgent = isUrgent || mustTell;
    tellMapping({ type: "want" });
    tell({ type: "gather", servers: servers() });
  }

  function gather(): void {
    if (isHidden) return;
    isKnown = false;
    if (certificate !== undefined) {
      tellMapping({ type: "want" });
      tell({ type: "gather", servers: servers() });
    } else side.relays.send({ type: "Reflect", txn: config.entropy(4).reduce((sum, octet) => sum * 256 + octet, 0) });
  }

  return {
    certificate,
    candidates: () => {
      if (isHidden) return { local: [] };
      return isKnown ? agent.candidates(state) : undefined;
    },
    isDirect: path.isDirect,
    isBeyondDoubt: path.isBeyondDoubt,
    expectsCopies: path.expectsCopies,
    network: (network) => {
      const isNew = !agent.isSameNetwork(state.network, network);
      if (certificate === undefined) return;
      tell({ type: "network", network });
      tellMapping({ type: "network", network });
      if (!isNew || !hasMet) return;
      path.moved();
      gatherAgain(true);
    },
    stirred: () => {
      if (hasMet) path.stirred();
    },
    reflected: (address) => {
      if (isHidden) return;
      const isFirst = !isKnown;
      tell({ type: "reflected", by: side.relays.wanted()?.address ?? address, address });
      if (state.gathering !== undefined) return;
      isKnown = true;
      if (isFirst || told === undefined || !isSameSet(told, agent.candidates(state))) announce(agent.candidates(state));
    },
    apply: (effect) => {
      const call = side.call();
      switch (effect.type) {
        case "gather":
          return gather();
        case "peer-path":
          return path.reported(effect.path);
        case "announced":
          isUntold = !side.relays.isRegistered();
          if (call !== undefined && hasMet) path.race(peers(call.generations.peerCandidates), "own-update");
          return;
        case "peer-candidates":
          if (call !== undefined && hasMet) path.race(peers(call.generations.peerCandidates), "peer-update");
          return;
      }
    },
    begin: () => {
      const call = side.call();
      const isPrivate = call?.role === "callee" && call.answer !== "AcceptTrusted";
      if (call?.keys === undefined || call.raceRole === undefined || isPrivate) return;
      if (certificate === undefined || call.peerCertificate === undefined) return;
      hasMet = true;
      path.begin({
        ...{ call: call.id, role: call.raceRole, keys: call.keys },
        ...{ ownCertificate: certificate, peerCertificate: call.peerCertificate },
      });
      path.race(peers(call.generations.peerCandidates), "set-up");
      const known = agent.candidates(state);
      if (told !== undefined && !isSameSet(told, known)) announce(known);
    },
    rejoined: () => {
      if (isUntold || !path.isDirect()) gatherAgain(true);
    },
    send: path.send,
    packet: (from, bytes) => {
      if (portMapping.isRouters(mapping, from)) {
        tellMapping({ type: "response", from, bytes });
        return true;
      }
      if (igd.isRouters(upnp, from)) {
        tellUpnp({ type: "found", bytes });
        return true;
      }
      const stun = parseStun(bytes);
      if (!stun.ok) return false;
      if (stun.kind === "request") return path.sessions.punched(from, stun.transactionId);
      if (stun.mapped === undefined) return false;
      return tell({ type: "response", from, transactionId: stun.transactionId, mapped: stun.mapped });
    },
    session: path.sessions.session,
    accepted: path.sessions.accepted,
    end: (hangUp) => {
      path.end(hangUp);
      tell({ type: "stop" });
      tellMapping({ type: "release" });
      isKnown = false;
      isUrgent = false;
      isUntold = false;
      told = undefined;
      hasMet = false;
    },
    http: (id, response) => tellUpnp({ type: "http", id, response }),
    wake: () => {
      tell({ type: "wake" });
      tellMapping({ type: "wake" });
      tellUpnp({ type: "wake" });
      path.wake();
    },
    deadline: () => Instant.earliest(agent.deadline(state), portMapping.deadline(mapping), igd.deadline(upnp), path.deadline()),
    count: path.sessions.count,
    view: () => ({ agent: agent.view(state), mapping: portMapping.view(mapping), upnp: igd.view(upnp), path: path.view() }),
  };
}
