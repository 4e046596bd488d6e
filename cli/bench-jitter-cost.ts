/**
 * What a jitter buffer costs: processor time of one stream with real Opus, beside decoding the same packets without any buffer in the same run; and what it holds on to over an hour of
 * virtual time, for each buffer on a link that loses, delays and reorders.
 */
import { JITTER_BUFFERS, type JitterBufferName } from "../impl/base/jitter-buffer-name.ts";
import { Instant } from "../impl/base/units.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "../impl/core/codec.ts";
import { jitterBuffer } from "../impl/core/jitter-buffers.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { listen, PACKETS, type Refillable, speak } from "./bench-jitter.ts";
import { HOUR_FRAMES, hourGrowth } from "./hour-growth.ts";
import { impaired } from "./jitter-conditions.ts";
import { median, processorUs } from "./processor-time.ts";
import { speechPath } from "./speech.ts";

export type JitterCost = {
  readonly buffer: JitterBufferName;
  /** Processor time of one frame without its decoding, microseconds; median of the rounds. */
  readonly frameUs: number;
  /** Against decoding the packet, timed in turn with it. */
  readonly decodeRatio: number;
  /** Share of one core that one stream of 50 frames a second takes, percent. */
  readonly streamPercent: number;
  /** Octets more on the heap after an hour than after five minutes, both right after a collection. */
  readonly hourBytes: number;
};

/** chosen: 34 s of speech a round, and a median that one disturbance does not move. */
const ROUNDS = 7;
const SEED = 1;
const delaysOf = (packets: number): Float64Array => impaired({ loss: 0.1, jitter: 20_000 })(SEED, packets);

/** A figure for each buffer. */
export async function benchJitterCost(): Promise<readonly JitterCost[]> {
  const opus: Refillable = await loadOpusWasm({ encoders: 1, decoders: 4 });
  const speech = await speak(opus, await readWav(speechPath("speech-a")), 10);
  const delays = delaysOf(PACKETS);
  const decodeAll = (): void => {
    const decoder = opus.decoder();
    for (const packet of speech.packets) decoder.decode(packet);
    decoder.free();
  };
  const out: JitterCost[] = [];
  for (const buffer of JITTER_BUFFERS) {
    const rounds: { readonly whole: number; readonly decoding: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      await opus.refilled?.();
      const whole = processorUs(() => void listen(buffer, opus, speech.packets, delays, SEED));
      await opus.refilled?.();
      const decoding = processorUs(decodeAll);
      // The first one is the compiler's.
      if (round > 0) rounds.push({ whole, decoding });
    }
    const frameUs = Math.max(0, median(rounds.map(({ whole, decoding }) => whole - decoding))) / PACKETS;
    out.push({
      buffer,
      frameUs,
      decodeRatio: median(rounds.map(({ whole, decoding }) => whole / decoding - 1)),
      streamPercent: (frameUs / FRAME_MICROS) * 100,
      hourBytes: hourOf(buffer),
    });
  }
  return out;
}

/** An hour of sized frames through one buffer; nothing but the buffer is kept. */
function hourOf(buffer: JitterBufferName): number {
  const one = jitterBuffer(buffer, { decoder: sizedCodec.decoder(), mode: "sized" });
  const delays = delaysOf(HOUR_FRAMES);
  const payload = new Uint8Array(60);
  const waiting: { readonly at: number; readonly seq: number }[] = [];
  return hourGrowth((seq) => {
    const now = seq * FRAME_MICROS;
    const delay = delays[seq] as number;
    if (delay >= 0) waiting.push({ at: now + delay, seq });
    waiting.sort((a, b) => a.at - b.at);
    while ((waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      const next = waiting.shift() as { readonly at: number; readonly seq: number };
      one.insert(Instant(next.at), { seq: next.seq, timestamp: next.seq * FRAME_SAMPLES, payload });
    }
    one.playout(Instant(now));
  });
}

/** As lines, to stand under the table of `bench jitter`. */
export const jitterCostLines = (costs: readonly JitterCost[]): readonly string[] =>
  costs.map(
    ({ buffer, frameUs, decodeRatio, streamPercent, hourBytes }) =>
      `${buffer}: ${frameUs.toFixed(1)} us a frame beside its decoding (${decodeRatio.toFixed(2)} of it), ${streamPercent.toFixed(2)} % of one core a stream; ` +
      `${(hourBytes / 1_024).toFixed(0)} KiB more after an hour than after five minutes`,
  );
