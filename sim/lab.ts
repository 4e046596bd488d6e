/**
 * The virtual-time laboratory: runs one scenario from one seed and gives the same log every time. Everything random is keyed
 * by (seed, stream name); nothing here knows a clock but the kernel's.
 */
import type { Address } from "../impl/base/address.ts";
import { InvariantError } from "../impl/base/invariant.ts";
import { hashName, randomness as makeRandomness } from "../impl/base/random.ts";
import type { LogRecord } from "../impl/base/record.ts";
import { Instant, Micros, seconds } from "../impl/base/units.ts";
import type { View } from "../impl/base/view.ts";
import { type AudioSource, loop, silence, tone } from "../impl/core/audio-source.ts";
import * as client from "../impl/core/client.ts";
import { type CodecEngine, FRAME_SAMPLES, GOOD, SAMPLE_RATE } from "../impl/core/codec.ts";
import type { CryptoEngine } from "../impl/core/crypto.ts";
import type { BlockCodes } from "../impl/core/fec/block-code.ts";
import { type Identity, identityFromSecret } from "../impl/core/identity.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import * as relay from "../impl/core/relay.ts";
import { DEFAULT_SESSION } from "../impl/core/session.ts";
import type { NoiseRemover } from "../impl/core/silence/noise-remover.ts";
import { DEFAULT_BACKOFF, type RelayTarget } from "../impl/core/supervisor.ts";
import { onePerFamily, relayTarget } from "../scenarios/address-family.ts";
import { type ClientPlan, clientPlan, federates } from "../scenarios/client-plan.ts";
import { crowdOf } from "../scenarios/crowd-language.ts";
import type { Action, Scenario } from "../scenarios/expanded.ts";
import { captureInto } from "./capture.ts";
import { applyFaults, type Faultable, whenDue } from "./faults.ts";
import { Kernel } from "./kernel.ts";
import { Network } from "./network.ts";
import { type LabWorld, PartyProcess } from "./party-process.ts";
import { describePayload } from "./quic/packet.ts";
import { RunLog } from "./run-log.ts";
import { sizedCodec2 } from "./sized-codec.ts";
import { SpeechTap } from "./speech-tap.ts";
import { TURNS, turns } from "./turns.ts";

export type Engines = {
  readonly codec: CodecEngine;
  readonly crypto: CryptoEngine;
  /** The sized one beside a sized codec when not given; else none: the real library draws phases for the whole process, so it is not repeatable. */
  readonly codec2?: CodecEngine;
  /** Why it is absent, for the log. */
  readonly noCodec2?: string;
  /** For clients that remove noise; absent: they do not. */
  readonly noiseRemover?: NoiseRemover;
  /** Codes for forward error correction; those that need no WebAssembly when not given. */
  readonly codes?: BlockCodes;
};

export type LabRun = {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Called for every line as it is written. */
  readonly onLine?: (line: string, record: LogRecord) => void;
  /** False: neither records nor lines are kept (long runs, benchmarks); `records`: no lines. */
  readonly keep?: boolean | "records";
  /** Collect what each client heard. */
  readonly wav?: boolean;
  /** Speech by the names that calls use (48 kHz mono). */
  readonly speech?: ReadonlyMap<string, Int16Array>;
  /** Collect what each interface sent and received. */
  readonly capture?: boolean;
};

export type LabOutcome = {
  readonly records: readonly LogRecord[];
  readonly lines: readonly string[];
  /** Rolling hash of the whole log. */
  readonly hash: string;
  /** The scenario's duration; the time in which parties let go at the end is not counted. */
  readonly virtualMs: number;
  /** What each client heard from the start of the run, 48 kHz mono. */
  readonly audio: ReadonlyMap<string, Int16Array>;
  /** What each client said and heard, by instant; empty unless `wav` was asked for. */
  readonly taps: ReadonlyMap<string, SpeechTap>;
  /** A bug of ours: the run ended early. */
  readonly crashed?: string;
  /** Captures by interface, `alice/wlan0`: pcapng files in parts; empty unless asked for. */
  readonly captures: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Kernel events executed. */
  readonly events: number;
};

