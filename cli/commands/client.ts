/** `midcall client`: the reference client as a process. */
import { basename, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type FecScheme, NO_FEC } from "../../impl/base/fec-scheme.ts";
import { DEFAULT_JITTER_BUFFER, JITTER_BUFFERS, type JitterBufferName } from "../../impl/base/jitter-buffer-name.ts";
import type { Saying } from "../../impl/base/record.ts";
import { TIER_CHOICES, type TierChoice } from "../../impl/base/tier.ts";
import { millis } from "../../impl/base/units.ts";
import type { Voice } from "../../impl/bin/client.ts";
import { eventOf, inWords } from "../../impl/core/client-event.ts";
import { CLIENT_COMMANDS, obeyCommands } from "../client-commands.ts";
import { type Context, example } from "../context.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import { loadOrMakeIdentity } from "../identity-file.ts";
import { epochOption, machineTrouble, metricsOption, troubleOf, untilInterrupted } from "../process-party.ts";
import { wholeArgument } from "../seed.ts";
import { type HostPort, peerArgument, resolveRelay } from "../socket-address.ts";
import type { Terminal } from "../terminal.ts";

type Options = {
  readonly relay: HostPort;
  readonly pin: string;
  readonly token?: string;
  readonly identity: string;
  readonly name?: string;
  readonly register?: boolean;
  readonly call?: string;
  readonly answer?: "trusted" | "generic" | "reject";
  readonly answerAfter: number;
  readonly speech?: string;
  readonly tone?: boolean;
  readonly echo?: boolean;
  readonly jitterBuffer: JitterBufferName;
  readonly tier: TierChoice;
  readonly dtx?: true;
  readonly denoise?: true;
  readonly fec: FecChoice;
  readonly iceTransportPolicy: "all" | "relay";
  readonly record?: string;
  readonly log?: string;
  readonly epoch?: number;
  readonly metrics?: HostPort;
  readonly duration?: number;
  readonly hangUpAfter?: number;
  readonly commands?: boolean;
};

/** The schemes one would want by hand; scenarios can ask for any (scenarios/fec-language.ts). */
const FEC_CHOICES = {
  none: NO_FEC,
  adaptive: NO_FEC,
  "red-1": { scheme: "red", depth: 1 },
  "red-2": { scheme: "red", depth: 2 },
  "rs-5+5": { scheme: "rs", source: 5, repair: 5, interleave: 1, leaves: "aboard" },
  "rlc-10": { scheme: "rlc", window: 10, percent: 85 },
} as const satisfies Readonly<Record<string, FecScheme>>;
type FecChoice = keyof typeof FEC_CHOICES;

const ANSWERS = { trusted: "AcceptTrusted", generic: "AcceptGeneric", reject: "Reject" } as const;

export function addClient(root: Command, { terminal, end }: Context): void {
  root
    .command("client")
    .description(
      "The reference client: registers with a relay, then calls or waits for calls. Prints its fingerprint and what happens.",
    )
    .requiredOption("--relay <host:port>", "the relay", peerArgument)
    .requiredOption("--pin <hex>", "the relay's pin, as it prints it", hexArgument(64))
    .option("--token <secret>", "the relay's token, when it wants one")
    .option("--identity <file>", "BIP-39 phrase of this client; made when absent", "midcall-identity")
    .option("--name <name>", "what the log calls it (default: the identity file's name)")
    .option("--register", "stay registered and wait for calls (what it does without --call)")
    .addOption(new Option("--call <fingerprint>", "call this client").argParser(hexArgument(32)).conflicts("register"))
    .addOption(
      new Option("--answer <how>", "what to do with an incoming call; without it, it rings").choices(Object.keys(ANSWERS)),
    )
    .option("--answer-after <ms>", "time from ringing to the answer", wholeArgument(0), 0)
    .addOption(new Option("--speech <file>", "speak this WAV file, from its start again at its end").conflicts(["tone", "echo"]))
    .addOption(new Option("--tone", "speak a 440 Hz tone").conflicts("echo"))
    .option("--echo", "speak back what is heard")
    .addOption(
      new Option("--jitter-buffer <name>", "what it plays out with").choices(JITTER_BUFFERS).default(DEFAULT_JITTER_BUFFER),
    )
    .addOption(
      new Option(
        "--ice-transport-policy <policy>",
        "all: direct paths are tried; relay: no address is revealed to the other party",
      )
        .choices(["all", "relay"])
        .default("all"),
    )
    .option("--denoise", "remove noise from what is said before it is encoded (RNNoise); speech leaves 20 ms later")
    .option("--dtx", "send nothing but the noise's level while nobody speaks")
    .addOption(new Option("--tier <name>", "what it speaks in").choices(TIER_CHOICES).default("good"))
    .addOption(new Option("--fec <scheme>", "what it protects its media with").choices(Object.keys(FEC_CHOICES)).default("none"))
    .option("--record <file>", "write what is heard to this WAV file")
    .option("--log <file>", "append the event log (one JSON record a line) to this file")
    .addOption(epochOption())
    .addOption(metricsOption())
    .option("--duration <s>", "stop after this many seconds", wholeArgument(1))
    .option("--hang-up-after <s>", "hang up this many seconds after the call became active", wholeArgument(0))
    .option("--commands", `obey what is typed, a line each: ${CLIENT_COMMANDS}`)
    .allowExcessArguments(false)
    .addHelpText("after", example("midcall client --relay 127.0.0.1:4433 --pin 1f0c... --answer trusted --echo"))
    .action(async (options: Options) => end(await client(options, terminal)));
}

