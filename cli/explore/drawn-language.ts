/**
 * What of the scenario language exploration draws, and why not the rest. Every table is over the keys of the language's own types: a kind of fault or a field
 * that is new there does not compile until it stands here, and a test holds the tables to what is drawn.
 */
import type {
  Action,
  CallModel,
  Fault,
  InterfaceModel,
  LinkModel,
  NatModel,
  PartyModel,
  Scenario,
  SignallingEffect,
} from "../../scenarios/expanded.ts";
import type { DrawnKind } from "./explored-faults.ts";

/** A field that is drawn takes several values around one base. One that is not stays the base's: says why. */
export type Stance = "drawn" | { readonly not: string };

const IDENTITY = "it says who is who: the base's parties stay";

/** How exploration calls each kind of fault. */
export const FAULTS: Readonly<Record<Fault["kind"], readonly DrawnKind[] | { readonly not: string }>> = {
  kill: ["kill-relay", "kill-client"],
  drain: ["drain"],
  partition: ["partition"],
  pause: ["pause"],
  starve: ["starve"],
  rebind: ["rebind", "rebind-one-flow"],
  renumber: ["renumber"],
  expire: ["expire"],
  "block-udp": ["block-udp"],
  "block-quic": ["block-quic"],
  "late-kill": ["late-kill"],
  "interface-down": ["interface-down"],
  families: ["families"],
  roam: ["roam"],
  impair: ["impair", "spikes"],
  blackout: ["blackout"],
  signalling: ["signalling"],
};

/** What an impairment lays over a link. */
export const IMPAIRMENT: Readonly<Record<keyof LinkModel, Stance>> = {
  delay: "drawn",
  jitter: "drawn",
  jitterShape: "drawn",
  order: "drawn",
  loss: "drawn",
  burst: "drawn",
  drop: "drawn",
  duplicate: "drawn",
  reorder: "drawn",
  rate: "drawn",
  deliveries: "drawn",
  mtu: "drawn",
  corrupt: "drawn",
  trace: "drawn",
};

export const EFFECT: Readonly<Record<keyof SignallingEffect, Stance>> = {
  duplicate: "drawn",
  reorder: "drawn",
  delay: "drawn",
  types: "drawn",
  forge: {
    not: "an attack and no accident: a call with another's keys in it must not come up, so nothing could be promised of it",
  },
};

export const NAT: Readonly<Record<keyof NatModel, Stance>> = {
  mapping: "drawn",
  filtering: "drawn",
  ports: "drawn",
  portBlock: "drawn",
  hairpin: "drawn",
  lifetime: "drawn",
  inboundRefresh: "drawn",
  behind: "drawn",
  portMapping: "drawn",
};

export const INTERFACE: Readonly<Record<keyof InterfaceModel, Stance>> = {
  up: "drawn",
  down: "drawn",
  nat: "drawn",
  families: "drawn",
};

export const PARTY: Readonly<Record<keyof PartyModel, Stance>> = {
  role: { not: IDENTITY },
  interfaces: "drawn",
  driftPpm: "drawn",
  iceTransportPolicy: "drawn",
  fec: "drawn",
  identityOf: { not: `${IDENTITY}; two clients of one identity take turns in displacing each other, and settle on nothing` },
  startsIdle: { not: "whoever never registers owes nothing" },
  losesResetKey: "drawn",
  adaptsFec: "drawn",
  tier: "drawn",
  dtx: "drawn",
  denoise: { not: "explored runs have no audio to remove noise from" },
  relay: "drawn",
  federatesWith: "drawn",
};

export const CALL: Readonly<Record<keyof CallModel, Stance>> = {
  caller: { not: IDENTITY },
  callee: { not: IDENTITY },
  relay: { not: IDENTITY },
  at: "drawn",
  answer: "drawn",
  answerAfter: { not: "the cases that explored ones are made from answer at different times" },
  hangUpAt: "drawn",
  callerSays: "drawn",
  calleeSays: "drawn",
};

export const ACTIONS: Readonly<Record<Action["does"], Stance>> = {
  register: "drawn",
  deregister: "drawn",
  "hang-up": "drawn",
};

export const SCENARIO: Readonly<Record<keyof Scenario, Stance>> = {
  schema: { not: "there is one" },
  name: { not: "a description" },
  asks: "drawn",
  tags: { not: "a description" },
  labs: { not: "explored scenarios run in virtual time" },
  duration: "drawn",
  jitterBuffer: "drawn",
  nats: "drawn",
  parties: "drawn",
  crowd: {
    not: "a thousand clients make a run a hundred times as long, and clients without calls are the crowd's cases' own question",
  },
  calls: "drawn",
  actions: "drawn",
  faults: "drawn",
  expect: "drawn",
  twin: { not: "no mutation belongs to a drawn scenario" },
};
