/**
 * How a scenario writes a fault: what goes wrong, where, when (`at` an instant, or `after` something was logged) and for how
 * long. The catalogue of kinds with what each does and may say is here too; the reference tables are made from it.
 */
import { z } from "zod";
import type { AddressFamily } from "../impl/base/address.ts";
import { families } from "./address-family.ts";
import type { Direction, Fault } from "./expanded.ts";
import { overlay, type WrittenOverlay } from "./link-language.ts";
import { REJECT_CODES, type RejectAnswer } from "./middlebox.ts";
import type { Time } from "./time.ts";
import { type After, after, name, share, strict, time } from "./vocabulary.ts";

/** `delay` after the `nth` log record whose fields all equal those of `match`. */
export type WrittenAfter = After;

/** When: exactly one of `at`, `after` and, as in the expanded form, `when`. `for`: how long until it is healed; null: it stays. */
export type WrittenWhen = {
  readonly at?: Time | undefined;
  readonly after?: WrittenAfter | undefined;
  readonly when?: { readonly at: Time } | { readonly after: WrittenAfter } | undefined;
  readonly for?: Time | null | undefined;
};

/** A signalling disturbance as written; see SignallingEffect. */
export type WrittenSignallingEffect = {
  readonly duplicate?: number | undefined;
  readonly reorder?: number | undefined;
  readonly delay?: Time | undefined;
  /** Share of the messages with key shares that arrive with another's, as from a relay that wants to listen in. */
  readonly forge?: number | undefined;
  /** Only these messages; none named: all. */
  readonly types?: readonly (typeof SIGNALLING_MESSAGES)[number][] | undefined;
};

/** `interface` may be left out: the party's first. `direction` may be left out: both. */
type OnLink = { readonly target: string; readonly interface?: string | undefined; readonly direction?: Direction | undefined };

/** A change of network: from an interface (the party's first) to another (its second), with a time in which both carry, or neither does. */
export type WrittenRoam = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Make before break: traffic takes the new interface at once, the old one goes down this much later. */
  readonly overlap?: Time | undefined;
  /** Break before make: the new interface comes up this long after the old one has gone down. */
  readonly gap?: Time | undefined;
};

/** A fault as written. */
export type WrittenFault = WrittenWhen &
  (
    | { readonly kind: "kill" | "pause" | "renumber" | "expire"; readonly target: string }
    | { readonly kind: "rebind"; readonly target: string; readonly other?: string | undefined }
    | { readonly kind: "block-udp" | "block-quic"; readonly target: string; readonly answer?: RejectAnswer | undefined }
    | {
        readonly kind: "late-kill";
        readonly target: string;
        readonly lives?: Time | undefined;
        readonly other?: string | undefined;
      }
    | {
        readonly kind: "starve";
        readonly target: string;
        readonly share?: number | undefined;
        readonly every?: Time | undefined;
      }
    | { readonly kind: "drain"; readonly target: string; readonly within?: Time | undefined }
    | {
        readonly kind: "partition";
        readonly target: string;
        readonly other: string;
        readonly direction?: Direction | undefined;
        readonly family?: AddressFamily | undefined;
      }
    | { readonly kind: "interface-down"; readonly target: string; readonly interface?: string | undefined }
    | {
        readonly kind: "families";
        readonly target: string;
        readonly interface?: string | undefined;
        readonly families: readonly AddressFamily[];
      }
    | ({ readonly kind: "roam"; readonly target: string } & WrittenRoam)
    | ({ readonly kind: "blackout" } & OnLink)
    | ({ readonly kind: "impair"; readonly link: WrittenOverlay } & OnLink)
    | {
        readonly kind: "signalling";
        readonly target: string;
        readonly direction?: Direction | undefined;
        readonly effect: WrittenSignallingEffect;
      }
  );

/** Types of the signalling messages a disturbance may be limited to: those of the wire protocol. */
export const SIGNALLING_MESSAGES = [
  "Register",
  "RegisterAck",
  "Reflect",
  "ReflectResponse",
  "DirectCallOffer",
  "DirectCallAnswer",
  "CallSetup",
  "Hangup",
  "HangupAck",
  "CandidateUpdate",
  "MediaPathReport",
  "CallResume",
  "CallResumed",
  "FederatedSignalForward",
  "FederationHello",
  "FederationHelloAck",
  "FederationUsers",
  "FederationChannel",
  "Ringing",
  "Refusal",
  "RelayDraining",
] as const;

/** What a kind of fault does. */
export type FaultKind = {
  readonly kind: Fault["kind"];
  readonly does: string;
  /** What `target` must name. */
  readonly target: "a party" | "a client" | "a relay" | "a NAT";
  /** Keys of its own besides `target`. */
  readonly keys: readonly string[];
  /** What happens when `for` is over; undefined: it cannot be undone, `for` is refused. */
  readonly heals?: string;
};

