/** Makes what an artefact records again, and says whether it came out the same: the hash of the log and the first record that differs, or the verdict. */
import { relative } from "node:path";
import { type Divergence, divergence, linesOf } from "../../impl/base/log-hash.ts";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { MUTATIONS } from "../../scenarios/mutations.ts";
import { corpus, seedInName } from "../corpus.ts";
import { EXIT, type ExitCode, exitOf, usage } from "../exit.ts";
import { isReproducible, LABS, type Laboratory, openLaboratory } from "../laboratory.ts";
import { catalogue, chooseScenarios } from "../scenario-choice.ts";
import { formatSeed, parseSeed } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";
import type { Artefact, Block, CaughtRow } from "./artefact.ts";

/** What came of it: lines for people, the fields of `--json`, the exit code. */
export type Replayed = { readonly code: ExitCode; readonly lines: readonly string[]; readonly json: object };

export function replayArtefact(artefact: Exclude<Artefact, { is: "recording" }>, terminal: Terminal): Promise<Replayed> {
  switch (artefact.is) {
    case "run":
      return replayRun(artefact.word, terminal);
    case "scenario":
      return replayAlone(artefact.word, terminal);
    case "log":
      return replayLog(artefact, terminal);
    case "block":
      return replayBlock(artefact.word, artefact.block, terminal);
    case "matrix":
      return replayMatrix(artefact.word, artefact.rows, terminal);
  }
}

/** What was recorded of a run in virtual time, and how it was made. */
type Recorded = {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  readonly sabotage: string | null;
  readonly dir: string;
};

