/** How `midcall run` tells results: as lines while it goes, or as one document at the end, to standard output or to files. The texts are made in reports/. */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { type Paint, plain } from "../reports/pretty.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";

/** A result with the scenario it is of. */
export type Finished = { readonly result: Result; readonly scenario: Scenario };

/** `each` right after a run (`columns`: of the terminal it is for), `end` once after all; each returns what to print, undefined for nothing. */
export type Reporter = {
  each?(finished: Finished, paint: Paint, columns?: number): Promise<string>;
  /** `folder`: what the runs' folders are relative to. */
  end?(all: readonly Finished[], paint: Paint, folder: string): Promise<string | undefined>;
};

export type ReporterName = "pretty" | "junit" | "github" | "ctrf" | "json";

const pretty: Reporter = {
  each: async (finished, paint, columns) => (await import("../reports/pretty.ts")).pretty(finished, paint, columns).join("\n"),
  async end(all, paint) {
    if (all.length < 2) return undefined;
    const counts = (["held", "broken", "inconclusive", "crashed"] as const)
      .map((verdict) => ({ verdict, n: all.filter(({ result }) => result.verdict === verdict).length }))
      .filter(({ n }) => n > 0);
    return `${all.length} runs: ${counts.map(({ verdict, n }) => paint(verdict, `${n} ${verdict}`)).join(", ")}`;
  },
};

const json: Reporter = {
  end: async (all) => {
    const results = all.map(({ result }) => result);
    return (await import("../reports/escape.ts")).asJson(results.length === 1 ? results[0] : results);
  },
};

const junit: Reporter = { end: async (all) => (await import("../reports/junit.ts")).junit(all).trimEnd() };

const ctrf: Reporter = {
  end: async (all) => {
    const took = all.reduce((sum, { result }) => sum + result.wallMs, 0);
    return (await import("../reports/ctrf.ts")).ctrf(all, Math.round(Date.now() - took)).trimEnd();
  },
};

/** Annotations on standard output; the step summary where GitHub wants it, when it says where. */
const github: Reporter = {
  end: async (all, _, folder) => {
    const { annotations, stepSummary } = await import("../reports/github.ts");
    const summary = process.env.GITHUB_STEP_SUMMARY;
    if (summary !== undefined && summary !== "") {
      const lanes = await lanesOf(all.filter(({ result }) => result.verdict !== "held").slice(0, LANES_SHOWN), folder);
      await appendFile(
        summary,
        stepSummary(all, (run) => lanes.get(run.result) ?? []),
      );
    }
    const lines = annotations(all);
    return lines.length === 0 ? undefined : lines.join("\n");
  },
};

/** Runs whose lanes a step summary shows. chosen: who has more broken runs than that reads the first ones. */
const LANES_SHOWN = 10;

/** The lanes of runs as Markdown, read from their logs; none where a log cannot be read. */
async function lanesOf(all: readonly Finished[], folder: string): Promise<ReadonlyMap<Result, readonly string[]>> {
  const [{ measure }, { readLog }, { strips }] = await Promise.all([
    import("../reports/measure.ts"),
    import("../reports/read-log.ts"),
    import("../reports/summary.ts"),
  ]);
  const lanes = new Map<Result, readonly string[]>();
  for (const { result, scenario } of all) {
    const log = await readFile(resolve(folder, result.dir, "run.ndjson"), "utf8").catch(() => undefined);
    if (log !== undefined) lanes.set(result, strips(measure(readLog(log).records, scenario), result));
  }
  return lanes;
}

/** A report the user asked for: its reporter, and the file it goes to; null: standard output. */
export type Wanted = { readonly name: Exclude<ReporterName, "json">; readonly file: string | null };

const NAMES: readonly Wanted["name"][] = ["pretty", "junit", "github", "ctrf"];

/** `NAME` or `NAME=FILE` on the command line, added to those before it. Only one may go to standard output. */
export function reporterArgument(word: string, before: readonly Wanted[]): readonly Wanted[] {
  const [first = "", ...rest] = word.split("=");
  const name = NAMES.find((one) => one === first);
  const file = word.includes("=") ? rest.join("=") : null;
  if (name === undefined)
    throw new InvalidArgumentError(`Allowed choices are ${NAMES.join(", ")}, each with =FILE if it is to go to a file`);
  if (file === "") throw new InvalidArgumentError(`Want a file behind ${name}=`);
  if (file === null && before.some((one) => one.file === null))
    throw new InvalidArgumentError(`Only one reporter can have standard output: want ${name}=FILE`);
  return [...before, { name, file }];
}

/** Several reporters at work: what each says goes where it was asked to; standard output has `pretty` when none wants it. */
export type Reporters = { each(finished: Finished): Promise<void>; end(all: readonly Finished[]): Promise<void> };

/** `out` is standard output; files are relative to `folder`, and made with the folders they are in. */
export function openReporters(
  wanted: readonly Wanted[] | "json",
  out: (text: string) => void,
  paint: Paint,
  folder: string,
  columns?: number,
): Reporters {
  const toOut = (reporter: Reporter): Reporters => {
    const say = (text: string | undefined): void => (text === undefined ? undefined : out(text));
    return {
      each: async (finished) => say(await reporter.each?.(finished, paint, columns)),
      end: async (all) => say(await reporter.end?.(all, paint, folder)),
    };
  };
  if (wanted === "json") return toOut(REPORTERS.json);
  const toFile = (reporter: Reporter, file: string): Reporters => {
    const said: string[] = [];
    return {
      each: async (finished) => void said.push((await reporter.each?.(finished, plain)) ?? ""),
      end: async (all) => {
        said.push((await reporter.end?.(all, plain, folder)) ?? "");
        const path = resolve(folder, file);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(
          path,
          said
            .filter((text) => text !== "")
            .map((text) => `${text}\n`)
            .join(""),
        );
      },
    };
  };
  const all = wanted.map(({ name, file }) => (file === null ? toOut(REPORTERS[name]) : toFile(REPORTERS[name], file)));
  if (!wanted.some(({ file }) => file === null)) all.push(toOut(REPORTERS.pretty));
  return {
    each: async (finished) => {
      for (const one of all) await one.each(finished);
    },
    end: async (finished) => {
      for (const one of all) await one.end(finished);
    },
  };
}

/** By name; `json` is `--json`. */
const REPORTERS: Readonly<Record<ReporterName, Reporter>> = { pretty, junit, github, ctrf, json };
