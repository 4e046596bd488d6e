/**
 * Removal of noise by RNNoise (Valin 2018, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement"), compiled to WebAssembly in Jitsi's package. It works on 10 ms
 * at 48 kHz and gives out what it was given 10 ms before. The compiled code is deterministic; its states share one memory and nothing else.
 */
import { invariant } from "../base/invariant.ts";
import { FRAME_SAMPLES } from "../core/codec.ts";
import type { NoiseRemoval, NoiseRemover } from "../core/silence/noise-remover.ts";

/** rnnoise.h: samples of a frame, as floats in the range of 16-bit integers. */
const BLOCK = 480;

type Module = {
  readonly HEAPF32: Float32Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  _rnnoise_create(model: number): number;
  _rnnoise_destroy(state: number): void;
  _rnnoise_process_frame(state: number, out: number, into: number): number;
};

type Loading = Module & { readonly ready?: Promise<unknown> };

/** Loads the module, one for the engine. */
export async function loadRnnoise(): Promise<NoiseRemover> {
  // @ts-expect-error: the package has no types.
  const { default: create } = (await import("@jitsi/rnnoise-wasm/dist/rnnoise-sync.js")) as { default: () => Loading };
  const module = create();
  await module.ready;
  return { name: "rnnoise", open: () => open(module) };
}

function open(module: Module): NoiseRemoval {
  const state = module._rnnoise_create(0);
  const buffer = module._malloc(BLOCK * Float32Array.BYTES_PER_ELEMENT);
  invariant(state !== 0 && buffer !== 0, "RNNoise is out of memory");
  let live = true;
  return {
    process: (pcm) => {
      if (!live) throw new TypeError("noise removal: used after free()");
      if (pcm.length !== FRAME_SAMPLES) throw new RangeError(`pcm: want ${FRAME_SAMPLES} samples, got ${pcm.length}`);
      const out = new Int16Array(pcm.length);
      for (let from = 0; from < pcm.length; from += BLOCK) {
        module.HEAPF32.set(pcm.subarray(from, from + BLOCK), buffer / 4);
        module._rnnoise_process_frame(state, buffer, buffer);
        const clean = module.HEAPF32.subarray(buffer / 4, buffer / 4 + BLOCK);
        for (let i = 0; i < BLOCK; i++) out[from + i] = Math.max(-32_768, Math.min(32_767, Math.round(clean[i] as number)));
      }
      return out;
    },
    free: () => {
      if (!live) return;
      live = false;
      module._rnnoise_destroy(state);
      module._free(buffer);
    },
  };
}
