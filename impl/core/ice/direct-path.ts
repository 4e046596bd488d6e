/**
 * The two paths of a call's media: by the relay at once and always, and directly between the clients as soon as a session is through. The relay path
 * stays warm while the direct one carries the call. Whenever there is doubt (the path is silent, an address changed, the peer says it hears
 * nothing, a swap has just been made) packets go both ways and the last few are sent again; the receiver's replay window takes each once. So
 * switching loses nothing that one of the two paths carries, and doubting too early costs a few packets.
 */
import type { Address } from "../../base/address.ts";
import { Instant, type Micros, millis, seconds } from "../../base/units.ts";
import type { View } from "../../base/view.ts";
import { isKeepalive, KEEPALIVE } from "../../wire/direct.ts";
import { kindOf, withChannel } from "../../wire/media-header.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { Outbox } from "../outbox.ts";
import type { SessionId } from "../session.ts";
import type { Candidate } from "./candidate-set.ts";
import { type DirectSessions, directSessions, type Meeting, type Pair } from "./direct-sessions.ts";
import * as watch from "./path-watch.ts";

/** The session to the relay that media may leave on, and the call's channel there. */
export type RelayLink = { readonly id: SessionId; readonly channel: number | undefined };

export type PathSide = {
  now(): Instant;
  entropy(length: number): Uint8Array;
  nextSession(): SessionId;
  link(): RelayLink | undefined;
  /** A packet of the peer. */
  media(bytes: Uint8Array): void;
  /** Media go another way from now on: the next packets must be readable by themselves. */
  rerouted(): void;
  /** To the peer by the relay. */
  report(path: "relay" | "direct", candidate?: Pair["type"]): void;
  /** A direct path is worth another try with fresh candidates. */
  regather(): void;
  /** The peer has hung up and says so by the direct path. */
  hungUp(reason: string): void;
};

/** Both paths carry media for this long around a swap. chosen: more than two paths of a call differ in delay. */
const OVERLAP: Micros = millis(300);
/** What is sent again when there is doubt. chosen: what was sent since the last packet that can have arrived, patience and a frame or two. */
const HISTORY: Micros = millis(160);
/** One copy by the relay so often keeps NATs, windows and the relay's own watch awake. chosen: 2 packets of 50 a second. */
const WARM: Micros = millis(500);
/** A peer's doubt counts for so long unless it says more. */
const PEERS_DOUBT: Micros = seconds(2);
/** Waits before a direct path is tried for again, the last one for ever. chosen: a NAT that lets nobody in is not asked all the time. */
const RETRIES: readonly Micros[] = [2, 8, 30, 60].map(seconds);

/** Why a path is left that nothing arrives on. */
const SILENT = "silent";
/** How long the peer's address of such a path rests, by how often in a row. chosen: the first time it may have been the moment's; then as RETRIES. */
const RESTS: readonly Micros[] = [0, 2, 8, 30, 60].map(seconds);
/** A path that lived for so long is none that flaps. chosen: ten times what it takes to be declared dead. */
const STABLE: Micros = seconds(10);

export type DirectPath = {
  readonly sessions: DirectSessions;
  begin(meeting: Meeting): void;
  race(candidates: readonly Candidate[], why: "set-up" | "own-update" | "peer-update"): void;
  /** Our own network is changing, nobody knows yet how: what was sent last may have left by a way that leads nowhere. */
  stirred(): void;
  /** Our own network has changed under the path. */
  moved(): void;
  /** The peer says which way it sends. */
  reported(path: "relay" | "direct"): void;
  isDirect(): boolean;
  /** It is direct, and there is no doubt that what is sent arrives. */
  isBeyondDoubt(): boolean;
  /** Copies of packets are to be expected. */
  expectsCopies(): boolean;
  /** Sends one frame's packets the ways they are to go. */
  send(packets: readonly Uint8Array[]): void;
  /** `hangUp`: why, when it was us. */
  end(hangUp: string | undefined): void;
  wake(): void;
  deadline(): Instant | undefined;
  view(): View;
};

