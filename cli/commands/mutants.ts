/** `midcall mutants`: plants one bug at a time in impl/ and says which oracle of which case notices. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { TriedMutation } from "../../reports/mutants-html.ts";
import type { Mutation } from "../../scenarios/mutation.ts";
import { MUTATIONS } from "../../scenarios/mutations.ts";
import { whatWouldBeRight } from "../../scenarios/suggestion.ts";
import { type Context, example } from "../context.ts";
import { corpus } from "../corpus.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { openLaboratory } from "../laboratory.ts";
import { inWords, matrix, type Row, readMatrix, rowsOf, table } from "../mutant-matrix.ts";
import type { Outcome, Trial } from "../mutants.ts";
import { printOf } from "../mutation-print.ts";
import { catalogue, chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, formatSeed, seedArgument, wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";

/** The root of the modules. */
const ROOT = join(import.meta.dirname, "../..");

/** Who caught what before, in a checkout: it says which cases are worth trying for a mutation that is like another. */
const GOLDEN = join(ROOT, "reports/golden/mutants.txt");

type Options = {
  readonly only: readonly string[];
  readonly changed?: string;
  readonly seed: number;
  readonly explore: number;
  readonly workers: number;
  readonly matrix?: string;
  readonly stale?: boolean;
  readonly out: string;
  readonly json?: boolean;
};

export function addMutants(root: Command, { terminal, end, line }: Context): void {
  root
    .command("mutants")
    .description(
      "Plants every bug of the catalogue of mutations in impl/ in turn, in virtual time, and says which oracle of which case catches it. " +
        "Exit code 1: one survives.",
    )
    .argument("[scenario...]", "names, tags or files of the cases to try (all of the catalogue and the corpus)")
    .option(
      "--only <mutation>",
      "only this mutation; may be repeated",
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .option("--changed <ref>", "only mutations of modules that differ from this commit of git")
    .option("--seed <n>", "seed of every case", seedArgument, DEFAULT_SEED)
    .option("--explore <n>", "what the cases miss is sought in so many explored scenarios too", wholeArgument(0), 50)
    .option("--workers <n>", "mutations at a time", wholeArgument(1), availableParallelism())
    .option("--matrix <file>", "write who caught what to this file; lines of mutations not tried now stay as they are")
    .option(
      "--stale",
      "only mutations whose line in that file is missing, or was made of another mutation, module or case; who caught one is tried first",
    )
    .option("--out <dir>", "the page of what was tried is kept in campaigns/ below it", "out")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall mutants --changed main"))
    .action(async (words: string[], options: Options) => end(await mutants(words, options, terminal, line)));
}

/** The mutations asked for, in the order of the catalogue or of the command line. */
function chosen({ only, changed }: Options): readonly Mutation[] {
  const unknown = only.find((name) => !MUTATIONS.has(name));
  if (unknown !== undefined)
    throw usage(`--only ${unknown}: there is no such mutation`, whatWouldBeRight(unknown, [...MUTATIONS.keys()]));
  const wanted = only.length === 0 ? [...MUTATIONS.values()] : [...new Set(only)].flatMap((name) => MUTATIONS.get(name) ?? []);
  if (changed === undefined) return wanted;
  const files = changedSince(changed);
  return wanted.filter((mutation) => files.has(mutation.file));
}

/** Files of the checkout that differ from commit `ref`, uncommitted changes included. */
function changedSince(ref: string): ReadonlySet<string> {
  try {
    const said = execFileSync("git", ["diff", "--name-only", "--relative", "--end-of-options", ref, "--"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return new Set(said.split("\n"));
  } catch {
    throw usage(`--changed ${ref}: git knows no such commit here`, "want a commit, branch or tag, in a checkout of midcall");
  }
}

const rowsIn = (file: string | undefined): readonly Row[] =>
  file !== undefined && existsSync(file) ? readMatrix(readFileSync(file, "utf8")) : [];

/** `line`: the command line as it was typed. */
async function mutants(
  words: readonly string[],
  options: Options,
  terminal: Terminal,
  line: readonly string[],
): Promise<ExitCode> {
  if (options.stale === true && options.matrix === undefined)
    throw usage("--stale: there is no file whose lines may be stale", "want --matrix <file> too");
  const file = options.matrix === undefined ? undefined : resolve(terminal.folder, options.matrix);
  const before = new Map(rowsIn(file).map((row) => [row.mutation, row]));
  const precedents = before.size > 0 ? [...before.values()] : rowsIn(GOLDEN);
  const { soundness, tryMutation } = await import("../mutants.ts");
  const { inOrder } = await import("../mutant-order.ts");
  const cases = words.length === 0 ? await catalogue() : await chooseScenarios(words, terminal.folder);
  const trials: Trial[] = cases.map((scenario) => ({ scenario, seed: options.seed }));
  if (words.length === 0)
    for (const { file, seed, scenario } of corpus()) trials.push({ scenario: { ...scenario(), name: file }, seed });
  const explored: Trial[] = [];
  if (options.explore > 0) {
    const { exploredScenario, isExplorable } = await import("../explore/explored-scenario.ts");
    const bases = cases.filter(isExplorable);
    for (let i = 0; bases.length > 0 && i < options.explore; i++)
      explored.push({ scenario: exploredScenario(bases, options.seed + i, true), seed: options.seed + i });
  }
  const byName = new Map(trials.map((trial) => [trial.scenario.name, trial]));
  const knownTrial = ({ name }: Mutation): Trial | undefined => byName.get(before.get(name)?.case ?? "");
  const isStale = (mutation: Mutation): boolean => {
    const [row, trial] = [before.get(mutation.name), knownTrial(mutation)];
    return row === undefined || row.of === "" || trial === undefined || row.of !== printOf(mutation, trial.scenario);
  };
  const wanted = options.stale === true ? chosen(options).filter(isStale) : chosen(options);
  const outcomes = new Map<Mutation, Outcome>();
  const laboratory = openLaboratory();
  const sound = soundness(laboratory, terminal.interrupted);
  const tried = (): readonly Outcome[] => wanted.flatMap((mutation) => outcomes.get(mutation) ?? []);
  /** Written anew after every mutation, so that whatever ends a search of half an hour takes nothing of what it found; by way of another file, so that it is never half a matrix. */
  const keepMatrix = (): void => {
    if (file === undefined) return;
    const of = ({ mutation, caught }: Outcome): string => {
      const trial = byName.get(caught?.case ?? "");
      return trial === undefined ? "" : printOf(mutation, trial.scenario);
    };
    writeFileSync(`${file}.new`, matrix(rowsOf([...MUTATIONS.values()], tried(), [...before.values()], of)));
    renameSync(`${file}.new`, file);
  };
  let next = 0;
  const work = async (): Promise<void> => {
    for (let mutation = wanted[next++]; mutation !== undefined; mutation = wanted[next++]) {
      const first = options.stale === true ? knownTrial(mutation) : undefined;
      const order = [...(first === undefined ? [] : [first]), ...inOrder(mutation, trials, precedents), ...explored];
      const outcome = await tryMutation(mutation, order, sound, terminal.interrupted);
      outcomes.set(mutation, outcome);
      keepMatrix();
      tell(outcome, [...outcomes.values()], wanted.length, terminal);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.workers, wanted.length) }, work));
  } catch (error) {
    if (!terminal.interrupted.aborted) throw error;
  } finally {
    await laboratory.close();
  }
  terminal.quiet();
  const all = tried();
  if (all.length === 0) keepMatrix();
  terminal.out(options.json === true ? JSON.stringify(all.map(asJson), null, 2) : table(all).join("\n"));
  if (all.length > 0) await keepPage(all, wanted.length, options, terminal, line);
  if (terminal.interrupted.aborted) return EXIT.interrupted;
  return all.every((one) => one.caught !== undefined) ? EXIT.held : EXIT.broken;
}

