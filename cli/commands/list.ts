/** `midcall list`: the scenarios of the catalogue. */
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT } from "../exit.ts";
import { catalogue } from "../scenario-choice.ts";
import type { Terminal } from "../terminal.ts";

export function addList(root: Command, { terminal, end }: Context): void {
  root
    .command("list")
    .description("The scenarios: name, what each asks, tags, laboratories it can run in.")
    .option("--json", "as JSON")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall list --json"))
    .action(async (options: { json?: boolean }) => {
      await list(options.json === true, terminal);
      end(EXIT.held);
    });
}

async function list(json: boolean, terminal: Terminal): Promise<void> {
  const scenarios = await catalogue();
  if (json) {
    const rows = scenarios.map(({ name, asks, tags, labs }) => ({ name, asks, tags, labs }));
    terminal.out(JSON.stringify(rows, null, 2));
    return;
  }
  const width = Math.max(...scenarios.map((scenario) => scenario.name.length));
  for (const { name, asks, tags, labs } of scenarios) {
    terminal.out(`${terminal.paint("bold", name.padEnd(width))}  ${asks}`);
    terminal.out(`${" ".repeat(width)}  ${terminal.paint("dim", `${tags.join(", ")} · ${labs.join(", ")}`)}`);
  }
}
