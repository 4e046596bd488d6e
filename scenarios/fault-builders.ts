/**
 * Faults in readable words: `kill("r1", { at: "5s", for: "3s" })`. Each gives a written fault for `scenario({ faults })`.
 * Every one takes when it happens, `at` an instant or `after` a log record, and all that can be undone take `for` how long.
 */
import type { AddressFamily } from "../impl/base/address.ts";
import type { Direction } from "./expanded.ts";
import type { WrittenAfter, WrittenFault, WrittenRoam, WrittenSignallingEffect } from "./fault-language.ts";
import type { WrittenOverlay } from "./link-language.ts";
import type { RejectAnswer } from "./middlebox.ts";
import { parseTime, type Time } from "./time.ts";

/** When a fault happens: `{ at: "5s" }`, or `{ after: { match: { ev: "call", who: "alice", state: "active" }, delay: "2s" } }`. */
export type When = { readonly at: Time } | { readonly after: WrittenAfter };
/** When, and until it is healed; without `for` it stays. */
export type During = When & { readonly for?: Time };
/** During, on one interface of the party (its first) in one direction as the party sees it (both). */
export type OnLink = During & { readonly interface?: string; readonly direction?: Direction };

/** The process of a party dies; after `for` it starts again with the same identity and no memory. */
export const kill = (party: string, during: During): WrittenFault => ({ kind: "kill", target: party, ...during });
/** The process of a party stands still; its sockets go on queueing. */
export const pause = (party: string, during: During): WrittenFault => ({ kind: "pause", target: party, ...during });
/** The process of a party gets only a share (0.5) of its processor, a piece every 100 ms. `starve("bob", { at: "5s", for: "4s", share: 0.3 })`. */
export const starve = (party: string, during: During & { readonly share?: number; readonly every?: Time }): WrittenFault => ({
  kind: "starve",
  target: party,
  ...during,
});
/** A relay sends its clients to the other relays and exits `within` 10 s; after `for` it starts again. `drain("r1", { at: "5s", within: "4s" })`. */
export const drain = (relay: string, during: During & { readonly within?: Time }): WrittenFault => ({
  kind: "drain",
  target: relay,
  ...during,
});
/**
 * Nothing passes between two parties that share no NAT with anybody, or only in one direction: `partition("r1", "r2", { at: "5s", for: "3s", direction: "up" })`: r2 hears nothing of r1.
 * With `family: "v6"` IPv6 alone vanishes between them, addresses being as before.
 */
export const partition = (
  party: string,
  other: string,
  during: During & { readonly direction?: Direction; readonly family?: AddressFamily },
): WrittenFault => ({
  kind: "partition",
  target: party,
  other,
  ...during,
});
/** A NAT (by its name or by that of the only party behind it) moves every mapping to a new external port, or those to `other` alone. */
export const rebind = (nat: string, when: When & { readonly other?: string }): WrittenFault => ({
  kind: "rebind",
  target: nat,
  ...when,
});
/** A NAT gets a new external address. */
export const renumber = (nat: string, when: When): WrittenFault => ({ kind: "renumber", target: nat, ...when });
/** A NAT forgets its mappings. */
export const expire = (nat: string, when: When): WrittenFault => ({ kind: "expire", target: nat, ...when });
/** No UDP crosses a NAT (by its name or by that of the only party behind it), silently or with an ICMP `answer`; what the NAT remembers stays. */
export const blockUdp = (nat: string, during: During & { readonly answer?: RejectAnswer }): WrittenFault => ({
  kind: "block-udp",
  target: nat,
  ...during,
});
/** No QUIC crosses a NAT; other UDP does. */
export const blockQuic = (nat: string, during: During & { readonly answer?: RejectAnswer }): WrittenFault => ({
  kind: "block-quic",
  target: nat,
  ...during,
});
/** Flows across a NAT, or those with `other`, `lives` (3 s) and then no more. `lateKill("alice", { at: "1s", lives: "4s", other: "bob" })`. */
export const lateKill = (nat: string, during: During & { readonly lives?: Time; readonly other?: string }): WrittenFault => ({
  kind: "late-kill",
  target: nat,
  ...during,
});
/** An interface of a party goes down. */
export const interfaceDown = (party: string, during: During & { readonly interface?: string }): WrittenFault => ({
  kind: "interface-down",
  target: party,
  ...during,
});
/** An interface of a party has addresses of these families from now on. `changeFamilies("alice", { families: ["v6"], at: "5s" })`. */
export const changeFamilies = (
  party: string,
  during: During & { readonly interface?: string; readonly families: readonly AddressFamily[] },
): WrittenFault => ({ kind: "families", target: party, ...during });
/**
 * A party's traffic moves from its first interface to its second, or between those named: at once, with `overlap` make before break, with `gap` break before
 * make. After `for` it roams back. `roam("alice", { at: "5s", overlap: "2s" })`.
 */
export const roam = (party: string, during: During & WrittenRoam): WrittenFault => ({ kind: "roam", target: party, ...during });
/** `changes` of an interface, down first, spread evenly `over` a time that begins at `at`: `...flap("alice", { at: "5s", changes: 10, over: "20s" })`. */
export function flap(
  party: string,
  how: { readonly at: Time; readonly changes: number; readonly over: Time; readonly interface?: string },
): readonly WrittenFault[] {
  const { at, changes, over, ...where } = how;
  const [first, whole] = [parseTime(at), parseTime(over)];
  if (first === undefined) throw new TypeError(`flap: at: want a time, got ${at}`);
  if (whole === undefined) throw new TypeError(`flap: over: want a time, got ${over}`);
  if (!Number.isInteger(changes) || changes < 2 || changes % 2 !== 0)
    throw new RangeError(`flap: changes: want an even number from 2 on, got ${changes}`);
  const step = Math.round(whole / changes);
  return Array.from({ length: changes / 2 }, (_, k) => interfaceDown(party, { at: first + 2 * k * step, for: step, ...where }));
}
/** Nothing passes the party's link. */
export const blackout = (party: string, on: OnLink): WrittenFault => ({ kind: "blackout", target: party, ...on });
/** The party's link changes: `impair("alice", { link: { loss: 0.3 }, direction: "up", at: "5s", for: "5s" })`. */
export const impair = (party: string, on: OnLink & { readonly link: WrittenOverlay }): WrittenFault => ({
  kind: "impair",
  target: party,
  ...on,
});
/** Whole signalling messages of a client are duplicated, reordered or delayed, or carry another's key shares (`forge`). */
export const disturbSignalling = (
  party: string,
  during: During & { readonly direction?: Direction; readonly effect: WrittenSignallingEffect },
): WrittenFault => ({ kind: "signalling", target: party, ...during });
