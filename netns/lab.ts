/**
 * The real-kernel laboratory: runs one scenario with the relay and the clients as processes behind real NATs and impaired links, in real time, and gives
 * the same kind of log that `sim` gives. The seed decides identities and what links do to the n-th packet; scheduling is the machine's, so two runs differ.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address } from "../impl/base/address.ts";
import { toHex } from "../impl/base/cursor.ts";
import { randomness as makeRandomness } from "../impl/base/random.ts";
import type { LogRecord, Saying } from "../impl/base/record.ts";
import type { Micros } from "../impl/base/units.ts";
import type { Command } from "../impl/core/client.ts";
import type { PeerRelay } from "../impl/core/federation/link.ts";
import { identityFromSecret } from "../impl/core/identity.ts";
import { DEFAULT_SESSION } from "../impl/core/session.ts";
import type { RelayTarget } from "../impl/core/supervisor.ts";
import { loadOrMakeCertificate } from "../impl/io/certificate.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { LEAST_STALL_MS, watchStalls } from "../impl/io/stall-watch.ts";
import { relayTarget } from "../scenarios/address-family.ts";
import { type ClientPlan, clientPlan, federates } from "../scenarios/client-plan.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";
import { openControlServer } from "./control-server.ts";
import { armFaults, whenDue } from "./faults.ts";
import { type JobPlan, type LabParty, labParty } from "./lab-party.ts";
import { processLauncher } from "./launch-process.ts";
import type { Launcher } from "./launcher.ts";
import type { DriverName } from "./link/links.ts";
import { type MergedLog, mergedLog } from "./merged-log.ts";
import { goFirst } from "./precedence.ts";
import { openNetwork, type RealNetwork } from "./real-network.ts";
import { readRecordings } from "./recordings.ts";
import { type RunClock, runClock } from "./run-clock.ts";
import { openScope, type Scope } from "./scope.ts";
import { openStandStill, type StillDeed } from "./stand-still.ts";

export type NetnsRun = {
  readonly scenario: Scenario;
  readonly seed: number;
  /** An existing folder; a working folder is made in it and removed again (elsewhere when its path is too long for a Unix socket). */
  readonly folder: string;
  /** WAV files by the names that calls use for them; `tone` needs none. */
  readonly speech: ReadonlyMap<string, string>;
  /** Called for every line as it comes in, which may be some milliseconds out of order. */
  readonly onLine?: (line: string, record: LogRecord) => void;
  /** Called once faults can be done by hand; they are written down in the log and in the outcome's scenario. */
  readonly onReady?: (hand: { inject(fault: Fault): void }) => void;
  /** Ends the run early: it rejects with the signal's reason once everything is torn down. */
  readonly signal?: AbortSignal;
  readonly driver?: "auto" | DriverName;
  /** An existing folder for a capture of what each interface sent and received, `alice-wlan0.pcapng`. */
  readonly capture?: string;
  /** The name that everything of this run carries: 6 hexadecimal digits that no other run on this machine has. Default: random. */
  readonly id?: string;
  readonly launcher?: Launcher;
  /** The module that parties run and what comes before the job file among its arguments. Default: impl/bin/controlled-party. */
  readonly entry?: { readonly module: string; readonly args: readonly string[] };
};

/** The same fields as a simulated run's outcome, and what only a real one has. */
export type NetnsOutcome = {
  /** In the order of `t`. */
  readonly records: readonly LogRecord[];
  readonly lines: readonly string[];
  /** Rolling hash of the whole log: another one for every run. */
  readonly hash: string;
  /** The scenario's duration. */
  readonly virtualMs: number;
  /** What each client heard from the start of the run, 48 kHz mono. */
  readonly audio: ReadonlyMap<string, Int16Array>;
  /** A party failed or a bug of ours: the run ended early. */
  readonly crashed?: string;
  /** The link driver that ran; `none` when it did not come to that. */
  readonly driver: string;
  /** From nothing to packets that pass and parties that are loaded, milliseconds; undefined when it did not come to that. */
  readonly upMs?: number;
  /** From the last party's end to nothing left, milliseconds. */
  readonly downMs: number;
  /** The last of what each party wrote to standard error; parties that wrote nothing are left out. */
  readonly stderr: ReadonlyMap<string, string>;
  /** The run's scenario with what was done by hand; absent when nothing was. */
  readonly scenario?: Scenario;
};

