import { describe, expect, test } from "vitest";
import type { FecScheme } from "../base/fec-scheme.ts";
import { type CodecEngine, FRAME_SAMPLES, GOOD } from "./codec.ts";
import { DEFAULT_FEC } from "./media-stream.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { rehearse } from "./rehearsal.ts";
import type { VoiceOptions } from "./voice/options.ts";

/** Counts what is asked of it. */
function counting(): CodecEngine & { readonly done: Record<"encoded" | "decoded" | "concealed" | "held", number> } {
  const done = { encoded: 0, decoded: 0, concealed: 0, held: 0 };
  const held = <T>(coder: T): T & { free(): void } => {
    done.held++;
    return { ...coder, free: () => void done.held-- };
  };
  return {
    name: "counting",
    mode: "real",
    done,
    encoder: () =>
      held({
        encode: () => {
          done.encoded++;
          return new Uint8Array(40);
        },
      }),
    decoder: () =>
      held({
        decode: () => {
          done.decoded++;
          return new Int16Array(FRAME_SAMPLES);
        },
        recover: () => undefined,
        conceal: () => {
          done.concealed++;
          return new Int16Array(FRAME_SAMPLES);
        },
      }),
  };
}

const schemes: readonly FecScheme[] = [{ scheme: "none" }, { scheme: "red", depth: 1 }];
const voices: readonly VoiceOptions[] = [
  { tier: "good", adaptsFec: false },
  { tier: "adaptive", adaptsFec: true },
  { tier: "good", adaptsFec: false, dtx: true },
];

describe("rehearse", () => {
  const cases = schemes.flatMap((scheme) => voices.map((voice) => ({ scheme, voice })));
  test.each(cases)("$scheme.scheme, $voice: coders and jitter buffer have worked, and coders are given back", (one) => {
    const codec = counting();
    const fec = { ...DEFAULT_FEC, scheme: one.scheme };
    rehearse({ crypto: nobleCrypto, codec, settings: GOOD, jitterBuffer: "neteq", fec, voice: one.voice });
    // What adapts to a bad link, or says nothing while nobody speaks, has less to encode.
    const { encoded, decoded, concealed, held } = codec.done;
    expect(encoded).toBeGreaterThan(60);
    expect(decoded).toBeGreaterThan(60);
    expect(concealed).toBeGreaterThan(0);
    expect(held).toBe(0);
  });
});
