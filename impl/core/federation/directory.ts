/** Which users are registered with which other relay, and the peers that stand for them at this one's call desk. */
import type { RefusalReason } from "../../base/record.ts";
import type { FederationUsers } from "../../wire/signal.ts";
import { registeredAt, verifyRegistration } from "../registration.ts";
import type { SessionId } from "../session.ts";
import type { Hub, Link, StandIn } from "./link.ts";

/** Stand-ins bear session numbers from here on, which no endpoint gives out. */
export const FIRST_STAND_IN: number = 2 ** 40;
/** Users of one other relay that are remembered. chosen: four times what a relay admits by default. */
const MAX_REMOTE_USERS = 16_384;

/** Users whose newest registration is remembered, here or with any other relay. chosen: those of two full relays; the one longest unheard of makes room. */
const MAX_REMEMBERED = 32_768;

type Known = { readonly link: Link; readonly peer: StandIn; readonly user: string };

export class Directory {
  readonly #links: readonly Link[];
  readonly #hub: Hub;
  readonly #byStandIn = new Map<SessionId, Known>();
  /** The millisecond of the newest registration that was seen of a user, oldest first. */
  readonly #newest = new Map<string, number>();
  #next = FIRST_STAND_IN;

  constructor(links: readonly Link[], hub: Hub) {
    this.#links = links;
    this.#hub = hub;
  }

  /** The link that has this user. */
  linkOf(user: string): Link | undefined {
    return this.#links.find((one) => one.users.has(user));
  }
  find(session: SessionId): Known | undefined {
    return this.#byStandIn.get(session);
  }

  /** The peer that stands for `user` of the other relay, made when there is none. */
  standIn(link: Link, user: string): StandIn {
    const known = link.standIns.get(user);
    if (known !== undefined) return known;
    const session = this.#next++;
    const peer: StandIn = {
      session,
      since: this.#hub.now(),
      remote: link.relay.address,
      fingerprint: user,
      channels: new Map(),
      offers: new Set(),
      isRemote: true,
    };
    link.standIns.set(user, peer);
    this.#byStandIn.set(session, { link, peer, user });
    return peer;
  }

  /** A user has registered with this relay itself, which is believed whatever others have shown. */
  registered(user: string, at: number): void {
    this.#newest.delete(user);
    this.#newest.set(user, at);
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MAX_REMEMBERED && oldest !== undefined) this.#newest.delete(oldest);
  }

  /** All users of a link are out of reach; calls with them wait for them as for any client that is away. */
  clear(link: Link): void {
    for (const peer of link.standIns.values()) {
      this.#hub.desk().detach(peer);
      this.#byStandIn.delete(peer.session);
    }
    link.standIns.clear();
    link.users.clear();
    link.trunk.clear();
  }

  /**
   * The other relay tells who is registered with it. Each user has to have signed for that relay's certificate, and for none later that is known here: nobody can announce
   * another's, or one who has gone elsewhere since.
   */
  announced(link: Link, { added, removed, whole, proofs = [] }: FederationUsers): void {
    this.#remove(link, whole ? [...link.users].filter((user) => !added.includes(user)) : removed);
    for (const [index, user] of added.entries()) {
      const reason = this.#doubt(link, user, proofs[index]);
      if (reason !== undefined) {
        this.#hub.out.refuse(reason, "user announced without a registration of its own");
        continue;
      }
      if (link.users.size >= MAX_REMOTE_USERS) return this.#hub.out.refuse("limit", "users of another relay");
      for (const other of this.#links) if (other !== link && other.users.has(user)) this.#remove(other, [user]);
      link.users.add(user);
      this.#hub.claimed(user);
      if (this.#hub.local(user) === undefined) this.#hub.desk().welcome(this.standIn(link, user), user);
    }
  }

  #doubt(link: Link, user: string, proof: NonNullable<FederationUsers["proofs"]>[number] | undefined): RefusalReason | undefined {
    const isKnown = link.users.has(user);
    if (proof === undefined) return isKnown ? undefined : "unauthenticated";
    const [at, newest] = [registeredAt(proof), this.#newest.get(user) ?? 0];
    if (isKnown && at <= newest) return undefined;
    if (at < newest) return "replayed";
    const checked = verifyRegistration(this.#hub.crypto, proof, link.relay.pin);
    if (!checked.ok) return checked.reason;
    if (checked.fingerprint !== user) return "forged-signature";
    this.registered(user, at);
    return undefined;
  }

  #remove(link: Link, users: readonly string[]): void {
    for (const user of users) {
      link.users.delete(user);
      const peer = link.standIns.get(user);
      if (peer === undefined) continue;
      this.#hub.desk().detach(peer);
      this.#hub.desk().leave(peer);
      link.standIns.delete(user);
      this.#byStandIn.delete(peer.session);
    }
  }
}