async function made<T>(
  { sabotage, ...recorded }: Recorded,
  lab: (typeof LABS)[number],
  terminal: Terminal,
  say: (again: Awaited<ReturnType<Laboratory["run"]>>) => T,
): Promise<T> {
  const laboratory = openLaboratory(sabotage);
  terminal.progress({ stage: `${recorded.scenario.name} ${lab} seed ${formatSeed(recorded.seed)}` });
  try {
    const job = { ...recorded, lab, folder: null, wantLines: true, commit: commit(), sabotage };
    return say(await laboratory.run(job, { signal: terminal.interrupted }));
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}

async function replayRun(word: string, terminal: Terminal): Promise<Replayed> {
  const { readRun } = await import("../finished-run.ts");
  const { scenario, result, log, folder, sabotage } = await readRun(word, terminal.folder);
  const lab = LABS.find((one) => one === result.lab);
  if (lab === undefined)
    throw usage(`${word} ran in ${result.lab}, which cannot be run again`, `want a run of the ${LABS.join(" or ")} laboratory`);
  const seed = parseSeed(result.seed);
  if (seed === undefined) throw usage(`${word}: seed ${result.seed} is out of range`, "want 0..2^53-1");
  const { codec, crypto } = result;
  const dir = relative(terminal.folder, folder) || ".";
  return made({ scenario, seed, codec, crypto, sabotage, dir }, lab, terminal, (again) =>
    isReproducible(lab)
      ? compared(again.result, result.hash, divergence(linesOf(log), again.lines), result.versions.commit)
      : verdictOnly(again.result, result),
  );
}

function compared(
  again: Result,
  recorded: string | undefined,
  parted: Divergence | undefined,
  was: string | undefined,
): Replayed {
  const { hash, verdict, scenario, lab, seed } = again;
  const same = (recorded === undefined || hash === recorded) && parted === undefined;
  const said = recorded === undefined ? "the recorded log is another" : `${recorded} was recorded`;
  const isOther = was !== undefined && (was !== commit() || was.endsWith("-dirty"));
  return {
    code: same ? EXIT.held : EXIT.crashed,
    lines: [
      `${verdict}  ${scenario}  ${lab}  seed ${seed}`,
      `  hash ${hash}: ${same ? "the same" : `NOT the same, ${said}`}`,
      ...differenceLines(parted, ["recorded", "replayed"], ["(the log had ended)", "(the log has ended)"]),
      ...(!same && isOther
        ? [`  recorded with commit ${was}, this is ${commit()}: other code (-dirty: edited since) may well give another log`]
        : []),
    ],
    json: { same, hash, ...(recorded === undefined ? {} : { recorded }), verdict, ...(parted && { divergence: parted }) },
  };
}

const differenceLines = (
  parted: Divergence | undefined,
  [a, b]: readonly [string, string],
  [endA, endB]: readonly [string, string],
): string[] =>
  parted === undefined
    ? []
    : [`  first difference, line ${parted.line}:`, `    ${a}  ${parted.a ?? endA}`, `    ${b}  ${parted.b ?? endB}`];

/** Of a run in real time only the verdict can be the same. */
function verdictOnly({ verdict, hash, scenario, lab, seed }: Result, before: Result): Replayed {
  const same = verdict === before.verdict;
  return {
    code: exitOf([verdict]),
    lines: [
      `${verdict}  ${scenario}  ${lab}  seed ${seed}`,
      `  ${same ? "the same verdict" : `NOT the same verdict, ${before.verdict} was recorded`}`,
      `  real time: the log, and so its hash, is another one in every run of ${lab}`,
    ],
    json: { same, verdict, recordedVerdict: before.verdict, hash, recorded: before.hash },
  };
}

/** A scenario with no run beside it, as the corpus is run: with the fast engines, twice, and both logs compared. */
async function replayAlone(word: string, terminal: Terminal): Promise<Replayed> {
  const { fastJob } = await import("../explore/campaign.ts");
  const [scenario] = await chooseScenarios([word], terminal.folder);
  if (scenario === undefined) throw usage(`${word}: holds no scenario`, "want a file that holds one");
  const seed = seedInName(word);
  const job = { ...fastJob(scenario, seed, true), commit: commit() };
  const laboratory = openLaboratory();
  terminal.progress({ stage: `${scenario.name} sim seed ${formatSeed(seed)}` });
  try {
    const first = await laboratory.run(job, { signal: terminal.interrupted });
    const second = await laboratory.run(job, { signal: terminal.interrupted });
    const { verdict, hash, cause } = first.result;
    const parted = divergence(first.lines, second.lines);
    return {
      code: parted === undefined ? exitOf([verdict]) : EXIT.crashed,
      lines: [
        `${verdict}  ${scenario.name}  sim  seed ${formatSeed(seed)}`,
        ...(verdict === "held" ? [] : [`  ${cause}`]),
        `  hash ${hash}: ${parted === undefined ? "the same twice" : "NOT the same when run again"}`,
        ...differenceLines(parted, ["first ", "second"], ["(the log had ended)", "(the log has ended)"]),
        "  no record lies beside it to compare with (codec sized, crypto null, as the corpus is run)",
      ],
      json: { same: parted === undefined, verdict, hash, ...(parted && { divergence: parted }) },
    };
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
}

/** The scenario of a log or a block that has lost its folder: one of the catalogue or the corpus. */
async function known(word: string, name: string): Promise<Scenario> {
  const kept = (): Scenario | undefined =>
    corpus()
      .map((one) => one.scenario())
      .find((one) => one.name === name);
  const found = (await catalogue()).find((one) => one.name === name) ?? kept();
  if (found !== undefined) return found;
  throw usage(
    `${word}: its scenario, ${name}, is neither in the catalogue nor in the corpus`,
    "want the folder of the run, or its scenario.json",
  );
}

async function replayLog({ word, text, head }: Artefact & { is: "log" }, terminal: Terminal): Promise<Replayed> {
  const { lab, seed, codec, crypto } = head;
  if (lab !== "sim")
    throw usage(`${word}: a log of ${lab} comes out otherwise every time`, `want its run's folder, or midcall reproduce ${word}`);
  const scenario = await known(word, head.scenario);
  const replayed = await made({ scenario, seed, codec, crypto, sabotage: null, dir: "" }, "sim", terminal, (again) =>
    compared(again.result, undefined, divergence(linesOf(text), again.lines), undefined),
  );
  const words = `  without its folder: run as ${scenario.name} is here, without a planted bug`;
  return { ...replayed, lines: [...replayed.lines, words] };
}

/** The run that a block names, where it is still there; else its scenario, if there is one of that name here: then only the verdict can be compared. */
async function replayBlock(
  word: string,
  { scenario: name, oracle, seed, commit: was, replay }: Block,
  terminal: Terminal,
): Promise<Replayed> {
  const { artefactsIn } = await import("./artefact.ts");
  const found = replay === "" ? [] : await artefactsIn(replay, terminal.folder).catch(() => []);
  const [run] = found;
  if (run !== undefined && (run.is === "run" || run.is === "scenario")) return replayArtefact(run, terminal);
  const scenario = await known(word, name);
  return made({ scenario, seed, codec: "real", crypto: "real", sabotage: null, dir: "" }, "sim", terminal, ({ result }) => {
    const again = result.oracles.find((one) => one.name === oracle);
    const same = again?.verdict === "broken";
    return {
      code: exitOf([result.verdict]),
      lines: [
        `${result.verdict}  ${name}  sim  seed ${formatSeed(seed)}`,
        `  ${oracle}: ${same ? "broken again" : `NOT broken again (${again?.detail ?? "not judged here"})`}`,
        `  ${replay || "its folder"} is not here: run as ${name} is at commit ${commit()}; the block is of commit ${was}`,
      ],
      json: { same, verdict: result.verdict, hash: result.hash, oracle },
    };
  });
}

/** Every mutation of a matrix once more in the case that caught it. */
async function replayMatrix(word: string, rows: readonly CaughtRow[], terminal: Terminal): Promise<Replayed> {
  const { soundness, tryMutation } = await import("../mutants.ts");
  const trials = new Map((await catalogue()).map((scenario) => [scenario.name, scenario]));
  const seeds = new Map<string, number>();
  for (const { file, seed, scenario } of corpus()) {
    trials.set(file, { ...scenario(), name: file });
    seeds.set(file, seed);
  }
  const laboratory = openLaboratory();
  const sound = soundness(laboratory, terminal.interrupted);
  const others: string[] = [];
  let done = 0;
  try {
    for (const { mutation: name, oracle, case: where, seed } of rows) {
      terminal.progress({ stage: `${++done} of ${rows.length}: ${name}` });
      const [mutation, scenario] = [MUTATIONS.get(name), trials.get(where)];
      if (mutation === undefined || scenario === undefined) {
        const gone = mutation === undefined ? "there is no such mutation here" : `there is no case ${where || "to try"} here`;
        others.push(`  ${name}: ${gone}`);
        continue;
      }
      const { caught } = await tryMutation(mutation, [{ scenario, seed: seeds.get(where) ?? seed }], sound, terminal.interrupted);
      if (caught === undefined) others.push(`  ${name}: NOT caught by ${where} again, ${oracle} was recorded`);
      else if (caught.oracle !== oracle) others.push(`  ${name}: caught by ${caught.oracle} of ${where}, ${oracle} was recorded`);
    }
  } finally {
    terminal.quiet();
    await laboratory.close();
  }
  const same = others.length === 0;
  return {
    code: same ? EXIT.held : EXIT.broken,
    lines: [`${rows.length - others.length} of ${rows.length} mutations of ${word} are caught as recorded`, ...others],
    json: { same, rows: rows.length, others: others.map((one) => one.trim()) },
  };
}
