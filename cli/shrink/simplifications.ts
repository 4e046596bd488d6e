/**
 * The steps by which a scenario becomes simpler without losing a fault: each gives candidates that are simpler in one place, the boldest
 * first. A candidate may be no scenario at all (a NAT gone that a fault strikes): whoever tries it reads it first.
 */
import type { Condition } from "../../reports/result.ts";
import type { Fault, InterfaceModel, PartyModel, Scenario } from "../../scenarios/expanded.ts";
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { NAT_PRESETS } from "../../scenarios/nats.ts";
import { PROFILES } from "../../scenarios/profiles.ts";

/** Simpler scenarios than `scenario`, whose run gave `conditions`. Taking one and asking again comes to an end. */
export type Simplification = (scenario: Scenario, conditions: readonly Condition[]) => readonly Scenario[];

const ms = (value: number): number => value * 1_000;
/** Times people choose, from coarse to fine. */
const GRIDS: readonly number[] = [1_000, 500, 100, 50, 10, 1].map(ms);
/** Lengths people choose. */
const LENGTHS: readonly number[] = [20, 50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 10_000].map(ms);

const unlike = (scenario: Scenario, candidates: readonly Scenario[]): Scenario[] => {
  const own = JSON.stringify(scenario);
  return candidates.filter((one) => JSON.stringify(one) !== own);
};

const withFault = (scenario: Scenario, index: number, fault: Fault): Scenario => ({
  ...scenario,
  faults: scenario.faults.map((one, i) => (i === index ? fault : one)),
});

/** For every fault, the scenarios with another one in its place. */
const eachFault = (scenario: Scenario, change: (fault: Fault, index: number) => readonly Fault[]): Scenario[] =>
  scenario.faults.flatMap((fault, index) => change(fault, index).map((other) => withFault(scenario, index, other)));

/** Triggers become the instants at which they fired. */
const timed: Simplification = (scenario, conditions) =>
  eachFault(scenario, (fault, index) => {
    const applied = conditions[index]?.appliedMs ?? null;
    return "after" in fault.when && applied !== null ? [{ ...fault, when: { at: Math.round(ms(applied)) } }] : [];
  });

/** Shorter, in lengths people choose. */
const shorter: Simplification = (scenario) =>
  eachFault(scenario, (fault) =>
    LENGTHS.filter((one) => fault.for !== null && one < fault.for).map((one) => ({ ...fault, for: one })),
  );

/** Numbers near `value` that lie on a coarser grid than it does. */
function rounder(value: number): number[] {
  const own = GRIDS.findIndex((grid) => value % grid === 0);
  return GRIDS.slice(0, own === -1 ? undefined : own).flatMap((grid) => [
    ...new Set([Math.round(value / grid), Math.floor(value / grid), Math.ceil(value / grid)].map((n) => n * grid)),
  ]);
}

const rounded: Simplification = (scenario) => [
  ...eachFault(scenario, (fault) => {
    const { when } = fault;
    if ("at" in when) return rounder(when.at).map((at) => ({ ...fault, when: { at } }));
    const { after } = when;
    return [0, ...rounder(after.delay)]
      .filter((delay) => delay !== after.delay)
      .map((delay) => ({ ...fault, when: { after: { ...after, delay } } }));
  }),
  ...eachFault(scenario, (fault) => {
    const length = fault.for;
    return length === null ? [] : rounder(length).flatMap((one) => (one > 0 ? [{ ...fault, for: one }] : []));
  }),
];

/** All faults earlier by whole seconds, half the way at most at a time. */
const earlier: Simplification = (scenario) => {
  const instants = scenario.faults.flatMap((fault) => ("at" in fault.when ? [fault.when.at] : []));
  const second = ms(1_000);
  const room = Math.floor(Math.min(...instants) / second) * second;
  if (instants.length === 0 || room <= 0) return [];
  const steps = [...new Set([room, Math.floor(room / 2 / second) * second, second])].filter((step) => step > 0);
  return steps.map((step) => ({
    ...scenario,
    duration: scenario.duration - step,
    faults: scenario.faults.map((fault) => ("at" in fault.when ? { ...fault, when: { at: fault.when.at - step } } : fault)),
  }));
};

