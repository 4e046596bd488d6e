/**
 * Arbitrary faults for a topology: every kind of the language (drawn-language.ts says which and why not), timed and triggered, alone and in clusters. Each
 * heals (or has nothing to heal): what explored runs promise begins after the last heal.
 */
import fc from "fast-check";
import type { AddressFamily } from "../../impl/base/address.ts";
import { familiesOf } from "../../scenarios/address-family.ts";
import type { Direction, Fault, LinkModel, PartyModel, Scenario, SignallingEffect, Trigger } from "../../scenarios/expanded.ts";
import { SIGNALLING_MESSAGES } from "../../scenarios/fault-language.ts";
import { gilbert } from "../../scenarios/gilbert.ts";
import { REJECT_CODES, type RejectAnswer } from "../../scenarios/middlebox.ts";
import { MTU_BYTES } from "../../scenarios/rate.ts";
import { natsInUse, natsOfParty, type Topology } from "./explored-topology.ts";

/** Kinds as exploration tells them apart: killing a client ends its calls, killing a relay does not. */
export const DRAWN_KINDS = [
  "kill-relay",
  "kill-client",
  "drain",
  "pause",
  "starve",
  "partition",
  "rebind",
  "rebind-one-flow",
  "renumber",
  "expire",
  "block-udp",
  "block-quic",
  "late-kill",
  "interface-down",
  "families",
  "roam",
  "impair",
  "spikes",
  "blackout",
  "signalling",
] as const;
export type DrawnKind = (typeof DRAWN_KINDS)[number];

/** Where and when: faults strike from `from` to `to` (microseconds); `isUp`: every call is up by then, and triggers must not strike before. */
export type Stage = { readonly from: number; readonly to: number; readonly isUp: boolean; readonly triggers: boolean };

const ms = (value: number): number => value * 1_000;

/**
 * Lengths worth trying. chosen: around the timers of a session (1 s of silence, 4 s of handshake), one packet, one jitter buffer, and a
 * few seconds; 10 s at most, so that several fit a run.
 */
const LENGTHS: readonly number[] = [
  20, 60, 100, 200, 500, 900, 1_000, 1_100, 2_000, 3_000, 3_900, 4_100, 5_000, 8_000, 10_000,
].map(ms);
const LONGEST = ms(10_000);

const length = (): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(...LENGTHS), fc.integer({ min: 1, max: LONGEST / 1_000 }).map(ms));

/** Uniform, or close to `centre`: bugs live where faults meet. */
const instant = ({ from, to }: Stage, centre: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: from / 1_000, max: to / 1_000 }).map(ms),
    fc.integer({ min: -500, max: 1_500 }).map((offset) => Math.min(to, Math.max(from, centre + ms(offset)))),
  );

function trigger(topology: Topology, stage: Stage, earlier: number): fc.Arbitrary<Trigger> {
  const clients = Object.entries(topology.parties).flatMap(([name, party]) => (party.role === "client" ? [name] : []));
  const client = fc.constantFrom(...clients);
  type Match = Readonly<Record<string, string | number | boolean>>;
  const any: fc.Arbitrary<Match>[] = [
    client.map((who) => ({ ev: "registration", who, state: "reconnecting" })),
    client.chain((who) => fc.constantFrom("resuming", "resumed").map((state) => ({ ev: "call", who, state }))),
    client.map((who) => ({ ev: "signal", who, dir: "sent", type: "CallResume" })),
  ];
  if (earlier > 0)
    any.push(
      fc
        .tuple(fc.integer({ min: 0, max: earlier - 1 }), fc.constantFrom("applied", "healed"))
        .map(([fault, state]) => ({ ev: "fault", fault, state })),
    );
  if (!stage.isUp)
    any.push(
      client.chain((who) => fc.constantFrom("connecting", "registered").map((state) => ({ ev: "registration", who, state }))),
      client.chain((who) =>
        fc.constantFrom("offering", "ringing", "answered", "active").map((state) => ({ ev: "call", who, state })),
      ),
      client.chain((who) =>
        fc.constantFrom("connecting", "connected", "silent", "path-changed").map((state) => ({ ev: "session", who, state })),
      ),
      client.chain((who) =>
        fc
          .tuple(
            fc.constantFrom("sent", "received"),
            fc.constantFrom("Register", "RegisterAck", "DirectCallOffer", "DirectCallAnswer", "CallSetup"),
          )
          .map(([dir, type]) => ({ ev: "signal", who, dir, type })),
      ),
    );
  return fc
    .record({
      match: fc.oneof(...any),
      nth: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 3 }) }),
      delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }).map(ms)),
    })
    .map((after) => ({ after }));
}

