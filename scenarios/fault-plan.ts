/** Reads a scenario's faults against its topology: targets, interfaces, times and triggers. */
import type { Complaints } from "./complaints.ts";
import type { Direction, Fault, LinkModel, PartyModel, Trigger } from "./expanded.ts";
import {
  FAULT_KINDS,
  type FaultKind,
  type WrittenAfter,
  type WrittenFault,
  type WrittenRoam,
  type WrittenWhen,
} from "./fault-language.ts";
import { linkProblems, readOverlay } from "./link-language.ts";
import { LOG_FIELDS } from "./log-fields.ts";
import { type Place, show } from "./problem.ts";
import { whatWouldBeRight } from "./suggestion.ts";
import { formatTime, parseTime, type Time } from "./time.ts";
import { checkLink, type Topology } from "./topology.ts";
import type { WrittenScenario } from "./written-scenario.ts";

type Roam = Pick<Extract<Fault, { kind: "roam" }>, "from" | "to" | "overlap" | "gap">;
/** What reading a part of a scenario has to know of the rest. */
export type World = { readonly topology: Topology; readonly duration: number; readonly complain: Complaints };

export function readFaults(
  written: WrittenScenario,
  topology: Topology,
  duration: number,
  complain: Complaints,
): readonly Fault[] {
  const world: World = { topology, duration, complain };
  return (written.faults ?? []).map((fault, index) => readFault(world, fault, ["faults", index]));
}

const micros = (time: Time | undefined): number => (time === undefined ? 0 : (parseTime(time) ?? 0));

function readFault(world: World, fault: WrittenFault, place: Place): Fault {
  const timing = { when: readTrigger(world, fault, place), for: readFor(world, fault, place) };
  const target = readTarget(world, fault, place);
  switch (fault.kind) {
    case "interface-down":
      return { ...timing, kind: fault.kind, target, interface: interfaceOf(world, target, fault.interface, place) };
    case "families": {
      const on = interfaceOf(world, target, fault.interface, place);
      return { ...timing, kind: fault.kind, target, interface: on, families: [...fault.families] };
    }
    case "starve":
      return { ...timing, kind: fault.kind, target, ...readStarvation(world, fault, place) };
    case "drain":
      return { ...timing, kind: fault.kind, target, within: readWithin(world, fault.within, timing.for, place) };
    case "partition":
      return {
        ...{ ...timing, kind: fault.kind, target, other: readOther(world, fault, place), direction: fault.direction ?? "both" },
        ...(fault.family === undefined ? {} : { family: fault.family }),
      };
    case "rebind":
      return { ...timing, kind: fault.kind, target, ...readFlowsTo(world, target, fault.other, place) };
    case "block-udp":
    case "block-quic":
      return { ...timing, kind: fault.kind, target, ...(fault.answer === undefined ? {} : { answer: fault.answer }) };
    case "late-kill": {
      const lives = micros(fault.lives ?? LIVES);
      if (lives === 0) world.complain.say([...place, "lives"], "lets no flow live: want a time above 0, or block-udp");
      return { ...timing, kind: fault.kind, target, lives, ...readOtherEnd(world, fault.other, place) };
    }
    case "roam":
      return { ...timing, kind: fault.kind, target, ...readRoam(world, target, fault, timing.for, place) };
    case "blackout":
    case "impair": {
      const on = interfaceOf(world, target, fault.interface, place);
      const direction = fault.direction ?? "both";
      if (fault.kind === "blackout") return { ...timing, kind: fault.kind, target, interface: on, direction };
      const link = readOverlay(fault.link, direction === "down" ? "down" : "up");
      if (direction === "both" && JSON.stringify(link) !== JSON.stringify(readOverlay(fault.link, "down"))) {
        world.complain.say([...place, "direction"], `profile ${fault.link.profile} differs by direction: want "up" or "down"`);
      }
      checkImpairment(world, { link, target, interface: on, direction }, fault.link, [...place, "link"]);
      return { ...timing, kind: fault.kind, target, interface: on, direction, link };
    }
    case "signalling": {
      const { duplicate = 0, reorder = 0, delay, forge = 0, types = [] } = fault.effect;
      const effect = { duplicate, reorder, delay: micros(delay), ...(forge > 0 && { forge }), types };
      if (duplicate === 0 && reorder === 0 && effect.delay === 0 && forge === 0) {
        world.complain.say([...place, "effect"], "changes nothing: want duplicate, reorder, delay or forge above 0");
      }
      return { ...timing, kind: fault.kind, target, direction: fault.direction ?? "both", effect };
    }
    default:
      return { ...timing, kind: fault.kind, target };
  }
}

