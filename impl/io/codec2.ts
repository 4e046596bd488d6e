/**
 * Codec2 at 1200 bit/s by koffi and Debian's libcodec2 (package libcodec2-1.0; LGPL-2.1, linked at run time): 6 octets for 40 ms of speech
 * at 8 kHz. It conceals nothing, so gaps are filled by our own concealment at 48 kHz. Its synthesis draws phases from one generator for
 * the whole process, so the same packets do not give the same samples twice: nothing that must be repeatable may decode with it.
 */
import { createRequire } from "node:module";
import type { CodecEngine, CodecSettings, Decoder, Encoder } from "../core/codec.ts";
import { FRAME_SAMPLES } from "../core/codec.ts";
import { Decimator, Interpolator } from "../core/resampler.ts";
import { samplesOf } from "./opus-wasm.ts";
import { concealingDecoder, ownedEncoder } from "./owned-coder.ts";

/** Packages that bring the library: Debian 12's, Debian 13's. */
export const CODEC2_PACKAGES: readonly string[] = ["libcodec2-1.0", "libcodec2-1.2"];
/** Names of the library in Debian 12, Debian 13, and as developers have it. */
const LIBRARIES = ["libcodec2.so.1.0", "libcodec2.so.1.2", "libcodec2.so"];

/** codec2.h. */
const MODE_1200 = 5;
/** Octets and samples at 8 kHz of one frame of that mode (48 bits, 40 ms). */
const FRAME_BYTES = 6;
const NARROW_FRAME = 320;
/** Units of 20 ms in one frame. */
const FRAME_UNITS = 2;
/** chosen: four frames are 160 ms, as long as a packet of a conversation may be. */
const MAX_UNITS = 8;

type Pointer = unknown;
type Library = {
  create(mode: number): Pointer;
  destroy(state: Pointer): void;
  encode(state: Pointer, bytes: Uint8Array, pcm: Int16Array): void;
  decode(state: Pointer, pcm: Int16Array, bytes: Uint8Array): void;
};
type Koffi = { load(path: string): { func(prototype: string): (...args: readonly unknown[]) => unknown } };

/** Why this machine has no Codec2, in words fit for a log. */
export type NoCodec2 = { readonly reason: string };

/** The engine, or why there is none: never rejects, because the call goes on without it. */
export function loadCodec2(): CodecEngine | NoCodec2 {
  const library = open();
  if ("reason" in library) return library;
  return {
    name: "codec2-1200",
    mode: "real",
    encoder: (settings) => encoder(library, settings),
    decoder: () => decoder(library),
  };
}

function open(): Library | NoCodec2 {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    return { reason: `koffi does not load (${(error as Error).message.split("\n")[0]})` };
  }
  for (const name of LIBRARIES) {
    let loaded: ReturnType<Koffi["load"]>;
    try {
      loaded = koffi.load(name);
    } catch {
      continue; // the next name may be there
    }
    const library: Library = {
      create: loaded.func("void *codec2_create(int mode)"),
      destroy: loaded.func("void codec2_destroy(void *state)") as Library["destroy"],
      encode: loaded.func("void codec2_encode(void *state, _Out_ uint8_t *bytes, const int16_t *pcm)") as Library["encode"],
      decode: loaded.func("void codec2_decode(void *state, _Out_ int16_t *pcm, const uint8_t *bytes)") as Library["decode"],
    };
    const state = library.create(MODE_1200);
    const samples = loaded.func("int codec2_samples_per_frame(void *state)")(state);
    const bits = loaded.func("int codec2_bits_per_frame(void *state)")(state);
    library.destroy(state);
    if (samples === NARROW_FRAME && bits === FRAME_BYTES * 8) return library;
    return { reason: `${name} has frames of ${String(samples)} samples and ${String(bits)} bits: want ${NARROW_FRAME} and 48` };
  }
  return { reason: `none of ${LIBRARIES.join(", ")} is installed: apt-get install ${CODEC2_PACKAGES.join(" or ")}` };
}

function encoder(library: Library, { units = FRAME_UNITS }: CodecSettings): Encoder {
  if (!(Number.isInteger(units / FRAME_UNITS) && units > 0 && units <= MAX_UNITS))
    throw new RangeError(`settings.units: want an even number in 2..${MAX_UNITS}, got ${units}`);
  const samples = units * FRAME_SAMPLES;
  const state = library.create(MODE_1200);
  const down = new Decimator();
  return ownedEncoder(samples, {
    encode: (pcm) => {
      const narrow = down.push(pcm);
      const out = new Uint8Array((units / FRAME_UNITS) * FRAME_BYTES);
      for (let i = 0; i < units / FRAME_UNITS; i++) {
        const bytes = new Uint8Array(FRAME_BYTES);
        library.encode(state, bytes, narrow.slice(i * NARROW_FRAME, (i + 1) * NARROW_FRAME));
        out.set(bytes, i * FRAME_BYTES);
      }
      return out;
    },
    free: () => library.destroy(state),
  });
}

function decoder(library: Library): Decoder {
  const state = library.create(MODE_1200);
  const up = new Interpolator();
  return concealingDecoder({
    decode: (packet, shape) => {
      const frames = packet.length / FRAME_BYTES;
      if (!Number.isInteger(frames) || frames < 1 || frames * FRAME_UNITS * FRAME_SAMPLES !== samplesOf(shape)) return undefined;
      const narrow = new Int16Array(frames * NARROW_FRAME);
      for (let i = 0; i < frames; i++) {
        const pcm = new Int16Array(NARROW_FRAME);
        library.decode(state, pcm, packet.slice(i * FRAME_BYTES, (i + 1) * FRAME_BYTES));
        narrow.set(pcm, i * NARROW_FRAME);
      }
      return up.push(narrow);
    },
    free: () => library.destroy(state),
  });
}
