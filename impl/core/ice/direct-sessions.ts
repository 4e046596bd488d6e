/**
 * Sessions between the two clients of a call, and the race for the first one (RFC 8445 section 7 in spirit; the checks are QUIC handshakes). The dialler
 * dials every candidate of the peer, those behind a filter a moment later. Both send a STUN request to each, so that their NATs let the other in, and send one back to whomever such a
 * request comes from: that may be an address no server has seen (peer-reflexive, section 7.3.1.3). The dialler dials it too; it dials again where its
 * first packet may have come before the peer's NAT was open, because QUIC would wait for a second. A session counts when both have proved
 * themselves on it (direct-proof.ts); the first one wins the race, the others are closed at once. Nothing that fails here is more than a line in the log.
 */
import type { Address } from "../../base/address.ts";
import { fromHex, sameBytes, toHex } from "../../base/cursor.ts";
import { Instant, type Micros, millis, seconds } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { encodeDirect, isKeepalive, parseDirect } from "../../wire/direct.ts";
import { bindingRequest } from "../../wire/stun.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { CallKeys } from "../key-agreement.ts";
import type { Outbox } from "../outbox.ts";
import type { SessionEvent, SessionId } from "../session.ts";
import { type Candidate, type CandidateType, isFiltered, isUsable } from "./candidate-set.ts";
import { helloProof, isPeersProof, punchTransaction, readyProof } from "./direct-proof.ts";

/** The call that sessions are for. */
export type Meeting = {
  readonly call: string;
  readonly role: "dialer" | "acceptor";
  readonly keys: CallKeys;
  /** SHA-256 of the certificates of our endpoint and the peer's, lowercase hex. */
  readonly ownCertificate: string;
  readonly peerCertificate: string;
};

/** One session with the peer. */
export type Pair = {
  readonly id: SessionId;
  remote: Address;
  readonly type: CandidateType;
  readonly since: Instant;
  readyAt?: Instant;
  /** `proving`: the handshake is done, the peer has not shown who it is. */
  stage: "connecting" | "proving" | "ready";
  /** What our hello was made with. */
  nonce: Uint8Array | undefined;
};

export type DirectSide = {
  now(): Instant;
  entropy(length: number): Uint8Array;
  /** A number for a session that is dialled. */
  nextSession(): SessionId;
  /** Both ends of `pair` have proved themselves: media go there from now on. */
  ready(pair: Pair): void;
  /** It was ready and is closed. */
  gone(pair: Pair, reason: string): void;
  /** The peer has hung up, and says so on a session on which it has proved itself. */
  hungUp(reason: string): void;
  /** Something came: a keepalive, or media. */
  heard(pair: Pair, bytes: Uint8Array): void;
  media(bytes: Uint8Array): void;
  /** Nobody won. */
  raceLost(): void;
};

export type DirectSessions = {
  begin(meeting: Meeting): void;
  /** Races for these candidates, from now on. What an earlier race still has under way goes on where it is still wanted. */
  race(candidates: readonly Candidate[], isOwnNetworkNew: boolean, spare: Address | undefined): void;
  isRacing(): boolean;
  /** A STUN request. False: not of the peer. */
  punched(from: Address, transaction: Uint8Array): boolean;
  accepted(session: SessionId, remote: Address): void;
  /** False: not one of these sessions. */
  session(id: SessionId, event: SessionEvent): boolean;
  close(pair: Pair, detail: string): void;
  /** The call is over: `hangUp` is why, when we hung up and the peer may not have heard it yet. */
  end(hangUp: string | undefined): void;
  wake(): void;
  deadline(): Instant | undefined;
  count(): number;
  view(): View;
};

/**
 * Hanging up is said in the close itself (CONNECTION_CLOSE): it is repeated for as long as the peer sends media (RFC 9000 section 10.2.1), so that it is heard
 * whatever becomes of the relay. Followed by the reason.
 */
const HANG_UP = "hang-up ";