function readTarget({ topology, complain }: World, fault: WrittenFault, at: Place): string {
  const { target } = fault;
  const place = [...at, "target"];
  const wanted = FAULT_KINDS.get(fault.kind)?.target ?? "a party";
  const party = topology.parties.get(target);
  if (wanted === "a NAT") {
    if (topology.nats.has(target)) return target;
    const own = party === undefined ? [] : natsOf(party);
    if (party !== undefined && own.length === 1) return own[0] ?? target;
    if (party !== undefined) {
      complain.say(
        place,
        `${show(target)} is a party with ${own.length} NATs: want ${own.length === 0 ? "a party behind a NAT" : `one of ${own.join(", ")}`}`,
      );
    } else complain.wantName(place, "a NAT, or a party behind one", target, [...topology.nats.keys(), ...natted(topology)]);
    return target;
  }
  if (topology.nats.has(target) && party === undefined) {
    complain.say(place, `${show(target)} is a NAT: want ${wanted} (${[...topology.parties.keys()].join(", ")})`);
  } else if (wanted === "a relay") {
    const relays = [...topology.parties].flatMap(([name, one]) => (one.role === "relay" ? [name] : []));
    complain.wantName(place, wanted, target, relays);
  } else if (
    complain.wantName(place, wanted, target, [...topology.parties.keys()]) &&
    wanted === "a client" &&
    party?.role !== "client"
  ) {
    const clients = [...topology.parties].filter(([, one]) => one.role === "client").map(([name]) => name);
    complain.say(place, `${show(target)} is a relay: want a client (${clients.join(", ")})`);
  }
  return target;
}

/** chosen: what Linux' bandwidth control deals out by (cpu.cfs_period_us), and half of it. */
const STARVES_EVERY: Time = "100ms";
const STARVED_TO = 0.5;
/** chosen: below, a laboratory in real time cannot keep it; above, it is a pause. */
const SHORTEST_TURN = 20_000;
const LONGEST_TURN = 5_000_000;

function readStarvation(
  { complain }: World,
  written: { readonly share?: number | undefined; readonly every?: Time | undefined },
  place: Place,
): { readonly share: number; readonly every: number } {
  const share = written.share ?? STARVED_TO;
  const every = micros(written.every ?? STARVES_EVERY);
  if (share <= 0 || share >= 1) complain.say([...place, "share"], `${share} is all or nothing: want a share between 0 and 1`);
  if (every < SHORTEST_TURN || every > LONGEST_TURN)
    complain.say(
      [...place, "every"],
      `want ${formatTime(SHORTEST_TURN)} to ${formatTime(LONGEST_TURN)}, got ${formatTime(every)}`,
    );
  return { share, every };
}

/** chosen: half of it spreads the departures of a few clients, the other half is more than a move takes. */
const DRAINS_WITHIN: Time = "10s";

/** chosen: long enough for a direct path to be found and believed. */
const LIVES: Time = "3s";

function readOtherEnd(
  { topology, complain }: World,
  other: string | undefined,
  place: Place,
): { readonly other: string } | Record<never, never> {
  if (other === undefined) return {};
  complain.wantName([...place, "other"], "a party", other, [...topology.parties.keys()]);
  return { other };
}

/** Flows to one party have mappings of their own where the NAT maps by remote address. */
function readFlowsTo(
  world: World,
  nat: string,
  other: string | undefined,
  place: Place,
): { readonly other: string } | Record<never, never> {
  if (other !== undefined && world.topology.nats.get(nat)?.mapping === "endpoint-independent")
    world.complain.say(
      [...place, "other"],
      `${nat} has one mapping for all remotes: want a NAT whose mapping is address-dependent, or no other`,
    );
  return readOtherEnd(world, other, place);
}

/** A drained relay has exited before it is started again. */
function readWithin({ complain }: World, written: Time | undefined, length: number | null, place: Place): number {
  const within = micros(written ?? DRAINS_WITHIN);
  if (within === 0) complain.say([...place, "within"], "leaves no time to go: want a time above 0");
  if (length !== null && length <= within)
    complain.say(
      [...place, "for"],
      `${formatTime(length)} is over before the relay has to be: want more than its ${formatTime(within)}`,
    );
  return within;
}

