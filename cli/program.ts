/** The command line as a whole: which commands there are, and how each ending becomes an exit code and one line of text. */
import { Command, CommanderError } from "commander";
import { printable } from "../reports/escape.ts";
import { addBench } from "./commands/bench.ts";
import { addClient } from "./commands/client.ts";
import { addCompare } from "./commands/compare.ts";
import { addDashboards } from "./commands/dashboards.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExplore } from "./commands/explore.ts";
import { addList } from "./commands/list.ts";
import { addMutants } from "./commands/mutants.ts";
import { addParity } from "./commands/parity.ts";
import { addRelay } from "./commands/relay.ts";
import { addReplay } from "./commands/replay.ts";
import { addReport } from "./commands/report.ts";
import { addReproduce } from "./commands/reproduce.ts";
import { addRun } from "./commands/run.ts";
import { addShrink } from "./commands/shrink.ts";
import { addWatch } from "./commands/watch.ts";
import { type Context, example } from "./context.ts";
import { CliError, EXIT, type ExitCode, usage } from "./exit.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** Runs one command line (without `node midcall`) and returns the process's exit code; never rejects. */
export async function program(words: readonly string[], terminal: Terminal): Promise<number> {
  let code: ExitCode = EXIT.held;
  try {
    const [first] = words;
    if (first === undefined) throw usage("no command given", "see: midcall --help");
    const root = commandLine({
      terminal,
      line: words,
      end: (ending) => {
        code = ending;
      },
    });
    await root.parseAsync([...words], { from: "user" });
  } catch (error) {
    code = ending(error, words, terminal);
  }
  terminal.quiet();
  if (!terminal.interrupted.aborted) return code;
  return typeof terminal.interrupted.reason === "number" ? terminal.interrupted.reason : EXIT.interrupted;
}

function commandLine(context: Context): Command {
  const root = new Command("midcall")
    .description("Chaos test harness for voice calls over lossy networks, with a reference relay and client.")
    .version(version(), "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.out(text.trimEnd()),
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .addHelpText("after", EXIT_CODES)
    .addHelpText("after", example("midcall run relay-restart"));
  addList(root, context);
  addRun(root, context);
  addWatch(root, context);
  addReplay(root, context);
  addExplore(root, context);
  addShrink(root, context);
  addMutants(root, context);
  addReproduce(root, context);
  addReport(root, context);
  addCompare(root, context);
  addParity(root, context);
  addBench(root, context);
  addRelay(root, context);
  addClient(root, context);
  addDashboards(root, context);
  addDoctor(root, context);
  return root;
}

const EXIT_CODES =
  "\nExit codes: 0 held, 1 broken, 2 usage, 3 inconclusive, 4 crashed (a bug of midcall), 5 the machine lacks something";

function ending(error: unknown, words: readonly string[], terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.held;
    terminal.err(`midcall: ${oneLine(error, words)}`);
    return EXIT.usage;
  }
  if (error instanceof CliError) {
    // One line, whatever the words it quotes hold.
    terminal.err(`midcall: ${printable(error.message)}`);
    return error.code === "usage" ? EXIT.usage : EXIT.lacking;
  }
  if (terminal.interrupted.aborted) return EXIT.interrupted;
  terminal.err(crashed(error));
  return EXIT.crashed;
}

/** What is said of an error that nobody expected. */
export const crashed = (error: unknown): string =>
  `midcall ${version()} crashed, which is a bug of midcall: ${error instanceof Error ? error.stack : String(error)}`;

/** commander's message (`error: ...`, a suggestion on the next line) as one line that ends in what would be right. */
function oneLine(error: CommanderError, words: readonly string[]): string {
  const [wrong = "", ...suggestions] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = suggestions.join(" ").replace(/^\((.*)\)$/, "$1");
  const command = words[0]?.startsWith("-") || error.code === "commander.unknownCommand" ? "" : ` ${words[0]}`;
  const help = `see: midcall${command} --help`;
  return `${wrong.replace(/\.$/, "")}; ${suggestion === "" ? help : `${suggestion} (${help})`}`;
}