const share = (least: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.round(least * 100), max: Math.round(most * 100) }).map((percent) => percent / 100);

/**
 * Packets that pile up somewhere and come all at once, every few seconds: what a phone's radio and a laptop's scan for networks do. As extra delays of
 * packets in a row, each 20 ms less than the one before. chosen: from a frame more than usual to two seconds, every half second to every five.
 */
const spikes: fc.Arbitrary<Partial<LinkModel>> = fc
  .tuple(fc.integer({ min: 3, max: 100 }), fc.integer({ min: 25, max: 250 }))
  .map(([height, every]) => ({ trace: Array.from({ length: every }, (_, i) => ms(Math.max(0, height - i) * 20)) }));

/**
 * A mobile link that sends when its scheduler lets it, in full packets (mahimahi's recordings): as many instants as 60 to 600 kbit/s have, anywhere in a
 * second that comes again and again. chosen: around what a call takes, with the queues of `rate`.
 */
const deliveries: fc.Arbitrary<Partial<LinkModel>> = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 5, maxLength: 50, size: "max" }),
    fc.integer({ min: 2, max: 40 }),
  )
  .map(([at, packets]) => ({
    deliveries: { at: at.toSorted((a, b) => a - b).map(ms), period: ms(1_000), queueBytes: packets * MTU_BYTES },
  }));

/** Packets that are lost by their number: the first ones of a fault, a run of them, or any of the next four seconds' voice. */
const drops: fc.Arbitrary<Partial<LinkModel>> = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200 })), { minLength: 1, maxLength: 12 })
  .map((drop) => ({ drop: drop.toSorted((a, b) => a - b) }));

/** One to three knobs of a link. Delay and jitter come together, so that no packet arrives before it is sent. */
const overlay: fc.Arbitrary<Partial<LinkModel>> = fc
  .array(
    fc.oneof<fc.Arbitrary<Partial<LinkModel>>[]>(
      share(0.01, 0.6).map((loss) => ({ loss })),
      fc.tuple(share(0.02, 0.4), fc.integer({ min: 2, max: 20 })).map(([loss, burst]) => ({ burst: gilbert(loss, burst) })),
      fc
        .record({
          delay: fc.integer({ min: 0, max: 1_000 }).map(ms),
          jitter: share(0, 1),
          order: fc.constantFrom<LinkModel["order"]>("keep", "free"),
          jitterShape: fc.constantFrom<LinkModel["jitterShape"]>("uniform", "normal"),
        })
        .map((one) => ({ ...one, jitter: Math.round(one.delay * one.jitter) })),
      share(0.01, 1).map((duplicate) => ({ duplicate })),
      fc
        .tuple(share(0.01, 0.5), fc.integer({ min: 1, max: 300 }))
        .map(([held, by]) => ({ reorder: { share: held, by: ms(by) } })),
      fc
        .tuple(fc.integer({ min: 16, max: 500 }), fc.integer({ min: 2, max: 40 }))
        .map(([kbps, packets]) => ({ rate: { bps: kbps * 1_000, queueBytes: packets * MTU_BYTES } })),
      deliveries,
      drops,
      share(0.01, 0.4).map((corrupt) => ({ corrupt })),
      // From what every host takes (RFC 791) to the largest of Ethernet: below 1,280 no handshake passes (RFC 9000 section 14).
      fc.constantFrom(576, 1_200, 1_228, 1_280, 1_400, 1_492).map((mtu) => ({ mtu })),
    ),
    { minLength: 1, maxLength: 3, size: "max" },
  )
  .map((knobs) => {
    const { rate, ...link } = Object.assign({}, ...knobs) as Partial<LinkModel>;
    // Deliveries take the place of a rate.
    return rate === undefined || link.deliveries !== undefined ? link : { ...link, rate };
  });

