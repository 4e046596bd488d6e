import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import wavefile from "wavefile";
import { Stream } from "../base/random.ts";
import { alignedCorrelation, framesOf, joined, rms } from "../core/codec.contract.ts";
import { toneGenerator } from "../core/tone.ts";
import { readWav, WavError, WavSink, wavBytes } from "./wav.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-wav-"));
});
afterAll(() => rm(folder, { recursive: true }));

const tone = joined(Array.from({ length: 50 }, toneGenerator(440, 8_000)));

const saved = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

describe("reading", () => {
  it("gives back what wavBytes wrote", async () => {
    expect(await readWav(await saved("own.wav", wavBytes(tone)))).toEqual(tone);
  });

  it.each([
    ["8", 48_000, 1],
    ["24", 48_000, 1],
    ["32", 48_000, 1],
    ["32f", 48_000, 1],
    ["64", 48_000, 1],
    ["16", 48_000, 2],
    ["16", 8_000, 1],
    ["16", 16_000, 1],
    ["16", 44_100, 1],
    ["24", 96_000, 2],
    ["8m", 8_000, 1],
    ["8a", 8_000, 1],
  ])("depth %s at %i Hz with %i channels becomes mono 48 kHz 16-bit", async (depth, rate, channels) => {
    // A 440 Hz tone of one second at the file's own rate.
    const own = Int16Array.from({ length: rate }, (_, i) => Math.round(8_000 * Math.sin((2 * Math.PI * 440 * i) / rate)));
    const wav = new wavefile.WaveFile();
    wav.fromScratch(channels, rate, "16", channels === 1 ? own : [own, own]);
    if (depth === "8m") wav.toMuLaw();
    else if (depth === "8a") wav.toALaw();
    else wav.toBitDepth(depth);
    const read = await readWav(await saved(`${depth}-${rate}-${channels}.wav`, wav.toBuffer()));
    expect(Math.abs(read.length - 48_000)).toBeLessThanOrEqual(6);
    expect(alignedCorrelation(tone.subarray(4_800, 40_000), read.subarray(4_800))).toBeGreaterThan(0.995);
    expect(rms(read.subarray(4_800, 40_000)) / rms(tone)).toBeCloseTo(1, 1);
  });

  it.each([
    ["sample rate", 24, 4, [1, 999, 400_000, 0xffff_ffff, 0]],
    ["channel count", 22, 2, [0, 33, 65_535]],
    ["bit depth", 34, 2, [0, 1, 7, 65, 65_535]],
  ] as const)("refuses a header whose %s is absurd, at once", async (_, at, size, values) => {
    for (const value of values) {
      const bytes = wavBytes(tone);
      const view = new DataView(bytes.buffer);
      if (size === 4) view.setUint32(at, value, true);
      else view.setUint16(at, value, true);
      await expect(readWav(await saved("absurd.wav", bytes)), `${value}`).rejects.toThrow(WavError);
    }
  });

  it("gives samples or a WavError for a header with any octets altered, and for a file cut anywhere", async () => {
    const luck = new Stream(4, "wav");
    const whole = wavBytes(tone.subarray(0, 480));
    let refused = 0;
    for (let i = 0; i < 1_500; i++) {
      const bytes = new Uint8Array(whole);
      for (let j = luck.nextBelow(4); j >= 0; j--) bytes[luck.nextBelow(44)] = luck.nextBelow(256);
      const cut = i % 3 === 0 ? bytes.subarray(0, luck.nextBelow(bytes.length)) : bytes;
      const read: unknown = await readWav(await saved("altered.wav", cut)).catch((error: unknown) => error);
      if (read instanceof Int16Array) continue;
      expect(read).toBeInstanceOf(WavError);
      refused++;
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("mixes channels to their mean", async () => {
    const wav = new wavefile.WaveFile();
    wav.fromScratch(2, 48_000, "16", [Int16Array.of(100, 200, -300), Int16Array.of(0, 100, 301)]);
    expect([...(await readWav(await saved("mix.wav", wav.toBuffer())))]).toEqual([50, 150, 1]);
  });

  it.each([
    ["missing.wav", undefined, "wav-unreadable", /missing\.wav: cannot be read/],
    [
      "text.wav",
      new TextEncoder().encode("not a wav file at all, but long enough to have a header"),
      "wav-unsupported",
      /text\.wav: is not a WAV/,
    ],
    ["short.wav", wavBytes(tone).slice(0, 20), "wav-unsupported", /short\.wav: is not a WAV/],
    ["empty.wav", wavBytes(new Int16Array(0)), "wav-unsupported", /empty\.wav/],
    ["nothing.wav", new Uint8Array(0), "wav-unsupported", /nothing\.wav/],
  ])("%s is refused by name and reason", async (name, bytes, code, message) => {
    const path = bytes === undefined ? join(folder, name) : await saved(name, bytes);
    const error = await readWav(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WavError);
    expect(error).toMatchObject({ code, path, message: expect.stringMatching(message) });
  });
});

describe("recording", () => {
  it("leaves a file that plays after every append, closed or not", async () => {
    const path = join(folder, "growing.wav");
    const sink = new WavSink(path);
    for (const [i, frame] of framesOf(tone).entries()) {
      sink.append(frame);
      if (i % 10 === 0) {
        expect((await readWav(path)).length).toBe(sink.samples);
        const header = new DataView((await readFile(path)).buffer);
        expect(header.getUint32(4, true)).toBe((await stat(path)).size - 8);
      }
    }
    sink.close();
    sink.close();
    expect(new Uint8Array(await readFile(path))).toEqual(wavBytes(tone));
    expect(() => sink.append(tone)).toThrow(TypeError);
  });

  it("says which file cannot be written", () => {
    expect(() => new WavSink(join(folder, "no", "such", "folder.wav"))).toThrow(WavError);
    expect(() => new WavSink(join(folder, "no", "such", "folder.wav"))).toThrow(/folder\.wav: cannot be written/);
  });
});

describe("the speech fixtures", () => {
  it.each(["speech-a", "speech-b"])(
    "%s is about five seconds at -23 dBFS where it speaks, and whole frames long",
    async (name) => {
      const pcm = await readWav(new URL(`../../scenarios/speech/${name}.wav`, import.meta.url).pathname);
      expect(pcm.length).toBe(270 * 960);
      const spoken = framesOf(pcm).filter((frame) => rms(frame) > 32_768 * 10 ** (-50 / 20));
      expect(20 * Math.log10(rms(joined(spoken)) / 32_768)).toBeCloseTo(-23, 0);
    },
  );
});
