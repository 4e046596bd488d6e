/**
 * A scenario as data, in the expanded form that laboratories run, `scenario.json` holds and replay reads: every default
 * filled in, every profile replaced by its numbers, every time a whole number of microseconds.
 */

import type { AddressFamily } from "../impl/base/address.ts";
import type { FecScheme } from "../impl/base/fec-scheme.ts";
import type { JitterBufferName } from "../impl/base/jitter-buffer-name.ts";
import type { TierChoice } from "../impl/base/tier.ts";
import type { RejectAnswer } from "./middlebox.ts";

/** How packets fare in one direction of an access link. */
export type LinkModel = {
  /** One-way propagation delay, microseconds. */
  readonly delay: number;
  /** Half-width of the jitter around `delay`, microseconds. */
  readonly jitter: number;
  /** `uniform` in delay ± jitter, or `normal` with sigma = jitter / 2 truncated at ± jitter. */
  readonly jitterShape: "uniform" | "normal";
  /** `keep`: a packet never overtakes an earlier one; `free`: jitter reorders. */
  readonly order: "keep" | "free";
  /** Independent loss, 0..1. */
  readonly loss: number;
  /** Gilbert-Elliott (p: good to bad, r: bad to good, loss ratio in each state), drawn once in 20 ms, a packet of voice; null: none. */
  readonly burst: { readonly p: number; readonly r: number; readonly lossGood: number; readonly lossBad: number } | null;
  /** Exact packets to drop, counted from 1 in this direction since the model was put in force. */
  readonly drop: readonly number[];
  /** Share of packets sent twice, 0..1. */
  readonly duplicate: number;
  /** Share of packets held back so that later ones overtake, and by how many microseconds. */
  readonly reorder: { readonly share: number; readonly by: number } | null;
  /** Bottleneck: bits a second and the queue's bytes before tail drop; null: unlimited. */
  readonly rate: { readonly bps: number; readonly queueBytes: number } | null;
  /** Instants, microseconds from the run's start, at which 1504 octets may leave, over and over with `period`; it takes the place of `rate`. Absent: none. */
  readonly deliveries?: { readonly at: readonly number[]; readonly period: number; readonly queueBytes: number };
  /** Octets of the largest IP packet that passes; a larger one is lost and nobody is told (RFC 2923). Absent: any passes. */
  readonly mtu?: number;
  /** Share of packets that arrive with one bit of their payload flipped and past the UDP checksum, 0..1. Absent: none. */
  readonly corrupt?: number;
  /** Packet by packet from the model's start, cycled: extra delay in microseconds, or -1 for a loss. Empty: none. */
  readonly trace: readonly number[];
};

/** RFC 4787 names. */
export type NatBehaviour = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

export type NatModel = {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  /** How the external port is chosen; `block`: at random from the subscriber's own range. */
  readonly ports: "preserve" | "random" | "sequential" | "block";
  /** With `block`, and only then: ports of each subscriber's range, and how many ranges there are; absent: as many as fit. See port-block.ts. */
  readonly portBlock?: { readonly size: number; readonly blocks?: number };
  /** RFC 4787 REQ-9: whether an inside host reaches another through the external address, and whose source it then sees. */
  readonly hairpin: "off" | "internal-source" | "external-source";
  /** Idle mapping lifetime, microseconds (RFC 4787 REQ-5). */
  readonly lifetime: number;
  /** RFC 4787 REQ-6: whether inbound packets refresh a mapping too (outbound ones always do). */
  readonly inboundRefresh: boolean;
  /** Name of the NAT this one sits behind, or null when it faces the internet. */
  readonly behind: string | null;
  /** What its inside may ask it for mappings by: PCP (RFC 6887) or NAT-PMP (RFC 6886); absent: nothing. */
  readonly portMapping?: "pcp" | "nat-pmp" | "upnp-igd";
};

export type InterfaceModel = {
  readonly up: LinkModel;
  readonly down: LinkModel /** Name of a NAT, or null: a public address. */;
  readonly nat: string | null;
  /** Address families it has; absent: IPv4 alone. A NAT forwards IPv6 as it is, through a stateful firewall that filters as the NAT does (RFC 6092). */
  readonly families?: readonly AddressFamily[];
};

