/** `midcall relay`: the reference relay as a process. */
import { constants } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { RelayOptions } from "../../impl/bin/relay.ts";
import { parseTime } from "../../scenarios/time.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { loadOrMakeIdentity } from "../identity-file.ts";
import { epochOption, machineTrouble, metricsOption, untilInterrupted } from "../process-party.ts";
import { type HostPort, hostPortArgument, peerArgument, resolveAddress, resolveHost } from "../socket-address.ts";
import type { Terminal } from "../terminal.ts";

/** What the terminal says of a SIGTERM, by which systems that start and stop services ask to end (signal(7)). */
const SIGTERM = 128 + constants.signals.SIGTERM;

type Options = {
  readonly listen: HostPort;
  readonly state: string;
  readonly name: string;
  readonly log?: string;
  readonly epoch?: number;
  readonly metrics?: HostPort;
  readonly token?: string;
  readonly federate: readonly WrittenPeer[];
  readonly identity?: string;
  readonly drain: number;
  readonly refuge: readonly WrittenRefuge[];
};

export function addRelay(root: Command, { terminal, end }: Context): void {
  root
    .command("relay")
    .description("The reference relay, until Ctrl-C. Prints its address and the pin that clients need.")
    .addOption(
      new Option("--listen <host:port>", "UDP address; port 0: any free one; [::]: every address of both families")
        .argParser(hostPortArgument)
        .default({ host: "127.0.0.1", port: 4433 }, "127.0.0.1:4433"),
    )
    .option("--state <dir>", "folder of certificate and reset key, kept over restarts, made when absent", "midcall-relay")
    .option("--name <name>", "what the log calls it", "relay")
    .option("--log <file>", "append the event log (one JSON record a line) to this file")
    .addOption(epochOption())
    .addOption(metricsOption())
    .addOption(
      new Option(
        "--federate <name=host:port,pin,fingerprint>",
        "share users and calls with this relay: its --name, address, pin and identity's fingerprint (it prints both, the latter with --identity); may be repeated",
      )
        .argParser(peerRelayArgument)
        .default([], "none"),
    )
    .option("--identity <file>", "who it is to other relays, made when absent; needed to federate")
    .addOption(
      new Option(
        "--drain <time>",
        "on SIGTERM, send clients to other relays and end when they have left, at the latest after this; 0s: at once",
      )
        .argParser(timeArgument)
        .default(30_000, "30s"),
    )
    .addOption(
      new Option(
        "--refuge <host:port,pin>",
        "a relay to send clients to on SIGTERM, instead of those it federates with; may be repeated",
      )
        .argParser(refugeArgument)
        .default([], "none"),
    )
    .option("--token <secret>", "only clients that register with this token are served")
    .allowExcessArguments(false)
    .addHelpText(
      "after",
      example("midcall relay --name west --listen 127.0.0.1:4433 --identity west --federate east=127.0.0.1:4434,PIN,FINGERPRINT"),
    )
    .action(async (options: Options) => {
      end(await relay(options, terminal));
    });
}

type WrittenRefuge = { readonly at: HostPort; readonly pin: string };

/** One more `HOST:PORT,PIN`. */
function refugeArgument(text: string, before: readonly WrittenRefuge[] = []): readonly WrittenRefuge[] {
  const [, at = "", pin = ""] = /^([^,]+),([0-9a-f]{64})$/.exec(text) ?? [];
  if (pin === "") throw new InvalidArgumentError("Want HOST:PORT,PIN with 64 lowercase hex digits, as the other relay prints it");
  return [...before, { at: peerArgument(at), pin }];
}

/** Milliseconds of `30s`, `500ms`. */
function timeArgument(text: string): number {
  const micros = parseTime(text);
  if (micros === undefined) throw new InvalidArgumentError("Want a time with its unit, such as 30s or 500ms");
  return micros / 1_000;
}

type WrittenPeer = { readonly name: string; readonly at: HostPort; readonly pin: string; readonly fingerprint: string };

/** One more `NAME=HOST:PORT,PIN,FINGERPRINT`. */
function peerRelayArgument(text: string, before: readonly WrittenPeer[] = []): readonly WrittenPeer[] {
  const match = /^([\x21-\x3c\x3e-\x7e]{1,128})=([^,]+),([0-9a-f]{64}),([0-9a-f]{32})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError(
      "Want NAME=HOST:PORT,PIN,FINGERPRINT with 64 and 32 lowercase hex digits, as the other relay prints them",
    );
  const [, name = "", at = "", pin = "", fingerprint = ""] = match;
  if (before.some((one) => one.name === name)) throw new InvalidArgumentError(`${name} is named twice: want each relay once`);
  return [...before, { name, at: peerArgument(at), pin, fingerprint }];
}

/** Who it is to the relays it federates with; undefined: it federates with none. */
async function federationOf(options: Options, terminal: Terminal): Promise<RelayOptions["federation"]> {
  if (options.identity === undefined) {
    if (options.federate.length === 0) return undefined;
    throw usage("--federate: this relay has no identity to show to others", "want --identity FILE, made when absent");
  }
  if (options.federate.some(({ name }) => name === options.name))
    throw usage(`--federate ${options.name}: that is this relay's own name`, "want each relay under a --name of its own");
  const { identity } = await loadOrMakeIdentity(resolve(terminal.folder, options.identity));
  const peers = await Promise.all(
    options.federate.map(async ({ name, at, pin, fingerprint }) => ({
      name,
      address: await resolveAddress(at),
      pin,
      fingerprint,
    })),
  );
  return { identity, peers };
}

async function relay(options: Options, terminal: Terminal): Promise<ExitCode> {
  const { runRelay } = await import("../../impl/bin/relay.ts");
  const { keepYoungGenerationSmall } = await import("../../impl/io/reclaim.ts");
  keepYoungGenerationSmall();
  const federation = await federationOf(options, terminal);
  const host = await resolveHost(options.listen.host);
  const refuges = await Promise.all(options.refuge.map(async ({ at, pin }) => ({ address: await resolveAddress(at), pin })));
  const drained = Promise.withResolvers<void>();
  let code: ExitCode = EXIT.held;
  const running = await machineTrouble(() =>
    runRelay({
      name: options.name,
      host,
      port: options.listen.port,
      stateDir: resolve(terminal.folder, options.state),
      ...(federation === undefined ? {} : { federation }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.epoch === undefined ? {} : { epoch: options.epoch }),
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      ...(options.log === undefined ? {} : { log: resolve(terminal.folder, options.log) }),
      onDrained: drained.resolve,
      // Calls matter more than their log: the relay goes on, and says at its end that something was missing.
      onTrouble: (error) => {
        terminal.err(`midcall: ${error.message}; the relay goes on without it`);
        code = EXIT.lacking;
      },
    }),
  );
  terminal.out(`listening ${running.local}`);
  terminal.out(`pin ${running.pin}`);
  if (federation !== undefined) terminal.out(`fingerprint ${federation.identity.fingerprint}`);
  if (running.metrics !== undefined) terminal.out(`metrics http://${running.metrics}/metrics`);
  try {
    await untilInterrupted(terminal.interrupted);
    if (terminal.interrupted.reason === SIGTERM && options.drain > 0) {
      terminal.grant?.(options.drain);
      terminal.err(`draining, ${options.drain / 1_000} s at most`);
      running.drain(options.drain, refuges.length === 0 ? undefined : refuges);
      await drained.promise;
    }
  } finally {
    await running.stop();
  }
  return code;
}
