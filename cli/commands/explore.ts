/** `midcall explore`: many generated scenarios, fast; every violation again with real codec and crypto, kept as a run to replay. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { type CampaignRun, runOf } from "../../reports/campaign-run.ts";
import type { Result } from "../../reports/result.ts";
import { reproBlock } from "../../reports/wording.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Plan, Violation } from "../explore/campaign.ts";
import type { Kept } from "../explore/campaign-report.ts";
import type { CorpusScenario } from "../explore/corpus.ts";
import { type Laboratory, openLaboratory } from "../laboratory.ts";
import { discardFolder, outFolder, reserveFolder } from "../run-folder.ts";
import { catalogue, chooseScenarios } from "../scenario-choice.ts";
import { campaignSeedArgument, DEFAULT_SEED, formatSeed, wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly swarm?: boolean;
  readonly stopAfter: number;
  readonly out: string;
  readonly keepCorpus?: string;
  readonly json?: boolean;
};

export function addExplore(root: Command, { terminal, end, line }: Context): void {
  root
    .command("explore")
    .description(
      "Looks for violations: every seed makes a scenario of its own from one of those named, with other links, NATs and faults, and " +
        "runs it in virtual time. What must always hold must hold, and once every fault is healed the call must be well again. " +
        "Exit code 1: violations were found.",
    )
    .argument(
      "[scenario...]",
      "names or tags (see: midcall list), or files (.ts .js .json) that hold a scenario; all cases when none is named",
    )
    .requiredOption("--seeds <n>", "how many", wholeArgument(1))
    .option(
      "--from <seed>",
      "the first seed; each seed is reproducible by itself. commit: derived from the checked-out commit; today: from the date (UTC)",
      campaignSeedArgument,
      DEFAULT_SEED,
    )
    .option("--workers <n>", "threads", wholeArgument(1), 2)
    .option("--swarm", "each seed leaves out some kinds of faults and features, so that others meet more often")
    .option("--stop-after <n>", "violations after which to stop", wholeArgument(1), 20)
    .option("--out <dir>", "violations are kept in explore/ below it", "out")
    .option("--keep-corpus <dir>", "write scenarios that together hit every probe the campaign hit, as few as possible")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall explore relay-restart nat-rebind --seeds 1000 --swarm"))
    .action(async (words: string[], options: Options) => end(await explore(words, options, terminal, line)));
}

/** `line`: the command line as it was typed. */
async function explore(
  words: readonly string[],
  options: Options,
  terminal: Terminal,
  line: readonly string[],
): Promise<ExitCode> {
  if (!Number.isSafeInteger(options.from + options.seeds))
    throw usage(`--from ${options.from}: the last seed would be beyond 2^53-1`, "want a smaller one");
  const { campaign, emptyTally, fastJob } = await import("../explore/campaign.ts");
  const { asJson, explored, summary, viewOf } = await import("../explore/campaign-report.ts");
  const { corpusPicker } = await import("../explore/corpus.ts");
  const bases = words.length === 0 ? await catalogue() : await chooseScenarios(words, terminal.folder);
  const picker = corpusPicker();
  await outFolder(options.out, terminal.folder);
  const plan: Plan = { ...options, bases, isSwarm: options.swarm === true };
  const laboratories = Array.from({ length: Math.min(options.workers, options.seeds) }, () => openLaboratory());
  let opened: Laboratory | undefined;
  // Most campaigns find nothing and need none.
  const confirming = (): Laboratory => {
    opened ??= openLaboratory();
    return opened;
  };
  const tally = emptyTally();
  const kept: Kept[] = [];
  const runs = new Map<number, CampaignRun>();
  const keep = keeper(confirming, options.out, terminal);
  const began = performance.now();
  const view = viewOf(plan, tally, began, terminal);
  try {
    await campaign(plan, laboratories, tally, {
      signal: terminal.interrupted,
      found: async (violation) => {
        view.broke(violation);
        const one = await keep(violation);
        kept.push(one);
        runs.set(violation.seed, keptRun(one));
        const block = `${blockOf(one).join("\n")}\n`;
        await writeFile(join(resolve(terminal.folder, one.kept.dir), "repro.txt"), block);
        if (options.json !== true) terminal.out(block);
      },
      progress: view.progress,
      ran: (run) => {
        view.ran(run);
        picker.consider(run);
        runs.set(run.seed, runOf(run.result, null));
      },
    });
    if (options.keepCorpus !== undefined) {
      terminal.progress({ stage: "choosing a corpus" });
      const chosen = await picker.choose((scenario) =>
        confirming().run({ ...fastJob(scenario, DEFAULT_SEED), wantProbes: true }, { signal: terminal.interrupted }),
      );
      await keepCorpus(resolve(terminal.folder, options.keepCorpus), chosen);
      terminal.err(`kept ${chosen.length} scenarios in ${options.keepCorpus}`);
    }
  } catch (error) {
    if (!terminal.interrupted.aborted) throw error;
  } finally {
    terminal.quiet();
    await Promise.all([...laboratories, opened].map((laboratory) => laboratory?.close()));
  }
  const wallMs = performance.now() - began;
  if (options.json === true) terminal.out(JSON.stringify(asJson(plan, tally, kept, wallMs), null, 2));
  else terminal.out(summary(plan, tally, wallMs).join("\n"));
  if (runs.size > 0) {
    const [{ keepCampaign, typed }, { campaignScripts }, { campaignOf }, { campaignPage }] = await Promise.all([
      import("../campaign-folder.ts"),
      import("../page-script.ts"),
      import("../../reports/campaign.ts"),
      import("../../reports/campaign-html.ts"),
    ]);
    const inOrder = [...runs].toSorted(([a], [b]) => a - b).map(([, run]) => run);
    const told = campaignOf(typed(line), inOrder, {
      explored: explored(plan, tally, wallMs),
      ...(terminal.interrupted.aborted ? { interrupted: { of: plan.seeds } } : {}),
    });
    const scripts = await campaignScripts();
    const page = await keepCampaign(
      options.out,
      { kind: "explore", seed: options.from },
      told,
      (linkTo) => campaignPage(told, { scripts, linkTo }),
      terminal,
    );
    (options.json === true ? terminal.err : terminal.out)(`campaign: ${page}`);
  }
  return tally.violations > 0 ? EXIT.broken : EXIT.held;
}

