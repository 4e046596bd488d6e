/** The client process: registers, calls or answers, speaks a file or a tone, records what it hears. */
import { randomBytes } from "node:crypto";
import type { Address } from "../base/address.ts";
import type { Saying } from "../base/record.ts";
import { type AudioSource, loop, silence, tone } from "../core/audio-source.ts";
import * as client from "../core/client.ts";
import { FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../core/codec.ts";
import type { Identity } from "../core/identity.ts";
import { DEFAULT_BACKOFF, type RelayTarget } from "../core/supervisor.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { loadOpusWasm } from "../io/opus-wasm.ts";
import { readWav, WavSink } from "../io/wav.ts";
import { openParty } from "./party.ts";

/** What is spoken: a WAV file, a 440 Hz tone, nothing, or back what is heard. */
export type Voice = { readonly file: string } | "tone" | "silence" | "echo";

export type ClientOptions = {
  readonly name: string;
  readonly identity: Identity;
  readonly relay: RelayTarget;
  readonly answer: client.AnswerPolicy | undefined;
  readonly voice: Voice;
  /** WAV file of what is heard. */
  readonly record?: string;
  readonly log?: string;
  readonly epoch?: number;
  readonly onSaying?: (saying: Saying) => void;
};

export type RunningClient = {
  readonly local: Address;
  command(command: client.Command): void;
  /** Hangs up, deregisters, closes everything; what was recorded is complete on disk afterwards. */
  stop(): Promise<void>;
};

/** How long a client that stops waits for its sessions to close. chosen: the core lingers for 0.3 s, the rest is for a busy machine. */
const GOODBYE_MS = 1_000;

export async function runClient(options: ClientOptions): Promise<RunningClient> {
  const codec = await loadOpusWasm({ encoders: 2, decoders: 2 });
  const sink = options.record === undefined ? undefined : new WavSink(options.record);
  const heard: Int16Array[] = [];
  const source = await sourceOf(options.voice);
  const sessions = new Set<number>();
  let quiet: (() => void) | undefined;
  const party = await openParty<client.Input>({
    who: options.name,
    host: options.relay.address.startsWith("[") ? "::" : "0.0.0.0",
    port: 0,
    log: options.log,
    epoch: options.epoch,
    machine: client.client({
      identity: options.identity,
      crypto: nodeCrypto,
      codec,
      settings: GOOD,
      entropy: (length) => new Uint8Array(randomBytes(length)),
      answer: options.answer,
      backoff: DEFAULT_BACKOFF,
      probeEvery: client.DEFAULT_PROBE,
    }),
    onSaying: (saying) => {
      options.onSaying?.(saying);
      if (saying.ev !== "session") return;
      if (saying.state === "connecting") sessions.add(saying.session);
      if (saying.state === "closed" && sessions.delete(saying.session) && sessions.size === 0) quiet?.();
    },
    play: (pcm) => {
      sink?.append(pcm);
      if (options.voice === "echo" && heard.push(pcm) > 5) heard.shift();
    },
  });
  const began = party.now();
  let ticks = 0;
  let timer: NodeJS.Timeout;
  const silent = new Int16Array(FRAME_SAMPLES);
  /** The audio device: a frame each way every 20 ms, caught up with when the machine was busy. */
  const beat = (): void => {
    while (began + ticks * FRAME_MICROS <= party.now()) {
      ticks++;
      party.input({ type: "capture", pcm: source?.next() ?? heard.shift() ?? silent });
      party.input({ type: "playout" });
    }
    timer = setTimeout(beat, Math.max(0, began + ticks * FRAME_MICROS - party.now()) / 1_000);
  };
  timer = setTimeout(beat, 0);
  party.input({ type: "command", command: { type: "register", relay: options.relay } });
  return {
    local: party.local,
    command: (command) => party.input({ type: "command", command }),
    stop: async () => {
      clearTimeout(timer);
      party.input({ type: "command", command: { type: "stop" } });
      await new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, GOODBYE_MS);
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

/** Undefined for an echo: it speaks what it heard. */
async function sourceOf(voice: Voice): Promise<AudioSource | undefined> {
  if (voice === "echo") return undefined;
  if (voice === "tone") return tone(440);
  if (voice === "silence") return silence();
  return loop(await readWav(voice.file));
}