/** Time given to clients to hang up and let go. As in sim: two round trips of the longest link profile. */
const GRACE_MS = 3_000;
/** Time given to relays after that, when a session whose last CONNECTION_CLOSE was lost ends by its idle timeout. */
const IDLE_GRACE_MS: number = DEFAULT_SESSION.idleTimeout / 1_000 + 1_000;
/** UDP port of relays and of clients; each has a network namespace of its own. */
const PORT = 4_433;
/** Longest path of a Unix socket, octets (unix(7): 108 with the closing zero). */
const SOCKET_PATH = 107;

/** A party failed: the run's fault, told in its outcome and not thrown. */
class Crash extends Error {}

/** Rejects with NetnsError when the machine lacks or refuses something; nothing of the run is left behind, however it ends. */
export async function runNetns(run: NetnsRun): Promise<NetnsOutcome> {
  const { scenario, seed } = run;
  run.signal?.throwIfAborted();
  const trouble = Promise.withResolvers<never>();
  trouble.promise.catch(() => undefined);
  const aborted = (): void => trouble.reject(run.signal?.reason);
  run.signal?.addEventListener("abort", aborted, { once: true });
  const clock = runClock();
  const log = mergedLog(run.onLine);
  const say = (who: string, saying: Saying): void => log.say(clock.now(), who, saying);
  say("lab", {
    ev: "run",
    schema: "midcall/log@1",
    scenario: scenario.name,
    lab: (run.launcher ?? processLauncher).lab,
    seed: `0x${seed.toString(16)}`,
    codec: "real",
    crypto: "real",
    jitterBuffer: scenario.jitterBuffer,
  });
  const scope = openScope();
  const parties = new Map<string, LabParty>();
  const facts: Stage["facts"] = { driver: "none", downMs: 0 };
  const stage: Stage = { run, scope, clock, log, say, parties, facts, fail: trouble.reject };
  const performing = perform(stage);
  performing.catch(() => undefined); // of no interest once the run is over
  let audio: NetnsOutcome["audio"] = new Map();
  let crashed: string | undefined;
  try {
    audio = await Promise.race([performing, trouble.promise]);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    crashed = error.message;
  } finally {
    run.signal?.removeEventListener("abort", aborted);
    clock.stop();
    const over = performance.now();
    await scope.close();
    facts.downMs = performance.now() - over;
  }
  say("lab", crashed === undefined ? { ev: "end", reason: "finished" } : { ev: "end", reason: "crashed", detail: crashed });
  const { injected = [], ...told } = facts;
  const tails = [...parties.values()].map((one) => [one.name, one.stderrTail()] as const);
  return {
    ...log.finish(),
    virtualMs: scenario.duration / 1_000,
    audio,
    ...told,
    ...(injected.length === 0 ? {} : { scenario: { ...scenario, faults: [...scenario.faults, ...injected] } }),
    stderr: new Map(tails.filter(([, text]) => text !== "")),
    ...(crashed === undefined ? {} : { crashed }),
  };
}

type Stage = {
  readonly run: NetnsRun;
  readonly scope: Scope;
  readonly clock: RunClock;
  readonly log: MergedLog;
  readonly say: (who: string, saying: Saying) => void;
  readonly parties: Map<string, LabParty>;
  /** Filled in as it becomes known. */
  readonly facts: { driver: string; upMs?: number; downMs: number; injected?: readonly Fault[] };
  /** The run is over, for this reason. */
  readonly fail: (error: unknown) => void;
};

