/** Forward error correction holds on to nothing; the bench itself does this for one scheme of every kind. */
import { expect, test } from "vitest";
import { nameOfScheme } from "../impl/base/fec-scheme.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import { BENCHED_SCHEMES, benchedPackets } from "./bench-fec.ts";
import { fecHourGrowth } from "./bench-fec-cost.ts";
import { hourGrowth } from "./hour-growth.ts";

/** chosen: what a heap moves by itself; one frame in a hundred kept would be 4 MB. */
const MOVES = 500_000;

test.each(["red 2", "rs 3+3 x2 aboard"])("%s holds on to nothing over an hour of loss", (name) => {
  const scheme = BENCHED_SCHEMES.find((one) => nameOfScheme(one) === name);
  if (scheme === undefined) throw new RangeError(`${name} is not benched`);
  expect(fecHourGrowth(scheme, benchedPackets(2_000), DEFAULT_FEC.codes)).toBeLessThan(MOVES);
});

test("what keeps one frame in a hundred is seen to", () => {
  const kept: Uint8Array[] = [];
  expect(hourGrowth((n) => n % 100 === 0 && kept.push(new Uint8Array(2_000)))).toBeGreaterThan(MOVES);
});
