/** `midcall explore`: many generated scenarios, fast; every violation again with real codec and crypto, kept as a run to replay. */
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import type { Result } from "../../reports/result.ts";
import { reproBlock } from "../../reports/wording.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { FAULT_KINDS } from "../../scenarios/fault-language.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Plan, Tally, Violation } from "../explore/campaign.ts";
import { type Laboratory, openLaboratory } from "../laboratory.ts";
import { discardFolder, outFolder, reserveFolder } from "../run-folder.ts";
import { chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, formatSeed, seedArgument, wholeArgument } from "../seed.ts";
import type { Terminal } from "../terminal.ts";
import { commit } from "../version.ts";

type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly swarm?: boolean;
  readonly stopAfter: number;
  readonly out: string;
  readonly json?: boolean;
};

export function addExplore(root: Command, { terminal, end }: Context): void {
  root
    .command("explore")
    .description(
      "Looks for violations: every seed makes a scenario of its own from one of those named, with other links, NATs and faults, and " +
        "runs it in virtual time. What must always hold must hold, and once every fault is healed the call must be well again. " +
        "Exit code 1: violations were found.",
    )
    .argument("<scenario...>", "names or tags (see: midcall list), or files (.ts .js .json) that hold a scenario")
    .requiredOption("--seeds <n>", "how many", wholeArgument(1))
    .option("--from <n>", "the first seed; each seed is reproducible by itself", seedArgument, DEFAULT_SEED)
    .option("--workers <n>", "threads", wholeArgument(1), 2)
    .option("--swarm", "each seed leaves out some kinds of faults and features, so that others meet more often")
    .option("--stop-after <n>", "violations after which to stop", wholeArgument(1), 20)
    .option("--out <dir>", "violations are kept in explore/ below it", "out")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall explore relay-restart nat-rebind --seeds 1000 --swarm"))
    .action(async (words: string[], options: Options) => end(await explore(words, options, terminal)));
}

async function explore(words: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode> {
  if (!Number.isSafeInteger(options.from + options.seeds))
    throw usage(`--from ${options.from}: the last seed would be beyond 2^53-1`, "want a smaller one");
  const { campaign, emptyTally } = await import("../explore/campaign.ts");
  const bases = await chooseScenarios(words, terminal.folder);
  await outFolder(options.out, terminal.folder);
  const plan: Plan = { ...options, bases, isSwarm: options.swarm === true };
  const laboratories = Array.from({ length: Math.min(options.workers, options.seeds) }, () => openLaboratory());
  const confirming = openLaboratory();
  const tally = emptyTally();
  const kept: Kept[] = [];
  const keep = keeper(confirming, options.out, terminal);
  const began = performance.now();
  const progress = progressOf(plan, tally, began, terminal);
  try {
    await campaign(plan, laboratories, tally, {
      signal: terminal.interrupted,
      found: async (violation) => {
        const one = await keep(violation);
        kept.push(one);
        if (options.json !== true) terminal.out(`${blockOf(one).join("\n")}\n`);
      },
      progress,
    });
  } catch (error) {
    if (!terminal.interrupted.aborted) throw error;
  } finally {
    terminal.quiet();
    await Promise.all([...laboratories, confirming].map((laboratory) => laboratory.close()));
  }
  const wallMs = performance.now() - began;
  if (options.json === true) terminal.out(JSON.stringify(asJson(plan, tally, kept, wallMs), null, 2));
  else terminal.out(summary(plan, tally, wallMs).join("\n"));
  return tally.violations > 0 ? EXIT.broken : EXIT.held;
}

/** A violation with what its run came to with real codec and crypto, if it was broken there too. */
type Kept = Violation & { readonly confirmed: boolean; readonly kept: Result };

/** Runs violations once more with the real engines, one at a time. */
function keeper(laboratory: Laboratory, out: string, terminal: Terminal): (violation: Violation) => Promise<Kept> {
  let before: Promise<unknown> = Promise.resolve();
  return (violation) => {
    const one = before.then(() => keepNow(laboratory, violation, out, terminal));
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

const number = (value: number): string => Math.round(value).toLocaleString("en-US");
const hours = (ms: number): string => (ms / 3_600_000).toFixed(1);

/** Called after each run. On a terminal the line changes all the time; elsewhere a line is written each tenth of the way. */
function progressOf(plan: Plan, tally: Tally, began: number, terminal: Terminal): () => void {
  const words = (): string => {
    const rate = tally.runs / Math.max(0.001, (performance.now() - began) / 1_000);
    const found = `${tally.violations} violation${tally.violations === 1 ? "" : "s"}`;
    return `${number(tally.runs)} of ${number(plan.seeds)} seeds, ${rate.toFixed(0)} seeds/s, ${hours(tally.virtualMs)} virtual hours, ${found}`;
  };
  let tenth = -1;
  let stage = "";
  return () => {
    const now = Math.floor((10 * tally.runs) / plan.seeds);
    if (now !== tenth) stage = `explored ${words()}`;
    tenth = now;
    terminal.progress({ stage, detail: tally.runs % 10 === 0 ? `| ${number(tally.runs)}` : "" });
  };
}

function summary(plan: Plan, tally: Tally, wallMs: number): string[] {
  const never = [...FAULT_KINDS.keys()].filter((kind) => !tally.struck.has(kind));
  const struck = [...FAULT_KINDS.keys()].flatMap((kind) =>
    tally.struck.has(kind) ? [`${kind} ${number(tally.struck.get(kind) ?? 0)}`] : [],
  );
  const last = formatSeed(plan.from + Math.max(0, tally.runs - 1));
  return [
    `explored ${number(tally.runs)} seeds (${formatSeed(plan.from)} to ${last}) of ${plan.bases.map((one) => one.name).join(", ")}${plan.isSwarm ? ", swarm" : ""}: ${hours(tally.virtualMs)} virtual hours in ${(wallMs / 1_000).toFixed(1)} s, ${(tally.runs / (wallMs / 1_000)).toFixed(0)} seeds/s`,
    `  ${number(tally.settled)} runs settled or not, the others ended too early to say; ${number(tally.repeated)} made twice and compared`,
    `  runs in which a fault struck: ${struck.join(", ")}`,
    ...(never.length === 0 ? [] : [`  never struck: ${never.join(", ")}`]),
    `violations: ${number(tally.violations)}`,
  ];
}

const asJson = (plan: Plan, tally: Tally, kept: readonly Kept[], wallMs: number): object => ({
  scenarios: plan.bases.map((one: Scenario) => one.name),
  from: formatSeed(plan.from),
  runs: tally.runs,
  repeated: tally.repeated,
  settled: tally.settled,
  virtualMs: tally.virtualMs,
  wallMs: Math.round(wallMs),
  struck: Object.fromEntries(tally.struck),
  violations: kept
    .toSorted((a, b) => a.seed - b.seed)
    .map((one) => ({
      seed: formatSeed(one.seed),
      scenario: one.scenario.name,
      verdict: one.result.verdict,
      oracles: one.result.oracles.filter((oracle) => oracle.verdict === "broken"),
      confirmed: one.confirmed,
      ...(one.parted === undefined ? {} : { parted: one.parted }),
      dir: one.kept.dir,
    })),
});
