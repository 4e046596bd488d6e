/** One link of a relay to another: who that is, how the session with it stands, which users it has and how the way there is. */
import type { Address } from "../../base/address.ts";
import type { Instant, Micros } from "../../base/units.ts";
import type { CallDesk, Peer } from "../call-desk.ts";
import type { Call } from "../call-registry.ts";
import type { CryptoEngine } from "../crypto.ts";
import type { Identity } from "../identity.ts";
import type { Outbox } from "../outbox.ts";
import type { RegistrationProof } from "../registration.ts";
import * as probe from "../relay-probe.ts";
import type { SessionId } from "../session.ts";
import * as supervisor from "../supervisor.ts";
import { PathProbe } from "./path-probe.ts";
import { TrunkLine } from "./trunk-line.ts";

/** A relay to federate with: `pin` of its certificate, `fingerprint` of its identity. Of two relays the one whose name comes first dials. */
export type PeerRelay = {
  readonly name: string;
  readonly address: Address;
  readonly pin: string;
  readonly fingerprint: string;
};

export type Config = {
  /** As the peers know this relay; printable ASCII, 128 characters at most. */
  readonly name: string;
  readonly identity: Identity;
  readonly peers: readonly PeerRelay[];
  /** Fresh random octets. */
  readonly entropy: (length: number) => Uint8Array;
  readonly backoff: readonly Micros[];
};

/** A client of this relay: its fingerprint, and the registration that proves it is one. */
export type LocalUser = { readonly fingerprint: string; readonly proof: RegistrationProof };

/** The relay around it. */
export type Hub = {
  /** SHA-256 of this relay's certificate, lowercase hex. */
  readonly pin: string;
  readonly crypto: CryptoEngine;
  readonly out: Outbox;
  now(): Instant;
  desk(): CallDesk;
  /** The session a client of this relay is registered by. */
  local(fingerprint: string): Peer | undefined;
  locals(): Iterable<LocalUser>;
  /** A partner has shown that the user is registered there. */
  claimed(fingerprint: string): void;
  /** A media packet of the call came, and nobody is there for it. */
  undelivered(call: Call): void;
};

/** A user of another relay, as the call desk sees it. */
export type StandIn = Peer & { readonly isRemote: true };

export type Link = {
  readonly relay: PeerRelay;
  readonly dials: boolean;
  watch: supervisor.State;
  asking: probe.State;
  attempt: SessionId | undefined;
  /** Up while it is there. */
  session: SessionId | undefined;
  readonly users: Set<string>;
  readonly standIns: Map<string, StandIn>;
  readonly trunk: TrunkLine;
  readonly path: PathProbe;
};

export const startLink = (config: Config, relay: PeerRelay): Link => ({
  relay,
  dials: config.name < relay.name,
  watch: supervisor.start(),
  asking: probe.start(),
  attempt: undefined,
  session: undefined,
  users: new Set<string>(),
  standIns: new Map<string, StandIn>(),
  trunk: new TrunkLine(),
  path: new PathProbe(config.entropy),
});
