/**
 * WAV files (RIFF/WAVE): reading any PCM flavour into midcall's audio (mono, 48 kHz, signed 16-bit), and recording such audio.
 * Parsing and resampling are the `wavefile` package's; the recorder writes its 44-octet header itself, to keep it true while growing.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import wavefile from "wavefile";
import { putUint } from "../base/cursor.ts";
import { SAMPLE_RATE } from "../core/codec.ts";

/** A WAV file that cannot be read or written; `cause` holds the system's or the parser's error. */
export class WavError extends Error {
  override readonly name = "WavError";
  readonly code: "wav-unreadable" | "wav-unsupported" | "wav-unwritable";
  /** The file. */
  readonly path: string;

  constructor(code: WavError["code"], path: string, why: string, cause: unknown) {
    super(`${path}: ${why}`, { cause });
    this.code = code;
    this.path = path;
  }
}

const HEADER_BYTES = 44;
const MAX_DATA_BYTES = 0xffff_ffff - HEADER_BYTES;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Samples of the file at `path`, converted; WavError naming the file and the problem. At least one sample. */
export async function readWav(path: string): Promise<Int16Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new WavError("wav-unreadable", path, `cannot be read: ${reasonOf(error)}`, error);
  }
  let pcm: Int16Array;
  try {
    pcm = parseWav(bytes);
  } catch (error) {
    throw new WavError("wav-unsupported", path, `is not a WAV file midcall can use: ${reasonOf(error)}`, error);
  }
  if (pcm.length === 0) throw new WavError("wav-unsupported", path, "holds no samples", undefined);
  return pcm;
}

/** wavefile's format description, of which its typings say nothing. */
type Format = {
  readonly numChannels: number;
  readonly sampleRate: number;
  readonly audioFormat: number;
  readonly bitsPerSample: number;
};

/**
 * What a header may say. chosen: from telephony to studios and beyond; a rate of 1 Hz would have one second of file become 13 hours of sound,
 * which is memory and time without end.
 */
const SAMPLE_RATES = { least: 4_000, most: 384_000 } as const;
const MOST_CHANNELS = 32;
const MOST_BITS = 64;

/** WAVE_FORMAT_IMA_ADPCM, _ALAW, _MULAW (RFC 2361). */
const IMA_ADPCM = 0x11;
const A_LAW = 6;
const MU_LAW = 7;

function parseWav(bytes: Uint8Array): Int16Array {
  const wav = new wavefile.WaveFile();
  wav.fromBuffer(bytes);
  const format = wav.fmt as Format;
  const within = (name: string, value: number, least: number, most: number): void => {
    if (!(value >= least && value <= most)) throw new RangeError(`want ${least} to ${most} ${name}, it has ${value}`);
  };
  within("samples a second", format.sampleRate, SAMPLE_RATES.least, SAMPLE_RATES.most);
  within("channels", format.numChannels, 1, MOST_CHANNELS);
  within("bits a sample", format.bitsPerSample, 4, MOST_BITS);
  if (format.audioFormat === IMA_ADPCM) wav.fromIMAADPCM();
  else if (format.audioFormat === A_LAW) wav.fromALaw();
  else if (format.audioFormat === MU_LAW) wav.fromMuLaw();
  if (wav.bitDepth !== "16") wav.toBitDepth("16");
  const { numChannels, sampleRate } = wav.fmt as Format;
  // The filter runs only where it is needed: resampling is what makes reading slow.
  if (sampleRate !== SAMPLE_RATE) wav.toSampleRate(SAMPLE_RATE, { method: "sinc" });
  const samples = wav.getSamples(true, Int16Array) as unknown as Int16Array;
  return numChannels === 1 ? samples : mixDown(samples, numChannels);
}

/** The mean of the channels, rounded. */
function mixDown(interleaved: Int16Array, channels: number): Int16Array {
  const out = new Int16Array(Math.floor(interleaved.length / channels));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += interleaved[i * channels + c] as number;
    out[i] = Math.round(sum / channels);
  }
  return out;
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** WAV is little-endian throughout. */
const little = (size: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  putUint(bytes, 0, size, value);
  return bytes.reverse();
};

const header = (dataBytes: number): Uint8Array =>
  Uint8Array.from([
    ...ascii("RIFF"),
    ...little(4, HEADER_BYTES - 8 + dataBytes),
    ...ascii("WAVEfmt "),
    ...little(4, 16),
    ...little(2, 1), // PCM
    ...little(2, 1), // channels
    ...little(4, SAMPLE_RATE),
    ...little(4, SAMPLE_RATE * 2), // octets a second
    ...little(2, 2), // octets a sample
    ...little(2, 16), // bits a sample
    ...ascii("data"),
    ...little(4, dataBytes),
  ]);

const octets = (pcm: Int16Array): Uint8Array => {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pcm.length; i++) view.setInt16(i * 2, pcm[i] as number, true);
  return bytes;
};

/** A whole WAV file: 16-bit mono at 48 kHz. RangeError beyond what the format can hold (about 12 hours). */
export function wavBytes(pcm: Int16Array): Uint8Array {
  if (pcm.length * 2 > MAX_DATA_BYTES) throw new RangeError(`pcm: want at most ${MAX_DATA_BYTES / 2} samples, got ${pcm.length}`);
  const out = new Uint8Array(HEADER_BYTES + pcm.length * 2);
  out.set(header(pcm.length * 2));
  out.set(octets(pcm), HEADER_BYTES);
  return out;
}

/**
 * Records 16-bit mono 48 kHz audio. The header is brought up to date with every append, after the samples are in the file,
 * so that whatever kills the process leaves a file that plays. Synchronous: 50 short writes a second.
 */
export class WavSink {
  readonly #path: string;
  readonly #file: number;
  #dataBytes = 0;
  #open = true;

  /** Creates or empties the file at `path`; WavError when that fails. */
  constructor(path: string) {
    this.#path = path;
    this.#file = this.#attempt(() => openSync(path, "w"));
    this.#attempt(() => writeSync(this.#file, header(0), 0, HEADER_BYTES, 0));
  }

  /** Appends samples; those beyond what the format can hold (about 12 hours) are left out. TypeError after `close`. */
  append(pcm: Int16Array): void {
    if (!this.#open) throw new TypeError("WavSink: append after close");
    const bytes = octets(pcm);
    if (this.#dataBytes + bytes.length > MAX_DATA_BYTES) return;
    this.#attempt(() => {
      writeSync(this.#file, bytes, 0, bytes.length, HEADER_BYTES + this.#dataBytes);
      this.#dataBytes += bytes.length;
      writeSync(this.#file, little(4, HEADER_BYTES - 8 + this.#dataBytes), 0, 4, 4);
      writeSync(this.#file, little(4, this.#dataBytes), 0, 4, HEADER_BYTES - 4);
    });
  }

  /** Samples recorded so far. */
  get samples(): number {
    return this.#dataBytes / 2;
  }

  /** Closing twice is harmless. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
  }

  #attempt<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new WavError("wav-unwritable", this.#path, `cannot be written: ${reasonOf(error)}`, error);
    }
  }
}
