import fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_FRAME_BYTES } from "./codec.ts";
import { parseOpusPacket } from "./opus-packet.ts";

/** TOC byte: configuration, stereo, packing (RFC 6716 section 3.1). */
const toc = (configuration: number, packing = 0, stereo = false): number => (configuration << 3) | (stereo ? 4 : 0) | packing;

it.each([
  ["SILK wideband 20 ms, LBRR flag set", [toc(9), 0b1100_0000], 960, "silk", true],
  ["SILK wideband 20 ms, voice but no LBRR", [toc(9), 0b1000_0000], 960, "silk", false],
  ["SILK 60 ms: three VAD flags, then LBRR", [toc(11), 0b1111_0000], 2_880, "silk", true],
  ["SILK 60 ms: three VAD flags, no LBRR", [toc(11), 0b1110_0000], 2_880, "silk", false],
  ["hybrid 10 ms with LBRR", [toc(14), 0b0100_0000], 480, "hybrid", true],
  ["stereo: LBRR of the side channel", [toc(9, 0, true), 0b0001_0000], 960, "silk", true],
  ["CELT 20 ms has none, whatever its bits", [toc(31), 0xff], 960, "celt", false],
  ["CELT 2.5 ms", [toc(16), 0], 120, "celt", false],
  ["two frames of 10 ms", [toc(8, 1), 0xff, 0xff], 960, "silk", false],
  ["three frames of 20 ms", [toc(9, 3), 3, 1, 1, 1], 2_880, "silk", false],
  ["the TOC byte alone (DTX)", [toc(9)], 960, "silk", false],
] as const)("%s", (_, bytes, samples, layer, redundancy) => {
  expect(parseOpusPacket(Uint8Array.from(bytes))).toEqual({ samples, layer, redundancy });
});

it.each([
  ["empty", new Uint8Array(0)],
  ["longer than a frame may be", new Uint8Array(MAX_FRAME_BYTES + 1)],
  ["of no frames", Uint8Array.of(toc(9, 3), 0)],
  ["of more than 120 ms", Uint8Array.of(toc(9, 3), 7)],
])("a packet %s is refused", (_, packet) => {
  expect(parseOpusPacket(packet)).toBeUndefined();
});

it("never throws, and what it accepts lasts 2.5 to 120 ms", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40, size: "max" }), (packet) => {
      const parsed = parseOpusPacket(packet);
      if (parsed === undefined) return;
      expect(parsed.samples).toBeGreaterThanOrEqual(120);
      expect(parsed.samples).toBeLessThanOrEqual(5_760);
    }),
    { seed: 2, numRuns: 2_000 },
  );
});
