/** What direct paths promise in figures (docs/direct-paths.md), over five seeds each at a round trip of 50 ms: the longest gap of any party. */
import { expect, test } from "vitest";
import { measure } from "../reports/measure.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
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