export function directPath(crypto: CryptoEngine, out: Outbox, side: PathSide): DirectPath {
  let call: string | undefined;
  let isDialer = false;
  /** `isHeard`: the peer has sent something on it since it was chosen. */
  let chosen: { readonly pair: Pair; watch: watch.State; isStale: boolean; isHeard: boolean } | undefined;
  /** Replaced, and closed then, or once what replaces them has been heard: a dialler that chose otherwise sends on these. `isHeard`: it has, since. */
  let leaving: { readonly pair: Pair; readonly until: Instant; isHeard: boolean }[] = [];
  let bothUntil = Instant(0);
  let peerDoubtsUntil = Instant(0);
  let warmAt = Instant(0);
  let history: { readonly at: Instant; readonly bytes: Uint8Array }[] = [];
  /** When a NAT has moved the peer, the relay sends to its old address until it hears from it: what was repeated first may have gone there. */
  let isRepeated = false;
  let hadDirect = false;
  let tries = 0;
  let retryAt: Instant | undefined;
  /** Addresses of the peer to which a path has fallen silent: how often in a row, and until when they rest. */
  const resting = new Map<Address, { readonly failures: number; readonly until: Instant }>();

  const { now } = side;
  const sessions = directSessions(crypto, out, {
    now,
    entropy: side.entropy,
    nextSession: side.nextSession,
    media: side.media,
    ready,
    gone,
    hungUp: side.hungUp,
    heard: (pair, bytes) => {
      const left = leaving.find((one) => one.pair === pair);
      if (left !== undefined) left.isHeard = true;
      if (pair !== chosen?.pair) return;
      chosen.isHeard = true;
      observe({ type: "heard", isKeepalive: leavesPause(bytes, chosen.watch.isIdle) });
    },
    raceLost: () => {
      if (chosen === undefined) tryLater();
    },
  });

  const say = (path: "relay" | "direct", candidate: Pair["type"] | "relay"): void => {
    if (call !== undefined) out.say({ ev: "path", call, path, candidate });
  };
  const byRelay = (bytes: Uint8Array): void => {
    const link = side.link();
    if (link?.channel === undefined) return;
    out.push({ type: "datagram", session: link.id, bytes: bytes[1] === link.channel ? bytes : withChannel(bytes, link.channel) });
    warmAt = Instant.after(now(), WARM);
  };
  const byPair = (pair: Pair, bytes: Uint8Array): void => out.push({ type: "datagram", session: pair.id, bytes });

  const isBothWays = (): boolean =>
    chosen === undefined || !chosen.isHeard || chosen.watch.doubt !== undefined || now() < bothUntil || now() < peerDoubtsUntil;

  /** Nothing is chosen that has not been heard. */
  const isSettled = (): boolean => chosen?.isHeard !== false;

  /** The last few packets by the relay, and with the next frame once more. */
  function repeat(): void {
    for (const one of history) if (now() - one.at <= HISTORY) byRelay(one.bytes);
    isRepeated = true;
  }

  /** From now on packets go both ways, and the last few at once. */
  function both(length: Micros): void {
    if (!isBothWays()) repeat();
    const until = Instant.after(now(), length);
    if (until > bothUntil) bothUntil = until;
  }

  function observe(input: watch.Input): void {
    if (chosen === undefined) return;
    const wasBothWays = isBothWays();
    const [next, effects] = watch.step(chosen.watch, now(), input);
    chosen.watch = next;
    for (const effect of effects) {
      switch (effect.type) {
        case "keepalive":
          byPair(chosen.pair, KEEPALIVE);
          break;
        case "late": {
          const last = history.at(-1);
          if (last !== undefined) byRelay(last.bytes);
          break;
        }
        case "doubt":
          if (!wasBothWays) repeat();
          side.report("relay");
          break;
        case "trust":
          side.report("direct", chosen.pair.type);
          break;
        case "dead":
          return fallBack(SILENT);
      }
    }
  }

  function ready(pair: Pair): void {
    const before = chosen?.pair;
    both(OVERLAP);
    // The acceptor's word may find a dialler that has given up: only a packet from there shows that both chose this session.
    chosen = { pair, watch: watch.start(now()), isStale: false, isHeard: pair.id > 0 };
    peerDoubtsUntil = now();
    hadDirect = true;
    tries = 0;
    retryAt = undefined;
    if (before !== undefined) leaving.push({ pair: before, until: Instant.after(now(), OVERLAP), isHeard: false });
    say("direct", pair.type);
    side.rerouted();
    side.report("direct", pair.type);
  }

  function gone(pair: Pair, reason: string): void {
    leaving = leaving.filter((one) => one.pair !== pair);
    if (pair === chosen?.pair) fallBack(reason);
  }

  /** The peer has chosen otherwise and goes on as before. */
  function goBack(pair: Pair, before: Pair, reason: string): void {
    leaving = leaving.filter((one) => one.pair !== before);
    chosen = { pair: before, watch: watch.start(now()), isStale: false, isHeard: false };
    sessions.close(pair, reason);
    say("direct", before.type);
    side.rerouted();
    side.report("direct", before.type);
  }

  /** The relay path carries the call alone. */
  function fallBack(reason: string): void {
    if (chosen === undefined) return;
    const { pair } = chosen;
    const before = chosen.isHeard ? undefined : leaving.findLast((one) => one.isHeard)?.pair;
    if (before !== undefined) return goBack(pair, before, reason);
    if (!isBothWays()) repeat();
    // The other side goes along with whatever the dialler tries.
    if (reason === SILENT && isDialer) rest(pair);
    chosen = undefined;
    sessions.close(pair, reason);
    say("relay", "relay");
    side.rerouted();
    side.report("relay");
    if (sessions.isRacing()) return;
    if (isDialer && tries === 0) {
      tries = 1;
      side.regather();
    } else tryLater();
  }

  /** A pair that dies again and again is given longer each time, while others are tried at once: a call does not go to and fro with a path that does. */
  function rest({ remote, readyAt = now() }: Pair): void {
    const before = resting.get(remote);
    const failures = before === undefined || now() - readyAt >= STABLE ? 1 : before.failures + 1;
    resting.set(remote, { failures, until: Instant.after(now(), RESTS[Math.min(failures, RESTS.length) - 1] ?? seconds(60)) });
  }

  /** Only one side tries again by itself, or both would at once: its update makes the other one join. */
  function tryLater(): void {
    if (!isDialer || call === undefined) return;
    retryAt = Instant.after(now(), RETRIES[Math.min(tries, RETRIES.length - 1)] ?? seconds(60));
    tries++;
  }

  return {
    sessions,
    begin: (meeting) => {
      call = meeting.call;
      isDialer = meeting.role === "dialer";
      sessions.begin(meeting);
    },
    race: (candidates, why) => {
      if (call === undefined) return;
      if (why !== "set-up" && chosen !== undefined) {
        chosen.isStale = true;
        if (why === "peer-update") observe({ type: "suspect" });
      }
      retryAt = undefined;
      const spare = chosen !== undefined && !chosen.isStale ? chosen.pair.remote : undefined;
      const restsUntil = (one: Candidate): Instant => resting.get(one.address)?.until ?? Instant(0);
      const [tired, awake] = [
        candidates.filter((one) => restsUntil(one) > now()),
        candidates.filter((one) => restsUntil(one) <= now()),
      ];
      // Who is asked alone comes back for the others.
      if (isDialer) for (const one of tired) retryAt = Instant.earliest(retryAt, restsUntil(one));
      sessions.race(awake, why === "own-update", spare);
    },
    stirred: () => observe({ type: "suspect" }),
    moved: () => {
      resting.clear(); // from another network every way is another
      if (chosen === undefined) return;
      chosen.isStale = true;
      observe({ type: "suspect" });
    },
    reported: (path) => {
      if (chosen === undefined) return;
      if (path === "direct") {
        peerDoubtsUntil = now();
        return both(OVERLAP);
      }
      both(OVERLAP);
      peerDoubtsUntil = Instant.after(now(), PEERS_DOUBT);
    },
    isDirect: () => chosen !== undefined,
    isBeyondDoubt: () => chosen !== undefined && chosen.watch.doubt === undefined && now() >= peerDoubtsUntil,
    expectsCopies: () => hadDirect || sessions.count() > 0,
    send: (packets) => {
      const at = now();
      if (isRepeated && packets.length > 0) {
        repeat();
        isRepeated = false;
      }
      while (history[0] !== undefined && at - history[0].at > HISTORY) history.shift();
      for (const bytes of packets) {
        if (call !== undefined) history.push({ at, bytes });
        if (chosen !== undefined) byPair(chosen.pair, bytes);
        for (const one of leaving) byPair(one.pair, bytes);
      }
      const isIdle = chosen?.watch.hasSentMedia === false;
      if (packets.length > 0) observe({ type: "sent", isKeepalive: packets.every((bytes) => leavesPause(bytes, isIdle)) });
      if (isBothWays() || at >= warmAt) for (const bytes of packets) byRelay(bytes);
    },
    end: (hangUp) => {
      sessions.end(hangUp);
      call = undefined;
      chosen = undefined;
      leaving = [];
      history = [];
      bothUntil = now();
      peerDoubtsUntil = now();
      hadDirect = false;
      tries = 0;
      retryAt = undefined;
      resting.clear();
    },
    wake: () => {
      sessions.wake();
      observe({ type: "wake" });
      if (isSettled()) {
        for (const one of leaving) if (now() >= one.until) sessions.close(one.pair, "replaced");
        leaving = leaving.filter((one) => now() < one.until);
      }
      if (retryAt === undefined || now() < retryAt) return;
      retryAt = undefined;
      side.regather();
    },
    deadline: () => {
      let first = Instant.earliest(sessions.deadline(), chosen === undefined ? undefined : watch.deadline(chosen.watch), retryAt);
      if (isSettled()) for (const { until } of leaving) first = Instant.earliest(first, until);
      return first;
    },
    view: () => ({
      session: chosen?.pair.id ?? null,
      inDoubt: chosen?.watch.doubt !== undefined,
      retryAt: retryAt ?? null,
      sessions: sessions.view(),
    }),
  };
}

/**
 * Whether nothing is to be expected soon after a packet: it is a keepalive or a description of noise. Repair and reports come while a party speaks and while
 * it does not, so they leave that as it was (`isIdle`).
 */
function leavesPause(bytes: Uint8Array, isIdle: boolean): boolean {
  if (isKeepalive(bytes)) return true;
  const kind = kindOf(bytes);
  return kind === "speech" ? false : kind === "comfort" || isIdle;
}