/** Time given to clients to hang up and let go, virtual. chosen: a client lingers for 0.3 s and four round trips, and no handshake takes 4 s. */
const GRACE: Micros = seconds(17);
/**
 * Time given to relays after that, so that their own limits can do their work: a session whose CONNECTION_CLOSE was lost ends by its
 * idle timeout, a call whose hang-up was lost when nobody resumes it. What is still held then is held for ever.
 */
const IDLE_GRACE: Micros = Micros(DEFAULT_SESSION.idleTimeout + relay.DEFAULTS.resumeWithin + 2_000_000);
/** UDP port of relays and of clients; each has a host of its own. */
const PORT = 4_433;

/** A run that has begun, at instant 0. After `finish` it is over. */
export type SimSession = {
  readonly now: Instant;
  /** Runs everything due at or before `until` (the scenario's end at most). */
  advance(until: Instant): void;
  /** Runs the next action, if one is due at or before `until` (the scenario's end at most); false when none is. */
  step(until: Instant): boolean;
  /** Every party, NAT and packet under way as it stands. Packets are known only to a session that was opened `watched`. */
  view(): SimView;
  /** Runs the rest, lets the parties go, and tells the outcome. */
  finish(): LabOutcome;
};

export type SimView = {
  readonly at: Instant;
  readonly parties: Readonly<Record<string, View>>;
  /** Live mappings by NAT. */
  readonly nats: Readonly<Record<string, View>>;
  /** What is on the links, by number, the first to arrive first. */
  readonly flights: Readonly<Record<string, View>>;
};

/** Runs a scenario from its beginning to its end. */
export const runSim = (run: LabRun, engines: Engines): LabOutcome => openSim(run, engines).finish();

