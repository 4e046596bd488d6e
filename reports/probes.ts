/**
 * What a campaign of explored runs must have exercised (the `sometimes` assertions of Antithesis, FoundationDB's CODE_PROBE): each probe names a
 * situation in which call systems have bugs, and is hit by a run whose log shows it. A probe that thousands of runs never hit says that
 * nothing was learnt about it.
 */
import type { CallRecord, FaultRecord, LogRecord } from "../impl/base/record.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { follow, isRelay, isUp, type Probe, startWorld, type Watch, type World } from "./probe-world.ts";
import { PATH_WATCHES } from "./probes-paths.ts";
import { VOICE_WATCHES } from "./probes-voice.ts";

const callStates = (world: World): readonly CallRecord["state"][] => [...world.calls.values()];
const isRinging = (world: World): boolean =>
  callStates(world).some((state) => state === "offering" || state === "ringing" || state === "answered");
const isResuming = (world: World): boolean => callStates(world).includes("resuming");
const isAway = (world: World): boolean => [...world.standing.values()].includes("reconnecting");
const moves = (record: FaultRecord): boolean =>
  record.state === "applied" && (record.kind === "rebind" || record.kind === "renumber" || record.kind === "expire");

/** Two losses belong to one burst when they are at most this far apart, microseconds. chosen: five frames. */
const BURST = 100_000;
/** Frames of concealment that are an interruption: 150 ms. */
const INTERRUPTION_FRAMES = 8;

