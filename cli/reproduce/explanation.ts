/** What may have caused a gap: each explanation is a fault of the scenario language with an instant and a length still to be found. */
import type { Fault, NatModel } from "../../scenarios/expanded.ts";
import type { Traits } from "./picture.ts";

/** The parties of a reproduced scenario: who recorded, whom they called, and the relay between them. */
export const RECORDER = "recorder";
export const PEER = "peer";
export const RELAY = "relay";
export const INTERFACE = "eth0";
/** The NAT that the recorder sits behind when its address changed. */
export const NAT = "home";

export type Explanation = {
  readonly name: string;
  /** As a sentence in a report. */
  readonly words: string;
  /** Needs the recorder behind a NAT. */
  readonly hasNat: boolean;
  /** Microseconds in the scenario's time. */
  fault(at: number, length: number): readonly Fault[];
};

const once = (name: string, words: string, fault: (at: number, length: number) => readonly Fault[]): Explanation => ({
  name,
  words,
  hasNat: false,
  fault,
});
const lasting = (at: number, length: number): { readonly when: { readonly at: number }; readonly for: number } => ({
  when: { at },
  for: length,
});
const blackout =
  (target: string, direction: "up" | "down" | "both") =>
  (at: number, length: number): readonly Fault[] => [
    { kind: "blackout", target, interface: INTERFACE, direction, ...lasting(at, length) },
  ];

/** Every explanation that is tried, the more common in the field first: of two that explain a gap equally well the first one is given. */
export const EXPLANATIONS: readonly Explanation[] = [
  once("own-outage", "nothing passed the recorder's own link, either way", blackout(RECORDER, "both")),
  once("own-downlink-outage", "nothing reached the recorder, whose own packets went out", blackout(RECORDER, "down")),
  once("relay-restart", "the relay died and came back without its memory", (at, length) => [
    { kind: "kill", target: RELAY, ...lasting(at, length) },
  ]),
  once("peer-outage", "nothing came from the peer's side, while the relay was there", blackout(PEER, "up")),
  once("relay-stall", "the relay stood still and then went on", (at, length) => [
    { kind: "pause", target: RELAY, ...lasting(at, length) },
  ]),
  once("peer-stall", "the peer's process stood still: it sent nothing", (at, length) => [
    { kind: "pause", target: PEER, ...lasting(at, length) },
  ]),
  once("interface-down", "the recorder's interface was down", (at, length) => [
    { kind: "interface-down", target: RECORDER, interface: INTERFACE, ...lasting(at, length) },
  ]),
  {
    name: "rebind-outage",
    words: "the recorder's NAT moved it to another port while its link was down",
    hasNat: true,
    fault: (at, length) => [
      ...blackout(RECORDER, "both")(at, length),
      { kind: "rebind", target: NAT, when: { at: at + Math.floor(length / 2) }, for: null },
    ],
  },
];

/** Port restricted cone, as most home routers are: RFC 4787 section 4 and 5. */
export const HOME_NAT: NatModel = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
  hairpin: "external-source",
  lifetime: 120_000_000,
  inboundRefresh: false,
  behind: null,
};

/** How little two sets of traits agree: 0 when in nothing they both know; 1 for each that is the other way round. */
export function disagreement(a: Traits, b: Traits): number {
  const flag = (x: boolean | undefined, y: boolean | undefined): number =>
    x === undefined || y === undefined || x === y ? 0 : 1;
  const share = (x: number | undefined, y: number | undefined): number =>
    x === undefined || y === undefined ? 0 : Math.abs(x - y);
  return (
    flag(a.isSilent, b.isSilent) +
    flag(a.isForgotten, b.isForgotten) +
    flag(a.isReconnected, b.isReconnected) +
    flag(a.isMoved, b.isMoved) +
    share(a.lost, b.lost) +
    share(a.sent, b.sent)
  );
}
