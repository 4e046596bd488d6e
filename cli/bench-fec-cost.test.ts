/** What forward error correction costs, in processor time of its own and not time by the clock, and that it holds on to nothing; the bench itself does both for more schemes. */
import { expect, test } from "vitest";
import { nameOfScheme } from "../impl/base/fec-scheme.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import { BENCHED_SCHEMES, benchedPackets } from "./bench-fec.ts";
import { benchFecCost, fecHourGrowth } from "./bench-fec-cost.ts";
import { hourGrowth } from "./hour-growth.ts";

/** chosen: what a heap moves by itself; one frame in a hundred kept would be 4 MB. */
const MOVES = 500_000;

test.each(["red 2", "rs 3+3 x2 aboard"])("%s holds on to nothing over an hour of loss", (name) => {
  const scheme = BENCHED_SCHEMES.find((one) => nameOfScheme(one) === name);
  if (scheme === undefined) throw new RangeError(`${name} is not benched`);
  expect(fecHourGrowth(scheme, benchedPackets(2_000), DEFAULT_FEC.codes)).toBeLessThan(MOVES);
});

/** One of every kind; every figure is the median of nine rounds of 2,000 frames with a tenth of all packets lost. */
const KINDS: ReadonlySet<string> = new Set([
  "xor 4x3",
  "red 4",
  "rs 4+4 x3",
  "rs 3+3 x2 aboard",
  "rlc 10 at 88 %",
  "raptorq 5+5",
]);
const costs = benchFecCost(
  BENCHED_SCHEMES.filter((scheme) => KINDS.has(nameOfScheme(scheme))),
  false,
);

test("every kind is measured", () => expect(costs.map(({ scheme }) => scheme).toSorted()).toEqual([...KINDS].toSorted()));

test.each(costs.map((one) => [one.scheme, one] as const))(
  "%s takes less than three hundredths of a core, both sides together",
  (_, one) => {
    expect(one.frameUs).toBeGreaterThan(0);
    expect(one.streamPercent).toBeLessThan(3);
  },
);

test("what keeps one frame in a hundred is seen to", () => {
  const kept: Uint8Array[] = [];
  expect(hourGrowth((n) => n % 100 === 0 && kept.push(new Uint8Array(2_000)))).toBeGreaterThan(MOVES);
});
