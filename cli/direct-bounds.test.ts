/** What direct paths promise in figures (docs/direct-paths.md), over five seeds each at a round trip of 50 ms: the longest gap of any party. */
import { expect, test } from "vitest";
import { Micros, millis } from "../impl/base/units.ts";
import { measure } from "../reports/measure.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Fault } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";

const SEEDS = [1, 2, 3, 4, 5];

test.each([
  ["direct-nat-rebind", 60],
  ["relayed-nat-rebind", 60],
  ["direct-nat-renumber", 150],
  ["relayed-nat-renumber", 150],
  // Nothing at all: what leaves by the new network before the client knows of it goes again by the relay, in time.
  ["roam-make-before-break", 0],
  ["roam-wifi-to-cellular", 300],
  ["direct-black-hole", 700],
  ["direct-black-hole-one-way", 700],
  // An address family that dies without a word, under the relay path, under both paths.
  ["v6-dies-mid-call", 450],
  ["v4-dies-mid-call", 450],
  ["v6-dies-one-way", 600],
  ["v6-dies-under-both", 300],
] as const)("%s: no gap over %i ms, and no stale generation applied", (name, most) => {
  const scenario = CATALOGUE.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`the catalogue has no ${name}`);
  for (const seed of SEEDS) {
    const { records } = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
    const { audio, generations } = measure(records, scenario).measurements;
    expect(Math.max(...Object.values(audio).map((one) => one.longestGapMs)), `seed ${seed}`).toBeLessThanOrEqual(most);
    expect(Object.values(generations).map((one) => one.appliedStale)).toEqual([0, 0]);
  }
});

test.each(["direct-nat-rebind", "relayed-nat-rebind"])(
  "%s: no gap over 60 ms whatever the instant within a frame, and nine of ten at most 40",
  (name) => {
    const scenario = CATALOGUE.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(`the catalogue has no ${name}`);
    const longest = Array.from({ length: 20 }, (_, ms) => {
      const later = (fault: Fault): Fault =>
        "at" in fault.when ? { ...fault, when: { at: Micros(fault.when.at + millis(ms)) } } : fault;
      const shifted = { ...scenario, faults: scenario.faults.map(later) };
      const { records } = runSim({ scenario: shifted, seed: ms + 1 }, { codec: sizedCodec, crypto: nullCrypto });
      return Math.max(...Object.values(measure(records, shifted).measurements.audio).map((one) => one.longestGapMs));
    }).toSorted((a, b) => a - b);
    expect(longest[17]).toBeLessThanOrEqual(40);
    expect(longest[19]).toBeLessThanOrEqual(60);
  },
);
