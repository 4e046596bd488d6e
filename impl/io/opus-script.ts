/**
 * Opus by opusscript 0.1.1 (libopus 1.4 compiled to WebAssembly), the second opinion beside libopus-wasm. It offers neither
 * concealment for one frame nor in-band FEC, so gaps are filled by our own concealment and `recover` never finds anything.
 * The package's own class is not used: it puts its audio buffers at twice the address it allocated, on top of other coders'
 * memory. Its compiled module is driven directly instead, with the buffers where they belong.
 */
import { createRequire } from "node:module";
import type { CodecEngine, CodecSettings, Decoder, Encoder } from "../core/codec.ts";
import { MAX_FRAME_BYTES, SAMPLE_RATE } from "../core/codec.ts";
import { parseOpusPacket } from "../core/opus-packet.ts";
import { opusFrame, samplesOf } from "./opus-wasm.ts";
import { concealingDecoder, ownedEncoder } from "./owned-coder.ts";

/** What the compiled module offers; lengths in octets, addresses in its memory. Audio is one octet to each 16-bit word. */
type Handler = {
  _encode(pcm: number, pcmBytes: number, packet: number, samples: number): number;
  _decode(packet: number, packetBytes: number, pcm: number): number;
  _encoder_ctl(request: number, value: number): number;
  delete(): void;
};
type OpusModule = {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU16: Uint16Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly OpusScriptHandler: new (sampleRate: number, channels: number, application: number) => Handler;
};

/** opus_defines.h. */
const APPLICATION_VOIP = 2_048;
const SET_BITRATE = 4_002;
const SET_COMPLEXITY = 4_010;
const SET_INBAND_FEC = 4_012;
const SET_PACKET_LOSS_PERCENT = 4_014;
const SET_SIGNAL = 4_024;
const SIGNAL_VOICE = 3_001;

/** The module decodes up to 60 ms whatever it is told (its MAX_FRAME_SIZE is 2880 samples). */
const DECODED_BYTES = 2_880 * 4;

/** Loads the WebAssembly module, one for the engine; its coders share nothing but the code. */
export async function loadOpusScript(): Promise<CodecEngine> {
  const create = createRequire(import.meta.url)("opusscript/build/opusscript_native_wasm.js") as () => OpusModule & {
    readonly ready: Promise<unknown>;
  };
  const module = create();
  await module.ready;
  return {
    name: "opusscript",
    mode: "real",
    encoder: (settings) => encoder(module, settings),
    decoder: () => decoder(module),
  };
}

function encoder(module: OpusModule, settings: CodecSettings): Encoder {
  const handler = new module.OpusScriptHandler(SAMPLE_RATE, 1, APPLICATION_VOIP);
  for (const [request, value] of [
    [SET_BITRATE, settings.bitrate],
    [SET_COMPLEXITY, settings.complexity],
    [SET_INBAND_FEC, settings.fec ? 1 : 0],
    [SET_PACKET_LOSS_PERCENT, settings.expectedLossPercent],
    [SET_SIGNAL, SIGNAL_VOICE],
  ] as const) {
    const code = handler._encoder_ctl(request, value);
    if (code < 0) throw new RangeError(`settings: opus refused control ${request} = ${value} (${code})`);
  }
  const samples = opusFrame(settings);
  /** An octet to each 16-bit word. */
  const words = samples * 2;
  const input = module._malloc(words * 2);
  const output = module._malloc(words);
  return ownedEncoder(samples, {
    encode: (pcm) => {
      module.HEAPU16.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), input >> 1);
      const bytes = handler._encode(input, words, output, samples);
      if (bytes < 0) throw new RangeError(`pcm: opus refused the frame (${bytes})`);
      return module.HEAPU8.slice(output, output + bytes);
    },
    free: () => {
      handler.delete();
      module._free(input);
      module._free(output);
    },
  });
}

function decoder(module: OpusModule): Decoder {
  const handler = new module.OpusScriptHandler(SAMPLE_RATE, 1, APPLICATION_VOIP);
  const input = module._malloc(MAX_FRAME_BYTES);
  const output = module._malloc(DECODED_BYTES);
  return concealingDecoder({
    decode: (packet, shape) => {
      const samples = samplesOf(shape);
      if (parseOpusPacket(packet)?.samples !== samples) return undefined;
      module.HEAPU8.set(packet, input);
      if (handler._decode(input, packet.length, output) !== samples) return undefined;
      const pcm = new Int16Array(samples);
      new Uint8Array(pcm.buffer).set(module.HEAPU16.subarray(output >> 1, (output >> 1) + samples * 2));
      return pcm;
    },
    free: () => {
      handler.delete();
      module._free(input);
      module._free(output);
    },
  });
}
