/** `midcall shrink`: the smallest fault schedule that still breaks the same oracle, as a run of its own beside the original. */
import { mkdir, readlink, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import type { Result } from "../../reports/result.ts";
import { reproBlock } from "../../reports/wording.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { type Context, example } from "../context.ts";
import { CliError, EXIT, type ExitCode, usage } from "../exit.ts";
import { type LabJob, type Laboratory, openLaboratory } from "../laboratory.ts";
import { discardFolder } from "../run-folder.ts";
import { chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, parseSeed, seedArgument } from "../seed.ts";
import type { Shrunk, Target } from "../shrink/shrink.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

type Options = { readonly seed?: number; readonly json?: boolean; readonly netns: boolean };

export function addShrink(root: Command, { terminal, end }: Context): void {
  root
    .command("shrink")
    .description(
      "Makes the scenario of a broken run as small as it goes while it breaks the same oracle. The result is a run of its own beside the " +
        "original, and is tried in netns where the machine can. Exit code 0: done; 3: the run does not break in virtual time.",
    )
    .argument("<run>", "a run's folder, or a scenario.json")
    .option("--seed <n>", "seed of a scenario without a run", seedArgument)
    .option("--no-netns", "do not try the result on the real kernel, which takes as long as the scenario")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall shrink out/latest"))
    .action(async (word: string, options: Options) => end(await shrinkRun(word, options, terminal)));
}

type Modes = Pick<LabJob, "codec" | "crypto">;
const FAST: Modes = { codec: "sized", crypto: "null" };

/** What is to be shrunk, and where the result goes. */
type Original = {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly modes: Modes;
  readonly sabotage: string | null;
  readonly beside: string;
};

async function shrinkRun(word: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const original = await read(word, options, terminal.folder);
  const laboratory = openLaboratory(original.sabotage);
  try {
    const shrunk = await smallest(original, laboratory, terminal);
    if (shrunk === undefined) {
      terminal.quiet();
      terminal.err(`${word}: nothing is broken in virtual time with this seed, so there is nothing to shrink`);
      return EXIT.inconclusive;
    }
    const folder = await reserveBeside(original.beside);
    const result = await runOnce(laboratory, original, shrunk.scenario, shrunk.modes, terminal, folder).catch(
      async (error: unknown) => {
        if (terminal.interrupted.aborted) await discardFolder(folder);
        throw error;
      },
    );
    const netns = options.netns ? await tryInNetns(laboratory, original, shrunk, terminal) : "not tried: --no-netns";
    terminal.quiet();
    await report(result, shrunk, { folder, netns, isJson: options.json === true }, terminal);
    return EXIT.held;
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}

async function read(word: string, options: Options, folder: string): Promise<Original> {
  const path = resolve(folder, word);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw usage(`${word}: there is no such file or folder`, "want a run's folder, like out/latest, or a scenario.json");
  const named = found.isDirectory() ? path : dirname(path);
  // `out/latest` is another name of the run, and beside what it names the next one is not mistaken for this one.
  const home = await readlink(named).then(
    (target) => resolve(dirname(named), target),
    () => named,
  );
  const isRun = found.isDirectory() || (basename(path) === "scenario.json" && (await isFile(join(home, "result.json"))));
  if (!isRun) {
    const scenario = (await chooseScenarios([word], folder))[0] as Scenario;
    const beside = join(home, `${basename(path, extname(path))}-shrunk`);
    return { scenario, seed: options.seed ?? DEFAULT_SEED, modes: { codec: "real", crypto: "real" }, sabotage: null, beside };
  }
  const { readRun } = await import("../finished-run.ts");
  const { scenario, result, sabotage } = await readRun(word, folder);
  if (options.seed !== undefined) throw usage("--seed: the run has its own", "leave it out");
  if (result.verdict === "held" || result.verdict === "inconclusive")
    throw usage(`${word}: the verdict is ${result.verdict}, nothing is broken`, "want a run that is broken or crashed");
  const seed = parseSeed(result.seed);
  if (seed === undefined) throw usage(`${word}: seed ${result.seed} is out of range`, "want 0..2^53-1");
  return { scenario, seed, modes: { codec: result.codec, crypto: result.crypto }, sabotage, beside: `${home}-shrunk` };
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;

async function reserveBeside(wish: string): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? wish : `${wish}-${n}`;
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

type Smallest = Shrunk & { readonly target: Target; readonly modes: Modes };

/** Shrinks with the fast engines and confirms with the original ones; where either does not break it, shrinks with the original ones. */
async function smallest(original: Original, laboratory: Laboratory, terminal: Terminal): Promise<Smallest | undefined> {
  const { shrink, targetOf, breaks } = await import("../shrink/shrink.ts");
  const run = (scenario: Scenario, modes: Modes): Promise<Result> =>
    runOnce(laboratory, original, scenario, modes, terminal, null);
  const first = await run(original.scenario, original.modes);
  const target = targetOf(first);
  if (target === undefined) return undefined;
  const isFastAlready = original.modes.codec === FAST.codec && original.modes.crypto === FAST.crypto;
  let spent = 1;
  for (const modes of isFastAlready ? [FAST] : [FAST, original.modes]) {
    const result = modes === original.modes ? first : await run(original.scenario, modes);
    if (!breaks(result, target)) continue;
    const shrunk = await shrink(
      original.scenario,
      result,
      target,
      (candidate) => run(candidate, modes),
      (runs, faults) =>
        terminal.progress({ stage: `shrinking ${original.scenario.name}`, detail: `${faults} faults, ${runs} runs` }),
    );
    spent += shrunk.runs;
    const isConfirmed = modes === original.modes || breaks(await run(shrunk.scenario, original.modes), target);
    if (isConfirmed) return { ...shrunk, runs: spent, target, modes: original.modes };
  }
  return undefined;
}

async function runOnce(
  laboratory: Laboratory,
  original: Original,
  scenario: Scenario,
  modes: Modes,
  terminal: Terminal,
  folder: string | null,
): Promise<Result> {
  const dir = folder === null ? "" : relative(terminal.folder, folder) || ".";
  const { seed, sabotage } = original;
  const job: LabJob = {
    lab: "sim",
    scenario,
    seed,
    ...modes,
    folder,
    dir,
    wantLines: false,
    commit: folder === null ? "" : commit(),
    sabotage,
  };
  return (await laboratory.run(job, { signal: terminal.interrupted })).result;
}

/** What the shrunk scenario comes to on the real kernel, in words. It decides nothing: there, chance is not the seed's. */
async function tryInNetns(laboratory: Laboratory, original: Original, shrunk: Smallest, terminal: Terminal): Promise<string> {
  const { breaks } = await import("../shrink/shrink.ts");
  const { seed, sabotage } = original;
  const scenario: Scenario = { ...shrunk.scenario, labs: ["sim", "netns"] };
  terminal.progress({ stage: `trying ${scenario.name} in netns`, detail: `${Math.ceil(scenario.duration / 1_000_000)} s` });
  const job: LabJob = {
    lab: "netns",
    scenario,
    seed,
    codec: "real",
    crypto: "real",
    folder: null,
    dir: "",
    wantLines: false,
    commit: "",
    sabotage,
  };
  try {
    const { result } = await laboratory.run(job, { signal: terminal.interrupted });
    if (breaks(result, shrunk.target)) return `broken there too: ${result.cause}`;
    return `not seen there, the run is ${result.verdict}: ${result.cause}`;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return `not tried: ${error.message}`;
  }
}

type Outcome = { readonly folder: string; readonly netns: string; readonly isJson: boolean };

async function report(result: Result, shrunk: Smallest, { folder, netns, isJson }: Outcome, terminal: Terminal): Promise<void> {
  const { faultsBefore, runs, scenario, target } = shrunk;
  const [head = "", ...rest] = reproBlock(result);
  const after = scenario.faults.length;
  const block = [head, `shrunk ${faultsBefore} -> ${after} faults in ${runs} runs`, ...rest, `netns: ${netns}`].join("\n");
  await writeFile(join(folder, "repro.txt"), `${block}\n`);
  if (!isJson) return terminal.out(block);
  const faults = { before: faultsBefore, after };
  terminal.out(JSON.stringify({ oracle: target.oracle, faults, runs, dir: result.dir, netns, scenario }, null, 2));
}
