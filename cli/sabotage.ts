/**
 * Loads impl/ with one of the bugs of scenarios/mutations.ts in it: the source text is replaced while the module loads, so
 * the product carries no test switch. It acts on the thread that calls it and on modules not loaded yet, which is why a
 * laboratory's worker calls it before anything else.
 */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { applyMutation, type Mutation } from "../scenarios/mutation.ts";
import { MUTATIONS } from "../scenarios/mutations.ts";
import { usage } from "./exit.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** The root of the modules: the repository, or `dist` of a built package. */
const ROOT = join(import.meta.dirname, "..");

/**
 * From now on this thread loads the mutated module in place of the real one. Returns whether that has happened yet: a
 * sabotage that never took effect proves nothing. `given` is a name of the catalogue, or a mutation of a test's own. Throws a usage error for an unknown mutation; the import itself throws
 * RangeError when the mutation does not fit the code any more.
 */
export function sabotage(given: string | Mutation): () => boolean {
  const mutation = typeof given === "string" ? MUTATIONS.get(given) : given;
  if (mutation === undefined)
    throw usage(`mutation ${JSON.stringify(given)} is unknown`, `known: ${[...MUTATIONS.keys()].join(", ")}`);
  const target = pathToFileURL(join(ROOT, mutation.file.replace(/\.ts$/, MODULE_EXTENSION))).href;
  let applied = false;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      if (loaded.source === undefined || loaded.source === null) throw new TypeError(`sabotage: ${url} came without a source`);
      const text = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      const mutated = applyMutation(text, mutation);
      applied = true;
      return { ...loaded, source: mutated };
    },
  });
  return () => applied;
}
