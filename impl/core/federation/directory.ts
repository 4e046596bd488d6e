/** Which users are registered with which other relay, and the peers that stand for them at this one's call desk. */
import type { RefusalReason } from "../../base/record.ts";
import type { FederationUsers } from "../../wire/signal.ts";
import { verifyRegistration } from "../registration.ts";
import type { SessionId } from "../session.ts";
import type { Hub, Link, StandIn } from "./link.ts";

/** Stand-ins bear session numbers from here on, which no endpoint gives out. */
export const FIRST_STAND_IN: number = 2 ** 40;
/** Users of one other relay that are remembered. chosen: four times what a relay admits by default. */
const MAX_REMOTE_USERS = 16_384;

type Known = { readonly link: Link; readonly peer: StandIn; readonly user: string };

export class Directory {
  readonly #links: readonly Link[];
  readonly #hub: Hub;
  readonly #byStandIn = new Map<SessionId, Known>();
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

  /** The other relay tells who is registered with it. Each user has to have signed for that relay's certificate: nobody can announce another's. */
  announced(link: Link, { added, removed, whole, proofs = [] }: FederationUsers): void {
    this.#remove(link, whole ? [...link.users].filter((user) => !added.includes(user)) : removed);
    for (const [index, user] of added.entries()) {
      const reason = link.users.has(user) ? undefined : this.#doubt(link, user, proofs[index]);
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
    if (proof === undefined) return "unauthenticated";
    const checked = verifyRegistration(this.#hub.crypto, proof, link.relay.pin);
    if (!checked.ok) return checked.reason;
    return checked.fingerprint === user ? undefined : "forged-signature";
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
