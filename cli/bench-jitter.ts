/**
 * `midcall bench jitter`: the same packets of the same speech at the same times through every jitter buffer, in virtual time. Every
 * figure is a function of the seeds and of the codec's build, the same on every machine.
 */
import { JITTER_BUFFERS, type JitterBufferName } from "../impl/base/jitter-buffer-name.ts";
import { Stream } from "../impl/base/random.ts";
import { Instant } from "../impl/base/units.ts";
import { type CodecEngine, type CodecSettings, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import type { Played } from "../impl/core/jitter-buffer.ts";
import { jitterBuffer } from "../impl/core/jitter-buffers.ts";
import type { JitterStatistics } from "../impl/core/jitter-statistics.ts";
import { loadOpusScript } from "../impl/io/opus-script.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import type { JitterFigure } from "../reports/jitter-page.ts";
import { logSpectralDistance, stoi } from "../reports/speech-distance.ts";
import { percentile } from "../reports/statistic.ts";
import { alignedReference } from "./aligned-reference.ts";
import { CONDITIONS, type Condition } from "./jitter-conditions.ts";
import { speechPath } from "./speech.ts";

/** As the Chromium figures were taken: 4 s to settle, then 30 s. */
const SETTLING = 4_000_000;
const MEASURED = 30_000_000;
export const PACKETS: number = (SETTLING + MEASURED) / FRAME_MICROS;
/** Ticks compared with clean speech: 10 s. chosen: twice the recording. */
const COMPARED = 500;
/** chosen: as many as the comparison with NetEq asks for. */
export const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** What one listener got after settling: counters, waits of named frames in milliseconds, ticks. */
export type Heard = {
  readonly figures: JitterStatistics;
  readonly delays: readonly number[];
  readonly played: readonly Played[];
};
/** Encoded speech. `repeats`: whether each packet carries the frame before it too. `clean`: all of it decoded without loss. */
export type Speech = {
  readonly packets: readonly Uint8Array[];
  readonly repeats: readonly boolean[];
  readonly clean: Int16Array;
};

/** Every buffer under every condition, and under loss also with our own concealment in place of Opus'. `stage` hears what is at work. */
export async function benchJitter(
  stage: (name: string) => void,
  seeds: readonly number[] = SEEDS,
  conditions: readonly Condition[] = CONDITIONS,
): Promise<readonly JitterFigure[]> {
  const pcm = await readWav(speechPath("speech-a"));
  const opus = await loadOpusWasm({ encoders: 1, decoders: 2 });
  const own = await loadOpusScript();
  const spoken = new Map<number | undefined, Speech>();
  const out: JitterFigure[] = [];
  for (const condition of conditions) {
    stage(condition.name);
    const declared = condition.declaredLossPercent;
    const speech = spoken.get(declared) ?? (await speak(opus, pcm, declared));
    spoken.set(declared, speech);
    for (const buffer of JITTER_BUFFERS) out.push(await figureOf({ condition, buffer, engine: opus, speech, seeds }));
    // Without in-band FEC the one decoder differs from the other in nothing but its concealment.
    if (declared === undefined && condition.neteq !== undefined)
      out.push({
        ...(await figureOf({ condition, buffer: "neteq", engine: own, speech, seeds })),
        buffer: "neteq, own concealment",
      });
  }
  return out;
}

/** An engine whose coders are made in advance says when there are enough again. */
export type Refillable = CodecEngine & { refilled?(): Promise<void> };

/** The packets of `pcm` again and again, told to expect `declared` percent of loss; undefined: without in-band FEC. */
export async function speak(engine: Refillable, pcm: Int16Array, declared: number | undefined): Promise<Speech> {
  await engine.refilled?.();
  const settings: CodecSettings = { ...GOOD, fec: declared !== undefined, expectedLossPercent: declared ?? 0 };
  const [encoder, decoder] = [engine.encoder(settings), engine.decoder()];
  const frames = Math.floor(pcm.length / FRAME_SAMPLES);
  const clean = new Int16Array(PACKETS * FRAME_SAMPLES);
  const packets = Array.from({ length: PACKETS }, (_, i) => {
    const from = (i % frames) * FRAME_SAMPLES;
    const packet = encoder.encode(pcm.subarray(from, from + FRAME_SAMPLES));
    clean.set(decoder.decode(packet) ?? new Int16Array(FRAME_SAMPLES), i * FRAME_SAMPLES);
    return packet;
  });
  const repeats = packets.map((packet) => decoder.repeats?.(packet) ?? false);
  encoder.free();
  decoder.free();
  return { packets, repeats, clean };
}

type Trial = {
  readonly condition: Condition;
  readonly buffer: JitterBufferName;
  readonly engine: Refillable;
  readonly speech: Speech;
  readonly seeds: readonly number[];
};

async function figureOf({ condition, buffer, engine, speech, seeds }: Trial): Promise<JitterFigure> {
  const runs: Heard[] = [];
  let [lost, gone] = [0, 0];
  for (const seed of seeds) {
    await engine.refilled?.();
    const delays = condition.delays(seed, PACKETS);
    for (let i = SETTLING / FRAME_MICROS; i < PACKETS; i++) {
      if ((delays[i] as number) >= 0) continue;
      lost++;
      if ((delays[i + 1] ?? -1) < 0 || !speech.repeats[i + 1]) gone++;
    }
    runs.push(listen(buffer, engine, speech.packets, delays, seed));
  }
  const sum = (name: keyof JitterStatistics): number => runs.reduce((total, { figures }) => total + figures[name], 0);
  const share = (of: number, all: number): number => (100 * of) / all;
  const samples = sum("totalSamplesReceived");
  const emitted = sum("jitterBufferEmittedCount");
  const concealed = runs.map(({ figures }) => share(figures.concealedSamples, figures.totalSamplesReceived));
  const packets = (seeds.length * MEASURED) / FRAME_MICROS;
  const minutes = (seeds.length * MEASURED) / 60_000_000;
  const [first] = runs;
  const { wanted, heard } = alignedReference(first?.played.slice(0, COMPARED) ?? [], speech.clean);
  return {
    condition: condition.name,
    buffer,
    delayMs: (1_000 * sum("jitterBufferDelay")) / emitted,
    delayP95Ms:
      percentile(
        runs.flatMap(({ delays }) => delays),
        0.95,
      ) ?? 0,
    targetMs: (1_000 * sum("jitterBufferTargetDelay")) / emitted,
    lost: share(lost, packets),
    unavoidable: share(gone, packets),
    concealed: share(sum("concealedSamples"), samples),
    concealedRange: [Math.min(...concealed), Math.max(...concealed)],
    late: share(sum("packetsDiscarded"), packets),
    events: sum("concealmentEvents") / minutes,
    interruptions: sum("interruptionCount") / minutes,
    inserted: share(sum("insertedSamplesForDeceleration"), samples),
    removed: share(sum("removedSamplesForAcceleration"), samples),
    lsdDb: logSpectralDistance(wanted, heard),
    stoi: stoi(wanted, heard),
    neteq: condition.neteq ?? null,
  };
}

/** Plays one trace; what is counted and kept is after settling. Ticks fall anywhere between two packets, by seed. */
export function listen(
  name: JitterBufferName,
  engine: CodecEngine,
  packets: readonly Uint8Array[],
  delays: Float64Array,
  seed: number,
): Heard {
  const decoder = engine.decoder();
  const buffer = jitterBuffer(name, { decoder, mode: "real" });
  const arrivals = Array.from(delays, (delay, seq) => ({ at: seq * FRAME_MICROS + delay, seq, isLost: delay < 0 }))
    .filter(({ isLost }) => !isLost)
    .sort((a, b) => a.at - b.at);
  const arrivedAt = new Map(arrivals.map(({ at, seq }) => [seq, at]));
  const played: Played[] = [];
  const waits: number[] = [];
  let before: JitterStatistics | undefined;
  let next = 0;
  const phase = new Stream(seed, "tick").nextBelow(FRAME_MICROS);
  for (let now = phase; now < SETTLING + MEASURED; now += FRAME_MICROS) {
    for (let one = arrivals[next]; one !== undefined && one.at <= now; one = arrivals[++next]) {
      const payload = packets[one.seq] as Uint8Array;
      buffer.insert(Instant(one.at), { seq: one.seq, timestamp: one.seq * FRAME_SAMPLES, payload });
    }
    if (now >= SETTLING) before ??= buffer.stats();
    const tick = buffer.playout(Instant(now));
    if (tick === undefined || before === undefined) continue;
    played.push(tick);
    const arrived = tick.kind === "source" && tick.seq !== undefined ? arrivedAt.get(tick.seq) : undefined;
    if (arrived !== undefined) waits.push((now - arrived) / 1_000);
  }
  decoder.free();
  return { figures: difference(buffer.stats(), before ?? buffer.stats()), delays: waits, played };
}

const difference = (after: JitterStatistics, before: JitterStatistics): JitterStatistics =>
  Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof JitterStatistics]]),
  ) as JitterStatistics;

