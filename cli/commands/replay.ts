/** `midcall replay`: the same run again, compared line by line. */
import { relative } from "node:path";
import type { Command } from "commander";
import { divergence, linesOf } from "../../impl/base/log-hash.ts";
import { type Context, example } from "../context.ts";
import { seedInName } from "../corpus.ts";
import { EXIT, type ExitCode, exitOf, usage } from "../exit.ts";
import { isReproducible, LABS, openLaboratory } from "../laboratory.ts";
import { chooseScenarios } from "../scenario-choice.ts";
import { formatSeed, parseSeed } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

export function addReplay(root: Command, { terminal, end }: Context): void {
  root
    .command("replay")
    .description(
      "Runs a finished run again with its seed and modes. Exit code 0: the same hash; 4: another one, which is a bug of midcall. " +
        "A run in real time gives another hash every time: its exit code is that of the new verdict. A scenario alone has no record to be " +
        "compared with: it is run twice, with the seed in its file's name, and its exit code is that of the verdict.",
    )
    .argument("<run>", "a run's folder, the scenario.json in it, or a scenario alone (.json), as a corpus keeps it")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall replay out/latest"))
    .action(async (word: string, options: { json?: boolean }) => end(await replay(word, options.json === true, terminal)));
}

async function replay(word: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { isScenarioAlone, readRun } = await import("../finished-run.ts");
  if (await isScenarioAlone(word, terminal.folder)) return replayAlone(word, json, terminal);
  const { scenario, result, log, folder, sabotage } = await readRun(word, terminal.folder);
  const lab = LABS.find((one) => one === result.lab);
  if (lab === undefined)
    throw usage(`${word} ran in ${result.lab}, which cannot be run again`, `want a run of the ${LABS.join(" or ")} laboratory`);
  const seed = parseSeed(result.seed);
  if (seed === undefined) throw usage(`${word}: seed ${result.seed} is out of range`, "want 0..2^53-1");
  const laboratory = openLaboratory(sabotage);
  const stage = `${result.scenario} ${lab} seed ${result.seed}`;
  terminal.progress({ stage });
  try {
    const again = await laboratory.run(
      {
        lab,
        scenario,
        seed,
        codec: result.codec,
        crypto: result.crypto,
        folder: null,
        dir: relative(terminal.folder, folder) || ".",
        wantLines: true,
        commit: commit(),
        sabotage,
      },
      { signal: terminal.interrupted },
    );
    terminal.quiet();
    if (!isReproducible(lab)) {
      const { verdict, hash } = again.result;
      const same = verdict === result.verdict;
      if (json)
        terminal.out(JSON.stringify({ same, verdict, recordedVerdict: result.verdict, hash, recorded: result.hash }, null, 2));
      else {
        terminal.out(`${verdict}  ${result.scenario}  ${lab}  seed ${result.seed}`);
        terminal.out(`  ${same ? "the same verdict" : `NOT the same verdict, ${result.verdict} was recorded`}`);
        terminal.out(`  real time: the log, and so its hash, is another one in every run of ${lab}`);
      }
      return exitOf([verdict]);
    }
    const parted = divergence(linesOf(log), again.lines);
    const same = again.result.hash === result.hash && parted === undefined;
    const was = result.versions.commit;
    if (json) {
      const { hash, verdict } = again.result;
      terminal.out(
        JSON.stringify({ same, hash, recorded: result.hash, verdict, ...(parted && { divergence: parted }) }, null, 2),
      );
      return same ? EXIT.held : EXIT.crashed;
    }
    terminal.out(`${again.result.verdict}  ${result.scenario}  ${lab}  seed ${result.seed}`);
    terminal.out(`  hash ${again.result.hash}: ${same ? "the same" : `NOT the same, ${result.hash} was recorded`}`);
    if (parted !== undefined) {
      terminal.out(`  first difference, line ${parted.line}:`);
      terminal.out(`    recorded  ${parted.a ?? "(the log had ended)"}`);
      terminal.out(`    replayed  ${parted.b ?? "(the log has ended)"}`);
    }
    if (!same && (was !== commit() || was.endsWith("-dirty"))) {
      terminal.out(
        `  recorded with commit ${was}, this is ${commit()}: other code (-dirty: edited since) may well give another log`,
      );
    }
    return same ? EXIT.held : EXIT.crashed;
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}

/** A scenario with no run beside it, as the corpus is run: with the fast engines, twice, and both logs compared. */
async function replayAlone(word: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { fastJob } = await import("../explore/campaign.ts");
  const [scenario] = await chooseScenarios([word], terminal.folder);
  if (scenario === undefined) throw usage(`${word}: holds no scenario`, "want a file that holds one");
  const seed = seedInName(word);
  const job = { ...fastJob(scenario, seed, true), commit: commit() };
  const laboratory = openLaboratory();
  terminal.progress({ stage: `${scenario.name} sim seed ${formatSeed(seed)}` });
  try {
    const first = await laboratory.run(job, { signal: terminal.interrupted });
    const second = await laboratory.run(job, { signal: terminal.interrupted });
    terminal.quiet();
    const { verdict, hash, cause } = first.result;
    const parted = divergence(first.lines, second.lines);
    if (json)
      terminal.out(JSON.stringify({ same: parted === undefined, verdict, hash, ...(parted && { divergence: parted }) }, null, 2));
    else {
      terminal.out(`${verdict}  ${scenario.name}  sim  seed ${formatSeed(seed)}`);
      if (verdict !== "held") terminal.out(`  ${cause}`);
      terminal.out(`  hash ${hash}: ${parted === undefined ? "the same twice" : "NOT the same when run again"}`);
      if (parted !== undefined) {
        terminal.out(`  first difference, line ${parted.line}:`);
        terminal.out(`    first   ${parted.a ?? "(the log had ended)"}`);
        terminal.out(`    second  ${parted.b ?? "(the log has ended)"}`);
      }
      terminal.out("  no record lies beside it to compare with (codec sized, crypto null, as the corpus is run)");
    }
    return parted === undefined ? exitOf([verdict]) : EXIT.crashed;
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}