/** The other side of a partition. A party is known by its NATs' addresses, which it must not share: a cut would meet others too, or nobody on its own network. */
function readOther(
  { topology, complain }: World,
  fault: { readonly target: string; readonly other: string },
  place: Place,
): string {
  const { target, other } = fault;
  const others = [...topology.parties.keys()].filter((name) => name !== target);
  if (!complain.wantName([...place, "other"], `a party other than ${target}`, other, others)) return other;
  for (const [key, name] of [
    ["target", target],
    ["other", other],
  ] as const) {
    const shared = sharedNat(topology, name);
    if (shared !== undefined)
      complain.say(
        [...place, key],
        `${show(name)} is behind ${shared.nat} with ${shared.with}: want a party that has its NATs to itself, or block-udp at its NAT`,
      );
  }
  return other;
}

/** A NAT that the party is behind, directly or not, and somebody else who is. */
function sharedNat({ parties, nats }: Topology, name: string): { readonly nat: string; readonly with: string } | undefined {
  const behind = (party: PartyModel): readonly string[] =>
    natsOf(party).flatMap((nat) => {
      const chain = [nat];
      // a circle has been complained of
      for (let next = nats.get(nat)?.behind; typeof next === "string" && !chain.includes(next); next = nats.get(next)?.behind)
        chain.push(next);
      return chain;
    });
  const party = parties.get(name);
  const own = party === undefined ? [] : behind(party);
  for (const [other, one] of parties) {
    const nat = other === name ? undefined : behind(one).find((each) => own.includes(each));
    if (nat !== undefined) return { nat, with: other };
  }
  return undefined;
}

const natsOf = (party: PartyModel): string[] => [
  ...new Set(Object.values(party.interfaces).flatMap((one) => (one.nat === null ? [] : [one.nat]))),
];

const natted = (topology: Topology): string[] =>
  [...topology.parties].filter(([, party]) => natsOf(party).length === 1).map(([name]) => name);

/** The interface named, or the party's first. */
function interfaceOf({ topology, complain }: World, target: string, named: string | undefined, place: Place): string {
  const known = Object.keys(topology.parties.get(target)?.interfaces ?? {});
  if (named === undefined) return known[0] ?? "";
  if (topology.parties.has(target)) complain.wantName([...place, "interface"], `an interface of ${target}`, named, known);
  return named;
}

/** Two interfaces of the party that differ, and how the change from one to the other goes. */
function readRoam(
  { topology, complain }: World,
  target: string,
  written: WrittenRoam,
  length: number | null,
  place: Place,
): Roam {
  const known = Object.keys(topology.parties.get(target)?.interfaces ?? {});
  const named = (key: "from" | "to", otherwise: string | undefined): string => {
    const one = written[key];
    if (one !== undefined && known.length > 0) complain.wantName([...place, key], `an interface of ${target}`, one, known);
    return one ?? otherwise ?? "";
  };
  const from = named(
    "from",
    known.find((one) => one !== written.to),
  );
  const to = named(
    "to",
    known.find((one) => one !== from),
  );
  if (known.length === 1)
    complain.say([...place, "target"], `${show(target)} has one interface, ${known[0]}: want a party with two`);
  else if (from === to) complain.say([...place, "to"], `${show(to)} is where it comes from: want another interface of ${target}`);
  const [overlap, gap] = [micros(written.overlap), micros(written.gap)];
  if (overlap > 0 && gap > 0) complain.say(place, "has overlap and gap: want one of them, or neither for a change at once");
  if (length !== null && length <= Math.max(overlap, gap))
    complain.say(
      [...place, "for"],
      `${formatTime(length)} is over before the change is: want more than ${formatTime(Math.max(overlap, gap))}`,
    );
  return { from, to, overlap, gap };
}

type Impairment = {
  readonly link: Partial<LinkModel>;
  readonly target: string;
  readonly interface: string;
  readonly direction: Direction;
};

function checkImpairment({ topology, complain }: World, impairment: Impairment, written: object, place: Place): void {
  complain.add(linkProblems(written, place));
  if (Object.keys(impairment.link).length === 0) complain.say(place, "changes nothing: want at least one number, such as loss");
  const on = new Map(Object.entries(topology.parties.get(impairment.target)?.interfaces ?? {})).get(impairment.interface);
  if (on === undefined) return;
  const directions = impairment.direction === "both" ? (["up", "down"] as const) : [impairment.direction];
  const bad = directions.find((one) => {
    const laid = { ...on[one], ...impairment.link };
    return laid.jitter > laid.delay;
  });
  if (bad !== undefined) checkLink(complain, { ...on[bad], ...impairment.link }, place);
}

