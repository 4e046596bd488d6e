/**
 * What stands between a NAT's inside and outside and refuses UDP or a part of it: the one meaning of the faults `block-udp`, `block-quic` and `late-kill`, for every
 * laboratory. A flow is an inside endpoint and a remote one.
 */
import type { Fault } from "./expanded.ts";

export type Middlebox = {
  readonly what: "udp" | "quic";
  /** ICMP code that the sender inside is told of each packet refused (RFC 792, RFC 1812 section 5.2.7.1; RFC 4443); undefined: nothing. */
  readonly answer: RejectAnswer | undefined;
  /** Microseconds that each flow passes for, from its first packet that the box sees; undefined: none ever does. */
  readonly lives: number | undefined;
  /** The only party whose flows it is after; undefined: everybody. */
  readonly other: string | undefined;
};

/** Names of nftables for codes of ICMP's destination unreachable, type 3. Those of ICMPv6 (type 1) have the same names and other numbers. */
export const REJECT_CODES = { "admin-prohibited": 13, "port-unreachable": 3 } as const;
export type RejectAnswer = keyof typeof REJECT_CODES;

type Boxed = Extract<Fault, { kind: "block-udp" | "block-quic" | "late-kill" }>;

/** The box that a fault puts up. */
export const middleboxOf = (fault: Boxed): Middlebox =>
  fault.kind === "late-kill"
    ? { what: "udp", answer: undefined, lives: fault.lives, other: fault.other }
    : { what: fault.kind === "block-udp" ? "udp" : "quic", answer: fault.answer, lives: undefined, other: undefined };