const COLUMNS: readonly (readonly [heading: string, width: number, cell: (one: JitterFigure) => string])[] = [
  ["delay ms", 9, (one) => one.delayMs.toFixed(0)],
  ["p95", 5, (one) => one.delayP95Ms.toFixed(0)],
  ["target", 7, (one) => one.targetMs.toFixed(0)],
  ["lost %", 7, (one) => one.lost.toFixed(1)],
  ["gone %", 7, (one) => one.unavoidable.toFixed(2)],
  ["concealed %", 12, (one) => one.concealed.toFixed(2)],
  ["least-most", 14, (one) => one.concealedRange.map((share) => share.toFixed(2)).join("-")],
  ["late %", 7, (one) => one.late.toFixed(2)],
  ["events/min", 11, (one) => one.events.toFixed(1)],
  [">=150 ms", 9, (one) => one.interruptions.toFixed(1)],
  ["slower %", 9, (one) => one.inserted.toFixed(2)],
  ["faster %", 9, (one) => one.removed.toFixed(2)],
  ["LSD dB", 7, (one) => one.lsdDb.toFixed(2)],
  ["STOI", 6, (one) => one.stoi.toFixed(3)],
];
const NAME = 24;

/** The figures as a table, condition by condition, with NetEq's line under ours. */
export function jitterTable(figures: readonly JitterFigure[]): readonly string[] {
  const heading = `${"".padEnd(NAME)}${COLUMNS.map(([text, width]) => text.padStart(width)).join("")}`;
  const lines = [heading];
  for (const [condition, rows] of Map.groupBy(figures, (one) => one.condition)) {
    lines.push(condition);
    for (const one of rows) {
      lines.push(`  ${one.buffer.padEnd(NAME - 2)}${COLUMNS.map(([, width, cell]) => cell(one).padStart(width)).join("")}`);
    }
    const neteq = rows[0]?.neteq ?? null;
    if (neteq === null) continue;
    const known = new Map([
      ["delay ms", neteq.delayMs.toFixed(0)],
      ["concealed %", neteq.concealed.toFixed(2)],
    ]);
    const cells = COLUMNS.map(([text, width]) => (known.get(text) ?? "").padStart(width)).join("");
    lines.push(`  ${"Chromium's NetEq".padEnd(NAME - 2)}${cells}`.trimEnd());
  }
  return lines;
}
