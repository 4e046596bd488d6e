/**
 * One attempt to reach a relay: a race over its addresses (address-race.ts), each with a session of its own, of which one is left. To the supervisor it is one attempt, however
 * many sessions it takes.
 */
import type { Address } from "../base/address.ts";
import type { Instant, Micros } from "../base/units.ts";
import * as race from "./address-race.ts";
import type { Outbox } from "./outbox.ts";
import { type Link, startLink } from "./relay-link.ts";
import type { SessionId } from "./session.ts";
import { mustBeLost, type RelayTarget } from "./supervisor.ts";

export type DialSide = {
  now(): Instant;
  /** A number that no session of this client has had; one is opened by it. */
  nextSession(): SessionId;
  /** This session is the one to register on, in place of any that was it before. */
  won(link: Link): void;
};

export type RelayDial = {
  /** Begins an attempt, in place of one that is under way. `ways`: addresses of `relay`, the first to be dialled first; at least one. */
  begin(relay: RelayTarget, ways: readonly Address[]): void;
  /** Gives the attempt up. */
  abandon(detail: string): void;
  /** The session that has won is what the attempt was for. */
  settled(): void;
  find(id: SessionId): Link | undefined;
  /** Sessions of the attempt under way. */
  links(): readonly Link[];
  /** The handshake of one is complete. */
  completed(link: Link, rtt: Micros): void;
  /**
   * The relay has been heard at `way`, beside its sessions: where that is still to be dialled it is now, beside the others; where the handshake there must have been lost, since the
   * question that is answered was `asked` well after, it alone is begun anew, for others may be slow and not lost. Since when it is dialled; undefined: it is not.
   */
  alive(way: Address, asked: Instant): Instant | undefined;
  /** One is closed. True: the attempt has failed with it. */
  ended(link: Link): boolean;
  wake(): void;
  deadline(): Instant | undefined;
};

export function relayDial(out: Outbox, side: DialSide): RelayDial {
  let state: race.State | undefined;
  let target: RelayTarget | undefined;
  const links = new Map<Address, Link>();

  const close = (link: Link, detail: string): void => {
    links.delete(link.remote);
    out.push({ type: "close", session: link.id, detail });
  };

  function dial(remote: Address): void {
    if (target === undefined) return;
    const link = startLink(side.nextSession(), target, remote, side.now());
    links.set(remote, link);
    out.say({ ev: "session", session: link.id, state: "connecting", remote });
    out.push({ type: "connect", session: link.id, remote, pin: target.pin });
  }

  /** True: the race is lost. */
  function take([next, effects]: readonly [race.State, readonly race.Effect[]]): boolean {
    state = next;
    let isLost = false;
    for (const effect of effects) {
      const link = effect.type === "lost" ? undefined : links.get(effect.way);
      if (effect.type === "dial") dial(effect.way);
      else if (effect.type === "lost") isLost = true;
      else if (link !== undefined && effect.type === "drop") close(link, "lost the race");
      else if (link !== undefined) side.won(link);
    }
    if (isLost) state = undefined;
    return isLost;
  }

  const step = (input: race.Input): boolean => state !== undefined && take(race.step(state, side.now(), input));

  const abandon = (detail: string): void => {
    for (const link of [...links.values()]) close(link, detail);
    state = undefined;
  };

  return {
    begin: (relay, ways) => {
      abandon("superseded");
      target = relay;
      take(race.start(ways, side.now()));
    },
    abandon,
    settled: () => {
      const winner = state?.winner;
      for (const link of [...links.values()]) if (link.remote !== winner) close(link, "lost the race");
      links.clear();
      state = undefined;
    },
    find: (id) => {
      for (const one of links.values()) if (one.id === id) return one;
      return undefined;
    },
    links: () => [...links.values()],
    completed: ({ remote }, rtt) => void step({ type: "completed", way: remote, rtt }),
    alive: (way, asked) => {
      step({ type: "alive", way });
      const link = links.get(way);
      if (link !== undefined && links.size > 1 && state?.winner === undefined && mustBeLost(link.dialledAt, asked)) {
        close(link, "superseded");
        dial(way);
      }
      return links.get(way)?.dialledAt;
    },
    ended: ({ remote }) => {
      links.delete(remote);
      return step({ type: "ended", way: remote });
    },
    wake: () => void step({ type: "wake" }),
    deadline: () => (state === undefined ? undefined : race.deadline(state)),
  };
}