const effect: fc.Arbitrary<SignallingEffect> = fc
  .record({
    duplicate: fc.oneof(fc.constant(0), share(0.1, 1)),
    reorder: fc.oneof(fc.constant(0), share(0.1, 1)),
    delay: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000 }).map(ms)),
    types: fc.oneof(fc.constant<string[]>([]), fc.subarray([...SIGNALLING_MESSAGES], { minLength: 1, maxLength: 3 })),
  })
  .map((one) => (one.duplicate + one.reorder + one.delay === 0 ? { ...one, duplicate: 1 } : one));

const direction: fc.Arbitrary<Direction> = fc.constantFrom<Direction>("up", "down", "both");

type Body = Fault extends infer One
  ? One extends Fault
    ? Omit<One, "when" | "for"> & { readonly heals: boolean }
    : never
  : never;

/** From one interface to another, either way: make before break, break before make, or at one instant. */
const roam = (target: string, { interfaces }: PartyModel): fc.Arbitrary<Body> =>
  fc
    .tuple(
      fc.shuffledSubarray(Object.keys(interfaces), { minLength: 2, maxLength: 2 }),
      fc.constantFrom("overlap", "gap", "neither"),
      fc.integer({ min: 1, max: 3_000 }).map(ms),
    )
    .map(([[from = "", to = ""], how, by]) => {
      const timing = { overlap: how === "overlap" ? by : 0, gap: how === "gap" ? by : 0 };
      return { kind: "roam", target, from, to, ...timing, heals: true };
    });

