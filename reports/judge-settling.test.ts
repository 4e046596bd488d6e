import { describe, expect, test } from "vitest";
import type { Scenario } from "../scenarios/expanded.ts";
import { PROFILES } from "../scenarios/profiles.ts";
import { judge } from "./judge.ts";
import { aCallLog, aScenario, s } from "./log-builder.ts";
import { measure } from "./measure.ts";
import type { OracleResult } from "./result.ts";

type Party = Scenario["parties"][string];

/** A scenario without faults in which alice's link is of a profile; that of the catalogue, or with another trace. */
function linked(profile: string, trace?: readonly number[]): Scenario {
  const found = PROFILES.get(profile);
  if (found === undefined) throw new RangeError(profile);
  const { parties } = aScenario();
  const link = trace === undefined ? found : { up: { ...found.up, trace }, down: { ...found.down, trace } };
  const alice: Party = { ...(parties.alice as Party), interfaces: { wlan0: { up: link.up, down: link.down, nat: null } } };
  return aScenario({ parties: { ...parties, alice }, expect: [{ oracle: "settles", within: s(4) }] });
}

/** What `settles` says where bob hears nothing from 8 s on for `silence` microseconds. */
function settling(scenario: Scenario, silence: number): Partial<OracleResult> | undefined {
  const log = aCallLog(scenario, { bob: { spells: [{ from: s(8), to: s(8) + silence, kind: "silence" }] } });
  const found = judge(measure(log.records(), scenario)).oracles[0];
  return found === undefined ? undefined : { name: found.name, verdict: found.verdict };
}

describe("a silence once all is healed", () => {
  test.each([
    ["broadband", 1.9, "held"],
    ["broadband", 2.9, "broken"],
    ["leo", 2.9, "broken"],
    ["lte-move", 2.9, "held"],
    ["lte-move", 5.1, "broken"],
  ] as const)("on %s of %d s: %s", (profile, silence, verdict) => {
    expect(settling(linked(profile), s(silence))).toEqual({ name: "settles", verdict });
  });

  test.each([
    [8, "broken"],
    [9, "held"],
  ] as const)("of 2.9 s, where a trace loses %d packets in a row: %s", (lost, verdict) => {
    const trace = [0, ...Array.from({ length: 7 }, () => -1), 0, ...Array.from({ length: lost }, () => -1), 0, -1];
    expect(settling(linked("lte-move", trace), s(2.9))).toEqual({ name: "settles", verdict });
  });
});