export type PartyModel = {
  readonly role: "client" | "relay";
  /** In order of preference: the first one that is up carries traffic. */
  readonly interfaces: Readonly<Record<string, InterfaceModel>>;
  /** The party's clock against true time, parts in a million. */
  readonly driftPpm: number;
  /**
   * W3C `RTCIceTransportPolicy` of a client: `all` tries direct paths, `relay` reveals no address and never does. Absent (scenarios of before direct
   * paths): the client accepts no sessions, so calls go by the relay.
   */
  readonly iceTransportPolicy?: "all" | "relay";
  /** What a client sends with; absent: nothing twice. */
  readonly fec?: FecScheme;
  /** A client with the identity of this one: a second process of the same user. */
  readonly identityOf?: string;
  /** A client that registers when an action says so, and not at the start. */
  readonly startsIdle?: true;
  /** A relay that does not keep the key of its stateless resets over a restart (RFC 9000 section 10.3.2): its clients do not know them then. */
  readonly losesResetKey?: true;
  /** Its redundancy follows the link; absent: it stays as it is. */
  readonly adaptsFec?: true;
  /** What a client speaks in; absent: the best tier. */
  readonly tier?: Exclude<TierChoice, "good">;
  /** A client that sends nothing but the noise's level while nobody speaks. */
  readonly dtx?: true;
  /** A client that removes noise from what it says; in runs with audio alone, and 20 ms later. */
  readonly denoise?: true;
  /** Name of the relay a client registers with, where it is another than its call's. */
  readonly relay?: string;
  /** Names of the relays that a relay shares its users with. */
  readonly federatesWith?: readonly string[];
};

export type CallModel = {
  readonly caller: string;
  readonly callee: string;
  /** Name of the relay both are registered with. */
  readonly relay: string;
  readonly at: number;
  /** What the callee does; `none`: it never answers. */
  readonly answer: "AcceptTrusted" | "AcceptGeneric" | "Reject" | "none";
  /** From ringing to the answer, microseconds. */
  readonly answerAfter: number;
  /** Instant of the caller's hang-up; null: the call lasts to the end. */
  readonly hangUpAt: number | null;
  /** What each says: a fixture's name (`speech-a`, `speech-b`), `tone`, or a path to a WAV file. */
  readonly callerSays: string;
  readonly calleeSays: string;
};

/** When a fault happens: at an instant, or `delay` after the `nth` log record (from 1) whose fields all equal those of `match`. */
export type Trigger =
  | { readonly at: number }
  | {
      readonly after: {
        readonly match: Readonly<Record<string, string | number | boolean>>;
        readonly nth: number;
        readonly delay: number;
      };
    };

/** What a client's user does besides calling. */
export type Action = { readonly when: Trigger; readonly party: string } & (
  | { readonly does: "register"; readonly relay: string } // another relay than before: a switch; the same one: nothing
  | { readonly does: "deregister" } // hangs up, leaves its relay, stays idle
  | { readonly does: "hang-up" }
);

/** Directions are the party's own: `up` is what it sends. */
export type Direction = "up" | "down" | "both";