/** What goes wrong where, by kind; a kind that has nothing to strike here is missing. */
function bodies(topology: Topology): ReadonlyMap<DrawnKind, fc.Arbitrary<Body>> {
  const parties = Object.entries(topology.parties);
  const names = (role: "client" | "relay"): string[] => parties.flatMap(([name, party]) => (party.role === role ? [name] : []));
  const nats = natsInUse(topology.parties, new Map(Object.entries(topology.nats)));
  const clients = fc.constantFrom(...names("client"));
  const on = fc
    .constantFrom(...parties)
    .chain(([target, party]) =>
      fc.record({ target: fc.constant(target), interface: fc.constantFrom(...Object.keys(party.interfaces)) }),
    );
  const out = new Map<DrawnKind, fc.Arbitrary<Body>>([
    ["kill-relay", fc.constantFrom(...names("relay")).map((target) => ({ kind: "kill", target, heals: true }))],
    ["kill-client", clients.map((target) => ({ kind: "kill", target, heals: true }))],
    ["pause", fc.constantFrom(...parties).map(([target]) => ({ kind: "pause", target, heals: true }))],
    [
      "starve",
      fc
        .tuple(fc.constantFrom(...parties), share(0.05, 0.9), fc.integer({ min: 20, max: 1_000 }))
        .map(([[target], part, every]) => ({ kind: "starve", target, share: part, every: ms(every), heals: true })),
    ],
    [
      "families",
      on.chain(({ target, interface: name }) => {
        const had = familiesOf(topology.parties[target]?.interfaces[name] ?? {}).join();
        return fc.constantFrom(...FAMILIES.filter((one) => familiesOf({ families: one }).join() !== had)).map((families) => ({
          ...{ kind: "families" as const, target, interface: name, families, heals: true },
        }));
      }),
    ],
    ["interface-down", on.map((where) => ({ kind: "interface-down", ...where, heals: true }))],
    [
      "impair",
      fc
        .tuple(on, direction, overlay)
        .map(([where, way, link]) => ({ kind: "impair", ...where, direction: way, link, heals: true })),
    ],
    [
      "spikes",
      fc
        .tuple(on, direction, spikes)
        .map(([where, way, link]) => ({ kind: "impair", ...where, direction: way, link, heals: true })),
    ],
    ["blackout", fc.tuple(on, direction).map(([where, way]) => ({ kind: "blackout", ...where, direction: way, heals: true }))],
    [
      "signalling",
      fc
        .tuple(clients, direction, effect)
        .map(([target, way, done]) => ({ kind: "signalling", target, direction: way, effect: done, heals: true })),
    ],
  ]);
  if (isOneNetwork(topology))
    out.set(
      "drain",
      fc
        .tuple(fc.constantFrom(...names("relay")), length())
        .map(([target, within]) => ({ kind: "drain", target, within, heals: true })),
    );
  const roamers = parties.filter(([, { role, interfaces }]) => role === "client" && Object.keys(interfaces).length > 1);
  if (roamers.length > 0)
    out.set(
      "roam",
      fc.constantFrom(...roamers).chain(([target, party]) => roam(target, party)),
    );
  const apart = pairsApart(topology);
  if (apart.length > 0)
    out.set(
      "partition",
      fc
        .tuple(fc.constantFrom(...apart), direction)
        .map(([[target, other], way]) => ({ kind: "partition", target, other, direction: way, heals: true })),
    );
  if (nats.length === 0) return out;
  for (const kind of ["rebind", "renumber", "expire"] as const)
    out.set(
      kind,
      fc.constantFrom(...nats).map((target) => ({ kind, target, heals: false })),
    );
  for (const kind of ["block-udp", "block-quic"] as const)
    out.set(
      kind,
      fc
        .tuple(fc.constantFrom(...nats), ANSWER)
        .map(([target, answer]) => ({ kind, target, ...(answer === null ? {} : { answer }), heals: true })),
    );
  const beyond = (nat: string): string[] =>
    parties.flatMap(([name, party]) => (natsOfParty(party, topology.nats).includes(nat) ? [] : [name]));
  out.set(
    "late-kill",
    fc
      .constantFrom(...nats)
      .chain((target) => fc.tuple(fc.constant(target), length(), fc.option(fc.constantFrom(...beyond(target)))))
      .map(([target, lives, other]) => ({ kind: "late-kill", target, lives, ...(other === null ? {} : { other }), heals: true })),
  );
  // One mapping for all remotes cannot move for one of them.
  const dependent = nats.filter((name) => topology.nats[name]?.mapping !== "endpoint-independent");
  if (dependent.length > 0)
    out.set(
      "rebind-one-flow",
      fc
        .constantFrom(...dependent)
        .chain((target) => fc.constantFrom(...beyond(target)).map((other) => ({ kind: "rebind", target, other, heals: false }))),
    );
  return out;
}

/** What an interface may have. */
const FAMILIES: readonly (readonly AddressFamily[])[] = [["v4"], ["v6"], ["v4", "v6"]];

/**
 * Whether users of any two relays reach each other: who leaves a draining relay for a stranger to it, while the other end of the call is cut off and does not
 * hear of it, is apart from it for good.
 */
function isOneNetwork({ parties }: Topology): boolean {
  const relays = Object.entries(parties).filter(([, { role }]) => role === "relay");
  const knows = (one: PartyModel, name: string): boolean => one.federatesWith?.includes(name) === true;
  return relays.every(([a, one], i) => relays.slice(i + 1).every(([b, other]) => knows(one, b) || knows(other, a)));
}