/** Impairments with one knob less, then with rounder numbers; disturbances of signalling with one effect less. */
const milder: Simplification = (scenario) =>
  eachFault(scenario, (fault) => {
    if (fault.kind === "impair") {
      const knobs = Object.entries(fault.link);
      const { loss, duplicate, delay, jitter } = fault.link;
      const share = (knob: "loss" | "duplicate", value: number | undefined): Fault[] =>
        value === undefined
          ? []
          : [1, 0.5, Math.round(value * 10) / 10].flatMap((one) =>
              roundness(one) < roundness(value) && one > 0 ? [{ ...fault, link: { ...fault.link, [knob]: one } }] : [],
            );
      return [
        ...(knobs.length < 2
          ? []
          : knobs.map(([gone]) => ({ ...fault, link: Object.fromEntries(knobs.filter(([knob]) => knob !== gone)) }))),
        ...share("loss", loss),
        ...share("duplicate", duplicate),
        ...(jitter === undefined || jitter === 0 ? [] : [{ ...fault, link: { ...fault.link, jitter: 0 } }]),
        ...(delay === undefined
          ? []
          : rounder(delay).flatMap((one) => (one >= (jitter ?? 0) ? [{ ...fault, link: { ...fault.link, delay: one } }] : []))),
      ];
    }
    if (fault.kind !== "signalling") return [];
    const { effect } = fault;
    return [
      ...(effect.duplicate > 0 ? [{ ...effect, duplicate: 0 }] : []),
      ...(effect.reorder > 0 ? [{ ...effect, reorder: 0 }] : []),
      ...(effect.delay > 0 ? [{ ...effect, delay: 0 }] : []),
      ...((effect.forge ?? 0) > 0 ? [{ ...effect, forge: 0 }] : []),
      ...((effect.forge ?? 1) < 1 ? [{ ...effect, forge: 1 }] : []),
      ...(effect.duplicate > 0 && effect.duplicate < 1 ? [{ ...effect, duplicate: 1 }] : []),
      ...(effect.reorder > 0 && effect.reorder < 1 ? [{ ...effect, reorder: 1 }] : []),
      ...rounder(effect.delay).map((delay) => ({ ...effect, delay })),
      ...(effect.types.length === 0 ? [] : [{ ...effect, types: [] }]),
    ].map((other) => ({ ...fault, effect: other }));
  });

/** Digits of a share: fewer are simpler. 1 and 0.5 are simplest. */
const roundness = (share: number): number => (share === 1 ? 0 : share === 0.5 ? 1 : String(share).length);

const withParty = (scenario: Scenario, name: string, party: PartyModel): Scenario => {
  const parties = { ...scenario.parties, [name]: party };
  const used = new Set<string>();
  for (const one of Object.values(parties))
    for (const face of Object.values(one.interfaces))
      for (let nat = face.nat; nat !== null && !used.has(nat); nat = scenario.nats[nat]?.behind ?? null) used.add(nat);
  return { ...scenario, parties, nats: Object.fromEntries(Object.entries(scenario.nats).filter(([nat]) => used.has(nat))) };
};

const BROADBAND = PROFILES.get("broadband") ?? { up: CLEAN, down: CLEAN };

/** From the plainest link on; a link that is one of these is simplified to those before it only. */
const PLAIN: readonly Pick<InterfaceModel, "up" | "down">[] = [
  { up: CLEAN, down: CLEAN },
  { up: { ...CLEAN, delay: ms(10) }, down: { ...CLEAN, delay: ms(10) } },
  { up: BROADBAND.up, down: BROADBAND.down },
];

