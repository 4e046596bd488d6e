/** `midcall compare`: what changed from one finished run to another. */
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

type Options = { readonly json?: boolean; readonly all?: boolean };

export function addCompare(root: Command, { terminal, end }: Context): void {
  root
    .command("compare")
    .description(
      "Prints as Markdown what changed from one run to another: verdicts, faults, recovery, audio, signalling, traffic.",
    )
    .argument("<before>", "a run's folder")
    .argument("<after>", "another one's: of another laboratory, seed, version or scenario")
    .option("--all", "also the figures that are the same")
    .option("--json", "as JSON: every figure of both")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall compare out/relay-restart/sim-0x1 out/relay-restart/netns-0x1"))
    .action(async (before: string, after: string, options: Options) => {
      await compareRuns(before, after, options, terminal);
      end(EXIT.held);
    });
}

async function compareRuns(before: string, after: string, options: Options, terminal: Terminal): Promise<void> {
  const [{ readRun }, { compare, comparisonMarkdown }] = await Promise.all([
    import("../finished-run.ts"),
    import("../../reports/comparison.ts"),
  ]);
  const [one, other] = await Promise.all([readRun(before, terminal.folder), readRun(after, terminal.folder)]);
  // Named as they were asked for: a folder may have moved since its run.
  const comparison = compare({ ...one.result, dir: before }, { ...other.result, dir: after });
  terminal.out(
    options.json === true ? JSON.stringify(comparison, null, 2) : comparisonMarkdown(comparison, options.all === true).trimEnd(),
  );
}
