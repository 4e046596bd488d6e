/** The client process: registers, calls or answers, speaks a file or a tone, records what it hears. */
import { randomBytes } from "node:crypto";
import type { Address } from "../base/address.ts";
import { type FecScheme, NO_FEC } from "../base/fec-scheme.ts";
import { DEFAULT_JITTER_BUFFER, type JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";
import { type AudioSource, DEVICE_MICROS, loop, silence, tone } from "../core/audio-source.ts";
import * as client from "../core/client.ts";
import { type ClientEvent, eventOf } from "../core/client-event.ts";
import { type CodecEngine, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../core/codec.ts";
import type { IceTransportPolicy } from "../core/ice/client-ice.ts";
import type { Identity } from "../core/identity.ts";
import { DEFAULT_FEC } from "../core/media-stream.ts";
import { type Rehearsed, rehearse } from "../core/rehearsal.ts";
import { DEFAULT_BACKOFF, type RelayTarget } from "../core/supervisor.ts";
import { DEFAULT_VOICE, type VoiceOptions } from "../core/voice/options.ts";
import { type Certificate, makeCertificate } from "../io/certificate.ts";
import { loadCodec2, type NoCodec2 } from "../io/codec2.ts";
import { monotonicClock } from "../io/monotonic-clock.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { loadOpusWasm } from "../io/opus-wasm.ts";
import { loadRaptorQ } from "../io/raptorq.ts";
import { readWav, WavError, WavSink } from "../io/wav.ts";
import { type Layer, openParty } from "./party.ts";

/** What is spoken: a WAV file, what a source gives, a 440 Hz tone, nothing, or back what is heard. */
export type Voice = { readonly file: string } | { readonly source: AudioSource } | "tone" | "silence" | "echo";

/** What a client is told about how it speaks; what it has to speak with it finds out itself. */
export type VoiceChoice = Pick<VoiceOptions, "tier" | "adaptsFec" | "dtx" | "denoise">;

/** What a client is told about its media. */
export type MediaChoice = {
  /** DEFAULT_JITTER_BUFFER unless told. */
  readonly jitterBuffer?: JitterBufferName;
  /** What it sends with when the peer can make use of it; nothing twice when not given. */
  readonly fec?: FecScheme;
  /** Tier and adaptive redundancy; DEFAULT_VOICE when not given. */
  readonly voiceChoice?: VoiceChoice;
};

/** What calls are made of, loaded and rehearsed. */
export type ReadyMedia = Rehearsed;

export type ClientOptions = MediaChoice & {
  readonly name: string;
  readonly identity: Identity;
  /** Registered with at once; undefined: not before a command says so. */
  readonly relay: RelayTarget | undefined;
  readonly answer: client.AnswerPolicy | undefined;
  readonly voice: Voice;
  /** WAV file of what is heard. */
  readonly record?: string;
  /** The recording begins at the epoch and holds silence where nothing was played, instead of only what was played. */
  readonly recordsFromEpoch?: boolean;
  readonly log?: string;
  readonly epoch?: number;
  readonly onSaying?: (saying: Saying, at: Instant) => void;
  /** For a user interface: every change of registration and call, the same as in the log. */
  readonly onEvent?: (event: ClientEvent, at: Instant) => void;
  /** UDP port; any free one when not given. */
  readonly port?: number;
  /** How much faster than true time the audio device runs, parts in a million. */
  readonly driftPpm?: number;
  /** What `readyMedia` gave for the same choices; made anew when not given. */
  readonly media?: ReadyMedia;
  /**
   * W3C `RTCIceTransportPolicy`: `all` tries direct paths, `relay` reveals no address. Not given: the endpoint accepts no sessions, as a client of before
   * direct paths, and calls go by the relay.
   */
  readonly iceTransportPolicy?: IceTransportPolicy;
  /** What the endpoint accepts peers with; a new one when not given. */
  readonly certificate?: Certificate;
  /** STUN servers besides the relay. */
  readonly stun?: readonly Address[];
  readonly layer?: Layer;
  /** Address and TCP port that Prometheus scrapes; undefined: none. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** How long `stop` waits for sessions to close, milliseconds. */
  readonly goodbyeMs?: number;
  /** Told once for the log and once for the recording when it can no longer be written (WavError, IoError); the client goes on without it. */
  readonly onTrouble?: (error: Error) => void;
};

export type RunningClient = {
  readonly local: Address;
  /** Of the metrics port, when there is one. */
  readonly metrics: Address | undefined;
  command(command: client.Command): void;
  /** Has it say what it holds. */
  held(): void;
  /** Hangs up, deregisters, closes everything; what was recorded is complete on disk afterwards. */
  stop(): Promise<void>;
};

/** How long a client that stops waits for its sessions to close. chosen: the core lingers for 0.3 s, the rest is for a busy machine. */
const GOODBYE_MS = 1_000;

/** Loads what calls are made of and has it rehearse, which takes some 0.2 s of a processor: the first call is then as smooth as the second. */
export async function readyMedia({ jitterBuffer, fec, voiceChoice }: MediaChoice): Promise<ReadyMedia> {
  // An encoder for each tier that a call takes.
  const codec = await loadOpusWasm({ encoders: 4, decoders: 2 });
  const media: ReadyMedia = {
    crypto: nodeCrypto,
    codec,
    settings: GOOD,
    jitterBuffer: jitterBuffer ?? DEFAULT_JITTER_BUFFER,
    fec: { scheme: fec ?? NO_FEC, codes: new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()]]) },
    voice: {
      ...(voiceChoice ?? DEFAULT_VOICE),
      ...codec2Of(loadCodec2()),
      // Half a second of compiling, for those who want it.
      ...(voiceChoice?.denoise === true ? { noiseRemover: await (await import("../io/rnnoise.ts")).loadRnnoise() } : {}),
    },
  };
  rehearse(media);
  await codec.refilled();
  return media;
}

