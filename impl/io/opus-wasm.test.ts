import { describe, expect, it } from "vitest";
import { InvariantError } from "../base/invariant.ts";
import { codecContract } from "../core/codec.contract.ts";
import { GOOD } from "../core/codec.ts";
import { loadOpusWasm } from "./opus-wasm.ts";
import { readWav } from "./wav.ts";

const speech = (): Promise<Int16Array> => readWav(new URL("../../scenarios/speech/speech-a.wav", import.meta.url).pathname);

codecContract("libopus-wasm", () => loadOpusWasm({ encoders: 40, decoders: 60 }), { speech, recovery: true });

codecContract("libopus-wasm, 60 ms a packet", () => loadOpusWasm({ encoders: 40, decoders: 60 }), {
  speech: undefined,
  recovery: false,
  units: 3,
  bitrates: [[6_000, 0.5]],
});

describe("the pool of coders", () => {
  it("says what ran out, and is full again once the event loop has turned", async () => {
    const engine = await loadOpusWasm({ encoders: 1, decoders: 2 });
    engine.encoder(GOOD);
    expect(() => engine.encoder(GOOD)).toThrow(InvariantError);
    expect(() => engine.encoder(GOOD)).toThrow(/no encoder left of 1/);
    await engine.refilled();
    engine.encoder(GOOD);
    engine.decoder();
    engine.decoder();
    expect(() => engine.decoder()).toThrow(/no decoder left of 2/);
    await engine.refilled();
    engine.decoder().free();
  });

  it("names the libopus it carries", async () => {
    expect((await loadOpusWasm({ encoders: 0, decoders: 0 })).version).toMatch(/^libopus 1\.6/);
  });
});