/** What goes wrong. `for` is how long until the lab heals it; null: it stays. */
export type Fault = { readonly when: Trigger; readonly for: number | null } & (
  | { readonly kind: "kill"; readonly target: string } // process dies at once; healed: started again with the same identity
  | { readonly kind: "drain"; readonly target: string; readonly within: number } // relay sends its clients away and exits within that time; healed: started again
  | {
      readonly kind: "partition"; // nothing passes between two parties, or nothing of one family; up: to `other`
      readonly target: string;
      readonly other: string;
      readonly direction: Direction;
      readonly family?: AddressFamily;
    }
  | { readonly kind: "pause"; readonly target: string } // process stops running, its sockets keep queueing (SIGSTOP)
  | { readonly kind: "starve"; readonly target: string; readonly share: number; readonly every: number } // process runs for that share of every such time
  | { readonly kind: "rebind"; readonly target: string; readonly other?: string } // NAT (by name): new external ports for every mapping, or those for flows to `other`, old ones dead
  | { readonly kind: "renumber"; readonly target: string } // NAT (by name): new external address, mappings lost
  | { readonly kind: "expire"; readonly target: string } // NAT (by name): mappings forgotten, filters closed
  | { readonly kind: "block-udp"; readonly target: string; readonly answer?: RejectAnswer } // NAT (by name): no UDP crosses it, mappings stay; healed: it crosses again
  | { readonly kind: "block-quic"; readonly target: string; readonly answer?: RejectAnswer } // NAT (by name): no QUIC crosses it, other UDP does
  | { readonly kind: "late-kill"; readonly target: string; readonly lives: number; readonly other?: string } // NAT (by name): every flow, or those to `other`, dies when it is so old
  | { readonly kind: "interface-down"; readonly target: string; readonly interface: string }
  | {
      readonly kind: "families"; // interface has addresses of these families from now on; healed: of those it had
      readonly target: string;
      readonly interface: string;
      readonly families: readonly AddressFamily[];
    }
  | {
      readonly kind: "roam"; // traffic moves from one interface to another; healed: back, `from` preferred again
      readonly target: string;
      readonly from: string;
      readonly to: string;
      /** Make before break: `to` is preferred at once, `from` goes down this much later. At most one of the two is above 0. */
      readonly overlap: number;
      /** Break before make: `from` goes down at once and `to` comes up (again) this much later. */
      readonly gap: number;
    }
  | {
      readonly kind: "impair";
      readonly target: string;
      readonly interface: string;
      readonly direction: Direction;
      readonly link: Partial<LinkModel>;
    } // laid over the link's model
  | { readonly kind: "blackout"; readonly target: string; readonly interface: string; readonly direction: Direction } // nothing passes
  | { readonly kind: "signalling"; readonly target: string; readonly direction: Direction; readonly effect: SignallingEffect }
);

/** Done to whole signalling messages of a client, between its core and its session. Share 0..1 of messages, delays in microseconds. */
export type SignallingEffect = {
  readonly duplicate: number;
  readonly reorder: number;
  readonly delay: number;
  /** Of the messages that carry key shares: the shares are another's, under the signatures they came with. Absent: none. */
  readonly forge?: number;
  /** Only these message types; empty: all. */
  readonly types: readonly string[];
};

/** A named oracle and its parameters; times in microseconds. The catalogue with every parameter is in `oracles.ts`. */
export type Expectation = { readonly oracle: string } & Readonly<Record<string, string | number | boolean>>;

/** The sabotage of impl/ under which the scenario must be `broken`: a name in the mutation catalogue and the oracle that must break. */
export type Twin = { readonly mutation: string; readonly breaks: string };

/** Clients that do nothing but stay registered with the first relay, called `crowd-1` and so on: many in few words. Only in virtual time. */
export type Crowd = {
  readonly clients: number;
  /** What each has to the internet. */
  readonly up: LinkModel;
  readonly down: LinkModel;
  /** They register one by one, spread over this, microseconds. */
  readonly over: number;
};

export type Scenario = {
  readonly schema: "midcall/scenario@1";
  readonly name: string;
  /** One sentence: the question this scenario asks. */
  readonly asks: string;
  readonly tags: readonly string[];
  readonly labs: readonly ("sim" | "netns" | "docker")[];
  readonly duration: number;
  /** What every client plays out with. */
  readonly jitterBuffer: JitterBufferName;
  readonly nats: Readonly<Record<string, NatModel>>;
  readonly parties: Readonly<Record<string, PartyModel>>;
  /** Absent: none. */
  readonly crowd?: Crowd;
  readonly calls: readonly CallModel[];
  /** Absent: none. */
  readonly actions?: readonly Action[];
  readonly faults: readonly Fault[];
  readonly expect: readonly Expectation[];
  readonly twin: Twin | null;
};
