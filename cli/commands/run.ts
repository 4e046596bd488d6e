/** `midcall run`: scenarios in a laboratory, a folder and a verdict for each run. */
import { once } from "node:events";
import { relative } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import { formatTime, parseTime } from "../../scenarios/time.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, exitOf, usage } from "../exit.ts";
import { isReproducible, LABS, type LabJob, type LabName, type Laboratory, openLaboratory } from "../laboratory.ts";
import type { LivePage } from "../live/server.ts";
import { override } from "../override.ts";
import { type Finished, openReporters, reporterArgument, type Wanted } from "../reporter.ts";
import { discardFolder, discardIfEmpty, outFolder, pointLatest, reserveFolder } from "../run-folder.ts";
import { checked, chooseScenarios } from "../scenario-choice.ts";
import { DEFAULT_SEED, formatSeed, seedArgument, wholeArgument } from "../seed.ts";
import { type HostPort, hostPortArgument } from "../socket-address.ts";
import type { Terminal } from "../terminal.ts";
import type { Progress } from "../terminal-lines.ts";
import { commit } from "../version.ts";

type Options = {
  readonly lab: LabName;
  readonly linkDriver: NonNullable<LabJob["linkDriver"]>;
  readonly seed: number;
  readonly repeat: number;
  readonly out: string;
  readonly json?: boolean;
  readonly reporter: readonly Wanted[];
  readonly set: readonly string[];
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  readonly capture?: boolean;
  readonly twin?: boolean;
  readonly metrics?: HostPort;
  readonly watch?: boolean;
  readonly until?: number;
  readonly inspect?: boolean;
  readonly step?: boolean;
};

export function addRun(root: Command, { terminal, end, line }: Context): void {
  root
    .command("run")
    .description("Runs scenarios and says for each whether its promises held; everything about a run lands in its own folder.")
    .argument("<scenario...>", "names or tags (see: midcall list), or files (.ts .js .json) that hold a scenario")
    .addOption(
      new Option("--lab <lab>", "laboratory: sim (virtual time), netns (this kernel, as root), docker (the same, in containers)")
        .argParser(labArgument)
        .default("sim"),
    )
    .addOption(
      new Option("--link-driver <driver>", "what impairs the links of a laboratory on a real kernel")
        .choices(["auto", "emulator", "netem", "nft"])
        .default("auto"),
    )
    .option("--seed <n>", "decimal or 0x hexadecimal; the same seed gives the same run", seedArgument, DEFAULT_SEED)
    .option("--repeat <n>", "runs of each scenario, with seeds N, N+1, ...", wholeArgument(1), 1)
    .option("--out <dir>", "folder that run folders are made in", "out")
    .addOption(new Option("--json", "print result.json (an array when there are several)").conflicts("reporter"))
    .addOption(
      new Option(
        "--reporter <name[=file]>",
        "what to print: pretty, junit, github or ctrf; with =FILE into a file; may be repeated",
      )
        .argParser(reporterArgument)
        .default([], "pretty"),
    )
    .addOption(
      new Option("--set <key=value>", "change one place of the scenario, like faults.0.for=5s; may be repeated")
        .argParser((setting: string, before: readonly string[]) => [...before, setting])
        .default([], "nothing"),
    )
    .addOption(
      new Option("--codec <mode>", "real Opus, or opaque frames of the right size").choices(["real", "sized"]).default("real"),
    )
    .addOption(new Option("--crypto <mode>", "real cryptography, or none (fast)").choices(["real", "null"]).default("real"))
    .option("--capture", "write what each interface sent and received to capture/PARTY-INTERFACE.pcapng in the run's folder")
    .option("--twin", "run the scenario's sabotaged twin: a bug is planted in impl/ and the scenario is expected to break")
    .addOption(
      new Option("--metrics <host:port>", "serve all parties' metrics there while a run on a real kernel lasts").argParser(
        hostPortArgument,
      ),
    )
    .addOption(
      new Option(
        "--watch",
        "serve a page on loopback that shows the run while it goes, with faults to do by hand on a real kernel, until interrupted",
      ).conflicts(["repeat", "inspect", "step"]),
    )
    .addOption(
      new Option(
        "--inspect",
        "stop (see --until) and show every party, NAT and packet under way; nothing is judged or written",
      ).conflicts(["reporter", "repeat", "twin", "out"]),
    )
    .addOption(
      new Option("--step", "as --inspect, then go on action by action as told on standard input").conflicts([
        "reporter",
        "repeat",
        "twin",
        "out",
        "json",
      ]),
    )
    .option("--until <time>", "with --inspect or --step: the instant to stop at, like 12.48s (the scenario's end)", untilArgument)
    .addHelpText("after", example("midcall run relay-restart --seed 42 --set faults.0.for=5s"))
    .action(async (words: string[], options: Options) => end(await run(words, options, terminal, line)));
}

