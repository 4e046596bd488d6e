/** Probes about the ways that voice takes: direct paths, changes of relay, two relays that know each other, networks that refuse. */
import type { Fault } from "../scenarios/expanded.ts";
import { isRelay, isUp, type Watch, type World } from "./probe-world.ts";

export const PATH_WATCHES: readonly Watch[] = [
  { ev: "path", name: "direct-path", says: "voice goes directly from one end to the other", hit: (one) => one.path === "direct" },
  {
    ev: "path",
    name: "direct-path-lost",
    says: "a call goes back from a direct path to its relay",
    hit: (one, world) => one.path === "relay" && world.paths.get(`${one.call} ${one.who}`) === "direct",
  },
  {
    ev: "candidate-pair",
    name: "race-lost",
    says: "nobody answers in a race for a direct path",
    hit: (one) => one.state === "failed" && one.reason === "no answer in time",
  },
  {
    ev: "candidate-pair",
    name: "race-while-away",
    says: "a race for a direct path is run while its party has lost its relay",
    hit: (one, world) => one.state === "in-progress" && world.standing.get(one.who) === "reconnecting",
  },
  {
    ev: "registration",
    name: "relay-lost-on-direct-path",
    says: "a client loses its relay while its voice goes directly",
    hit: (one, world) =>
      one.state === "reconnecting" &&
      [...world.paths].some(([key, path]) => path === "direct" && key.endsWith(` ${one.who}`)) &&
      isUp(world),
  },
  {
    ev: "candidate-pair",
    name: "pair-migrated",
    says: "a direct session goes on from another address",
    hit: (one) => one.state === "migrated",
  },
  {
    ev: "registration",
    name: "relay-switched-in-call",
    says: "a client changes its relay under a call",
    hit: (one, world) => one.state === "switching" && isUp(world),
  },
  {
    ev: "call",
    name: "call-between-relays",
    says: "the two ends of a call are at different relays",
    hit: (one, world) => (one.state === "active" || one.state === "resumed") && new Set(world.relays.values()).size > 1,
  },
  {
    ev: "session",
    name: "link-between-relays-lost",
    says: "relays lose each other under a call",
    // Only to another relay does a relay dial.
    hit: (one, world) =>
      isRelay(world, one.who) && one.session > 0 && (one.state === "silent" || one.state === "closed") && isUp(world),
  },
  {
    ev: "drop",
    name: "blocked-in-call",
    says: "a network refuses UDP or QUIC under a call",
    hit: (one, world) => one.cause === "blocked" && isUp(world),
  },
  {
    ev: "drop",
    name: "ports-used-up-in-call",
    says: "a carrier has no port left for one more flow of a call",
    hit: (one, world) => one.cause === "nat-exhausted" && isUp(world),
  },
  {
    ev: "drop",
    name: "refused-by-icmp-in-call",
    says: "a network refuses packets of a call and says so by ICMP",
    hit: (one, world) => {
      const fault = faultOf(one.fault, world);
      return (fault?.kind === "block-udp" || fault?.kind === "block-quic") && fault.answer !== undefined && isUp(world);
    },
  },
  {
    ev: "drop",
    name: "flow-killed-in-call",
    says: "a network that let a flow of a call live for a time kills it",
    hit: (one, world) => faultOf(one.fault, world)?.kind === "late-kill" && isUp(world),
  },
  {
    ev: "fault",
    name: "one-flow-moved-in-call",
    says: "a NAT moves the port of one flow under a call and leaves the others",
    hit: (one, world) => {
      const fault = world.scenario.faults[one.fault];
      return one.state === "applied" && fault?.kind === "rebind" && fault.other !== undefined && isUp(world);
    },
  },
  {
    ev: "drop",
    name: "cut-behind-nat-in-call",
    says: "a party behind a NAT of its own is cut off from one other under a call",
    hit: (one, world) => {
      const fault = faultOf(one.fault, world);
      if (fault?.kind !== "partition" || !isUp(world)) return false;
      return [fault.target, fault.other].some((name) =>
        Object.values(world.scenario.parties[name]?.interfaces ?? {}).some(({ nat }) => nat !== null),
      );
    },
  },
];

/** The fault that a record names. */
const faultOf = (fault: number | undefined, { scenario }: World): Fault | undefined =>
  fault === undefined ? undefined : scenario.faults[fault];
