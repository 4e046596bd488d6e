/** `midcall reproduce`: a recording from the field in, a scenario that shows the same symptom out, as a run with its report. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import type { Scenario } from "../../scenarios/expanded.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { type Laboratory, openLaboratory } from "../laboratory.ts";
import type { Account } from "../reproduce/account.ts";
import type { FieldOptions } from "../reproduce/field-source.ts";
import type { Picture } from "../reproduce/picture.ts";
import { discardFolder, makeOutFolder, outFolder } from "../run-folder.ts";
import { DEFAULT_SEED, formatSeed, seedArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

type Options = FieldOptions & { readonly seed: number; readonly out: string; readonly json?: boolean };

/** The longest gap is shown when it is no further off. As docs/contract.md promises. */
const SHOWN_WITHIN = 0.15;

export function addReproduce(root: Command, { terminal, end }: Context): void {
  root
    .command("reproduce")
    .description(
      "Finds the scenario in which a simulated call shows what a recording from the field shows, and runs it: the longest gap, when, how long, " +
        "and with the same signs. The format is told by the content. Exit code 0: shown within 15 %; 3: not found.",
    )
    .argument(
      "<recording>",
      "a client's event log, a chrome://webrtc-internals dump, a pcap or pcapng, or a CSV of time, rtt, loss, jitter",
    )
    .option("--party <name>", "of an event log with several listeners: whose view")
    .option("--local <address>", "of a capture: the address of the end it is looked at from")
    .option("--seed <n>", "seed of the simulated runs", seedArgument, DEFAULT_SEED)
    .option("--out <dir>", "folder that reproduce/NAME is made in", "out")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall reproduce call-of-tuesday.pcapng"))
    .action(async (word: string, options: Options) => end(await reproduceRecording(word, options, terminal)));
}