/** The run from an empty working folder to the last process's end; what each client heard. */
async function perform(stage: Stage): Promise<NetnsOutcome["audio"]> {
  const { run, scope, clock, log, say, parties, facts, fail } = stage;
  const { scenario, seed } = run;
  const began = performance.now();
  const randomness = makeRandomness(seed);
  const launcher = run.launcher ?? processLauncher;
  const names = Object.keys(scenario.parties);
  const id = run.id ?? toHex(new Uint8Array(randomBytes(3)));
  const work = await scope.acquire(
    () => workFolder(run.folder),
    (folder) => rm(folder, { recursive: true, force: true }),
  );
  await scope.acquire(
    async () => launcher,
    async () => launcher.close?.(),
  );
  const adopt = await scope.acquire(
    async () => launcher.adopt?.(id, names, work),
    async () => undefined, // closing the launcher is enough
  );
  const network = await scope.acquire(
    () => openNetwork({ run: id, scenario, seed, driver: run.driver ?? "auto", capture: run.capture, adopt, work, failed: fail }),
    (made) => made.close(),
  );
  const server = await scope.acquire(
    () => openControlServer(join(work, "control")),
    (made) => made.close(),
  );

  let epoch = 0;
  const stoodStill = ({ at, late, party, state }: StillDeed): void => {
    const t = Math.max(0, at - epoch);
    log.say(t, party, { ev: "process", state });
    // With the instant of what came late, by which it is known (reports/machine.ts).
    if (late >= LEAST_STALL_MS * 1_000) log.say(t, "lab", { ev: "stall", micros: late, cpuMicros: 0 });
  };
  const standStill = await scope.acquire(
    async () => openStandStill(stoodStill, fail),
    (made) => made.close(),
  );

  const messages = new Map<number, number>();
  const secrets = new Map(
    Object.entries(scenario.parties).map(([name, { identityOf: owner = name }]) => [
      name,
      randomness.stream(`identity/${owner}`).nextBytes(32),
    ]),
  );
  for (const name of names) {
    const secret = secrets.get(name) ?? new Uint8Array(32);
    const partners = await Promise.all(
      federates(scenario, name).map(async (other) => ({
        name: other,
        address: linkAddress(network, other),
        pin: (await loadOrMakeCertificate(stateOf(work, other))).fingerprint,
        fingerprint: identityFromSecret(nodeCrypto, secrets.get(other) ?? new Uint8Array(32)).fingerprint,
      })),
    );
    const plan = jobPlan(run, name, work, secret, { partners, addressesOf: network.addressesOf });
    const party = labParty(name, plan, {
      server,
      standStill,
      launcher,
      folder: work,
      namespace: network.namespaceOf(name),
      entry: run.entry ?? DEFAULT_ENTRY,
      said: (t, saying) => log.say(t, name, saying),
      say: (saying) => say(name, saying),
      touched: (fault, count) => messages.set(fault, (messages.get(fault) ?? 0) + count),
      crash: (why) => fail(new Crash(why)),
    });
    parties.set(name, party);
    await scope.acquire(
      async () => party,
      () => party.dispose(),
    );
  }
  await Promise.all([...parties.values()].map((party) => party.standBy(1 + successors(scenario, party.name))));
  const isStanding = scenario.faults.some(({ kind }) => kind === "pause" || kind === "starve");
  await Promise.all([network.ready(), ...(isStanding ? [standStill.ready()] : [])]);
  facts.driver = network.driver;
  facts.upMs = performance.now() - began;

  const goBack = await scope.acquire(
    async () => goFirst(),
    async (back) => back(),
  );
  epoch = clock.begin();
  network.begin(epoch, (t, saying) => log.say(t, "net", saying));
  const ignoreStalls = watchStalls((stall) => say("lab", stall));
  await scope.acquire(
    async () => ignoreStalls,
    async (ignore) => ignore(),
  );
  const relays = [...parties.values()].filter((party) => scenario.parties[party.name]?.role === "relay");
  const clients = [...parties.values()].filter((party) => !relays.includes(party));
  for (const party of [...relays, ...clients]) await party.start(epoch);
  const targetOf = (relay: string | undefined): RelayTarget | undefined => {
    const pin = relay === undefined ? undefined : parties.get(relay)?.pin;
    return relay === undefined || pin === undefined ? undefined : relayTarget(network.addressesOf(relay, PORT), pin);
  };
  /** The relay that each client's user wants it to be with: it is on its disk, so one that was killed goes there when it is started again. */
  const homes = new Map<string, RelayTarget>();
  const goHome = (client: string, when: { readonly at?: number } = {}): void => {
    const relay = homes.get(client);
    if (relay !== undefined) parties.get(client)?.order({ type: "command", command: { type: "register", relay }, ...when });
  };
  for (const { name } of clients) {
    const target = targetOf(clientPlan(scenario, name).relay);
    if (target === undefined) continue;
    homes.set(name, target);
    goHome(name, { at: randomness.stream(`register/${name}`).nextBelow(20_000) });
  }
  for (const call of scenario.calls) {
    const secret = secrets.get(call.callee);
    if (secret === undefined) continue;
    const peer = identityFromSecret(nodeCrypto, secret).fingerprint;
    // Told in advance: a call begins and lasts as it should, whatever keeps the laboratory's own thread.
    const plan = (at: number, command: Command): void => parties.get(call.caller)?.order({ type: "command", command, at });
    plan(call.at, { type: "call", peer });
    if (call.hangUpAt !== null) plan(call.hangUpAt, { type: "hang-up", reason: "hung-up" });
  }
  for (const [index, action] of (scenario.actions ?? []).entries())
    whenDue({ clock, log }, action.when, () => {
      const { party, does } = action;
      const target = does === "register" ? targetOf(action.relay) : undefined;
      const where = does === "register" && target !== undefined ? { relay: action.relay, address: target.address } : {};
      say(party, { ev: "action", action: index, does, ...where });
      if (target !== undefined) homes.set(party, target);
      else if (does === "deregister") homes.delete(party);
      const command: Command | undefined =
        does === "hang-up"
          ? { type: does, reason: "hung-up" }
          : does === "deregister"
            ? { type: does }
            : target && { type: does, relay: target };
      if (command !== undefined) parties.get(party)?.order({ type: "command", command });
    });
  const faults = armFaults(scenario, {
    ...{ seed, clock, epoch, log, network, parties, messages, say, fail },
    again: (client) => goHome(client),
    refugesFrom: (relay) =>
      relays.flatMap(({ name }) => {
        const target = name === relay ? undefined : targetOf(name);
        return target === undefined ? [] : [target];
      }),
  });
  facts.injected = faults.injected;
  run.onReady?.(faults);

  await clock.reached(scenario.duration);
  clock.stop();
  await faults.settled();
  goBack();
  await Promise.all(clients.map((client) => client.stop()));
  await Promise.all(relays.map((relay) => relay.quiet(IDLE_GRACE_MS)));
  await Promise.all(relays.map((relay) => relay.stop()));
  await network.settled();
  faults.finish();
  const audio = clients.map(async (one) => [one.name, await readRecordings(one.recordings)] as const);
  return new Map(await Promise.all(audio));
}