const hexArgument =
  (digits: number) =>
  (text: string): string => {
    const lower = text.toLowerCase().replace(/:/g, "");
    if (lower.length !== digits || !/^[0-9a-f]*$/.test(lower))
      throw new InvalidArgumentError(`Want ${digits} hexadecimal digits`);
    return lower;
  };

async function client(options: Options, terminal: Terminal): Promise<ExitCode> {
  const path = (file: string): string => resolve(terminal.folder, file);
  const { runClient } = await import("../../impl/bin/client.ts");
  const { identity, made } = await loadOrMakeIdentity(path(options.identity));
  if (options.call === identity.fingerprint)
    throw usage("--call names this very client", "want the fingerprint that the other one prints");
  const call = followCall(options, terminal);
  const trouble = Promise.withResolvers<Error>();
  const running = await machineTrouble(async () =>
    runClient({
      name: options.name ?? basename(options.identity),
      identity,
      relay: {
        ...(await resolveRelay(options.relay)),
        pin: options.pin,
        ...(options.token === undefined ? {} : { token: options.token }),
      },
      answer: options.answer === undefined ? undefined : { mode: ANSWERS[options.answer], after: millis(options.answerAfter) },
      voice: voiceOf(options, path),
      jitterBuffer: options.jitterBuffer,
      fec: FEC_CHOICES[options.fec],
      voiceChoice: {
        tier: options.tier,
        adaptsFec: options.fec === "adaptive",
        dtx: options.dtx === true,
        denoise: options.denoise === true,
      },
      iceTransportPolicy: options.iceTransportPolicy,
      ...(options.record === undefined ? {} : { record: path(options.record) }),
      ...(options.epoch === undefined ? {} : { epoch: options.epoch }),
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      ...(options.log === undefined ? {} : { log: path(options.log) }),
      onSaying: call.hear,
      onTrouble: trouble.resolve,
    }),
  );
  terminal.out(`fingerprint ${identity.fingerprint}${made ? ` (new, in ${options.identity})` : ""}`);
  if (running.metrics !== undefined) terminal.out(`metrics http://${running.metrics}/metrics`);
  call.activated.then(
    async () => {
      if (options.hangUpAfter === undefined) return;
      await untilInterrupted(terminal.interrupted, options.hangUpAfter * 1_000);
      running.command({ type: "hang-up", reason: "hung-up" });
    },
    () => undefined,
  );
  if (options.call !== undefined) running.command({ type: "call", peer: options.call });
  const enough = untilInterrupted(terminal.interrupted, options.duration === undefined ? undefined : options.duration * 1_000);
  const typed = options.commands === true ? [obeyCommands(terminal, (command) => running.command(command))] : [];
  // Whoever types decides when it is enough.
  const end =
    options.call === undefined || typed.length > 0 ? [enough, ...typed, call.refused] : [enough, call.over, call.refused];
  // What cannot be written any more is what the user asked for: the call is hung up rather than going on unrecorded.
  const failed = await Promise.race([trouble.promise, ...end]);
  const failure = call.failure(); // before the goodbye, which ends every registration and every call
  await running.stop();
  if (failed !== undefined) throw troubleOf(failed);
  if (failure === undefined) return EXIT.held;
  if (!terminal.interrupted.aborted) terminal.err(`midcall: ${failure}`);
  return EXIT.broken;
}

function voiceOf(options: Options, path: (file: string) => string): Voice {
  if (options.speech !== undefined) return { file: path(options.speech) };
  if (options.tone === true) return "tone";
  return options.echo === true ? "echo" : "silence";
}

/** Prints the milestones of registration and call, and tells when they happen. */
function followCall(options: Options, terminal: Terminal) {
  const activated = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const relay = `${options.relay.host}:${options.relay.port}`;
  let wasActive = false;
  let wasRegistered = false;
  let refusal: string | undefined;
  /** What the last attempt came to, and how the last call ended. */
  let [attempt, ending] = ["no answer yet", "it was not answered"];
  const hear = (saying: Saying): void => {
    const event = eventOf(saying);
    if (event !== undefined) terminal.out(inWords(event));
    if (saying.ev === "registration") {
      if (saying.state === "registered") wasRegistered = true;
      else if (saying.reason !== undefined) attempt = saying.reason;
      if (saying.state === "refused") {
        refusal = saying.reason ?? "no reason given";
        refused.resolve();
      }
    }
    if (saying.ev !== "call") return;
    if (saying.state === "active" && !wasActive) {
      wasActive = true;
      activated.resolve();
    }
    if (saying.state !== "ended") return;
    ending = saying.reason ?? ending;
    over.resolve();
  };
  return {
    hear,
    activated: activated.promise,
    over: over.promise,
    refused: refused.promise,
    /** Why the client did not do what it was asked to, in one line; undefined when it did. */
    failure: (): string | undefined => {
      if (refusal?.startsWith("pin-mismatch"))
        return `${relay} is not the relay that was meant (${refusal}); want the pin that the relay prints, or its address`;
      if (refusal !== undefined) return `${relay} refused the registration (${refusal})`;
      if (!wasRegistered) return `never registered with ${relay} (${attempt}); want a relay that listens there`;
      if (options.call !== undefined && !wasActive) return `the call never became active (${ending})`;
      return undefined;
    },
  };
}