export async function runClient(options: ClientOptions): Promise<RunningClient> {
  const media = options.media ?? (await readyMedia(options));
  const source = await sourceOf(options.voice);
  const sink = options.record === undefined ? undefined : new WavSink(options.record);
  let isRecording = true;
  const heard: Int16Array[] = [];
  const trouble = (error: Error): void => options.onTrouble?.(error);
  const sessions = new Set<number>();
  let quiet: (() => void) | undefined;
  const policy = options.iceTransportPolicy;
  const certificate = policy === "all" ? (options.certificate ?? makeCertificate()) : undefined;
  const party = await openParty<client.Input>({
    who: options.name,
    host: "::",
    port: options.port ?? 0,
    log: options.log,
    epoch: options.epoch,
    machine: client.client({
      identity: options.identity,
      ...media,
      entropy: (length) => new Uint8Array(randomBytes(length)),
      unixMsAtStart: Date.now() - Math.floor(monotonicClock(options.epoch).now() / 1_000),
      answer: options.answer,
      ...(certificate === undefined ? {} : { certificate: certificate.fingerprint }),
      ...(policy === undefined ? {} : { iceTransportPolicy: policy }),
      stun: options.stun ?? [],
      usesUpnp: true,
      backoff: DEFAULT_BACKOFF,
      probeEvery: client.DEFAULT_PROBE,
    }),
    watchesNetwork: true,
    tellsSessions: true,
    ...(certificate === undefined ? {} : { certificate }),
    ...(options.layer === undefined ? {} : { layer: options.layer }),
    ...(options.metrics === undefined ? {} : { metrics: { ...options.metrics, sources: ["process", "client"] } }),
    onSaying: (saying, at) => {
      options.onSaying?.(saying, at);
      const event = options.onEvent === undefined ? undefined : eventOf(saying);
      if (event !== undefined) options.onEvent?.(event, at);
      if (saying.ev !== "session") return;
      if (saying.state === "connecting") sessions.add(saying.session);
      if (saying.state === "closed" && sessions.delete(saying.session) && sessions.size === 0) quiet?.();
    },
    onTrouble: trouble,
    play: (pcm) => {
      if (sink !== undefined && isRecording) record(sink, pcm);
      if (options.voice === "echo" && heard.push(pcm) > 5) heard.shift();
    },
  });
  const frame = FRAME_MICROS * (1 - (options.driftPpm ?? 0) / 1e6);
  const began = party.now();
  let ticks = 0;
  let timer: NodeJS.Timeout;
  const silent = new Int16Array(FRAME_SAMPLES);
  const write = (file: WavSink, pcm: Int16Array): void => {
    if (options.recordsFromEpoch === true) {
      const gap = Math.round((began + ticks * frame) / FRAME_MICROS) * FRAME_SAMPLES - file.samples;
      if (gap > 0) file.append(new Int16Array(gap));
      else if (gap < 0) return; // the device is ahead of true time by a frame
    }
    file.append(pcm);
  };
  /** A disk that is full is no reason to lose the call, or to say so fifty times a second. */
  const record = (file: WavSink, pcm: Int16Array): void => {
    try {
      write(file, pcm);
    } catch (error) {
      if (!(error instanceof WavError)) throw error;
      isRecording = false;
      trouble(error);
    }
  };
  /** The audio device: a frame each way every 20 ms of its own clock, caught up with when the machine was busy. */
  const beat = (): void => {
    const late = party.now() - (began + ticks * frame);
    if (late > DEVICE_MICROS) ticks += Math.floor(late / frame);
    while (began + ticks * frame <= party.now()) {
      party.input({ type: "capture", pcm: source?.next() ?? heard.shift() ?? silent });
      party.input({ type: "playout" });
      ticks++;
    }
    timer = setTimeout(beat, Math.max(0, began + ticks * frame - party.now()) / 1_000);
  };
  timer = setTimeout(beat, 0);
  if (options.relay !== undefined) party.input({ type: "command", command: { type: "register", relay: options.relay } });
  return {
    local: party.local,
    metrics: party.metrics,
    command: (command) => party.input({ type: "command", command }),
    held: () => party.input({ type: "held" }),
    stop: async () => {
      clearTimeout(timer);
      party.input({ type: "command", command: { type: "stop" } });
      await new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, options.goodbyeMs ?? GOODBYE_MS);
        quiet = () => {
          clearTimeout(patience);
          resolve();
        };
        if (sessions.size === 0) quiet();
      });
      party.input({ type: "held" });
      await party.close();
      sink?.close();
    },
  };
}

const codec2Of = (found: CodecEngine | NoCodec2): Pick<VoiceOptions, "codec2" | "noCodec2"> =>
  "reason" in found ? { noCodec2: found.reason } : { codec2: found };

/** Undefined for an echo: it speaks what it heard. */
async function sourceOf(voice: Voice): Promise<AudioSource | undefined> {
  if (voice === "echo") return undefined;
  if (voice === "tone") return tone(440);
  if (voice === "silence") return silence();
  return "source" in voice ? voice.source : loop(await readWav(voice.file));
}
