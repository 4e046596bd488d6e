/** `midcall compare`: what changed from one finished run to another, or from one campaign to another. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Result } from "../../reports/result.ts";
import { type Context, example } from "../context.ts";
import { EXIT, usage } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

type Options = { readonly json?: boolean; readonly all?: boolean; readonly html?: string };

export function addCompare(root: Command, { terminal, end }: Context): void {
  root
    .command("compare")
    .description(
      "Prints as Markdown what changed from one run to another: verdicts, faults, recovery, audio, signalling, traffic. Of two folders with many runs " +
        "in them (other seeds, other versions), what changed beyond noise.",
    )
    .argument("<before>", "a run's folder, or a folder with runs in it")
    .argument("<after>", "another one's: of another laboratory, seed, version or scenario")
    .option("--all", "also the figures that are the same, and those that are noise")
    .option("--json", "as JSON: every figure of both")
    .option("--html <file>", "write it as a page too, with timelines or every figure's spread")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall compare out/relay-restart/sim-0x1 out/relay-restart/netns-0x1 --html compared.html"))
    .action(async (before: string, after: string, options: Options) => {
      const [one, other] = await Promise.all([kindOf(before, terminal), kindOf(after, terminal)]);
      if (one !== other)
        throw usage(
          `${one === "campaign" ? before : after}: there is no result.json in it, but runs below it`,
          "want two runs, or two folders of runs",
        );
      if (one === "campaign") await campaigns(before, after, options, terminal);
      else await runs(before, after, options, terminal);
      end(EXIT.held);
    });
}

/** A folder without a result of its own, but with results below it, is a campaign. */
async function kindOf(word: string, terminal: Terminal): Promise<"run" | "campaign"> {
  const path = resolve(terminal.folder, word);
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return "run";
  if ((await stat(join(path, "result.json")).catch(() => undefined)) !== undefined) return "run";
  return (await runsBelow(path)).length > 0 ? "campaign" : "run";
}

/** Folders of runs at most so deep below a campaign's: `out/SCENARIO/RUN`. */
const DEEPEST = 3;

async function runsBelow(path: string, depth = DEEPEST): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  if (entries.some((one) => one.isFile() && one.name === "result.json")) return [path];
  if (depth === 0) return [];
  // Links (out/latest) would count a run twice.
  const below = entries.filter((one) => one.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1));
  return (await Promise.all(below.map((one) => runsBelow(join(path, one.name), depth - 1)))).flat();
}

async function runs(before: string, after: string, options: Options, terminal: Terminal): Promise<void> {
  const [{ readRun }, { compare, comparisonMarkdown }, { chanceOf }] = await Promise.all([
    import("../finished-run.ts"),
    import("../../reports/comparison.ts"),
    import("../../reports/comparison-words.ts"),
  ]);
  const [one, other] = await Promise.all([readRun(before, terminal.folder), readRun(after, terminal.folder)]);
  // Named as they were asked for: a folder may have moved since its run.
  const [old, young] = [
    { ...one, result: { ...one.result, dir: before } },
    { ...other, result: { ...other.result, dir: after } },
  ];
  const comparison = compare(old.result, young.result);
  if (options.html !== undefined) {
    const [{ runsPage }, { readLog }] = await Promise.all([
      import("../../reports/comparison-html.ts"),
      import("../../reports/read-log.ts"),
    ]);
    await write(
      options.html,
      runsPage({ ...old, records: readLog(old.log).records }, { ...young, records: readLog(young.log).records }),
      terminal,
    );
  }
  const chance = comparison.differing.length === 0 ? "" : `\n\n${chanceOf(old.result, young.result)}`;
  terminal.out(
    options.json === true
      ? JSON.stringify(comparison, null, 2)
      : `${comparisonMarkdown(comparison, options.all === true).trimEnd()}${chance}`,
  );
}

async function campaigns(before: string, after: string, options: Options, terminal: Terminal): Promise<void> {
  const [{ compareCampaigns }, { campaignsMarkdown }] = await Promise.all([
    import("../../reports/campaign-comparison.ts"),
    import("../../reports/comparison-words.ts"),
  ]);
  const [old, young] = await Promise.all([resultsIn(before, terminal), resultsIn(after, terminal)]);
  const comparison = compareCampaigns({ name: before, results: old }, { name: after, results: young });
  if (options.html !== undefined)
    await write(options.html, (await import("../../reports/comparison-html.ts")).campaignsPage(comparison), terminal);
  terminal.out(
    options.json === true ? JSON.stringify(comparison, null, 2) : campaignsMarkdown(comparison, options.all === true).trimEnd(),
  );
}

async function resultsIn(word: string, terminal: Terminal): Promise<Result[]> {
  const { resultIn } = await import("../finished-run.ts");
  const folders = await runsBelow(resolve(terminal.folder, word));
  const results = await Promise.all(folders.map((folder) => resultIn(folder)));
  const unreadable = folders.find((_, i) => results[i] === undefined);
  if (unreadable !== undefined) throw usage(`${unreadable}: result.json is not a result`, "want folders that midcall run made");
  if (results.length === 0) throw usage(`${word}: there is no run in it`, "want a folder that midcall run --out made");
  return results.flatMap((one) => one ?? []);
}

async function write(file: string, text: string, terminal: Terminal): Promise<void> {
  await writeFile(resolve(terminal.folder, file), text);
  terminal.err(`page: ${file}`);
}
