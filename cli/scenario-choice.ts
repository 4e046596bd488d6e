/** Which scenarios the words of a command line mean: names and tags of the catalogue, and files of the user's own. */
import { readFile, stat } from "node:fs/promises";
import { registerHooks } from "node:module";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Scenario } from "../scenarios/expanded.ts";
import { whatWouldBeRight } from "../scenarios/suggestion.ts";
import { usage } from "./exit.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** Files that hold a scenario. */
const CODE = new Set([".ts", ".mts", ".js", ".mjs"]);

/** The catalogue, in its own order. */
export async function catalogue(): Promise<readonly Scenario[]> {
  return [...(await import("../scenarios/catalogue.ts")).CATALOGUE.values()];
}

/**
 * The scenarios that `words` mean, each once, in the order of the words. A word with a file's ending (.ts .mts .js .mjs
 * .json) is a file, relative to `folder`; any other is a name or a tag. Throws a usage error naming what is unknown.
 */
export async function chooseScenarios(words: readonly string[], folder: string): Promise<Scenario[]> {
  const chosen = new Map<string, Scenario>();
  for (const word of words) {
    const found = isFile(word) ? await fromFile(resolve(folder, word), word) : await named(word);
    for (const scenario of found) {
      const before = chosen.get(scenario.name);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(scenario)) {
        throw usage(
          `${word}: another scenario of this command line is called ${JSON.stringify(scenario.name)} too`,
          "rename one",
        );
      }
      chosen.set(scenario.name, scenario);
    }
  }
  return [...chosen.values()];
}

const isFile = (word: string): boolean => CODE.has(extname(word)) || extname(word) === ".json";

async function named(word: string): Promise<readonly Scenario[]> {
  const all = await catalogue();
  const byName = all.filter((scenario) => scenario.name === word);
  if (byName.length > 0) return byName;
  const byTag = all.filter((scenario) => scenario.tags.includes(word));
  if (byTag.length > 0) return byTag;
  const known = [...new Set([...all.map((scenario) => scenario.name), ...all.flatMap((scenario) => scenario.tags)])];
  throw usage(`no scenario or tag is called ${JSON.stringify(word)}`, `${whatWouldBeRight(word, known)} (see: midcall list)`);
}

/** The scenarios a file exports (any export name), or its JSON. */
async function fromFile(path: string, word: string): Promise<Scenario[]> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) {
    throw usage(`${word}: there is no such file`, "want a TypeScript, JavaScript or JSON file with a scenario");
  }
  if (extname(path) === ".json") return [await checked(await readJson(path, word), word, dirname(path))];
  const exports = await load(path, word);
  const found = Object.values(exports).filter((value) => typeof value === "object" && value !== null && "asks" in value);
  if (found.length === 0) {
    throw usage(`${word} exports no scenario`, 'want: import { scenario } from "midcall"; export default scenario({ ... })');
  }
  const unique = [...new Set(found)];
  return Promise.all(unique.map((value) => checked(value, word, dirname(path))));
}

async function readJson(path: string, word: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw usage(`${word}: ${error instanceof Error ? error.message : String(error)}`, "want JSON like a run's scenario.json");
  }
}

let hooked = false;

/** Imports a user's module; `midcall` in it means this very installation, wherever the file lies. */
async function load(path: string, word: string): Promise<object> {
  if (!hooked) {
    const self = new URL(`../scenarios/index${MODULE_EXTENSION}`, import.meta.url).href;
    registerHooks({
      resolve: (specifier, context, nextResolve) =>
        specifier === "midcall" ? { url: self, shortCircuit: true, format: undefined } : nextResolve(specifier, context),
    });
    hooked = true;
  }
  // An import that waits for what never comes leaves the process with nothing to do.
  const stalled = Promise.withResolvers<never>();
  const stall = (): void =>
    stalled.reject(new Error("the module never finishes loading (an await at its top level waits for ever)"));
  process.once("beforeExit", stall);
  try {
    return await Promise.race([import(pathToFileURL(path).href), stalled.promise]);
  } catch (error) {
    // The builder throws for a scenario that is wrong; a syntax error or a missing module of the user's is theirs as well.
    const message = error instanceof Error ? error.message : String(error);
    throw usage(`${word}: ${message.replace(/\s+/g, " ")}`, "mend the file");
  } finally {
    process.removeListener("beforeExit", stall);
  }
}

/**
 * `written` as an expanded scenario. Throws a usage error that names the first place at fault. WAV paths in it become
 * absolute: they are relative to `folder`.
 */
export async function checked(written: unknown, word: string, folder: string): Promise<Scenario> {
  const { parseScenario } = await import("../scenarios/index.ts");
  const parsed = parseScenario(written);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    const more = parsed.problems.length > 1 ? ` (and ${parsed.problems.length - 1} more)` : "";
    throw usage(
      `${word}: ${first?.path === "" ? "" : `${first?.path}: `}${first?.message ?? "not a scenario"}${more}`,
      "mend the scenario",
    );
  }
  const absolute = (says: string): string => (extname(says) === ".wav" && !isAbsolute(says) ? join(folder, says) : says);
  return {
    ...parsed.scenario,
    calls: parsed.scenario.calls.map((call) => ({
      ...call,
      callerSays: absolute(call.callerSays),
      calleeSays: absolute(call.calleeSays),
    })),
  };
}
