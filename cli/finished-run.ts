/** Reads back what a finished run left in its folder. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Result, resultSchema } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { usage } from "./exit.ts";
import { checked } from "./scenario-choice.ts";

/** A finished run: its folder, what was asked and what came of it. `log` is the text of run.ndjson. */
export type FinishedRun = {
  readonly folder: string;
  readonly scenario: Scenario;
  readonly result: Result;
  readonly log: string;
  /** Mutation of impl/ it ran with; null: none. */
  readonly sabotage: string | null;
};

/** `word` is a run's folder or a file in it, relative to `folder`. Throws a usage error when it is neither. */
export async function readRun(word: string, folder: string): Promise<FinishedRun> {
  const path = resolve(folder, word);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usage(`${word}: there is no such file or folder`, "want a run's folder, like out/latest");
  const run = found.isDirectory() ? path : dirname(path);
  // One after the other, so that of several that are missing the first is named.
  const [result, scenario, log] = [
    await part(run, "result.json", word),
    await part(run, "scenario.json", word),
    await part(run, "run.ndjson", word),
  ];
  const raw = parse(result, join(word, "result.json"));
  const read = resultSchema.safeParse(raw);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw usage(`${word}: result.json is not a result (${issue?.path.join(".")}: ${issue?.message})`, "want a run's folder");
  }
  return {
    folder: run,
    scenario: await checked(parse(scenario, join(word, "scenario.json")), word, run),
    result: read.data,
    log,
    sabotage: sabotageOf(raw),
  };
}

/** The result in a run's folder; undefined while there is none that can be read. */
export async function resultIn(folder: string): Promise<Result | undefined> {
  try {
    return resultSchema.parse(JSON.parse(await readFile(join(folder, "result.json"), "utf8")));
  } catch {
    return undefined;
  }
}

async function part(run: string, name: string, word: string): Promise<string> {
  try {
    return await readFile(join(run, name), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw usage(
      `${word}: ${name} ${code === "ENOENT" || code === "ENOTDIR" ? "is not there" : `cannot be read (${message})`}`,
      "want a run's folder with scenario.json, result.json and run.ndjson (a scenario alone: midcall run FILE)",
    );
  }
}

/** The field that `midcall run --twin` adds to result.json. */
const sabotageOf = (raw: unknown): string | null =>
  typeof raw === "object" && raw !== null && "sabotage" in raw && typeof raw.sabotage === "string" ? raw.sabotage : null;

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(`${what}: ${error instanceof Error ? error.message : String(error)}`, "want a folder that midcall run made");
  }
}