/**
 * How many processes a party will need beside its first: loaded before the run, they cost the call nothing, and are there when a fault is healed.
 * chosen: three at most, at some 60 MB each; more load while the fault lasts.
 */
const successors = (scenario: Scenario, party: string): number =>
  Math.min(
    3,
    scenario.faults.filter(
      (fault) => (fault.kind === "kill" || fault.kind === "drain") && fault.target === party && fault.for !== null,
    ).length,
  );

const DEFAULT_ENTRY = {
  module: fileURLToPath(new URL(`../impl/bin/controlled-party${extname(import.meta.filename)}`, import.meta.url)),
  args: [],
};

/** Where a relay keeps its certificate. The relays it federates with need to know it before it runs: whoever comes first makes it. */
const stateOf = (work: string, relay: string): string => join(work, `${relay}-state`);

/** Relays link over IPv4 where they have it. */
const linkAddress = (network: RealNetwork, relay: string): Address => network.addressesOf(relay, PORT).at(-1) ?? "";

/** What a party needs to know of others. */
type Others = { readonly partners: readonly PeerRelay[]; readonly addressesOf: RealNetwork["addressesOf"] };

function jobPlan(run: NetnsRun, name: string, work: string, secret: Uint8Array, others: Others): JobPlan {
  const { partners, addressesOf } = others;
  const party = run.scenario.parties[name];
  if (party?.role !== "client")
    return () => ({
      role: "relay",
      port: PORT,
      state: stateOf(work, name),
      ...(partners.length === 0 ? {} : { federation: { secret: toHex(secret), peers: partners } }),
      ...(party?.losesResetKey === true ? { losesResetKey: true } : {}),
    });
  const plan = clientPlan(run.scenario, name);
  const says = plan.says === "tone" ? "tone" : run.speech.get(plan.says);
  if (says === undefined)
    throw new RangeError(`speech ${plan.says}: not among ${[...run.speech.keys()].join(", ") || "none given"}`);
  return (incarnation) => ({
    role: "client",
    port: PORT,
    secret: toHex(secret),
    says,
    record: join(work, `${name}-${incarnation}.wav`),
    driftPpm: party.driftPpm,
    jitterBuffer: run.scenario.jitterBuffer,
    fec: plan.fec,
    voice: plan.voice,
    goodbyeMs: GRACE_MS,
    stun: plan.stun.flatMap((relay) => addressesOf(relay, PORT)),
    ...(plan.iceTransportPolicy === undefined ? {} : { iceTransportPolicy: plan.iceTransportPolicy }),
    ...answerOf(plan),
  });
}

const answerOf = ({ answer }: ClientPlan): { answer?: { mode: "AcceptTrusted" | "AcceptGeneric" | "Reject"; after: Micros } } =>
  answer === undefined ? {} : { answer: { mode: answer.mode, after: answer.after as Micros } };

/** In `folder` when a Unix socket in it has a path that fits, else in the system's folder for temporary files. */
function workFolder(folder: string): Promise<string> {
  const prefix = "mc-";
  const fits = Buffer.byteLength(resolve(folder, `${prefix}XXXXXX`, "control")) <= SOCKET_PATH;
  return mkdtemp(resolve(fits ? folder : tmpdir(), prefix));
}
