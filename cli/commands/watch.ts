/** `midcall watch`: the live page of a run that goes on somewhere else, or went. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT, usage } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

export function addWatch(root: Command, { terminal, end }: Context): void {
  root
    .command("watch")
    .description(
      "Serves a page on loopback that follows a run while it goes; its address holds a token that every request needs. Ends when interrupted. " +
        "To do faults by hand as well: midcall run --watch.",
    )
    .argument("<run>", "a run's folder")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall watch out/latest"))
    .action(async (word: string) => {
      await watch(word, terminal);
      end(EXIT.held);
    });
}

async function watch(word: string, terminal: Terminal): Promise<void> {
  const folder = resolve(terminal.folder, word);
  const { checked } = await import("../scenario-choice.ts");
  const { firstRecord, followLog } = await import("../live/follow.ts");
  const { openLivePage } = await import("../live/server.ts");
  const { resultIn } = await import("../finished-run.ts");
  const written = await readFile(join(folder, "scenario.json"), "utf8").catch(() => {
    throw usage(`${word}: scenario.json is not there`, "want the folder of a run (midcall run tells it)");
  });
  const scenario = await checked(JSON.parse(written), word, folder);
  const log = followLog(folder);
  const run = await firstRecord(log);
  const page = await openLivePage({ scenario, lab: run?.lab ?? "sim", log, result: () => resultIn(folder) });
  terminal.out(`watch: ${page.url}`);
  if (!terminal.interrupted.aborted) await once(terminal.interrupted, "abort");
  await page.close();
}
