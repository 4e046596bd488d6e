/** The tables of what is drawn tell the truth. */
import { expect, it } from "vitest";
import { CATALOGUE } from "../../scenarios/catalogue.ts";
import type { Fault, LinkModel, Scenario } from "../../scenarios/expanded.ts";
import { FAULT_KINDS } from "../../scenarios/fault-language.ts";
import { ACTIONS, CALL, EFFECT, FAULTS, IMPAIRMENT, INTERFACE, NAT, PARTY, SCENARIO, type Stance } from "./drawn-language.ts";
import { DRAWN_KINDS } from "./explored-faults.ts";
import { exploredScenario } from "./explored-scenario.ts";

/** All around one base, so that whatever differs was drawn. */
const drawn: readonly Scenario[] = Array.from({ length: 500 }, (_, seed) =>
  exploredScenario(
    CATALOGUE.filter(({ name }) => name === "baseline"),
    seed,
    true,
  ),
);
const faults = drawn.flatMap((one) => one.faults);
const parties = drawn.flatMap((one) => Object.values(one.parties));
const impaired = faults.flatMap((one): Partial<LinkModel>[] => (one.kind === "impair" ? [one.link] : []));

/** Keys whose stance is not what the values say: drawn ones take several, others one. */
function untrue(stances: Readonly<Record<string, Stance>>, of: readonly Readonly<Record<string, unknown>>[]): string[] {
  return Object.keys(stances).filter((key) => {
    const values = new Set(of.map((one) => JSON.stringify(one[key])));
    return values.size > 1 !== (stances[key] === "drawn");
  });
}

it("every kind of fault that the language has is drawn, or said not to be", () => {
  expect(Object.keys(FAULTS).toSorted()).toEqual([...FAULT_KINDS.keys()].toSorted());
  const named = Object.values(FAULTS).flatMap((one) => ("not" in one ? [] : one));
  expect(named.toSorted()).toEqual([...DRAWN_KINDS].toSorted());
  const seen = new Set<Fault["kind"]>(faults.map(({ kind }) => kind));
  expect((Object.keys(FAULTS) as Fault["kind"][]).filter((kind) => seen.has(kind) === "not" in FAULTS[kind])).toEqual([]);
});

type Values = readonly Readonly<Record<string, unknown>>[];
it.each<[string, Readonly<Record<string, Stance>>, Values]>([
  ["impairments", IMPAIRMENT, impaired],
  ["signalling effects", EFFECT, faults.flatMap((one) => (one.kind === "signalling" ? [one.effect] : []))],
  ["NATs", NAT, drawn.flatMap((one) => Object.values(one.nats))],
  ["interfaces", INTERFACE, parties.flatMap((one) => Object.values(one.interfaces))],
  ["clients", PARTY, parties.map((one) => ({ ...one, role: "client" }))],
  ["calls", CALL, drawn.flatMap((one) => one.calls)],
  ["scenarios", SCENARIO, drawn],
])("every field of %s is drawn, or said not to be", (_, stances, of) => {
  expect(untrue(stances, of)).toEqual([]);
});

it("every action of a user is drawn", () => {
  const seen = new Set(drawn.flatMap(({ actions = [] }) => actions.map(({ does }) => does)));
  expect(seen).toEqual(new Set(Object.entries(ACTIONS).flatMap(([does, stance]) => (stance === "drawn" ? [does] : []))));
});
