/** `midcall replay`: the same run again, compared line by line. */
import { relative } from "node:path";
import type { Command } from "commander";
import { divergence, linesOf } from "../../impl/base/log-hash.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, exitOf, usage } from "../exit.ts";
import { isReproducible, LABS, openLaboratory } from "../laboratory.ts";
import { parseSeed } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

export function addReplay(root: Command, { terminal, end }: Context): void {
  root
    .command("replay")
    .description(
      "Runs a finished run again with its seed and modes. Exit code 0: the same hash; 4: another one, which is a bug of midcall. " +
        "A run in real time gives another hash every time: its exit code is that of the new verdict.",
    )
    .argument("<run>", "a run's folder, or the scenario.json in it")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall replay out/latest"))
    .action(async (word: string, options: { json?: boolean }) => end(await replay(word, options.json === true, terminal)));
}

async function replay(word: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { readRun } = await import("../finished-run.ts");
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
