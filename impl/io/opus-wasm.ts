/**
 * Opus by libopus-wasm (libopus 1.6.1 compiled to WebAssembly): encoder, decoder, its own concealment and in-band FEC.
 * The library creates coders asynchronously while midcall wants them at once, so they are made in advance and handed out.
 */

import type { OpusDecoderHandle, OpusEncoderHandle } from "libopus-wasm";
import { Application, createDecoder, createEncoder, loadLibopus, Signal } from "libopus-wasm";
import { invariant } from "../base/invariant.ts";
import type { CodecEngine, CodecSettings, Decoder, Encoder, Shape } from "../core/codec.ts";
import { FRAME_SAMPLES, MAX_FRAME_BYTES, SAMPLE_RATE } from "../core/codec.ts";
import { CONCEALED_FRAMES, fadeConcealed } from "../core/concealment.ts";
import { parseOpusPacket } from "../core/opus-packet.ts";

/** How many coders lie ready. */
export type OpusWasmPool = { readonly encoders: number; readonly decoders: number };

export type OpusWasmEngine = CodecEngine & {
  /** Of libopus, as it names itself. */
  readonly version: string;
  /**
   * Resolves once the pool is full again. Handing out a coder starts a refill that completes when the event loop next turns;
   * a caller that never yields (the simulator) must ask for enough beforehand and await this between runs.
   */
  refilled(): Promise<void>;
};

/** chosen: two calls' worth at either end; a party takes one of each a call. */
const DEFAULT_POOL: OpusWasmPool = { encoders: 4, decoders: 4 };

/** Units of 20 ms in a packet at most: 60 ms is Opus' longest frame (RFC 6716 section 2.1.4). */
const MAX_OPUS_UNITS = 3;

/** libopus' concealment fades by itself within about 80 ms and then leaves a faint noise; ours takes over from the fourth frame. */
const FADE_FROM = 3;

/** Loads libopus and prepares a pool. Taking a coder from an empty pool is an InvariantError. */
export async function loadOpusWasm(pool: Partial<OpusWasmPool> = {}): Promise<OpusWasmEngine> {
  const size = { ...DEFAULT_POOL, ...pool };
  const { version } = await loadLibopus();
  const encoders: OpusEncoderHandle[] = [];
  const decoders: OpusDecoderHandle[] = [];
  const refill = async (): Promise<void> => {
    while (encoders.length < size.encoders) {
      const handle = await createEncoder({
        channels: 1,
        sampleRate: SAMPLE_RATE,
        frameSize: FRAME_SAMPLES,
        application: Application.Voip,
      });
      if (encoders.length < size.encoders) encoders.push(handle);
      else handle.free();
    }
    while (decoders.length < size.decoders) {
      const handle = await createDecoder({ channels: 1, sampleRate: SAMPLE_RATE, maxFrameSize: FRAME_SAMPLES * MAX_OPUS_UNITS });
      if (decoders.length < size.decoders) decoders.push(handle);
      else handle.free();
    }
  };
  let filling = refill();
  await filling;
  const take = <T>(from: T[], what: string, limit: number): T => {
    const handle = from.pop();
    invariant(handle !== undefined, `libopus-wasm: no ${what} left of ${limit}; prepare more or await refilled()`);
    filling = filling.then(refill);
    return handle;
  };
  return {
    name: "libopus-wasm",
    mode: "real",
    version,
    encoder: (settings) => wrapEncoder(take(encoders, "encoder", size.encoders), settings),
    decoder: () => wrapDecoder(take(decoders, "decoder", size.decoders)),
    refilled: () => filling,
  };
}

/** Samples of one packet; RangeError for more than one Opus frame can hold. */
export function opusFrame({ units = 1 }: CodecSettings): number {
  if (!(Number.isInteger(units) && units >= 1 && units <= MAX_OPUS_UNITS))
    throw new RangeError(`settings.units: want a whole number in 1..${MAX_OPUS_UNITS}, got ${units}`);
  return units * FRAME_SAMPLES;
}

function wrapEncoder(handle: OpusEncoderHandle, settings: CodecSettings): Encoder {
  handle.setBitrate(settings.bitrate);
  handle.setComplexity(settings.complexity);
  handle.setFec(settings.fec);
  handle.setPacketLossPercent(settings.expectedLossPercent);
  handle.setSignal(Signal.Voice);
  const frameSize = opusFrame(settings);
  let live = true;
  return {
    encode: (pcm) => {
      if (!live) throw new TypeError("encoder: used after free()");
      if (pcm.length !== frameSize) throw new RangeError(`pcm: want ${frameSize} samples, got ${pcm.length}`);
      return handle.encode(pcm, { frameSize, maxPacketBytes: MAX_FRAME_BYTES });
    },
    free: () => {
      live = false;
      handle.free();
    },
  };
}

export const samplesOf = (shape: Shape | undefined): number => (shape?.units ?? 1) * FRAME_SAMPLES;

function wrapDecoder(handle: OpusDecoderHandle): Decoder {
  let live = true;
  let concealed = 0;
  const alive = (): void => {
    if (!live) throw new TypeError("decoder: used after free()");
  };
  /** A packet is the peer's: whatever libopus thinks of it is data, not an exception. */
  const attempt = (packet: Uint8Array, decodeFec: boolean, samples: number): Int16Array | undefined => {
    try {
      const pcm = handle.decode(packet, decodeFec ? { decodeFec, frameSize: samples } : {});
      if (pcm.length !== samples) return undefined;
      concealed = 0;
      return pcm;
    } catch {
      return undefined;
    }
  };
  return {
    decode: (packet, shape) => {
      alive();
      const samples = samplesOf(shape);
      return parseOpusPacket(packet)?.samples === samples ? attempt(packet, false, samples) : undefined;
    },
    recover: (next) => {
      alive();
      const parsed = parseOpusPacket(next);
      return parsed?.samples === FRAME_SAMPLES && parsed.redundancy ? attempt(next, true, FRAME_SAMPLES) : undefined;
    },
    repeats: (next) => {
      const parsed = parseOpusPacket(next);
      return parsed?.samples === FRAME_SAMPLES && parsed.redundancy;
    },
    conceal: () => {
      alive();
      const nth = concealed++;
      if (nth >= CONCEALED_FRAMES) return new Int16Array(FRAME_SAMPLES);
      return fadeConcealed(handle.decode(null, { frameSize: FRAME_SAMPLES }), nth, FADE_FROM);
    },
    free: () => {
      live = false;
      handle.free();
    },
  };
}
