/**
 * The corpus: scenarios that once found something, each kept small. What they found must stay mended. A file's name may say the seed it is run
 * with (`name.0x2a.json`); the default seed otherwise.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { parseScenario } from "../scenarios/language.ts";
import { openLaboratory } from "./laboratory.ts";
import { DEFAULT_SEED } from "./seed.ts";

const FOLDER = join(import.meta.dirname, "../scenarios/corpus");

/** Cases of the catalogue by a seed that once broke them. */
const PINNED: readonly (readonly [string, number])[] = [["ringrtc-international", 0x2882a7b7]];

type Kept = { readonly file: string; readonly seed: number; scenario(): Scenario };

const kept: readonly Kept[] = [
  ...readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({
      file,
      seed: Number(/\.(0x[0-9a-f]+)\.json$/.exec(file)?.[1] ?? DEFAULT_SEED),
      scenario: () => {
        const parsed = parseScenario(JSON.parse(readFileSync(join(FOLDER, file), "utf8")));
        if (!parsed.ok) throw new TypeError(`${file}: ${JSON.stringify(parsed.problems)}`);
        return parsed.scenario;
      },
    })),
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
