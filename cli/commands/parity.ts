/** `midcall parity`: the same cases and seeds in virtual time and on a real kernel, and whether the model told the truth. */
import { writeFile } from "node:fs/promises";
import { cpus, loadavg, release } from "node:os";
import { join, relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { ParityRow } from "../../reports/parity.ts";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { isReproducible, LABS, type LabName, type Laboratory, type LabReport, openLaboratory } from "../laboratory.ts";
import { discardFolder, discardIfEmpty, outFolder, reserveFolder } from "../run-folder.ts";
import { catalogue, chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, formatSeed, wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit, version } from "../version.ts";

type Options = {
  readonly lab: LabName;
  readonly seeds: number;
  readonly atOnce: number;
  readonly out?: string;
  readonly keep?: string;
  readonly json?: boolean;
};

export function addParity(root: Command, { terminal, end }: Context): void {
  const real = LABS.filter((lab) => !isReproducible(lab));
  root
    .command("parity")
    .description(
      "Runs cases with the same seeds in virtual time and on a real kernel and sets their figures side by side. Exit code 1: they differ by more than " +
        "is allowed, and the model is wrong until proven otherwise.",
    )
    .argument("[scenario...]", "names, tags or files (all of the catalogue)")
    .addOption(new Option("--lab <lab>", "the laboratory to compare with").choices(real).default("netns"))
    .option("--seeds <n>", "runs of each case in each laboratory", wholeArgument(1), 5)
    .option("--at-once <n>", "real runs at the same time; more of them disturb each other", wholeArgument(1), 1)
    .option("--out <file>", "write the table there too")
    .option("--keep <dir>", "keep the folders of those real runs there that did not hold")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall parity relay-restart blackout --seeds 3"))
    .action(async (words: string[], options: Options) => end(await parity(words, options, terminal)));
}

async function parity(words: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode> {
  const chosen = words.length === 0 ? await catalogue() : await chooseScenarios(words, terminal.folder);
  const cases = chosen.filter((one) => one.labs.includes("sim") && one.labs.includes(options.lab));
  if (cases.length === 0) throw usage(`no scenario runs in both sim and ${options.lab}`, "want one that does");
  const seeds = Array.from({ length: options.seeds }, (_, i) => DEFAULT_SEED + i);
  const load = { most: 0 };
  const keep = options.keep === undefined ? null : await outFolder(options.keep, terminal.folder);
  const [sim, real] = [
    await runAll(cases, seeds, "sim", { atOnce: 1, keep: null }, terminal, load),
    await runAll(cases, seeds, options.lab, { atOnce: options.atOnce, keep }, terminal, load),
  ];
  const { isWithin, parityRows, parityTable, withoutTroubled } = await import("../../reports/parity.ts");
  const compared = cases.map((one) => ({ one, ...withoutTroubled(sim.get(one.name) ?? [], real.get(one.name) ?? []) }));
  const rows = compared.flatMap((found) => parityRows(found.one, found.sim, found.real));
  const troubled = compared.filter((found) => found.leftOut.length > 0);
  const page = [
    `# sim and ${options.lab}, ${seeds.length} seeds`,
    "",
    `Made by \`midcall parity --lab ${options.lab} --seeds ${seeds.length}\`. The column sim is the same again for the same version; the other was measured:`,
    `midcall ${version()}, Node ${process.version}, Linux ${release()}, ${cpus().length} processors, ${options.atOnce} runs at a time, load up to ${load.most.toFixed(1)}.`,
    "Recoveries and gaps are medians over seeds of the mean of a run's parties, concealment is the mean of all.",
    ...(troubled.length === 0
      ? []
      : [
          `Seeds left out of both columns, because the real run was inconclusive: ${troubled.map((found) => `${found.one.name} ${found.leftOut.join(", ")}`).join("; ")}.`,
        ]),
    "",
    ...parityTable(rows, options.lab),
    "",
  ].join("\n");
  if (options.out !== undefined) await writeFile(resolve(terminal.folder, options.out), page);
  terminal.out(
    options.json === true
      ? JSON.stringify(
          rows.map((one) => asJson(one, isWithin(one))),
          null,
          2,
        )
      : page.trimEnd(),
  );
  return rows.every(isWithin) ? EXIT.held : EXIT.broken;
}

const asJson = (row: ParityRow, within: boolean): object => ({ ...row, within });

/** Runs `run` into `folder`, of which nothing is left where the run held or was interrupted. */
async function kept(folder: string | null, signal: AbortSignal, run: () => Promise<LabReport>): Promise<LabReport> {
  let verdict: string | undefined;
  try {
    const ran = await run();
    verdict = ran.result.verdict;
    return ran;
  } finally {
    if (folder !== null) {
      if (verdict === "held" || signal.aborted) await discardFolder(folder);
      await discardIfEmpty(folder);
    }
  }
}

/** Every case with every seed, in the order of seeds by case. */
async function runAll(
  cases: readonly Scenario[],
  seeds: readonly number[],
  lab: LabName,
  { atOnce, keep }: { readonly atOnce: number; readonly keep: string | null },
  terminal: Terminal,
  load: { most: number },
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>(cases.map(({ name }) => [name, []]));
  const jobs = cases.flatMap((scenario) => seeds.map((seed, index) => ({ scenario, seed, index })));
  const total = jobs.length;
  const one = async (laboratory: Laboratory): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { scenario, seed, index } = job;
      terminal.progress({
        stage: `${scenario.name} ${lab} seed ${formatSeed(seed)}`,
        detail: `${total - jobs.length} of ${total}`,
      });
      const folder = keep === null ? null : await reserveFolder(keep, { scenario: scenario.name, lab, seed: formatSeed(seed) });
      const ran = await kept(folder, terminal.interrupted, () =>
        laboratory.run(
          {
            lab,
            scenario,
            seed,
            codec: "real",
            crypto: "real",
            folder,
            dir: folder === null ? "" : relative(terminal.folder, folder),
            wantLines: false,
            commit: commit(),
            sabotage: null,
          },
          { signal: terminal.interrupted },
        ),
      );
      const all = results.get(scenario.name);
      if (all !== undefined) all[index] = ran.result;
      load.most = Math.max(load.most, loadavg()[0] ?? 0);
    }
  };
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const laboratory = openLaboratory();
      try {
        await one(laboratory);
      } finally {
        await laboratory.close();
      }
    }),
  );
  if (keep !== null) for (const { name } of cases) await discardIfEmpty(join(keep, name));
  terminal.quiet();
  return results;
}