/** When something happens: exactly one of `at`, `after` and `when`. */
export function readTrigger(world: World, fault: Pick<WrittenWhen, "at" | "after" | "when">, place: Place): Trigger {
  const { complain, duration } = world;
  const inner: { at?: Time; after?: WrittenAfter } = fault.when === undefined ? {} : { ...fault.when };
  const given = [fault.at, fault.after, inner.at, inner.after].filter((one) => one !== undefined).length;
  if (given !== 1)
    complain.say(place, `has ${given === 0 ? "neither at nor after" : "more than one of at, after and when"}: want one of them`);
  const after = fault.after ?? inner.after;
  if (after !== undefined) {
    const where = fault.after === undefined ? [...place, "when", "after"] : [...place, "after"];
    return { after: readAfter(world, after, where) };
  }
  const at = micros(fault.at ?? inner.at);
  if (given === 1 && at >= duration) {
    const where = fault.at === undefined ? [...place, "when", "at"] : [...place, "at"];
    complain.say(
      where,
      `${formatTime(at)} is after the end at ${formatTime(duration)}: want an earlier fault or a longer duration`,
    );
  }
  return { at };
}

/** How long, against what the kind of fault can be and against the end of the run. */
function readFor({ complain, duration }: World, fault: WrittenFault, place: Place): number | null {
  if (fault.for === undefined || fault.for === null) return null;
  const length = micros(fault.for);
  const where = [...place, "for"];
  const kind: FaultKind | undefined = FAULT_KINDS.get(fault.kind);
  if (kind?.heals === undefined) complain.say(where, `a ${fault.kind} cannot be undone: want null`);
  const start = fault.at ?? (fault.when !== undefined && "at" in fault.when ? fault.when.at : undefined);
  const heal = micros(start) + length;
  if (length === 0) complain.say(where, `${show(fault.for)}: want a time above 0, or null for a fault that stays`);
  else if (heal > duration && micros(start) < duration) {
    complain.say(
      where,
      `would heal at ${formatTime(heal)}, after the end at ${formatTime(duration)}: want a shorter time, or null for a fault that stays`,
    );
  }
  return length;
}

function readAfter(world: World, written: WrittenAfter, place: Place): Extract<Trigger, { after: unknown }>["after"] {
  const { topology, complain } = world;
  const delay = micros(written.delay);
  const match = new Map(Object.entries(written.match));
  const at = [...place, "match"];
  const event = match.get("ev");
  if (event === undefined)
    complain.say(at, `has no ev: want the kind of log record to wait for, one of ${[...LOG_FIELDS.keys()].join(", ")}`);
  else if (complain.wantName([...at, "ev"], "a kind of log record", String(event), [...LOG_FIELDS.keys()])) {
    const fields = LOG_FIELDS.get(String(event)) ?? new Map();
    for (const [field, value] of match) {
      if (field === "ev") continue;
      if (field === "who")
        complain.wantName([...at, "who"], "a party, lab or net", String(value), [...topology.parties.keys(), "lab", "net"]);
      else if (field === "t") complain.say([...at, "t"], 'is the time of the record: want the fault\'s own "at" instead');
      else checkField(complain, fields.get(field), [...fields.keys()], field, value, [...at, field]);
    }
  }
  if (delay >= world.duration) complain.say([...place, "delay"], `${formatTime(delay)} is longer than the run: want less`);
  return { match: Object.fromEntries(match), nth: written.nth ?? 1, delay };
}

function checkField(
  complain: Complaints,
  values: readonly string[] | "text" | "number" | "boolean" | undefined,
  fields: readonly string[],
  field: string,
  value: string | number | boolean,
  place: Place,
): void {
  if (values === undefined) complain.say(place, `this record has no field ${show(field)}: ${whatWouldBeRight(field, fields)}`);
  else if (typeof values === "object") complain.wantName(place, `a value of ${field}`, String(value), values);
  else if (typeof value !== (values === "text" ? "string" : values))
    complain.say(place, `${show(value)}: want ${values === "text" ? "text" : `a ${values}`}`);
}