/** What a race may take before the relay path stands alone. */
const RACE: Micros = seconds(2);
/** When both send to each candidate, counted from the start of the race: any one may be lost, and the first ones of both meet each other's NATs at the same instant. chosen. */
const PUNCHES: readonly Micros[] = [0, 20, 50, 100, 200, 400, 800, 1_600].map(millis);
/** An address is dialled again after this at the earliest. chosen: below the distance of two punches that count. */
const DIAL_AGAIN: Micros = millis(70);
/**
 * When everything without an answer is dialled, once more or for the first time: what has a filter before it is not at the start, because the first packet of both sides would then
 * arrive there at the same instant. chosen: 20 ms after the peer's NAT was to be opened, which is less than being too early costs, but for a dialler that hears of the call much sooner; then before
 * that costs more than 100 ms; then for losses.
 */
const REDIALS: readonly Micros[] = [20, 100, 400, 1_000].map(millis);
/** Addresses tried and sessions dialled in one race. chosen: 16 candidates are the most a peer may tell; each dialled twice. */
const MOST_TRIED = 24;
const MOST_DIALS = 48;
/** Accepted sessions at once whose peer has not shown who it is. chosen: what two races of one dialler make, and a flood gains nothing by more. */
const MOST_STRANGERS = 8;

export function directSessions(crypto: CryptoEngine, out: Outbox, side: DirectSide): DirectSessions {
  const pairs = new Map<SessionId, Pair>();
  /** Closed by us and not yet gone, strangers refused among them. */
  const closing = new Set<SessionId>();
  /** Nonces of the hellos taken so far in this call: each counts once, so that one seen by somebody opens nothing to him. */
  const taken = new Set<string>();
  let meeting: Meeting | undefined;
  let race:
    | {
        readonly since: Instant;
        readonly until: Instant;
        candidates: readonly Candidate[];
        punches: number;
        redials: number;
        dials: number;
      }
    | undefined;

  const say = (pair: Pair, state: "in-progress" | "succeeded" | "failed" | "closed" | "migrated", reason?: string): void => {
    if (meeting === undefined) return;
    const about = { call: meeting.call, session: pair.id, remote: pair.remote, candidate: pair.type };
    out.say({ ev: "candidate-pair", ...about, state, ...(reason === undefined ? {} : { reason }) });
  };

  function close(pair: Pair, detail: string): void {
    if (!pairs.delete(pair.id)) return;
    closing.add(pair.id);
    say(pair, pair.stage === "ready" ? "closed" : "failed", detail);
    out.push({ type: "close", session: pair.id, detail });
  }

  function dial(to: Candidate): void {
    if (meeting === undefined || race === undefined || race.dials >= MOST_DIALS) return;
    race.dials++;
    const id = side.nextSession();
    const pair: Pair = {
      ...{ id, remote: to.address, type: to.type, since: side.now(), stage: "connecting", nonce: undefined },
    };
    pairs.set(id, pair);
    say(pair, "in-progress");
    out.push({ type: "connect", session: id, remote: to.address, pin: meeting.peerCertificate });
  }

  function punch(to: readonly Candidate[]): void {
    if (meeting === undefined) return;
    const request = bindingRequest(punchTransaction(crypto, meeting.call, meeting.keys.send));
    for (const { address } of to) out.push({ type: "packet", to: address, bytes: request });
  }

  const nextOf = (offsets: readonly Micros[], done: number): Instant | undefined => {
    const offset = offsets[done];
    return race === undefined || offset === undefined ? undefined : Instant.after(race.since, offset);
  };
  const punchAt = (): Instant | undefined => nextOf(PUNCHES, race?.punches ?? 0);
  const redialAt = (): Instant | undefined => (meeting?.role === "dialer" ? nextOf(REDIALS, race?.redials ?? 0) : undefined);

  /** Dials what has not answered: a second handshake costs less than the probe timeout of the first. */
  function dialAgain(candidate: Candidate): void {
    const tried = [...pairs.values()].filter((one) => one.remote === candidate.address && one.stage !== "ready");
    const last = Math.max(...tried.map((one) => one.since), Number.NEGATIVE_INFINITY);
    if (tried.some((one) => one.stage === "proving") || side.now() - last < DIAL_AGAIN) return;
    dial(candidate);
  }

  /** Which of the peer's candidates an address is. */
  const typeOf = (address: Address): CandidateType =>
    race?.candidates.find((one) => one.address === address)?.type ?? "reflexive";

  /** The first session that both have proved themselves on ends the race. */
  function ready(pair: Pair): void {
    pair.stage = "ready";
    pair.readyAt = side.now();
    say(pair, "succeeded");
    race = undefined;
    side.ready(pair);
    for (const other of [...pairs.values()]) if (other.stage !== "ready" && other.id > 0) close(other, "lost the race");
  }

  function message(pair: Pair, bytes: Uint8Array): void {
    const said = parseDirect(bytes);
    if (said === undefined) return out.refuse("malformed", "message of a direct session");
    if (meeting === undefined || said.call_id !== meeting.call) return out.refuse("unknown-call", said.type);
    const { call, keys, ownCertificate, peerCertificate } = meeting;
    if (said.type === "DirectHello") {
      const nonce = fromHex(said.nonce);
      if (pair.id > 0 || pair.stage === "ready" || nonce === undefined) return out.refuse("unexpected", said.type);
      const about = { call, certificate: ownCertificate };
      if (!isPeersProof(crypto, keys, "hello", nonce, about, said.proof)) {
        out.refuse("unauthentic", said.type);
        return close(pair, "not the peer");
      }
      if (taken.has(said.nonce)) {
        out.refuse("replayed", said.type);
        return close(pair, "not the peer");
      }
      taken.add(said.nonce);
      const proof = readyProof(crypto, keys, nonce, about);
      out.push({ type: "send", session: pair.id, bytes: encodeDirect({ type: "DirectReady", call_id: call, proof }) });
      return ready(pair);
    }
    if (pair.nonce === undefined || pair.stage !== "proving") return out.refuse("unexpected", said.type);
    if (!isPeersProof(crypto, keys, "ready", pair.nonce, { call, certificate: peerCertificate }, said.proof)) {
      out.refuse("unauthentic", said.type);
      return close(pair, "not the peer");
    }
    ready(pair);
  }

  /** The dialler nominates the first session it gets (RFC 8445 section 7.3.1.5, aggressive), so that both choose the same. */
  function connected(pair: Pair): void {
    if (pair.id < 0 || meeting === undefined) return;
    const isFirst = [...pairs.values()].every((one) => one.id < 0 || one.stage !== "proving");
    if (!isFirst) return close(pair, "lost the race");
    pair.stage = "proving";
    const { call, keys, peerCertificate } = meeting;
    const nonce = side.entropy(16);
    pair.nonce = nonce;
    const proof = helloProof(crypto, keys, nonce, { call, certificate: peerCertificate });
    const hello = encodeDirect({ type: "DirectHello", call_id: call, nonce: toHex(nonce), proof });
    out.push({ type: "send", session: pair.id, bytes: hello });
  }

  function happened(pair: Pair, event: SessionEvent): void {
    switch (event.type) {
      case "connected":
        return connected(pair);
      case "message":
        return message(pair, event.bytes);
      case "datagram":
        // A dialler knows whom it reached by the certificate, and packets may overtake the acceptor's word.
        if (pair.stage !== "ready" && !(pair.id > 0 && pair.stage === "proving"))
          return out.refuse("unauthenticated", "datagram of a direct session");
        side.heard(pair, event.bytes);
        return isKeepalive(event.bytes) ? undefined : side.media(event.bytes);
      case "oversized":
        return out.refuse("oversized", `message of ${event.length} octets`);
      case "path-changed":
        pair.remote = event.remote;
        return say(pair, "migrated");
      case "closed": {
        pairs.delete(pair.id);
        if (event.reason === "pin-mismatch") out.refuse("unauthentic", "certificate of a direct session");
        say(pair, pair.stage === "ready" ? "closed" : "failed", event.detail ?? event.reason);
        if (pair.stage !== "ready") return;
        const { reason, detail = "" } = event;
        return reason === "peer" && detail.startsWith(HANG_UP)
          ? side.hungUp(detail.slice(HANG_UP.length))
          : side.gone(pair, reason);
      }
      default:
        return;
    }
  }

  return {
    begin: (given) => {
      meeting = given;
    },
    race: (candidates, isOwnNetworkNew, spare) => {
      if (meeting === undefined) return;
      const isWanted = (address: Address): boolean => candidates.some((one) => one.address === address);
      for (const pair of [...pairs.values()])
        if (pair.stage !== "ready" && pair.id > 0 && (isOwnNetworkNew || !isWanted(pair.remote))) close(pair, "overtaken");
      const now = side.now();
      const wanted = candidates.filter((one) => one.address !== spare);
      if (wanted.length === 0) return;
      race = { since: now, until: Instant.after(now, RACE), candidates: wanted, punches: 1, redials: 0, dials: 0 };
      punch(wanted);
      if (meeting.role === "acceptor") return;
      const underWay = new Set([...pairs.values()].flatMap((one) => (one.stage === "ready" ? [] : [one.remote])));
      for (const one of wanted) if (!underWay.has(one.address) && !isFiltered(one)) dial(one);
    },
    isRacing: () => race !== undefined,
    punched: (from, transaction) => {
      if (meeting === undefined) return false;
      if (!sameBytes(transaction, punchTransaction(crypto, meeting.call, meeting.keys.receive))) return false;
      if (race === undefined) return true;
      const candidate: Candidate = { address: from, type: typeOf(from) };
      if (!race.candidates.some((one) => one.address === from)) {
        if (race.candidates.length >= MOST_TRIED || !isUsable(from)) return true;
        race.candidates = [...race.candidates, candidate];
        punch([candidate]);
      }
      if (meeting.role === "dialer") dialAgain(candidate);
      return true;
    },
    accepted: (session, remote) => {
      const strangers = [...pairs.values()].filter((one) => one.id < 0 && one.stage !== "ready").length;
      if (meeting?.role !== "acceptor" || strangers >= MOST_STRANGERS) {
        out.refuse(meeting?.role === "acceptor" ? "limit" : "unexpected", "incoming session");
        closing.add(session);
        return out.push({ type: "close", session, detail: "not expected" });
      }
      const pair: Pair = {
        ...{ id: session, remote, type: typeOf(remote), since: side.now(), stage: "proving", nonce: undefined },
      };
      pairs.set(session, pair);
      say(pair, "in-progress");
    },
    session: (id, event) => {
      const pair = pairs.get(id);
      if (pair !== undefined) {
        happened(pair, event);
        return true;
      }
      if (!closing.has(id)) return false;
      if (event.type === "closed") closing.delete(id);
      return true;
    },
    close,
    end: (hangUp) => {
      race = undefined;
      for (const pair of [...pairs.values()])
        close(pair, hangUp !== undefined && pair.stage === "ready" ? `${HANG_UP}${hangUp}` : "call over");
      meeting = undefined;
      taken.clear();
    },
    wake: () => {
      const now = side.now();
      for (const pair of [...pairs.values()]) {
        if (pair.id > 0 || pair.stage === "ready" || now < Instant.after(pair.since, RACE)) continue;
        out.refuse("unauthenticated", "direct session that never said who it is");
        close(pair, "no proof in time");
      }
      if (race !== undefined && now >= race.until) {
        race = undefined;
        for (const pair of [...pairs.values()]) if (pair.stage !== "ready" && pair.id > 0) close(pair, "no answer in time");
        side.raceLost();
      }
      const [punching, dialling] = [punchAt(), redialAt()];
      if (race !== undefined && punching !== undefined && now >= punching) {
        race.punches++;
        punch(race.candidates);
      }
      if (race === undefined || dialling === undefined || now < dialling) return;
      race.redials++;
      for (const one of race.candidates) dialAgain(one);
    },
    deadline: () => {
      let first = race === undefined ? undefined : Instant.earliest(race.until, punchAt(), redialAt());
      for (const one of pairs.values())
        if (one.id < 0 && one.stage !== "ready") first = Instant.earliest(first, Instant.after(one.since, RACE));
      return first;
    },
    count: () => pairs.size + closing.size,
    view: () => ({
      isRacing: race !== undefined,
      pairs: [...pairs.values()].map(({ id, remote, type, stage }) => ({ session: id, remote, type, stage })),
    }),
  };
}