/** What a middlebox answers, if anything. */
const ANSWER: fc.Arbitrary<RejectAnswer | null> = fc.option(fc.constantFrom(...(Object.keys(REJECT_CODES) as RejectAnswer[])));

/** Pairs of parties that share no NAT with anybody: what a partition can tell apart. */
function pairsApart({ parties, nats }: Topology): (readonly [string, string])[] {
  const chains = new Map(Object.entries(parties).map(([name, party]) => [name, natsOfParty(party, nats)]));
  const alone = [...chains].flatMap(([name, own]) =>
    own.some((nat) => [...chains].some(([other, theirs]) => other !== name && theirs.includes(nat))) ? [] : [name],
  );
  return alone.flatMap((target) => alone.flatMap((other): [string, string][] => (other === target ? [] : [[target, other]])));
}

/** Half of all NATs have no flow that could move alone, and most clients no second interface. */
const SELDOM_POSSIBLE: ReadonlySet<DrawnKind> = new Set<DrawnKind>(["rebind-one-flow", "roam"]);

/** One to `most` faults of the `kinds` that apply here (a blackout where none does). A trigger may wait for an earlier fault of the list. */
export function exploredFaults(
  topology: Topology,
  stage: Stage,
  kinds: readonly DrawnKind[],
  most: number,
): fc.Arbitrary<readonly Fault[]> {
  const possible = bodies(topology);
  const some = kinds.flatMap((kind) => {
    const arbitrary = possible.get(kind);
    return arbitrary === undefined ? [] : [{ arbitrary, weight: SELDOM_POSSIBLE.has(kind) ? 2 : 1 }];
  });
  const body = some.length === 0 ? (possible.get("blackout") as fc.Arbitrary<Body>) : fc.oneof(...some);
  return fc
    .record({
      count: fc.integer({ min: 1, max: most }),
      centre: fc.integer({ min: stage.from / 1_000, max: stage.to / 1_000 }).map(ms),
    })
    .chain(({ count, centre }) => fc.tuple(...Array.from({ length: count }, (_, i) => fault(topology, stage, centre, i, body))))
    .map((faults) => faults.map((one) => settled(topology, one)));
}

function fault(
  topology: Topology,
  stage: Stage,
  centre: number,
  position: number,
  body: fc.Arbitrary<Body>,
): fc.Arbitrary<Fault> {
  const at = instant(stage, centre).map((micros): Trigger => ({ at: micros }));
  const when = stage.triggers
    ? fc.oneof({ weight: 3, arbitrary: at }, { weight: 1, arbitrary: trigger(topology, stage, position) })
    : at;
  return fc
    .tuple(when, length(), body)
    .map(([time, lasts, { heals, ...rest }]) => ({ when: time, for: heals ? lasts : null, ...rest }) as Fault);
}

/**
 * An impaired link whose own jitter is more than the delay laid over it gets less jitter: no packet arrives before it is sent. A roam is
 * done before it is undone.
 */
function settled({ parties }: Topology, one: Fault): Fault {
  if (one.kind === "roam" && one.for !== null) {
    const most = Math.floor(one.for / 2);
    return { ...one, overlap: Math.min(one.overlap, most), gap: Math.min(one.gap, most) };
  }
  // A drained relay has exited before it is started again.
  if (one.kind === "drain" && one.for !== null) return { ...one, within: Math.min(one.within, Math.ceil(one.for / 2)) };
  if (one.kind !== "impair" || one.link.delay === undefined) return one;
  const face = parties[one.target]?.interfaces[one.interface];
  const own = Math.max(face?.up.jitter ?? 0, face?.down.jitter ?? 0);
  return { ...one, link: { ...one.link, jitter: Math.min(one.link.delay, one.link.jitter ?? own) } };
}

/** How long the faults last together at most, microseconds. */
export const totalLength = (faults: Scenario["faults"]): number => faults.reduce((sum, one) => sum + (one.for ?? 0), 0);
