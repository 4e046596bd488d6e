/** `midcall report`: the pages of finished runs made again from their logs. */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT, usage } from "../exit.ts";
import type { FinishedRun } from "../finished-run.ts";
import { makeOutFolder, outFolder, writeFiles } from "../run-folder.ts";
import type { Terminal } from "../terminal.ts";

export function addReport(root: Command, { terminal, end }: Context): void {
  root
    .command("report")
    .description("Prints the Markdown summary of finished runs, judged again from their logs; with --out writes every page.")
    .argument("<run...>", "folders of runs")
    .option("--out <dir>", "an absent or empty folder for report.html, summary.md, junit.xml, metrics.om and result.json")
    .addHelpText("after", example("midcall report out/latest --out page"))
    .action(async (words: string[], options: { out?: string }) => {
      await report(words, options.out, terminal);
      end(EXIT.held);
    });
}

async function report(words: readonly string[], out: string | undefined, terminal: Terminal): Promise<void> {
  const { readRun } = await import("../finished-run.ts");
  const root = out === undefined ? undefined : await outFolder(out, terminal.folder);
  const runs = await Promise.all(words.map((word) => readRun(word, terminal.folder)));
  for (const [index, run] of runs.entries()) {
    // Several runs: a numbered folder each, in the order of the command line.
    const folder = root === undefined ? run.folder : join(root, runs.length === 1 ? "" : String(index + 1));
    const pages = await pagesOf(run, folder);
    terminal.out((pages.get("summary.md") ?? "").trimEnd());
    if (root === undefined) continue;
    await makeOutFolder(out ?? "", folder);
    if ((await readdir(folder)).length > 0)
      throw usage(`--out ${out}: the folder is not empty`, "want an absent or empty folder");
    await writeFiles(folder, pages);
    terminal.err(`report: ${join(relative(terminal.folder, folder), "report.html")}`);
  }
}

/** The files of a run that are a function of its log, by name; links in them are right from the folder `to`. */
async function pagesOf({ log, scenario, result, folder }: FinishedRun, to: string): Promise<Map<string, string>> {
  const { hashText } = await import("../../impl/base/log-hash.ts");
  const { pageExtras, recordingsIn } = await import("../page-extras.ts");
  const [{ assess, render }, { openMetrics }, { readLog }] = await Promise.all([
    import("../../reports/index.ts"),
    import("../../reports/openmetrics.ts"),
    import("../../reports/read-log.ts"),
  ]);
  const { records, problems } = readLog(log);
  const [problem] = problems;
  if (problem !== undefined)
    throw usage(`${result.dir}: line ${problem.line} of run.ndjson: ${problem.reason}`, "want the log of a run");
  const hash = hashText(log);
  if (hash !== result.hash)
    throw usage(
      `${result.dir}: run.ndjson is not the log that result.json tells of: its hash is ${hash}, not ${result.hash}`,
      "want a run's folder as it was written",
    );
  const again = assess({ ...result, scenario, records });
  return new Map([
    ...render(again, scenario, records, await pageExtras(again, scenario, folder, await recordingsIn(folder), to)),
    ["result.json", `${JSON.stringify(again, null, 2)}\n`],
    // A result that does not say when it began has no place on a calendar.
    ...(again.startedAt === undefined ? [] : [["metrics.om", openMetrics(records, again, Date.parse(again.startedAt))] as const]),
  ]);
}
