import { expect, it } from "vitest";
import { codecContract } from "../impl/core/codec.contract.ts";
import { FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import { sizedCodec } from "./sized-codec.ts";

codecContract("sized", () => Promise.resolve(sizedCodec), { speech: undefined, recovery: true });

it("sizes vary as speech does and average to the bitrate over a second", () => {
  const encoder = sizedCodec.encoder(GOOD);
  const sizes = Array.from({ length: 50 }, () => encoder.encode(new Int16Array(FRAME_SAMPLES)).length);
  const mean = sizes.reduce((a, b) => a + b) / sizes.length;
  expect(Math.abs(mean / 60 - 1)).toBeLessThan(0.1);
  expect(Math.min(...sizes)).toBeLessThan(mean / 3);
  expect(Math.max(...sizes)).toBeGreaterThan(mean * 1.3);
});

it("redundancy follows the settings under which libopus sends it", () => {
  const carries = (bitrate: number, expectedLossPercent: number): boolean => {
    const [encoder, decoder] = [sizedCodec.encoder({ ...GOOD, bitrate, expectedLossPercent }), sizedCodec.decoder()];
    return Array.from({ length: 50 }, () => encoder.encode(new Int16Array(FRAME_SAMPLES))).some(
      (p) => decoder.recover(p) !== undefined,
    );
  };
  expect([carries(24_000, 10), carries(24_000, 5), carries(18_000, 15), carries(18_000, 10), carries(6_000, 30)]).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
});
