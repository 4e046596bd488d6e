/** The corpus: what its scenarios once found must stay mended. */
import { afterAll, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { corpus, type Kept } from "./corpus.ts";
import { openLaboratory } from "./laboratory.ts";

/** Cases of the catalogue by a seed that once broke them. */
const PINNED: readonly (readonly [string, number])[] = [["ringrtc-international", 0x2882a7b7]];

const kept: readonly Kept[] = [
  ...corpus(),
  ...PINNED.map(([name, seed]) => ({
    file: name,
    seed,
    scenario: () => {
      const found = CATALOGUE.find((one) => one.name === name);
      if (found === undefined) throw new TypeError(`${name}: not in the catalogue`);
      return found;
    },
  })),
];

const laboratory = openLaboratory();
afterAll(() => laboratory.close());

it.each(kept)("$file holds with seed $seed", async ({ seed, scenario }) => {
  const { result } = await laboratory.run({
    lab: "sim",
    scenario: scenario(),
    seed,
    codec: "sized",
    crypto: "null",
    folder: null,
    dir: "out",
    wantLines: false,
    commit: "unknown",
    sabotage: null,
  });
  expect(result.verdict, JSON.stringify(result.oracles.filter((oracle) => oracle.verdict !== "held"))).toBe("held");
});
