import { expect, it } from "vitest";
import { codecContract, framesOf } from "../core/codec.contract.ts";
import { GOOD } from "../core/codec.ts";
import { loadOpusScript } from "./opus-script.ts";
import { loadOpusWasm } from "./opus-wasm.ts";
import { readWav } from "./wav.ts";

const speech = (): Promise<Int16Array> => readWav(new URL("../../scenarios/speech/speech-b.wav", import.meta.url).pathname);

codecContract("opusscript", loadOpusScript, { speech, recovery: false });

it("the two engines understand each other", async () => {
  const [one, two] = [await loadOpusWasm(), await loadOpusScript()];
  const frames = framesOf(await speech()).slice(0, 50);
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const [encoder, decoder] = [from.encoder(GOOD), to.decoder()];
    for (const frame of frames) expect(decoder.decode(encoder.encode(frame))?.length).toBe(frame.length);
  }
});

it("fifty decoders keep to their own memory", async () => {
  const engine = await loadOpusScript();
  const encoder = engine.encoder(GOOD);
  const packets = framesOf(await speech())
    .slice(0, 20)
    .map((frame) => encoder.encode(frame));
  const decoders = Array.from({ length: 50 }, () => engine.decoder());
  for (const packet of packets) {
    const heard = decoders.map((decoder) => decoder.decode(packet));
    for (const pcm of heard) expect(pcm).toEqual(heard[0]);
  }
});
