/**
 * `midcall bench neteq`: a real NetEq beside ours. Headless Chromium sends the same speech to itself through a relay on loopback that drops and delays by the very list our
 * sender and receiver are given, in virtual time. Chromium runs by the wall clock, so a busy machine is jitter to it: it and the relay go before all ordinary work.
 */

import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { FecScheme } from "../impl/base/fec-scheme.ts";
import { Instant } from "../impl/base/units.ts";
import { type CodecEngine, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import type { JitterStatistics } from "../impl/core/jitter-statistics.ts";
import { capabilities, DEFAULT_FEC, MediaStream } from "../impl/core/media-stream.ts";
import { DEFAULT_VOICE } from "../impl/core/voice/options.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { putBack, putFirst } from "../netns/precedence.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { CliError } from "./exit.ts";
import { CONDITIONS, type Condition, impaired } from "./jitter-conditions.ts";
import { type InboundAudio, NETEQ_PAGE, type PagePlan } from "./neteq-page.ts";
import { speechPath } from "./speech.ts";
import { listedRelay } from "./udp-relay.ts";

/** As in `bench jitter`. */
const SETTLING = 4_000_000;
const MEASURED = 30_000_000;
const PROGRAM = "/usr/bin/chromium";

/** How the sender protects its voice. `red`: earlier frames in each packet. */
export type Mode = { readonly name: string; readonly lbrr: boolean; readonly red: number };
export const MODES: readonly Mode[] = [
  { name: "no FEC", lbrr: false, red: 0 },
  { name: "LBRR", lbrr: true, red: 0 },
  { name: "RED-1", lbrr: false, red: 1 },
  { name: "RED-2", lbrr: false, red: 2 },
];

/** Concealed percent, mean delay of the jitter buffer in milliseconds. */
export type Listened = {
  readonly concealed: number;
  /** Of speech that was stretched, which may stand in for what would be concealed. */
  readonly stretched: number;
  readonly delayMs: number;
};
export type NeteqFigure = {
  readonly condition: string;
  readonly mode: string;
  readonly seed: number;
  /** Percent of packets the list drops. */
  readonly lost: number;
  readonly ours: Listened;
  readonly neteq: Listened;
};

/** The links that are compared: those of which something must be reached. */
export const LINKS: readonly Pick<Condition, "name" | "delays">[] = [
  { name: "loss 10 %", delays: impaired({ loss: 0.1 }) },
  { name: "loss 20 %", delays: impaired({ loss: 0.2 }) },
  { name: "loss 30 %", delays: impaired({ loss: 0.3 }) },
  { name: "loss 50 %", delays: impaired({ loss: 0.5 }) },
  { name: "loss 20 % in fours", delays: impaired({ loss: 0.2, burst: 4 }) },
  ...CONDITIONS.filter(({ name }) => name === "jitter 20 ms" || name === "jitter 50 ms"),
];

const listened = (after: InboundAudio, before: InboundAudio): Listened => ({
  ...sharesOf(after, before),
  delayMs:
    (1_000 * (after.jitterBufferDelay - before.jitterBufferDelay)) /
    (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount),
});

function sharesOf(after: InboundAudio, before: InboundAudio): Omit<Listened, "delayMs"> {
  const share = (count: "concealedSamples" | "insertedSamplesForDeceleration"): number =>
    (100 * (after[count] - before[count])) / (after.totalSamplesReceived - before.totalSamplesReceived);
  return { concealed: share("concealedSamples"), stretched: share("insertedSamplesForDeceleration") };
}

/** One line: `measured` microseconds of speech (after 4 s to settle) over `delays`. `phase`: when our loudspeaker asks, microseconds after a packet was sent, 0..20 ms. */
export type Trial = {
  readonly mode: Mode;
  readonly pcm: Int16Array;
  readonly delays: Float64Array;
  readonly measured: number;
  readonly phase: number;
};

/**
 * Two clocks meet anywhere, and what they do moves our delay by up to a tick, so every seed has a phase of its own. chosen: steps of the golden ratio, which are spread evenly
 * however many there are.
 */
export const phaseOf = (seed: number): number => Math.floor((((seed * (Math.sqrt(5) - 1)) / 2) % 1) * FRAME_MICROS);

/** What our sender and receiver make of it, in virtual time. */
export async function oursOf(
  engine: CodecEngine & { refilled?(): Promise<void> },
  { mode, pcm, delays, measured, phase }: Trial,
): Promise<Listened> {
  await engine.refilled?.();
  const scheme: FecScheme = mode.red === 0 ? { scheme: "none" } : { scheme: "red", depth: mode.red };
  // Chromium tells its encoder the loss it measures, at most 20 %.
  const lost = delays.reduce((n, delay) => n + (delay < 0 ? 1 : 0), 0) / delays.length;
  const settings = { ...GOOD, fec: mode.lbrr, expectedLossPercent: mode.lbrr ? Math.min(20, Math.round(100 * lost)) : 0 };
  const common = {
    ...{ call: "c", crypto: nullCrypto, codec: engine, settings, voice: DEFAULT_VOICE },
    jitterBuffer: "neteq",
    ...{ peerCodecs: [], say: () => {} },
  } as const;
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const fec = { scheme, codes: DEFAULT_FEC.codes };
  const sender = new MediaStream({
    ...{ ...common, fec, peerFec: capabilities(fec).fec, peerSends: undefined },
    keys: { send: one, receive: two, sendId: "a", receiveId: "b" },
  });
  const receiver = new MediaStream({
    ...{ ...common, fec: DEFAULT_FEC, peerFec: [], peerSends: capabilities(fec).sends },
    keys: { send: two, receive: one, sendId: "b", receiveId: "a" },
  });
  const frames = Math.floor(pcm.length / FRAME_SAMPLES);
  const arrivals: { readonly at: number; readonly packet: Uint8Array }[] = [];
  for (const [i, delay] of delays.entries()) {
    const from = (i % frames) * FRAME_SAMPLES;
    const at = (i + 1) * FRAME_MICROS;
    for (const packet of sender.capture(Instant(at), pcm.subarray(from, from + FRAME_SAMPLES), 1))
      if (delay >= 0) arrivals.push({ at: Math.round(at + delay), packet });
  }
  arrivals.sort((a, b) => a.at - b.at);
  const stats = (): InboundAudio => {
    const view = receiver.view() as unknown as JitterStatistics;
    return { ...view, packetsReceived: view.packetsReceived };
  };
  let [next, before]: [number, InboundAudio | undefined] = [0, undefined];
  for (let now = phase; now < SETTLING + measured; now += FRAME_MICROS) {
    for (let one = arrivals[next]; one !== undefined && one.at <= now; one = arrivals[++next])
      receiver.receive(Instant(one.at), one.packet);
    receiver.playout(Instant(now));
    if (before === undefined && now >= SETTLING) before = stats();
  }
  const result = listened(stats(), before ?? stats());
  sender.end();
  receiver.end();
  return result;
}

/** A Chromium that sends RED as deep as told. Throws a CliError (exit code 5) where there is none. */
async function browserOf(red: number): Promise<{ run(trial: Trial): Promise<Listened>; close(): Promise<void> }> {
  try {
    await access(PROGRAM, constants.X_OK);
  } catch (error) {
    throw new CliError("lacking", "bench neteq needs Chromium; to get it: apt-get install chromium", error);
  }
  const { chromium } = await import("playwright-core").catch((error: unknown) => {
    throw new CliError("lacking", "bench neteq needs playwright-core; to get it: npm install playwright-core", error);
  });
  const home = await mkdtemp(join(tmpdir(), "midcall-neteq-"));
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    headless: true,
    args: [
      ...[
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
      ...["--disable-features=WebRtcHideLocalIpsWithMdns", "--allow-loopback-in-peer-connection"],
      ...["--autoplay-policy=no-user-gesture-required", "--host-resolver-rules=MAP * ~NOTFOUND"],
      ...(red > 1 ? [`--force-fieldtrials=WebRTC-Audio-Red-For-Opus/Enabled-${red}/`] : []),
    ],
    env: { ...process.env, HOME: home },
  });
  return {
    run: async ({ mode, pcm, delays, measured }) => {
      const relay = await listedRelay();
      const page = await browser.newPage();
      try {
        await page.evaluate(NETEQ_PAGE);
        const speech = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString("base64");
        const plan: PagePlan = { speech, ...relay.ports, lbrr: mode.lbrr, red: mode.red > 0, bitrate: GOOD.bitrate };
        await page.evaluate(`neteq.connect(${JSON.stringify(plan)})`);
        relay.apply(delays);
        const stats = async (): Promise<InboundAudio> => (await page.evaluate("neteq.stats()")) as InboundAudio;
        await after(SETTLING / 1_000);
        const before = await stats();
        await after(measured / 1_000);
        const got = await stats();
        if (got.packetsReceived - before.packetsReceived < 10) throw new Error("no media came through the relay");
        return listened(got, before);
      } finally {
        await page.close();
        relay.close();
      }
    },
    close: async () => {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Every mode on every link, once for each seed; one takes as long as it lasts, and `atOnce` of them go on in one browser. */
export async function benchNeteq(
  stage: (name: string) => void,
  signal: AbortSignal,
  {
    seeds = [1],
    atOnce = 1,
    goesFirst = true,
    measured = MEASURED,
    links = LINKS,
    modes = MODES,
  }: {
    readonly seeds?: readonly number[];
    readonly atOnce?: number;
    /** Before all ordinary work of the machine. */
    readonly goesFirst?: boolean;
    readonly measured?: number;
    readonly links?: typeof LINKS;
    readonly modes?: readonly Mode[];
  } = {},
): Promise<readonly NeteqFigure[]> {
  const pcm = await readWav(speechPath("speech-a"));
  const engine = await loadOpusWasm({ encoders: 2, decoders: 2 });
  const packets = (SETTLING + measured) / FRAME_MICROS;
  const figures: NeteqFigure[] = [];
  for (const mode of modes) {
    // All of ours before anything runs by the wall clock: it would be kept waiting.
    const due: { readonly trial: Trial; readonly figure: Omit<NeteqFigure, "neteq">; readonly at: number }[] = [];
    for (const { name, delays } of links)
      for (const seed of seeds) {
        signal.throwIfAborted();
        stage(`${name}, ${mode.name}, seed ${seed}: ours`);
        const trial: Trial = { mode, pcm, delays: delays(seed, packets), measured, phase: phaseOf(seed) };
        const lost = (100 * trial.delays.reduce((n, delay) => n + (delay < 0 ? 1 : 0), 0)) / packets;
        const ours = await oursOf(engine, trial);
        due.push({ trial, figure: { condition: name, mode: mode.name, seed, lost, ours }, at: figures.length + due.length });
      }
    if (goesFirst) await putFirst(process.pid); // which the browser inherits
    try {
      const browser = await browserOf(mode.red);
      const one = async (): Promise<void> => {
        for (let next = due.shift(); next !== undefined; next = due.shift()) {
          signal.throwIfAborted();
          const { trial, figure, at } = next;
          stage(`${figure.condition}, ${mode.name}, seed ${figure.seed}: NetEq`);
          figures[at] = { ...figure, neteq: await browser.run(trial) };
        }
      };
      try {
        await Promise.all(Array.from({ length: atOnce }, one));
      } finally {
        await browser.close();
      }
    } finally {
      if (goesFirst) await putBack(process.pid);
    }
  }
  return figures;
}

/** Side by side: a line for each link and mode, means and ranges over the seeds. */
export function neteqTable(figures: readonly NeteqFigure[]): readonly string[] {
  const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const cell = (values: readonly number[], digits: number): string => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return `${mean(values).toFixed(digits)}${values.length === 1 ? "" : ` (${least.toFixed(digits)}-${most.toFixed(digits)})`}`;
  };
  const heads = ["link", "mode", "lost %", "ours: concealed %", "delay ms", "NetEq: concealed %", "delay ms"];
  const widths = [22, 8, 8, 22, 16, 22, 16];
  const line = (cells: readonly string[]): string =>
    cells.map((one, i) => (i < 2 ? one.padEnd(widths[i] ?? 0) : one.padStart(widths[i] ?? 0))).join(" ");
  const rows = Map.groupBy(figures, (one) => `${one.condition}\n${one.mode}`);
  return [
    line(heads),
    ...[...rows.values()].map((own) => {
      const of = (value: (one: NeteqFigure) => number, digits: number): string => cell(own.map(value), digits);
      const { condition = "", mode = "" } = own[0] ?? {};
      return line([
        condition,
        mode,
        mean(own.map((one) => one.lost)).toFixed(1),
        of((one) => one.ours.concealed, 2),
        of((one) => one.ours.delayMs, 0),
        of((one) => one.neteq.concealed, 2),
        of((one) => one.neteq.delayMs, 0),
      ]);
    }),
  ];
}
