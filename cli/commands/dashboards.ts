/** `midcall dashboards`: Grafana and Prometheus for runs and for processes that are scraped; `check` tries them against a real Prometheus. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ScrapeTarget } from "../../dashboards/prometheus-config.ts";
import type { Ports } from "../../dashboards/provisioning.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { type HostPort, hostPortArgument } from "../socket-address.ts";
import type { Terminal } from "../terminal.ts";

type Options = {
  readonly out: string;
  readonly scrape: readonly HostPort[];
  readonly prometheusPort: number;
  readonly grafanaPort: number;
};

const portsOf = ({ prometheusPort, grafanaPort }: Options): Ports => ({ prometheus: prometheusPort, grafana: grafanaPort });

function portArgument(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) === 0 || Number(text) > 65_535)
    throw new InvalidArgumentError("Want a TCP port, 1 to 65535");
  return Number(text);
}

export function addDashboards(root: Command, { terminal, end }: Context): void {
  const dashboards = root
    .command("dashboards")
    .description("Writes Grafana dashboards with what provisions them, runs them in containers, or checks them.");
  for (const command of [dashboards.command("write", { isDefault: true }), dashboards.command("up")]) {
    command
      .addOption(new Option("--out <dir>", "folder for compose file, provisioning and dashboards").default("out/dashboards"))
      .addOption(
        new Option("--scrape <host:port>", "a relay or client that serves --metrics; may be repeated")
          .argParser((word: string, before: readonly HostPort[]) => [...before, hostPortArgument(word)])
          .default([], "none"),
      )
      .addOption(new Option("--prometheus-port <n>", "on 127.0.0.1").argParser(portArgument).default(9_090))
      .addOption(new Option("--grafana-port <n>", "on 127.0.0.1").argParser(portArgument).default(3_000));
  }
  dashboards.commands
    .find((one) => one.name() === "write")
    ?.description("the files alone (the default)")
    .allowExcessArguments(false)
    .action(async (options: Options) => {
      await write(options, terminal);
      end(EXIT.held);
    });
  dashboards.commands
    .find((one) => one.name() === "up")
    ?.description("Prometheus and Grafana in containers on loopback, with the runs given loaded, until Ctrl-C")
    .argument("[run...]", "folders of runs")
    .addHelpText("after", example("midcall dashboards up out/latest --scrape 127.0.0.1:9464"))
    .action(async (words: string[], options: Options) => {
      const folder = await write(options, terminal);
      const { bringUp } = await import("../dashboards-up.ts");
      await bringUp(folder, portsOf(options), words, terminal);
      end(EXIT.held);
    });
  dashboards
    .command("check")
    .description("every question of every panel, put to a real Prometheus (Debian package prometheus)")
    .argument("[run...]", "folders of runs (default: a few runs made for it, and a relay and client that are scraped)")
    .option("--json", "print every finding")
    .addHelpText("after", example("midcall dashboards check"))
    .action(async (words: string[], options: { readonly json?: boolean }) => end(await check(words, options, terminal)));
  dashboards.addHelpText("after", example("midcall dashboards up out/latest"));
}

/** Writes the files, over those that are there; returns the folder. */
async function write(options: Options, terminal: Terminal): Promise<string> {
  const [{ provisioning }, { LIVE_RUN }] = await Promise.all([
    import("../../dashboards/provisioning.ts"),
    import("../../dashboards/prometheus-config.ts"),
  ]);
  const folder = resolve(terminal.folder, options.out);
  const targets = options.scrape.map(({ host, port }): ScrapeTarget => {
    const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    return { address, run: LIVE_RUN };
  });
  for (const [path, text] of provisioning(targets, portsOf(options))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  terminal.out(`compose file: ${join(relative(terminal.folder, folder), "compose.yaml")}`);
  return folder;
}

async function check(words: readonly string[], options: { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const [{ tryDashboards }, { isFailure, neverFilled }] = await Promise.all([
    import("../dashboards-check.ts"),
    import("../../dashboards/check.ts"),
  ]);
  const findings = await tryDashboards(words, terminal);
  const failures = findings.filter(isFailure);
  // Runs of the user's choice need not show everything; those made for the check must.
  const unseen = words.length === 0 ? neverFilled(findings) : [];
  if (options.json === true) terminal.out(JSON.stringify(findings, null, 2));
  else {
    for (const { dashboard, panel, run, state, detail, expr } of failures) {
      terminal.out(`${terminal.paint("broken", state)}  ${dashboard}: ${panel}  run ${run}: ${detail}`);
      terminal.out(`  ${expr}`);
    }
    for (const panel of unseen) terminal.out(`${terminal.paint("broken", "unseen")}  ${panel}: no run filled it`);
    const count = (state: string): number => findings.filter((one) => one.state === state).length;
    terminal.out(
      `${findings.length} questions: ${count("filled")} answered, ${count("not told")} about what the run does not have, ${failures.length} failed`,
    );
  }
  return failures.length + unseen.length === 0 ? EXIT.held : EXIT.broken;
}