/** Sets a run up, at instant 0; `watched` remembers what is on the links. */
export function openSim(run: LabRun, engines: Engines, watched = false): SimSession {
  const { scenario, seed } = run;
  const kernel = new Kernel();
  const randomness = makeRandomness(seed);
  const records: LogRecord[] = [];
  const lines: string[] = [];
  const log = new RunLog(
    () => kernel.now,
    (line, record) => {
      run.onLine?.(line, record);
      if (run.keep === false) return;
      records.push(record);
      if (run.keep !== "records") lines.push(line);
    },
  );
  const say: LabWorld["say"] = (who, saying) => log.say(who, saying);
  say("lab", {
    ev: "run",
    schema: "midcall/log@1",
    scenario: scenario.name,
    lab: "sim",
    seed: `0x${seed.toString(16)}`,
    codec: engines.codec.mode,
    crypto: engines.crypto.mode,
    jitterBuffer: scenario.jitterBuffer,
  });
  const captures = new Map<string, Uint8Array[]>();
  const crowd = crowdOf(scenario);
  const parties = { ...scenario.parties, ...crowd };
  const network = new Network({
    ...{ kernel, randomness, nats: scenario.nats, parties, say, watched },
    ...(run.capture === true ? { crossed: captureInto(captures, scenario) } : {}),
  });
  const world: LabWorld = { kernel, network, randomness, say };
  const heard = new Map<string, Map<number, Int16Array>>();
  const taps = new Map<string, SpeechTap>();

  const identities = new Map<string, Identity>();
  for (const [name, { identityOf: owner = name }] of Object.entries(parties))
    identities.set(name, identityFromSecret(engines.crypto, randomness.stream(`identity/${owner}`).nextBytes(32)));
  const identityOf = (name: string): Identity => must(identities.get(name), `party ${name}`);

  /** What stands for the SHA-256 of a party's certificate. */
  const certificateOf = (name: string): string => `${hashName(`${seed}/${name}`).toString(16).padStart(8, "0")}`.repeat(8);

  // What parties are configured with: it stays while an interface is down.
  const configured = new Map(Object.keys(parties).map((name) => [name, onePerFamily(network.addresses(name), PORT)]));
  const addressesOf = (name: string): readonly Address[] => configured.get(name) ?? [];
  /** The one that others are known to reach: relays link over IPv4 where they have it. */
  const addressOf = (name: string): Address => must(addressesOf(name).at(-1), `an address of ${name}`);

  /** Only where a router speaks it: anywhere else its searches were so many packets for nobody. */
  const usesUpnp = Object.values(scenario.nats).some(({ portMapping }) => portMapping === "upnp-igd");
  const relays = new Map<string, PartyProcess<relay.Input>>();
  const clients = new Map<string, PartyProcess<client.Input>>();
  const targets = new Map<string, RelayTarget>();
  /** The relay that each client's user wants it to be with: it is on its disk, so one that was killed goes there when it is started again. */
  const homes = new Map<string, RelayTarget>();
  for (const [name, party] of Object.entries(parties)) {
    if (party.role === "relay") {
      const fingerprint = certificateOf(name);
      const partners = federates(scenario, name);
      targets.set(name, relayTarget(addressesOf(name), fingerprint));
      relays.set(
        name,
        new PartyProcess(world, {
          name,
          port: PORT,
          driftPpm: party.driftPpm,
          session: DEFAULT_SESSION,
          server: (incarnation) => ({
            fingerprint,
            resetKey: party.losesResetKey === true ? `${name}/${seed}/${incarnation}` : `${name}/${seed}`,
          }),
          ...(partners.length === 0 ? {} : { first: () => ({ type: "start" }) as const }),
          drain: (within) => ({
            type: "drain",
            within,
            refuges: [...targets].flatMap(([one, target]) => (one === name ? [] : [target])),
          }),
          machine: (incarnation) => {
            const entropy = randomness.stream(`entropy/${name}/${incarnation}`);
            return relay.relay({
              ...relay.DEFAULTS,
              fingerprint,
              crypto: engines.crypto,
              ...(partners.length === 0
                ? {}
                : {
                    federation: {
                      name,
                      identity: identityOf(name),
                      entropy: (length) => entropy.nextBytes(length),
                      backoff: DEFAULT_BACKOFF,
                      peers: partners.map((other) => ({
                        name: other,
                        address: addressOf(other),
                        pin: certificateOf(other),
                        fingerprint: identityOf(other).fingerprint,
                      })),
                    },
                  }),
            });
          },
        }),
      );
      continue;
    }
    const plan = clientPlan(scenario, name);
    const source = sourceOf(run, engines, plan);
    const frames = new Map<number, Int16Array>();
    const tap = new SpeechTap(() => kernel.now);
    if (run.wav === true) {
      heard.set(name, frames);
      taps.set(name, tap);
    }
    const answer = plan.answer === undefined ? undefined : { mode: plan.answer.mode, after: plan.answer.after as Micros };
    const policy = plan.iceTransportPolicy;
    const certificate = policy === "all" ? certificateOf(name) : undefined;
    clients.set(
      name,
      new PartyProcess<client.Input>(world, {
        name,
        port: PORT,
        driftPpm: party.driftPpm,
        session: DEFAULT_SESSION,
        watchesNetwork: crowd[name] === undefined,
        first: (incarnation) => {
          const home = homes.get(name);
          return incarnation === 1 || home === undefined
            ? undefined
            : { type: "command", command: { type: "register", relay: home } };
        },
        ...(certificate === undefined ? {} : { server: () => ({ fingerprint: certificate, resetKey: `${name}/${seed}` }) }),
        machine: (incarnation) => {
          const entropy = randomness.stream(`entropy/${name}/${incarnation}`);
          return client.client({
            identity: identityOf(name),
            crypto: engines.crypto,
            codec: run.wav === true ? tap.tapped(engines.codec) : engines.codec,
            settings: GOOD,
            jitterBuffer: scenario.jitterBuffer,
            fec: { scheme: plan.fec, codes: engines.codes ?? DEFAULT_FEC.codes },
            voice: {
              ...plan.voice,
              codec2: engines.codec2 ?? (engines.codec.mode === "sized" ? sizedCodec2 : undefined),
              noCodec2: engines.noCodec2,
              noiseRemover: engines.noiseRemover,
            },
            entropy: (length) => entropy.nextBytes(length),
            answer,
            ...(certificate === undefined ? {} : { certificate }),
            ...(policy === undefined ? {} : { iceTransportPolicy: policy }),
            stun: plan.stun.flatMap(addressesOf),
            backoff: DEFAULT_BACKOFF,
            probeEvery: client.DEFAULT_PROBE,
            usesUpnp,
          });
        },
        speaksHttp: usesUpnp,
        ...(crowd[name] === undefined
          ? {
              audio: {
                capture: () => ({ type: "capture", pcm: source.next() }),
                playout: () => ({ type: "playout" }),
                play: (tick, pcm) => {
                  if (run.wav !== true) return;
                  frames.set(tick, pcm);
                  tap.played(pcm);
                },
              },
            }
          : {}),
      }),
    );
  }

  const order = (name: string, command: client.Command): void =>
    must(clients.get(name), `client ${name}`).input({ type: "command", command });
  const act = (action: Action, index: number): void => {
    const { party, does } = action;
    const target = does === "register" ? must(targets.get(action.relay), `relay ${action.relay}`) : undefined;
    const told = { ev: "action", action: index, does } as const;
    if (target !== undefined) homes.set(party, target);
    else if (does === "deregister") homes.delete(party);
    if (does !== "register" || target === undefined) {
      say(party, told);
      return order(party, does === "deregister" ? { type: does } : { type: "hang-up", reason: "hung-up" });
    }
    say(party, { ...told, relay: action.relay, address: target.address });
    order(party, { type: "register", relay: target });
  };
  let crashed: string | undefined;
  /** Does `what`; a bug of ours ends the run, and nothing more is done. */
  const attempt = (what: () => void): void => {
    if (crashed !== undefined) return;
    try {
      what();
    } catch (error) {
      if (!(error instanceof InvariantError || error instanceof TypeError || error instanceof RangeError)) throw error;
      crashed = error.stack ?? error.message;
      say("lab", { ev: "end", reason: "crashed", detail: error.message });
    }
  };
  const traffic = (): void => {
    for (const name of Object.keys(scenario.parties))
      say(name, { ev: "network", ...network.counters(name), ...(relays.get(name) ?? clients.get(name))?.stun });
    for (const process of clients.values()) process.tellStatistics();
  };
  let faults: ReturnType<typeof applyFaults> | undefined;
  const begin = (): void => {
    for (const process of relays.values()) process.start();
    for (const [name, process] of clients) {
      process.start();
      const home = clientPlan(scenario, name).relay;
      if (home === undefined) continue;
      const target = must(targets.get(home), `relay ${home}`);
      homes.set(name, target);
      kernel.post(
        randomness
          .stream(`register/${name}`)
          .nextBelow(crowd[name] === undefined ? 20_000 : Math.max(1, scenario.crowd?.over ?? 0)) as Instant,
        () => order(name, { type: "register", relay: target }),
      );
    }
    for (const call of scenario.calls) {
      kernel.post(Instant(call.at), () => order(call.caller, { type: "call", peer: identityOf(call.callee).fingerprint }));
      if (call.hangUpAt !== null)
        kernel.post(Instant(call.hangUpAt), () => order(call.caller, { type: "hang-up", reason: "hung-up" }));
    }
    for (const [index, action] of (scenario.actions ?? []).entries())
      whenDue({ kernel, log }, action.when, () => act(action, index));
    faults = applyFaults(scenario, {
      ...world,
      log,
      processes: new Map<string, Faultable>([...relays, ...clients]),
    });
    const everySecond = (at: Instant): void => {
      kernel.post(at, () => {
        traffic();
        if (at + 1_000_000 < scenario.duration) everySecond(Instant.after(at, seconds(1)));
      });
    };
    everySecond(Instant(1_000_000));
  };
  const end = (): void => {
    kernel.run(Instant(scenario.duration));
    faults?.finish();
    for (const name of clients.keys()) order(name, { type: "stop" });
    kernel.run(Instant.after(Instant(scenario.duration), GRACE));
    for (const process of clients.values()) {
      process.input({ type: "held" });
      process.exit();
    }
    traffic();
    kernel.run(Instant.after(kernel.now, IDLE_GRACE));
    for (const process of relays.values()) {
      process.input({ type: "held" });
      process.input({ type: "stop" });
      process.exit();
    }
    say("lab", { ev: "end", reason: "finished" });
  };
  const within = (until: Instant): Instant => Math.min(until, scenario.duration) as Instant;
  attempt(begin);
  return {
    get now() {
      return kernel.now;
    },
    advance: (until) => attempt(() => kernel.run(within(until))),
    step: (until) => {
      let went = false;
      attempt(() => {
        went = kernel.step(within(until));
      });
      return went;
    },
    view: () => ({
      at: kernel.now,
      parties: Object.fromEntries([...relays, ...clients].map(([name, process]) => [name, process.view()])),
      nats: Object.fromEntries(Object.keys(scenario.nats).map((name) => [name, [...network.mappings(name)]])),
      flights: Object.fromEntries(
        network
          .flights()
          .map(({ number, packet, ...flight }) => [
            `#${number}`,
            { ...flight, bytes: packet.bytes, what: describePayload(packet.payload) },
          ]),
      ),
    }),
    finish: () => {
      attempt(end);
      return {
        records,
        lines,
        hash: log.digest(),
        virtualMs: scenario.duration / 1_000,
        audio: new Map([...heard].map(([name, frames]) => [name, laidOut(frames)])),
        taps,
        captures,
        events: kernel.executed,
        ...(crashed === undefined ? {} : { crashed }),
      };
    },
  };
}

