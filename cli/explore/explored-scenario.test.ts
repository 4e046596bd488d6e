import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../scenarios/catalogue.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { parseScenario } from "../../scenarios/language.ts";
import { DRAWN_KINDS } from "./explored-faults.ts";
import { exploredScenario } from "./explored-scenario.ts";

const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const many = (isSwarm: boolean, count = 300): Scenario[] =>
  Array.from({ length: count }, (_, i) => exploredScenario(CATALOGUE, i, isSwarm));
/** Kinds as they were drawn. */
const kindsOf = (scenario: Scenario): string[] =>
  scenario.faults.map((one) => (one.kind === "kill" ? `kill-${scenario.parties[one.target]?.role}` : one.kind));

describe("an explored scenario", () => {
  it("is read as itself, from any seed", () => {
    fc.assert(
      fc.property(seed, fc.boolean(), (from, isSwarm) => {
        const scenario = exploredScenario(CATALOGUE, from, isSwarm);
        expect(parseScenario(JSON.parse(JSON.stringify(scenario)))).toEqual({ ok: true, scenario });
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("comes from its seed alone, whatever was drawn before", () => {
    const first = many(true, 20).map((one) => JSON.stringify(one));
    exploredScenario(CATALOGUE, 99, false);
    expect(many(true, 20).map((one) => JSON.stringify(one))).toEqual(first);
    expect(new Set(first).size).toBe(20);
  });

  it("heals every fault that can be healed, in time for the liveness promise to be judged", () => {
    for (const scenario of many(true)) {
      const settles = scenario.expect.find((one) => one.oracle === "settles");
      for (const fault of scenario.faults) {
        expect(fault.for === null).toBe(["rebind", "renumber", "expire"].includes(fault.kind));
        if ("at" in fault.when)
          expect(fault.when.at + (fault.for ?? 0) + Number(settles?.within)).toBeLessThan(scenario.duration);
      }
    }
  });

  it("promises the same call only where nothing that may end calls was drawn", () => {
    for (const scenario of many(false)) {
      const isPromised = scenario.expect.some((one) => one.oracle === "same-call");
      if (isPromised) expect(kindsOf(scenario)).not.toContain("kill-client");
    }
  });

  it("keeps none of the base's promises about its own faults", () => {
    const kept = new Set(many(false).flatMap((scenario) => scenario.expect.map((one) => one.oracle)));
    expect(kept).toEqual(
      new Set(["settles", "call-connects", "media-flows", "same-call", "call-rejected"].filter((name) => kept.has(name))),
    );
  });

  it("draws every kind of fault, triggers, NATs behind NATs and second interfaces, with and without swarm", () => {
    for (const isSwarm of [false, true]) {
      const all = many(isSwarm);
      expect(new Set(all.flatMap(kindsOf))).toEqual(new Set(DRAWN_KINDS));
      expect(all.some((one) => one.faults.some((fault) => "after" in fault.when))).toBe(true);
      expect(all.some((one) => Object.values(one.nats).some((nat) => nat.behind !== null))).toBe(true);
      expect(all.some((one) => Object.values(one.parties).some((party) => Object.keys(party.interfaces).length > 1))).toBe(true);
    }
  });

  it("leaves most kinds out of each seed of a swarm, other ones each time", () => {
    const subsets = many(true).map((one) => [...new Set(kindsOf(one))].sort().join());
    expect(new Set(subsets).size).toBeGreaterThan(60);
  });

  it("needs a base", () => expect(() => exploredScenario([], 1, false)).toThrow(RangeError));
});
