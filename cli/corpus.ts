/**
 * The corpus: scenarios that once found something, each kept small. A file's name may
 * say the seed it is run with (`name.0x2a.json`); the default seed otherwise.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "../scenarios/expanded.ts";
import { parseScenario } from "../scenarios/language.ts";
import { DEFAULT_SEED } from "./seed.ts";

const FOLDER = join(import.meta.dirname, "../scenarios/corpus");

export type Kept = { readonly file: string; readonly seed: number; scenario(): Scenario };

/** The seed that a file's name says (`name.0x2a.json`); the default one when it says none. */
export const seedInName = (file: string): number => Number(/\.(0x[0-9a-f]+)\.json$/.exec(file)?.[1] ?? DEFAULT_SEED);

/** The files of the corpus in the order of their names; none in a package, which comes without it. `scenario` throws TypeError for one that is no scenario. */
export function corpus(): readonly Kept[] {
  let files: readonly string[];
  try {
    files = readdirSync(FOLDER);
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => ({
      file,
      seed: seedInName(file),
      scenario: () => {
        const parsed = parseScenario(JSON.parse(readFileSync(join(FOLDER, file), "utf8")));
        if (!parsed.ok) throw new TypeError(`${file}: ${JSON.stringify(parsed.problems)}`);
        return parsed.scenario;
      },
    }));
}