/** On a terminal the last ones stand above a bar, survivors counted; elsewhere each is a line. */
function tell(outcome: Outcome, tried: readonly Outcome[], all: number, terminal: Terminal): void {
  if (!terminal.isLive) return terminal.progress({ stage: `${tried.length} of ${all}: ${inWords(outcome)}` });
  const bad = tried.filter(({ caught }) => caught === undefined).length;
  terminal.progress({ stage: "mutants", share: tried.length / all, of: { at: tried.length, all, bad } });
  terminal.notice([`${outcome.caught === undefined ? "✗" : "✓"} ${inWords(outcome)}`]);
}

/** The page, and where it is. */
async function keepPage(
  all: readonly Outcome[],
  planned: number,
  { out, seed, json }: Options,
  terminal: Terminal,
  line: readonly string[],
): Promise<void> {
  const [{ keepCampaign, typed }, { campaignScripts }, { mutantsPage }] = await Promise.all([
    import("../campaign-folder.ts"),
    import("../page-script.ts"),
    import("../../reports/mutants-html.ts"),
  ]);
  const told = {
    ...({ schema: "midcall/mutants@1", command: typed(line), mutations: all.map(asJson) } as const),
    ...(terminal.interrupted.aborted ? { interrupted: { of: planned } } : {}),
  };
  const scripts = await campaignScripts();
  const page = await keepCampaign(out, { kind: "mutants", seed }, told, () => mutantsPage(told, scripts), terminal);
  (json === true ? terminal.err : terminal.out)(`campaign: ${page}`);
}

const asJson = ({ mutation: { name, file, imitates }, caught, runs }: Outcome): TriedMutation => ({
  mutation: name,
  file,
  imitates,
  caught: caught === undefined ? null : { ...caught, seed: formatSeed(caught.seed) },
  runs,
});