function untilArgument(word: string): number {
  const time = parseTime(word);
  if (time === undefined) throw new InvalidArgumentError("Want a time, like 12.48s or 300ms");
  return time;
}

/** A laboratory's name; a usage error for another word. */
function labArgument(word: string): LabName {
  const lab = LABS.find((one) => one === word);
  if (lab !== undefined) return lab;
  throw usage(`--lab ${word}: there is no such laboratory`, `want --lab ${LABS.join(" or ")}`);
}

/** `line`: the command line as it was typed. */
async function run(words: readonly string[], options: Options, terminal: Terminal, line: readonly string[]): Promise<ExitCode> {
  if (!isReproducible(options.lab) && (options.codec !== "real" || options.crypto !== "real")) {
    throw usage(
      `--codec ${options.codec} --crypto ${options.crypto}: real processes use real ones`,
      "want --lab sim, or neither",
    );
  }
  if (isReproducible(options.lab) && options.linkDriver !== "auto")
    throw usage(`--link-driver ${options.linkDriver}: the links of ${options.lab} are its own`, "want --lab netns with it");
  if (isReproducible(options.lab) && options.metrics !== undefined) {
    throw usage(
      "--metrics: a simulation is over before anybody looks",
      "want a real kernel (--lab netns), or the run's metrics.om",
    );
  }
  if (options.metrics?.port === 0) throw usage("--metrics: nobody would know port 0", "want the port that Prometheus scrapes");
  if (!Number.isSafeInteger(options.seed + (options.repeat - 1))) {
    throw usage(`--repeat ${options.repeat}: the last seed would be beyond 2^53-1`, "want a smaller --seed");
  }
  const scenarios = await prepare(words, options, terminal.folder);
  if (options.inspect === true || options.step === true || options.until !== undefined) return look(scenarios, options, terminal);
  if (options.watch === true && scenarios.length !== 1)
    throw usage(`--watch: ${scenarios.length} scenarios, and only one can be watched`, "name one");
  const finished: Finished[] = [];
  const planned = scenarios.length * options.repeat;
  const reporters = openReporters(
    options.json === true ? "json" : options.reporter,
    terminal.out,
    terminal.paint,
    terminal.folder,
    terminal.columns,
  );
  // Twins need a thread each, because a module is loaded once; plain runs share one, which stays warm.
  const shared = options.twin === true ? undefined : openLaboratory();
  let page: LivePage | undefined;
  const shown = (opened: LivePage): void => {
    page = opened;
    terminal.err(`watch: ${opened.url}`);
  };
  try {
    for (const scenario of scenarios) {
      const laboratory = shared ?? openLaboratory(twinOf(scenario).mutation);
      try {
        for (let i = 0; i < options.repeat; i++) {
          const bad = finished.filter(({ result }) => result.verdict !== "held").length;
          const of = { at: finished.length + 1, all: planned, bad };
          const result = await runOnce(laboratory, scenario, options.seed + i, options, terminal, shown, of);
          finished.push({ result, scenario });
          await reporters.each({ result, scenario });
        }
      } finally {
        if (laboratory !== shared) await laboratory.close();
      }
    }
  } catch (error) {
    // What is finished has its folders; a report of all runs is not written, because nobody could tell it from a whole one.
    if (terminal.interrupted.aborted && finished.length > 0 && planned > 1)
      await keepPage(finished, options, terminal, line, { of: planned });
    throw error;
  } finally {
    await shared?.close();
  }
  await reporters.end(finished);
  if (finished.length > 1) await keepPage(finished, options, terminal, line);
  if (page !== undefined && !terminal.interrupted.aborted) {
    terminal.err("watch: the run is over; the page stays until you interrupt (Ctrl-C)");
    await once(terminal.interrupted, "abort");
  }
  await page?.close();
  return terminal.interrupted.aborted ? EXIT.interrupted : exitOf(finished.map(({ result }) => result.verdict));
}

/** The page of all runs together, and where it is: on standard output only where people read that. */
async function keepPage(
  finished: readonly Finished[],
  { out, seed, json, reporter }: Options,
  terminal: Terminal,
  line: readonly string[],
  interrupted?: { readonly of: number },
): Promise<void> {
  const [{ keepCampaign, typed }, { campaignScripts }, { campaignOf }, { runOf }, { campaignPage }] = await Promise.all([
    import("../campaign-folder.ts"),
    import("../page-script.ts"),
    import("../../reports/campaign.ts"),
    import("../../reports/campaign-run.ts"),
    import("../../reports/campaign-html.ts"),
  ]);
  const campaign = campaignOf(
    typed(line),
    finished.map(({ result }) => runOf(result)),
    interrupted === undefined ? {} : { interrupted },
  );
  const scripts = await campaignScripts();
  const page = await keepCampaign(
    out,
    { kind: "run", seed },
    campaign,
    (linkTo) => campaignPage(campaign, { scripts, linkTo }),
    terminal,
  );
  const isForPeople = json !== true && reporter.every(({ name, file }) => name === "pretty" || file !== null);
  const cut = interrupted === undefined ? "" : ` (interrupted after ${finished.length} of ${interrupted.of} runs)`;
  (isForPeople ? terminal.out : terminal.err)(`campaign: ${page}${cut}`);
}