function plainer({ up, down, nat }: InterfaceModel): InterfaceModel[] {
  const own = PLAIN.findIndex((one) => JSON.stringify([one.up, one.down]) === JSON.stringify([up, down]));
  return PLAIN.slice(0, own === -1 ? undefined : own).map((one) => ({ up: { ...one.up }, down: { ...one.down }, nat }));
}

/** Fewer interfaces, no NATs, true clocks, plain links. */
const surroundings: Simplification = (scenario) => {
  const parties = Object.entries(scenario.parties);
  const changed = (name: string, party: PartyModel, key: string, face: InterfaceModel): Scenario =>
    withParty(scenario, name, { ...party, interfaces: { ...party.interfaces, [key]: face } });
  const home = NAT_PRESETS.get("home")?.model;
  return unlike(scenario, [
    ...parties.flatMap(([name, party]) => {
      const faces = Object.entries(party.interfaces);
      return faces.length < 2
        ? []
        : faces.map((gone) =>
            withParty(scenario, name, { ...party, interfaces: Object.fromEntries(faces.filter((one) => one !== gone)) }),
          );
    }),
    ...parties.flatMap(([name, party]) =>
      Object.entries(party.interfaces).flatMap(([key, face]) =>
        face.nat === null ? [] : [changed(name, party, key, { ...face, nat: null })],
      ),
    ),
    ...Object.entries(scenario.nats).flatMap(([name, nat]) =>
      nat.behind === null ? [] : [{ ...scenario, nats: { ...scenario.nats, [name]: { ...nat, behind: null } } }],
    ),
    ...Object.entries(scenario.nats).flatMap(([name, nat]) =>
      home === undefined ? [] : [{ ...scenario, nats: { ...scenario.nats, [name]: { ...home, behind: nat.behind } } }],
    ),
    ...parties.flatMap(([name, party]) => (party.driftPpm === 0 ? [] : [withParty(scenario, name, { ...party, driftPpm: 0 })])),
    ...parties.flatMap(([name, party]) =>
      party.role === "relay"
        ? []
        : Object.entries(party.interfaces).flatMap(([key, face]) => plainer(face).map((one) => changed(name, party, key, one))),
    ),
  ]);
};

/** Users who want less: an action less, a relay less, voice as most speak it. */
const wishes: Simplification = (scenario) => {
  const { actions = [], parties } = scenario;
  const relays = Object.keys(parties).filter((name) => parties[name]?.role === "relay");
  const without = (gone: number): Scenario => {
    const { actions: _, ...others } = scenario;
    return actions.length === 1 ? others : { ...scenario, actions: actions.filter((_, i) => i !== gone) };
  };
  return unlike(scenario, [
    ...actions.map((_, gone) => without(gone)),
    // The last one would be put back by whoever reads the scenario.
    ...relays.flatMap((gone) =>
      relays.length > 1
        ? [{ ...scenario, parties: Object.fromEntries(Object.entries(parties).filter(([name]) => name !== gone)) }]
        : [],
    ),
    ...Object.entries(parties).map(([name, { fec: _fec, adaptsFec: _adapts, tier: _tier, ...plain }]) => ({
      ...scenario,
      parties: { ...parties, [name]: plain },
    })),
  ]);
};

/** One call less; the run ends earlier. */
const cut: Simplification = (scenario) => {
  const second = ms(1_000);
  const lengths = [0.25, 0.5, 0.75, 0.9].map((share) => Math.ceil((scenario.duration * share) / second) * second);
  return [
    ...(scenario.calls.length < 2
      ? []
      : scenario.calls.map((gone) => ({ ...scenario, calls: scenario.calls.filter((one) => one !== gone) }))),
    ...[...new Set([...lengths, scenario.duration - second])].flatMap((duration) =>
      duration >= second && duration < scenario.duration ? [{ ...scenario, duration }] : [],
    ),
  ];
};

/** Every step, in the order they are tried after faults were dropped. */
export const SIMPLIFICATIONS: readonly Simplification[] = [timed, earlier, shorter, milder, wishes, surroundings, rounded, cut];