/** Writes the corpus; other files that are there stay. */
async function keepCorpus(folder: string, chosen: readonly CorpusScenario[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, scenario } of chosen)
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ ...scenario, name }, null, 2)}\n`);
}

/** Runs violations once more with the real engines, one at a time. */
function keeper(confirming: () => Laboratory, out: string, terminal: Terminal): (violation: Violation) => Promise<Kept> {
  let before: Promise<unknown> = Promise.resolve();
  return (violation) => {
    const one = before.then(() => keepNow(confirming(), violation, out, terminal));
    before = one.catch(() => undefined);
    return one;
  };
}

/** Keeps the run with the real engines, and the fast one too when the real one holds. */
async function keepNow(laboratory: Laboratory, violation: Violation, out: string, terminal: Terminal): Promise<Kept> {
  const { scenario, seed, result } = violation;
  const root = resolve(terminal.folder, out, "explore");
  const run = async (mode: "real" | "fast"): Promise<Result> => {
    const folder = await reserveFolder(root, {
      scenario: scenario.name,
      lab: mode === "real" ? "sim" : "sim-fast",
      seed: formatSeed(seed),
    });
    const modes = mode === "real" ? ({ codec: "real", crypto: "real" } as const) : ({ codec: "sized", crypto: "null" } as const);
    const dir = relative(terminal.folder, folder) || ".";
    const job = {
      lab: "sim",
      scenario,
      seed,
      ...modes,
      folder,
      dir,
      wantLines: false,
      commit: commit(),
      sabotage: null,
    } as const;
    try {
      return (await laboratory.run(job, { signal: terminal.interrupted })).result;
    } catch (error) {
      if (terminal.interrupted.aborted) await discardFolder(folder);
      throw error;
    }
  };
  const real = await run("real");
  const broken = (one: Result): string[] => one.oracles.flatMap((oracle) => (oracle.verdict === "broken" ? [oracle.name] : []));
  const before = new Set(broken(result));
  if (broken(real).some((name) => before.has(name))) return { ...violation, confirmed: true, kept: real };
  return { ...violation, confirmed: false, kept: await run("fast") };
}

/**
 * The row of a violation: of the run that was kept, which has a folder. A seed that gave two logs has broken a promise of midcall's own, whatever its oracles say.
 */
function keptRun({ kept, parted }: Kept): CampaignRun {
  const run = runOf(kept);
  if (parted === undefined) return run;
  const detail = `two runs of one seed parted at line ${parted.line}`;
  return {
    ...run,
    verdict: "crashed",
    notHeld: [{ oracle: "same-log", detail }, ...run.notHeld],
    cause: `midcall itself failed: ${detail}.`,
  };
}

function blockOf({ kept, confirmed, parted }: Kept): string[] {
  const lines = reproBlock(kept);
  const last = lines.at(-1) ?? "";
  return [
    ...lines.slice(0, -1),
    ...(parted === undefined
      ? []
      : [
          `  two runs of one seed parted at line ${parted.line}:`,
          `    ${parted.a ?? "(ended)"}`,
          `    ${parted.b ?? "(ended)"}`,
        ]),
    ...(confirmed ? [] : ["  not seen with real codec and crypto: kept as it was found, with sized codec and null crypto"]),
    last,
    `shrink: npx midcall shrink ${join(kept.dir, "scenario.json")}`,
  ];
}