async function look(scenarios: readonly Scenario[], options: Options, terminal: Terminal): Promise<ExitCode> {
  const [scenario, another] = scenarios;
  if (options.inspect !== true && options.step !== true) throw usage("--until: nobody looks", "want --inspect or --step with it");
  if (options.lab !== "sim") throw usage(`--lab ${options.lab}: real time cannot be stopped`, "want --lab sim");
  if (scenario === undefined || another !== undefined)
    throw usage(`${scenarios.length} scenarios: only one can be looked into`, "name one");
  const { seed, codec, crypto, until, json = false, step = false } = options;
  const { inspectRun } = await import("../inspect.ts");
  return inspectRun(scenario, { seed, codec, crypto, until, json, step }, terminal);
}

/** The scenarios, with every `--set` applied and checked again. */
async function prepare(words: readonly string[], options: Options, folder: string): Promise<Scenario[]> {
  const scenarios = await chooseScenarios(words, folder);
  return Promise.all(
    scenarios.map(async (scenario) => {
      if (!scenario.labs.includes(options.lab)) {
        throw usage(`${scenario.name} does not run in ${options.lab}`, `its laboratories: ${scenario.labs.join(", ")}`);
      }
      if (options.twin === true) twinOf(scenario);
      const asked = await withSettings(scenario, options.set, folder);
      // Heard here too and not only in the laboratory's thread: a recording that is missing is the user's mistake, told in one line.
      const own = asked.calls.some((call) => call.callerSays.endsWith(".wav") || call.calleeSays.endsWith(".wav"));
      if (own && options.codec === "real") await (await import("../speech.ts")).loadSpeech(asked);
      return asked;
    }),
  );
}

async function withSettings(scenario: Scenario, settings: readonly string[], folder: string): Promise<Scenario> {
  if (settings.length === 0) return scenario;
  const changed = settings.reduce((before, setting) => override(before, setting) as Scenario, scenario);
  return checked(changed, settings.map((setting) => `--set ${setting}`).join(" "), folder);
}

function twinOf(scenario: Scenario): NonNullable<Scenario["twin"]> {
  if (scenario.twin === null) throw usage(`${scenario.name} has no twin`, "run it without --twin");
  return scenario.twin;
}

async function runOnce(
  laboratory: Laboratory,
  scenario: Scenario,
  seed: number,
  options: Options,
  terminal: Terminal,
  shown: (page: LivePage) => void,
  of: NonNullable<Progress["of"]>,
): Promise<Result> {
  const root = await outFolder(options.out, terminal.folder);
  const twin = options.twin === true ? twinOf(scenario).mutation : null;
  const folder = await reserveFolder(root, {
    scenario: scenario.name,
    lab: twin === null ? options.lab : `${options.lab}-twin`,
    seed: formatSeed(seed),
  });
  const stage = `${scenario.name} ${options.lab} seed ${formatSeed(seed)}`;
  terminal.progress({ stage, of });
  try {
    if (options.watch === true)
      shown(await (await import("../live/watch-run.ts")).watchRun(scenario, options.lab, folder, laboratory));
    const { result } = await laboratory.run(
      {
        lab: options.lab,
        linkDriver: options.linkDriver,
        capture: options.capture === true,
        scenario,
        seed,
        codec: options.codec,
        crypto: options.crypto,
        folder,
        dir: relative(terminal.folder, folder) || ".",
        wantLines: false,
        commit: commit(),
        live: options.watch === true,
        sabotage: twin,
        ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      },
      {
        signal: terminal.interrupted,
        progress: (virtualMs) => {
          const whole = formatTime(scenario.duration);
          const share = (virtualMs * 1_000) / scenario.duration;
          terminal.progress({ stage, of, detail: `${(virtualMs / 1_000).toFixed(0)}s of ${whole}`, share });
        },
        // A simulation that nobody sees draw is over before its lines are read.
        ...(terminal.isLive || !isReproducible(options.lab) ? { notice: (lines) => terminal.notice(lines) } : {}),
      },
    );
    await pointLatest(root, folder);
    return result;
  } catch (error) {
    if (terminal.interrupted.aborted) await discardFolder(folder);
    else if (!(await discardIfEmpty(folder)))
      terminal.err(`${stage}: what there is of it is in ${relative(terminal.folder, folder)}`);
    throw error;
  } finally {
    terminal.quiet();
  }
}
