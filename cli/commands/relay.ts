/** `midcall relay`: the reference relay as a process. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { epochOption, machineTrouble, metricsOption, untilInterrupted } from "../process-party.ts";
import { type HostPort, hostPortArgument, resolveHost } from "../socket-address.ts";
import type { Terminal } from "../terminal.ts";

type Options = {
  readonly listen: HostPort;
  readonly state: string;
  readonly name: string;
  readonly log?: string;
  readonly epoch?: number;
  readonly metrics?: HostPort;
  readonly token?: string;
};

export function addRelay(root: Command, { terminal, end }: Context): void {
  root
    .command("relay")
    .description("The reference relay, until Ctrl-C. Prints its address and the pin that clients need.")
    .addOption(
      new Option("--listen <host:port>", "UDP address; port 0: any free one")
        .argParser(hostPortArgument)
        .default({ host: "127.0.0.1", port: 4433 }, "127.0.0.1:4433"),
    )
    .option("--state <dir>", "folder of certificate and reset key, kept over restarts, made when absent", "midcall-relay")
    .option("--name <name>", "what the log calls it", "relay")
    .option("--log <file>", "append the event log (one JSON record a line) to this file")
    .addOption(epochOption())
    .addOption(metricsOption())
    .option("--token <secret>", "only clients that register with this token are served")
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall relay --listen 127.0.0.1:4433 --log relay.ndjson"))
    .action(async (options: Options) => {
      end(await relay(options, terminal));
    });
}

async function relay(options: Options, terminal: Terminal): Promise<ExitCode> {
  const { runRelay } = await import("../../impl/bin/relay.ts");
  const host = await resolveHost(options.listen.host);
  let code: ExitCode = EXIT.held;
  const running = await machineTrouble(() =>
    runRelay({
      name: options.name,
      host,
      port: options.listen.port,
      stateDir: resolve(terminal.folder, options.state),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.epoch === undefined ? {} : { epoch: options.epoch }),
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      ...(options.log === undefined ? {} : { log: resolve(terminal.folder, options.log) }),
      // Calls matter more than their log: the relay goes on, and says at its end that something was missing.
      onTrouble: (error) => {
        terminal.err(`midcall: ${error.message}; the relay goes on without it`);
        code = EXIT.lacking;
      },
    }),
  );
  terminal.out(`listening ${running.local}`);
  terminal.out(`pin ${running.pin}`);
  if (running.metrics !== undefined) terminal.out(`metrics http://${running.metrics}/metrics`);
  try {
    await untilInterrupted(terminal.interrupted);
  } finally {
    await running.stop();
  }
  return code;
}