const CALL_WATCHES: readonly Watch[] = [
  {
    ev: "process",
    name: "relay-killed-while-ringing",
    says: "the relay dies between the offer and the set-up of a call",
    hit: (one, world) => one.state === "killed" && isRelay(world, one.who) && isRinging(world),
  },
  {
    ev: "process",
    name: "relay-killed-in-call",
    says: "the relay dies under a call that is up",
    hit: (one, world) => one.state === "killed" && isRelay(world, one.who) && isUp(world),
  },
  {
    ev: "process",
    name: "relay-killed-while-resuming",
    says: "the relay dies again while calls are being resumed",
    hit: (one, world) => one.state === "killed" && isRelay(world, one.who) && isResuming(world),
  },
  {
    ev: "process",
    name: "relay-paused-while-resuming",
    says: "the relay stops answering while calls are being resumed",
    hit: (one, world) => one.state === "paused" && isRelay(world, one.who) && isResuming(world),
  },
  {
    ev: "process",
    name: "client-killed-in-call",
    says: "a client dies in a call",
    hit: (one, world) => one.state === "killed" && !isRelay(world, one.who) && isUp(world),
  },
  {
    ev: "process",
    name: "client-paused-while-reconnecting",
    says: "a client is stopped while it reconnects",
    hit: (one, world) => one.state === "paused" && world.standing.get(one.who) === "reconnecting",
  },
  {
    ev: "process",
    name: "both-ends-down",
    says: "two processes are dead at once",
    hit: (one, world) => one.state === "killed" && world.dead.size > 0,
  },
  {
    ev: "fault",
    name: "nat-moved-during-outage",
    says: "a NAT changes its mappings while a client is reconnecting",
    hit: (one, world) => moves(one) && isAway(world),
  },
  {
    ev: "fault",
    name: "nat-moved-in-call",
    says: "a NAT changes its mappings under a call",
    hit: (one, world) => moves(one) && isUp(world),
  },
  {
    ev: "fault",
    name: "nat-moved-while-ringing",
    says: "a NAT changes its mappings during set-up",
    hit: (one, world) => moves(one) && isRinging(world),
  },
  {
    ev: "fault",
    name: "three-faults-at-once",
    says: "three faults hold at the same time",
    hit: (one, world) => one.state === "applied" && world.active.size >= 2,
  },
  {
    ev: "fault",
    name: "triggered-fault",
    says: "a fault waits for an event and strikes",
    hit: (one, world) => one.state === "applied" && "after" in (world.scenario.faults[one.fault]?.when ?? {}),
  },
  {
    ev: "fault",
    name: "starved-in-call",
    says: "a process gets too little of its processor in a call",
    hit: (one, world) => one.state === "applied" && one.kind === "starve" && isUp(world),
  },
  {
    ev: "fault",
    name: "starved-while-away",
    says: "a process gets too little of its processor while somebody is reconnecting",
    hit: (one, world) => one.state === "applied" && one.kind === "starve" && isAway(world),
  },
  {
    ev: "fault",
    name: "delay-spikes",
    says: "packets of a call pile up and come all at once",
    hit: (one, world) => {
      const fault = world.scenario.faults[one.fault];
      return one.state === "applied" && isUp(world) && fault?.kind === "impair" && (fault.link.trace ?? []).some((by) => by > 0);
    },
  },
  {
    ev: "fault",
    name: "way-out-lost",
    says: "a client loses its interface and has another one",
    hit: (one, world) =>
      one.state === "applied" &&
      (one.kind === "interface-down" || one.kind === "roam") &&
      isUp(world) &&
      Object.keys(world.scenario.parties[one.target]?.interfaces ?? {}).length > 1,
  },
  {
    ev: "session",
    name: "path-changed",
    says: "a session goes on from another address",
    hit: (one) => one.state === "path-changed",
  },
  {
    ev: "session",
    name: "path-changed-while-away",
    says: "a session goes on from another address while somebody is reconnecting",
    hit: (one, world) => one.state === "path-changed" && isAway(world),
  },
  {
    ev: "session",
    name: "stateless-reset",
    says: "a relay that came back disowns a session",
    hit: (one) => one.state === "closed" && one.reason === "reset",
  },
  {
    ev: "session",
    name: "idle-timeout",
    says: "a session is given up after a long silence",
    hit: (one) => one.state === "closed" && one.reason === "idle-timeout",
  },
  {
    ev: "session",
    name: "handshake-timeout",
    says: "a handshake is given up",
    hit: (one) => one.state === "closed" && one.reason === "handshake-timeout",
  },
  {
    ev: "session",
    name: "heard-again",
    says: "a silent session is heard again before its replacement is up",
    hit: (one, world) => one.state === "heard" && !isRelay(world, one.who) && world.standing.get(one.who) === "reconnecting",
  },
  {
    ev: "registration",
    name: "round-skipped",
    says: "a round of the supervisor is skipped because the old session works again",
    hit: (one, world) =>
      one.state === "registered" && world.standing.get(one.who) === "reconnecting" && one.attempt === undefined,
  },
  {
    ev: "registration",
    name: "third-attempt",
    says: "a client makes its third attempt to reconnect",
    hit: (one) => one.state === "reconnecting" && (one.attempt ?? 0) >= 3,
  },
  {
    ev: "registration",
    name: "lost-twice",
    says: "a client loses its registration a second time",
    hit: (one, world) => one.state === "reconnecting" && (world.registrations.get(one.who) ?? 0) >= 2,
  },
  {
    ev: "call",
    name: "resumed",
    says: "a call is resumed",
    hit: (one) => one.state === "resumed",
  },
  {
    ev: "call",
    name: "resumed-twice",
    says: "a call is resumed a second time",
    hit: (one, world) => one.state === "resumed" && (world.resumes.get(`${one.call} ${one.who}`) ?? 0) >= 1,
  },
  {
    ev: "call",
    name: "hung-up-during-outage",
    says: "a party hangs up while it has no registration",
    hit: (one, world) => one.state === "ended" && one.reason === "hung-up" && world.standing.get(one.who) === "reconnecting",
  },
  {
    ev: "call",
    name: "hung-up-while-peer-away",
    says: "a party hangs up while the other one is reconnecting",
    hit: (one, world) =>
      one.state === "ended" &&
      one.reason === "hung-up" &&
      [...world.standing].some(([who, state]) => who !== one.who && state === "reconnecting"),
  },
  {
    ev: "call",
    name: "privacy-mode",
    says: "a call is answered without revealing an address",
    hit: (one) => one.state === "answered" && one.mode === "AcceptGeneric",
  },
  { ev: "call", name: "rejected", says: "a call is refused", hit: (one) => one.state === "ended" && one.mode === "Reject" },
  {
    ev: "signal",
    name: "resume-of-ended-call",
    says: "a client resumes a call that its peer has ended",
    hit: (one, world) =>
      one.dir === "sent" &&
      one.type === "CallResume" &&
      [...world.calls].some(
        ([key, state]) => key.startsWith(`${one.call} `) && !key.endsWith(` ${one.who}`) && state === "ended",
      ),
  },
  {
    ev: "signal",
    name: "new-address-announced",
    says: "a party tells the other its new address",
    hit: (one) => one.type === "CandidateUpdate" && one.dir === "received",
  },
  {
    ev: "refused",
    name: "replayed-packet",
    says: "a media packet that came twice is refused",
    hit: (one) => one.reason === "replayed",
  },
  {
    ev: "refused",
    name: "unreadable-packet",
    says: "a media packet arrives that cannot be opened",
    hit: (one) => one.reason === "unauthentic",
  },
  {
    ev: "refused",
    name: "stale-update",
    says: "an address update that is not newer is refused",
    hit: (one) => one.reason === "stale-generation",
  },
  {
    ev: "signal",
    name: "duplicate-offer",
    says: "an offer arrives twice",
    hit: (one, world) => {
      if (one.dir !== "received" || one.type !== "DirectCallOffer") return false;
      if (!isRelay(world, one.who)) return world.calls.has(`${one.call} ${one.who}`);
      // At the relay it is the second one when the callee knows of the call already.
      return [...world.calls.keys()].filter((key) => key.startsWith(`${one.call} `)).length > 1;
    },
  },
  {
    ev: "refused",
    name: "duplicate-message",
    says: "a signalling message that was acted upon already is refused",
    hit: (one) => one.reason === "duplicate",
  },
  {
    ev: "refused",
    name: "stranger-refused",
    says: "a relay hears a message before the registration it belongs to",
    hit: (one, world) => one.reason === "unauthenticated" && isRelay(world, one.who),
  },
  {
    ev: "drop",
    name: "queue-full",
    says: "a bottleneck's queue overflows",
    hit: (one) => one.cause === "queue",
  },
  {
    ev: "drop",
    name: "too-large",
    says: "a packet of the call is larger than a link carries",
    hit: (one, world) => one.cause === "mtu" && isUp(world),
  },
  {
    ev: "drop",
    name: "too-large-to-reconnect",
    says: "a handshake's packet is larger than a link carries while somebody is reconnecting",
    hit: (one, world) => one.cause === "mtu" && isAway(world),
  },
  {
    ev: "drop",
    name: "altered",
    says: "a packet of the call is altered on its way",
    hit: (one, world) => one.cause === "corrupt" && isUp(world),
  },
  {
    ev: "drop",
    name: "kept-back",
    says: "congestion control keeps voice back until it is useless",
    hit: (one) => one.cause === "congestion",
  },
  {
    ev: "drop",
    name: "burst-over-restart",
    says: "a burst of losses at a link goes on from before a relay's death to after it",
    hit: (one, world) =>
      one.cause === "loss" &&
      [...world.died.values()].some(
        (died) => died < one.t && (world.lost.get(one.where) ?? 0) <= died && (world.lost.get(one.where) ?? 0) > one.t - BURST,
      ),
  },
  {
    ev: "drop",
    name: "filtered-by-nat",
    says: "a NAT refuses a packet of the call",
    hit: (one, world) => (one.cause === "nat-filtering" || one.cause === "nat-no-mapping") && isUp(world),
  },
  {
    ev: "media-played",
    name: "interruption",
    says: "nothing is heard for 150 ms",
    hit: (one) => (one.kind === "concealed" || one.kind === "silence") && one.n >= INTERRUPTION_FRAMES,
  },
  {
    ev: "media-played",
    name: "recovered",
    says: "a lost frame is recovered from another",
    hit: (one) => one.kind === "recovered",
  },
  { ev: "stats", name: "late-frame", says: "a frame comes too late to be played", hit: (one) => one.packetsDiscarded > 0 },
];

