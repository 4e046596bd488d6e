/** `midcall bench codec` and `midcall bench aead`: every engine on the same work, side by side, by tinybench. */
import { Bench } from "tinybench";
import { type CodecEngine, FRAME_MICROS, GOOD } from "../impl/core/codec.ts";
import type { CryptoEngine } from "../impl/core/crypto.ts";
import { nobleCrypto } from "../impl/core/noble-crypto.ts";
import { loadCodec2 } from "../impl/io/codec2.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { loadOpusScript } from "../impl/io/opus-script.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { speechPath } from "./speech.ts";

/** One task of one engine. `ratio` is its time against the first engine's at the same task. */
export type EngineFigure = {
  readonly task: string;
  readonly engine: string;
  /** Median of an operation, microseconds. */
  readonly medianUs: number;
  readonly p99Us: number;
  readonly operations: number;
  readonly ratio: number;
  /** Share of one core that one stream of 50 frames a second takes, percent. */
  readonly streamPercent: number;
};

type Task = { readonly task: string; readonly engine: string; readonly run: () => void };

/** chosen: long enough for some hundred operations of the slowest engine. */
const TASK_MS = 400;

/** Encode, decode and conceal one 20 ms frame of speech at 48 kHz, 24 kbit/s, complexity 5. */
export async function benchCodec(): Promise<readonly EngineFigure[]> {
  const pcm = await readWav(speechPath("speech-a"));
  const frames = Array.from({ length: 250 }, (_, i) => pcm.subarray(i * 960, (i + 1) * 960));
  const engines: readonly CodecEngine[] = [await loadOpusWasm({ encoders: 2, decoders: 2 }), await loadOpusScript(), sizedCodec];
  const tasks = [
    ...engines.flatMap((engine): Task[] => {
      const encoder = engine.encoder(GOOD);
      const decoder = engine.decoder();
      const packets = frames.map((frame) => encoder.encode(frame));
      const turn = <T>(of: readonly T[]): (() => T) => {
        let at = 0;
        return () => of[at++ % of.length] as T;
      };
      const [nextFrame, nextPacket] = [turn(frames), turn(packets)];
      return [
        { task: "encode", engine: engine.name, run: () => void encoder.encode(nextFrame()) },
        { task: "decode", engine: engine.name, run: () => void decoder.decode(nextPacket()) },
        { task: "decode and conceal", engine: engine.name, run: () => void [decoder.decode(nextPacket()), decoder.conceal()] },
      ];
    }),
    ...codec2Tasks(pcm),
  ];
  return measure(tasks);
}

/** Codec2 where it is there: a packet of its own holds 40 ms, so a stream takes half of what the figures for 20 ms say. */
function codec2Tasks(pcm: Int16Array): Task[] {
  const codec2 = loadCodec2();
  if ("reason" in codec2) return [];
  const encoder = codec2.encoder({ ...GOOD, units: 2 });
  const decoder = codec2.decoder();
  const shape = { codec: 1, units: 2, part: 0, opens: false };
  const frames = Array.from({ length: 100 }, (_, i) => pcm.subarray(i * 1_920, (i + 1) * 1_920));
  const packets = frames.map((frame) => encoder.encode(frame));
  let [frame, packet] = [0, 0];
  return [
    { task: "encode 40 ms", engine: codec2.name, run: () => void encoder.encode(frames[frame++ % 100] as Int16Array) },
    { task: "decode 40 ms", engine: codec2.name, run: () => void decoder.decode(packets[packet++ % 100] as Uint8Array, shape) },
  ];
}

/** Seal and open one media packet; 60 octets are a frame at 24 kbit/s, 160 one with its redundancy, 1,150 the largest. */
export async function benchAead(): Promise<readonly EngineFigure[]> {
  const engines: readonly CryptoEngine[] = [nodeCrypto, nobleCrypto, nullCrypto];
  const associated = new Uint8Array(14);
  const tasks = [60, 160, 1_150].flatMap((length) =>
    engines.flatMap((engine): Task[] => {
      const cipher = engine.cipher(new Uint8Array(32).fill(7));
      const nonce = new Uint8Array(12);
      const plaintext = new Uint8Array(length).fill(1);
      const sealed = cipher.seal(nonce, associated, plaintext);
      return [
        { task: `seal ${length} octets`, engine: engine.name, run: () => void cipher.seal(nonce, associated, plaintext) },
        { task: `open ${length} octets`, engine: engine.name, run: () => void cipher.open(nonce, associated, sealed) },
      ];
    }),
  );
  return measure(tasks);
}

async function measure(tasks: readonly Task[]): Promise<readonly EngineFigure[]> {
  const bench = new Bench({ time: TASK_MS, warmupTime: TASK_MS / 4 });
  for (const { task, engine, run } of tasks) bench.add(`${task}|${engine}`, run);
  await bench.run();
  const first = new Map<string, number>();
  const figures = tasks.map(({ task, engine }): EngineFigure => {
    const result = bench.getTask(`${task}|${engine}`)?.result;
    if (result?.state !== "completed") throw new Error(`${task} by ${engine} did not complete: ${result?.state}`);
    const medianUs = result.latency.p50 * 1_000;
    if (!first.has(task)) first.set(task, medianUs);
    return {
      task,
      engine,
      medianUs,
      p99Us: result.latency.p99 * 1_000,
      operations: result.latency.samplesCount,
      ratio: medianUs / (first.get(task) ?? medianUs),
      streamPercent: (medianUs / FRAME_MICROS) * 100,
    };
  });
  return figures.toSorted(
    (a, b) => tasks.findIndex((one) => one.task === a.task) - tasks.findIndex((one) => one.task === b.task),
  );
}
