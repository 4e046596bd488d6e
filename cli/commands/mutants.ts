/** `midcall mutants`: plants one bug at a time in impl/ and says which oracle of which case notices. */
import type { Command } from "commander";
import { MUTATIONS } from "../../scenarios/mutations.ts";
import { whatWouldBeRight } from "../../scenarios/suggestion.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { openLaboratory } from "../laboratory.ts";
import type { Outcome, Trial } from "../mutants.ts";
import { catalogue, chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, formatSeed, seedArgument, wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";

type Options = {
  readonly only: readonly string[];
  readonly seed: number;
  readonly explore: number;
  readonly workers: number;
  readonly json?: boolean;
};

export function addMutants(root: Command, { terminal, end }: Context): void {
  root
    .command("mutants")
    .description(
      "Plants every bug of the catalogue of mutations in impl/ in turn, in virtual time, and says which oracle of which case catches it. " +
        "Exit code 1: one survives.",
    )
    .argument("[scenario...]", "names, tags or files of the cases to try (all of the catalogue)")
    .option(
      "--only <mutation>",
      "only this mutation; may be repeated",
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .option("--seed <n>", "seed of every run", seedArgument, DEFAULT_SEED)
    .option("--explore <n>", "what the cases miss is sought in so many explored scenarios too", wholeArgument(0), 0)
    .option("--workers <n>", "mutations at a time", wholeArgument(1), 2)
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall mutants --json"))
    .action(async (words: string[], options: Options) => end(await mutants(words, options, terminal)));
}

async function mutants(words: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode> {
  const chosen = options.only.length === 0 ? [...MUTATIONS.keys()] : [...new Set(options.only)];
  const unknown = chosen.find((name) => !MUTATIONS.has(name));
  if (unknown !== undefined)
    throw usage(`--only ${unknown}: there is no such mutation`, whatWouldBeRight(unknown, [...MUTATIONS.keys()]));
  const { tryMutation } = await import("../mutants.ts");
  const cases = words.length === 0 ? await catalogue() : await chooseScenarios(words, terminal.folder);
  const trials: Trial[] = cases.map((scenario) => ({ scenario, seed: options.seed }));
  if (options.explore > 0) {
    const { exploredScenario } = await import("../explore/explored-scenario.ts");
    for (let i = 0; i < options.explore; i++)
      trials.push({ scenario: exploredScenario(cases, options.seed + i, true), seed: options.seed + i });
  }
  const outcomes = new Map<string, Outcome>();
  let next = 0;
  const work = async (): Promise<void> => {
    const sound = openLaboratory();
    try {
      for (let name = chosen[next++]; name !== undefined; name = chosen[next++]) {
        const mutation = MUTATIONS.get(name);
        if (mutation === undefined) continue;
        outcomes.set(name, await tryMutation(mutation, trials, sound, terminal.interrupted));
        terminal.progress({ stage: "planting mutations", detail: `${outcomes.size} of ${chosen.length}` });
      }
    } finally {
      await sound.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.workers, chosen.length) }, work));
  terminal.quiet();
  const all = chosen.flatMap((name) => outcomes.get(name) ?? []);
  terminal.out(options.json === true ? JSON.stringify(all.map(asJson), null, 2) : table(all).join("\n"));
  return all.every((one) => one.caught !== undefined) ? EXIT.held : EXIT.broken;
}

const asJson = ({ mutation: { name, file, imitates }, caught, runs }: Outcome): object => ({
  mutation: name,
  file,
  imitates,
  caught: caught === undefined ? null : { ...caught, seed: formatSeed(caught.seed) },
  runs,
});

function table(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.map(({ mutation, caught, runs }) =>
    caught === undefined
      ? [mutation.name, "SURVIVES", `${runs} runs`, ""]
      : [mutation.name, caught.oracle, caught.case, `${(caught.ms / 1_000).toFixed(2)} s, run ${caught.runs}`],
  );
  const heads = ["mutation", "caught by", "of case", "after"];
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const survivors = outcomes.filter((one) => one.caught === undefined);
  return [
    line(heads),
    ...rows.map(line),
    "",
    `${outcomes.length - survivors.length} of ${outcomes.length} caught`,
    ...survivors.map(({ mutation }) => `survives: ${mutation.name} (${mutation.file}): ${mutation.imitates}`),
  ];
}