const WATCHES: readonly Watch[] = [...CALL_WATCHES, ...PATH_WATCHES, ...VOICE_WATCHES];

/** Every probe, in the order in which they are told. */
export const PROBES: readonly Probe[] = [
  ...WATCHES.map(({ name, says }) => ({ name, says })),
  { name: "call-nobody-answers", says: "a call rings until somebody gives up" },
  { name: "nat-behind-nat", says: "a client sits behind two NATs" },
  { name: "both-behind-symmetric", says: "both ends of a call sit behind NATs that map by destination" },
];

/** Names of the probes that a run hit. */
export function probesHit(records: readonly LogRecord[], scenario: Scenario): readonly string[] {
  const hits = new Set<string>(ofScenario(scenario));
  const world = startWorld(scenario);
  const left = new Map<string, Watch[]>();
  for (const watch of WATCHES) left.set(watch.ev, [...(left.get(watch.ev) ?? []), watch]);
  for (const record of records) {
    const open = left.get(record.ev);
    if (open !== undefined && open.length > 0) {
      const closed = open.filter((watch) => (watch.hit as (record: LogRecord, world: World) => boolean)(record, world));
      if (closed.length > 0) {
        for (const { name } of closed) hits.add(name);
        left.set(
          record.ev,
          open.filter((watch) => !closed.includes(watch)),
        );
      }
    }
    follow(world, record);
  }
  return PROBES.flatMap(({ name }) => (hits.has(name) ? [name] : []));
}

/** Probes that the topology and the plan answer. */
function ofScenario({ nats, parties, calls }: Scenario): readonly string[] {
  const behind = (party: string): readonly string[] =>
    Object.values(parties[party]?.interfaces ?? {}).flatMap(({ nat }) => (nat === null ? [] : [nat]));
  const isSymmetric = (party: string): boolean =>
    behind(party).some((nat) => nats[nat] !== undefined && nats[nat].mapping !== "endpoint-independent");
  return [
    ...(calls.some((call) => call.answer === "none") ? ["call-nobody-answers"] : []),
    ...(Object.keys(parties).some((party) => behind(party).some((nat) => typeof nats[nat]?.behind === "string"))
      ? ["nat-behind-nat"]
      : []),
    ...(calls.some((call) => isSymmetric(call.caller) && isSymmetric(call.callee)) ? ["both-behind-symmetric"] : []),
  ];
}