/** Nobody listens to a sized codec: what its parties say only tells speech from silence, where that matters. */
function sourceOf(run: LabRun, engines: Engines, { says, voice }: ClientPlan): AudioSource {
  if (engines.codec.mode === "sized") {
    const side = TURNS.get(says);
    if (!voice.dtx) return silence();
    return side === undefined ? tone(440) : loop(tonesInTurns(side));
  }
  if (says === "tone") return tone(440);
  const pcm = run.speech?.get(says);
  if (pcm === undefined)
    throw new RangeError(`speech ${says}: not among ${[...(run.speech?.keys() ?? [])].join(", ") || "none given"}`);
  return loop(pcm);
}

/** A tone in the turns of a side, made once: it is the same in every run, and 20 s of it take longer than many a whole run does. */
function tonesInTurns(side: "speech-a" | "speech-b"): Int16Array {
  const made = TONES_IN_TURNS.get(side) ?? turns(side, aSecond(tone(440)));
  TONES_IN_TURNS.set(side, made);
  return made;
}
const TONES_IN_TURNS: Map<"speech-a" | "speech-b", Int16Array> = new Map();

/** The first second of `source`. */
function aSecond(source: AudioSource): Int16Array {
  const pcm = new Int16Array(SAMPLE_RATE);
  for (let at = 0; at < SAMPLE_RATE; at += FRAME_SAMPLES) pcm.set(source.next(), at);
  return pcm;
}

/** Frames at their ticks, silence between. */
function laidOut(frames: ReadonlyMap<number, Int16Array>): Int16Array {
  let last = -1;
  for (const tick of frames.keys()) if (tick > last) last = tick;
  const out = new Int16Array((last + 1) * FRAME_SAMPLES);
  for (const [tick, pcm] of frames) out.set(pcm, tick * FRAME_SAMPLES);
  return out;
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`the scenario names ${what}, which the lab does not know`);
  return value;
}
