/** `midcall replay`: whatever a command wrote, made again and compared. */
import type { Command } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { DEFAULT_SEED } from "../seed.ts";
import type { Terminal } from "../terminal.ts";

export function addReplay(root: Command, { terminal, end }: Context): void {
  root
    .command("replay")
    .description(
      "Makes again what a command wrote, with its seed and modes. Exit code 0: the same hash; 4: another one, which is a bug of midcall. " +
        "A run in real time gives another hash every time: its exit code is that of the new verdict. A scenario alone has no record to be " +
        "compared with: it is run twice, with the seed in its file's name, and its exit code is that of the verdict. A block that has lost its run's " +
        "folder is run from the catalogue, a matrix of mutations row by row; a client's own log is looked for as midcall reproduce does.",
    )
    .argument(
      "<run>",
      "a run's folder or any file in it, a folder of runs, a scenario alone (.json), a repro.txt, a run.ndjson, what --json printed, a matrix, or a recording",
    )
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall replay out/latest"))
    .action(async (word: string, options: { json?: boolean }) => end(await replay(word, options.json === true, terminal)));
}

async function replay(word: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { artefactsIn } = await import("../replay/artefact.ts");
  const { replayArtefact } = await import("../replay/replay-artefact.ts");
  const all: object[] = [];
  const codes = new Set<ExitCode>();
  const artefacts = await artefactsIn(word, terminal.folder);
  for (const artefact of artefacts) {
    if (artefact.is === "recording") {
      const { reproduceRecording } = await import("./reproduce.ts");
      terminal.err(
        `${word}: a recording tells what was heard and not what was done to the network: looking for that, as midcall reproduce does`,
      );
      return reproduceRecording(word, { seed: DEFAULT_SEED, out: "out", json }, terminal);
    }
    const replayed = await replayArtefact(artefact, terminal);
    if (json) all.push(replayed.json);
    else terminal.out(replayed.lines.join("\n"));
    codes.add(replayed.code);
  }
  if (json) terminal.out(JSON.stringify(artefacts.length === 1 ? all[0] : all, null, 2));
  return [EXIT.crashed, EXIT.broken, EXIT.inconclusive].find((code) => codes.has(code)) ?? EXIT.held;
}
