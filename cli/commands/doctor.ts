/** `midcall doctor`: what this machine can run, what is missing, how to get it. */
import { spawn } from "node:child_process";
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { type Check, canSimulate, examine, remedies } from "../doctor.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

export function addDoctor(root: Command, { terminal, end }: Context): void {
  root
    .command("doctor")
    .description(
      "What this machine can run, what is missing and the command that gets it. Exit code 5 when simulations cannot run.",
    )
    .option("--fix", "run those commands (as root, on Debian or Ubuntu)")
    .option("--json", "as JSON")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall doctor --fix"))
    .action(async (options: { fix?: boolean; json?: boolean }) => end(await doctor(options, terminal)));
}

async function doctor(options: { readonly fix?: boolean; readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  let checks = await examine();
  if (options.fix === true) {
    const tried = new Set<string>();
    // What has been installed may have to be started: until nothing is left to try.
    for (let left = remedies(checks); left.length > 0; left = remedies(checks).filter((command) => !tried.has(command))) {
      for (const command of left) {
        tried.add(command);
        terminal.err(`+ ${command}`);
        if (!(await runs(command))) terminal.err(`  that did not work; try it by hand: ${command}`);
      }
      checks = await examine();
    }
  }
  if (options.json === true) terminal.out(JSON.stringify(checks, null, 2));
  else print(checks, terminal);
  return canSimulate(checks) ? EXIT.held : EXIT.lacking;
}

function print(checks: readonly Check[], terminal: Terminal): void {
  const width = Math.max(...checks.map((check) => check.part.length));
  for (const need of ["sim", "relay and client", "netns", "docker", "dashboards"] as const) {
    terminal.out(terminal.paint("bold", need));
    for (const check of checks.filter((one) => one.for === need)) {
      const state = check.ok
        ? terminal.paint("held", "ok     ")
        : check.optional
          ? terminal.paint("inconclusive", "without")
          : terminal.paint("broken", "missing");
      const fix = check.fix === null ? "" : `; to get it: ${check.fix}`;
      terminal.out(`  ${state}  ${check.part.padEnd(width)}  ${check.detail}${fix}`);
    }
  }
}

/** Runs one remedy with its output on stderr; the words hold no quotes or other syntax of a shell. */
const runs = (command: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [program = "", ...words] = command.split(" ");
    const child = spawn(program, words, { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