const KINDS: readonly FaultKind[] = [
  { kind: "kill", does: "The process dies at once.", target: "a party", keys: [], heals: "started again with the same identity" },
  {
    kind: "pause",
    does: "The process stops running while its sockets keep queueing (SIGSTOP).",
    target: "a party",
    keys: [],
    heals: "runs on",
  },
  {
    kind: "starve",
    does: "The process gets a `share` of its processor (0.5), in one piece `every` so often (100 ms), and stands still for the rest, as on a machine that has too much to do.",
    target: "a party",
    keys: ["share", "every"],
    heals: "runs on",
  },
  {
    kind: "drain",
    does: "The relay sends its clients to the scenario's other relays and exits when they have left, `within` (10 s) at the latest.",
    target: "a relay",
    keys: ["within"],
    heals: "started again with the same identity",
  },
  {
    kind: "partition",
    does: "Nothing passes between the party and `other`, neither of whom shares a NAT; all else reaches both, and NATs go on as if it passed. With direction up only what goes to `other` is lost, with down what comes from it; with `family` only packets of IPv4, `v4`, or of IPv6, `v6`.",
    target: "a party",
    keys: ["other", "direction", "family"],
    heals: "everything passes",
  },
  {
    kind: "rebind",
    does: "Every mapping of the NAT gets a new external port, or with `other` those that its flows to that party have alone; the old ones are dead.",
    target: "a NAT",
    keys: ["other"],
  },
  { kind: "renumber", does: "The NAT gets a new external address; its mappings are lost.", target: "a NAT", keys: [] },
  { kind: "expire", does: "The NAT forgets its mappings and closes its filters.", target: "a NAT", keys: [] },
  {
    kind: "block-udp",
    does: "No UDP crosses the NAT, as in networks that let only the web pass. Its mappings stay; nobody is told, or its inside by ICMP, `answer` being `admin-prohibited` or `port-unreachable`.",
    target: "a NAT",
    keys: ["answer"],
    heals: "UDP crosses it again",
  },
  {
    kind: "block-quic",
    does: "No QUIC crosses the NAT, known by the fixed bit of its packets (RFC 9000 section 17); other UDP, such as STUN, does.",
    target: "a NAT",
    keys: ["answer"],
    heals: "QUIC crosses it again",
  },
  {
    kind: "late-kill",
    does: "Every UDP flow across the NAT, or those with `other`, passes for `lives` (3 s) from its first packet on, then no more, as where a firewall has made up its mind. New flows live as long.",
    target: "a NAT",
    keys: ["lives", "other"],
    heals: "every flow passes",
  },
  { kind: "interface-down", does: "The interface loses its link.", target: "a party", keys: ["interface"], heals: "comes up" },
  {
    kind: "families",
    does: "The interface has addresses of these families from now on, `v4`, `v6` or both: its network gets IPv6, or gives IPv4 up.",
    target: "a party",
    keys: ["interface", "families"],
    heals: "it has those it had",
  },
  {
    kind: "roam",
    does: "Traffic moves from one interface to another, as a phone's does from wireless LAN to mobile.",
    target: "a party",
    keys: ["from", "to", "overlap", "gap"],
    heals: "roams back: the old one comes up and is preferred again",
  },
  {
    kind: "impair",
    does: "The numbers in `link` are laid over the interface's own.",
    target: "a party",
    keys: ["interface", "direction", "link"],
    heals: "the link is as before",
  },
  {
    kind: "blackout",
    does: "Nothing passes the interface.",
    target: "a party",
    keys: ["interface", "direction"],
    heals: "everything passes",
  },
  {
    kind: "signalling",
    does: "Whole signalling messages of the client are duplicated, reordered or delayed, or carry another's key shares, as `effect` says.",
    target: "a client",
    keys: ["direction", "effect"],
    heals: "messages pass untouched",
  },
];

/** The kinds of fault by name, in the order of the reference. */
export const FAULT_KINDS: ReadonlyMap<string, FaultKind> = new Map(KINDS.map((one) => [one.kind, one]));

const when = {
  at: time.optional(),
  after: after.optional(),
  when: z.union([strict({ at: time }), strict({ after })]).optional(),
  for: z.union([time, z.null()]).optional(),
};
const direction = z.enum(["up", "down", "both"]).meta({ id: "direction" }).optional();
const answer = z.enum(Object.keys(REJECT_CODES) as [RejectAnswer, ...RejectAnswer[]]).optional();
const plain = <K extends string>(kind: K) => strict({ kind: z.literal(kind), target: name, ...when });

/** A fault as written. */
export const fault: z.ZodType<WrittenFault, WrittenFault> = z.discriminatedUnion("kind", [
  plain("kill"),
  plain("pause"),
  strict({ kind: z.literal("drain"), target: name, within: time.optional(), ...when }),
  strict({
    kind: z.literal("partition"),
    target: name,
    other: name,
    direction,
    family: z.enum(["v4", "v6"]).optional(),
    ...when,
  }),
  strict({ kind: z.literal("starve"), target: name, share: share.optional(), every: time.optional(), ...when }),
  strict({ kind: z.literal("rebind"), target: name, other: name.optional(), ...when }),
  plain("renumber"),
  plain("expire"),
  strict({ kind: z.literal("block-udp"), target: name, answer, ...when }),
  strict({ kind: z.literal("block-quic"), target: name, answer, ...when }),
  strict({ kind: z.literal("late-kill"), target: name, lives: time.optional(), other: name.optional(), ...when }),
  strict({ kind: z.literal("interface-down"), target: name, interface: name.optional(), ...when }),
  strict({ kind: z.literal("families"), target: name, interface: name.optional(), families, ...when }),
  strict({
    ...{ kind: z.literal("roam"), target: name, from: name.optional(), to: name.optional() },
    ...{ overlap: time.optional(), gap: time.optional(), ...when },
  }),
  strict({ kind: z.literal("blackout"), target: name, interface: name.optional(), direction, ...when }),
  strict({ kind: z.literal("impair"), target: name, interface: name.optional(), direction, link: overlay, ...when }),
  strict({
    kind: z.literal("signalling"),
    target: name,
    direction,
    effect: strict({
      duplicate: share.optional(),
      reorder: share.optional(),
      delay: time.optional(),
      forge: share.optional(),
      types: z.array(z.enum(SIGNALLING_MESSAGES)).max(50).optional(),
    }),
    ...when,
  }),
]) as unknown as z.ZodType<WrittenFault, WrittenFault>;
