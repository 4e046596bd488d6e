/**
 * Whether a client's relay lives, asked by STUN beside its sessions: while a call waits for it (relay-probe.ts), and while it is registered by one of several addresses, whether
 * that one and the others answer (relay-watch.ts).
 */
import type { Address } from "../base/address.ts";
import { Instant, type Micros } from "../base/units.ts";
import type { View } from "../base/view.ts";
import { parseStun } from "../wire/stun.ts";
import type { HostNetwork } from "./effect.ts";
import type { Outbox } from "./outbox.ts";
import type { Link } from "./relay-link.ts";
import * as probe from "./relay-probe.ts";
import { addressesOf, reachable } from "./relay-route.ts";
import * as relayWatch from "./relay-watch.ts";
import type { RelayTarget } from "./supervisor.ts";

export type Config = {
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  /** How often the relay is asked while a call waits for it. */
  readonly probeEvery: Micros;
  /** Answers must not tell the client's address. */
  readonly isPrivate: boolean;
};

export type LivenessSide = {
  now(): Instant;
  /** The relay that the user wants now. */
  wanted(): RelayTarget | undefined;
  network(): HostNetwork | undefined;
  /** A call's media need the relay. */
  isUrgent(): boolean;
  /** The wanted relay has answered at this address of it, a question asked then. */
  answered(way: Address, asked: Instant): void;
  /** The registered session's address is dead and `way` is not. */
  moveTo(way: Address): void;
};

export type RelayLiveness = {
  /** Addresses of the wanted relay that have answered since it was last asked for. */
  readonly alive: ReadonlySet<Address>;
  /** A packet that is not QUIC. */
  packet(from: Address, bytes: Uint8Array): void;
  /** Something came on this session. */
  heard(link: Link): void;
  /** The host's network has changed: there may be other addresses to go to. */
  networkChanged(): void;
  /** To be called after every step: whether the relay is to be asked for, and the session that is registered. */
  attend(isAsking: boolean, registered: Link | undefined): void;
  wake(): void;
  deadline(): Instant | undefined;
  view(): { readonly watch: View; readonly probe: View };
};

export function relayLiveness(config: Config, out: Outbox, side: LivenessSide): RelayLiveness {
  const alive = new Set<Address>();
  let asking: probe.State = probe.start();
  /** Of the registered session, while its relay has another address as well; of the one before until there is one again, since answers are still to come. */
  let watched: { readonly link: Link; state: relayWatch.State } | undefined;
  let isWatching = false;
  /** For which it was last found out whether there is another address; null: the network has changed since. */
  let considered: Link | undefined | null;

  function ask(): void {
    const [next, question] = probe.wake({ ...config, every: config.probeEvery }, asking, side.now());
    asking = next;
    const relay = side.wanted();
    if (question === undefined || relay === undefined) return;
    for (const to of reachable(relay, side.network())) out.push({ type: "packet", to, bytes: question });
  }

  const watchConfig = (): relayWatch.Config => ({
    entropy: config.entropy,
    isPrivate: config.isPrivate,
    isUrgent: side.isUrgent(),
  });

  function observe(input: relayWatch.Input): void {
    if (watched === undefined || (!isWatching && input.type !== "response")) return;
    const [next, effects] = relayWatch.step(watchConfig(), watched.state, side.now(), input);
    watched.state = next;
    for (const effect of effects) {
      if (effect.type === "packet") out.push(effect);
      else moveTo(effect.way);
    }
  }

  function moveTo(way: Address): void {
    alive.add(way);
    side.moveTo(way);
  }

  /** Watches the registered session, where there is another address to go to. */
  function attendWatch(link: Link | undefined): void {
    if (considered === link) return;
    considered = link;
    const others = link === undefined ? [] : reachable(link.relay, side.network()).filter((one) => one !== link.remote);
    isWatching = others.length > 0;
    if (link !== undefined && isWatching)
      watched = { link, state: relayWatch.start(side.now(), link.remote, others, link.rtt, watched?.state) };
  }

  return {
    alive,
    packet: (from, bytes) => {
      const stun = parseStun(bytes);
      if (!stun.ok) return out.refuse("malformed", "STUN packet");
      if (stun.kind === "response" && watched !== undefined && relayWatch.isAbout(watched.state, from, stun.transactionId))
        return observe({ type: "response", from, transaction: stun.transactionId });
      const asked = stun.kind === "response" ? probe.askedAt(asking, stun.transactionId) : undefined;
      const relay = side.wanted();
      if (asked === undefined || relay === undefined || !addressesOf(relay).includes(from))
        return out.refuse("unexpected", `STUN ${stun.kind}`);
      alive.add(from);
      side.answered(from, asked);
    },
    heard: (link) => {
      if (link === watched?.link) observe({ type: "heard" });
    },
    networkChanged: () => {
      considered = null;
    },
    attend: (isAsking, registered) => {
      asking = isAsking ? probe.begin(asking, side.now()) : probe.end(asking);
      if (!isAsking) alive.clear();
      attendWatch(registered);
    },
    wake: () => {
      ask();
      observe({ type: "wake" });
    },
    deadline: () =>
      Instant.earliest(
        probe.deadline(asking),
        watched === undefined || !isWatching ? undefined : relayWatch.deadline(watchConfig(), watched.state),
      ),
    view: () => ({
      watch: watched === undefined || !isWatching ? null : relayWatch.view(watched.state),
      probe: { due: probe.deadline(asking) ?? null, unanswered: asking.asked.size },
    }),
  };
}