export async function reproduceRecording(word: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  await outFolder(options.out, terminal.folder);
  const [{ openField }, { pictureOf, pictureOfEvents, length }, { eventsOf }, { reproduce }, { simpler }, account] =
    await Promise.all([
      import("../reproduce/field-source.ts"),
      import("../reproduce/picture.ts"),
      import("../reproduce/event-log-source.ts"),
      import("../reproduce/reproduction.ts"),
      import("../reproduce/simpler.ts"),
      import("../reproduce/account.ts"),
    ]);
  const { RECORDER } = await import("../reproduce/explanation.ts");
  const { readLog } = await import("../../reports/read-log.ts");
  terminal.progress({ stage: `reading ${word}` });
  const source = await openField(word, terminal.folder, options);
  const recording = await pictureOf(source);
  if (recording === undefined) throw usage(`${word}: the peer was never heard in it`, "want a recording of a call that was up");
  const { worst } = recording;
  if (worst === undefined) {
    terminal.quiet();
    terminal.err(`${word}: no gap of 100 ms or more in it, so there is nothing to show again`);
    return EXIT.inconclusive;
  }
  const laboratory = openLaboratory();
  try {
    let runs = 0;
    // A capture's gaps are between arrivals; what was heard is what every other recording tells.
    const by = recording.measure === "frame" ? "frame" : "sound";
    const show = async (scenario: Scenario): Promise<Picture | undefined> => {
      terminal.progress({ stage: `looking for ${basename(word)}`, detail: `run ${++runs}` });
      const { lines } = await laboratory.run(job(scenario, options.seed, "fast", null, ""), { signal: terminal.interrupted });
      return pictureOfEvents(eventsOf(readLog(lines.join("\n")).records, RECORDER), by);
    };
    const found = await reproduce(recording, nameOf(word), show);
    if (found === undefined) throw new Error("a simulated call without faults was not heard");
    const wanted = length(worst);
    const traits = found.findings[0]?.attempts[0]?.shown?.traits;
    const isShown = (picture: Picture | undefined, within: number): boolean =>
      picture?.worst !== undefined && Math.abs(length(picture.worst) - wanted) <= within * wanted;
    const simple = await simpler(
      found.scenario,
      found.picture,
      show,
      (picture) =>
        isShown(picture, SHOWN_WITHIN / 3) && JSON.stringify(flagsOf(picture)) === JSON.stringify(traits && flags(traits)),
    );
    const told = account.accountOf(source, recording, found, simple);
    const folder = await reserve(resolve(terminal.folder, options.out, "reproduce"), nameOf(word));
    const dir = relative(terminal.folder, folder) || ".";
    const confirmed = await confirm(laboratory, simple.scenario, options.seed, folder, dir, terminal);
    const isDone = isShown(await pictureOfEvents(eventsOf(confirmed, RECORDER), by), SHOWN_WITHIN);
    await writeFile(join(folder, "reproduction.json"), `${JSON.stringify(told, null, 2)}\n`, { flag: "wx" });
    await writeFile(join(folder, "reproduction.md"), markdown(word, told, account.accountLines(told)), { flag: "wx" });
    terminal.quiet();
    if (options.json === true)
      terminal.out(JSON.stringify({ ...told, isShown: isDone, dir, scenario: simple.scenario }, null, 2));
    else {
      const head = isDone ? "shown again" : "NOT shown again";
      terminal.out(
        [
          `${head}  ${word}  sim  seed ${formatSeed(options.seed)}`,
          ...account.accountLines(told).map((line) => `  ${line}`),
          `replay: npx midcall replay ${dir}/scenario.json`,
          `report: ${dir}/report.html`,
        ].join("\n"),
      );
    }
    return isDone ? EXIT.held : EXIT.inconclusive;
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}

type Flags = readonly (boolean | undefined)[];
const flags = ({ isSilent, isForgotten, isReconnected, isMoved }: NonNullable<Picture["worst"]>["traits"]): Flags => [
  isSilent,
  isForgotten,
  isReconnected,
  isMoved,
];
const flagsOf = (picture: Picture): Flags | undefined => picture.worst && flags(picture.worst.traits);

const job = (scenario: Scenario, seed: number, mode: "fast" | "real", folder: string | null, dir: string) =>
  ({
    lab: "sim",
    scenario,
    seed,
    codec: mode === "fast" ? "sized" : "real",
    crypto: mode === "fast" ? "null" : "real",
    folder,
    dir,
    wantLines: true,
    commit: folder === null ? "" : commit(),
    sabotage: null,
  }) as const;

/** The run with real codec and crypto, in its folder; its records. */
async function confirm(
  laboratory: Laboratory,
  scenario: Scenario,
  seed: number,
  folder: string,
  dir: string,
  terminal: Terminal,
) {
  terminal.progress({ stage: "running it with real codec and crypto" });
  const { readLog } = await import("../../reports/read-log.ts");
  try {
    const { lines } = await laboratory.run(job(scenario, seed, "real", folder, dir), { signal: terminal.interrupted });
    return readLog(lines.join("\n")).records;
  } catch (error) {
    await discardFolder(folder);
    throw error;
  }
}

/** A name that scenarios and folders may have. */
const nameOf = (word: string): string =>
  // A run's log is called like every other one: its folder tells it from others.
  (basename(word) === "run.ndjson" ? word.split(sep).slice(-3, -1).join("-") : basename(word, extname(word)))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60) || "recording";

async function reserve(root: string, name: string): Promise<string> {
  await makeOutFolder(root, root);
  for (let n = 1; ; n++) {
    const folder = join(root, n === 1 ? name : `${name}-${n}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

const markdown = (word: string, told: Account, lines: readonly string[]): string =>
  `# ${basename(word)}, shown again\n\n${told.faults.map((fault) => `    ${fault}`).join("\n")}\n\n${lines.map((line) => (line.startsWith("  ") ? `  - ${line.trim()}` : `- ${line}`)).join("\n")}\n`;
