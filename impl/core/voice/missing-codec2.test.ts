/** A party without Codec2 speaks Opus of 6 kbit/s, 60 ms a packet, in its tier, and says why. */
import { expect, test } from "vitest";
import type { Saying } from "../../base/record.ts";
import { Instant } from "../../base/units.ts";
import { type CodecEngine, type CodecSettings, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../codec.ts";
import { DEFAULT_FEC, MediaStream } from "../media-stream.ts";
import { nobleCrypto } from "../noble-crypto.ts";
import { CODEC_WORDS } from "./coding.ts";

/** Notes the settings its encoders are made with. */
const noting = (made: CodecSettings[]): CodecEngine => ({
  name: "noting",
  mode: "sized",
  encoder: (settings) => {
    made.push(settings);
    return { encode: () => new Uint8Array(45), free: () => {} };
  },
  decoder: () => ({
    decode: () => new Int16Array(FRAME_SAMPLES),
    recover: () => undefined,
    conceal: () => new Int16Array(FRAME_SAMPLES),
    free: () => {},
  }),
});

test("a missing libcodec2 makes its tier Opus of 6 kbit/s at 60 ms, and the log says so and why", () => {
  const [said, made]: [Saying[], CodecSettings[]] = [[], []];
  const stream = new MediaStream({
    ...{ call: "c", crypto: nobleCrypto, codec: noting(made), settings: GOOD, jitterBuffer: "neteq", fec: DEFAULT_FEC },
    keys: { send: new Uint8Array(32).fill(1), receive: new Uint8Array(32).fill(2), sendId: "a", receiveId: "b" },
    ...{ peerFec: [], peerSends: undefined, peerCodecs: [CODEC_WORDS.long, CODEC_WORDS.codec2] },
    voice: { tier: "catastrophic", adaptsFec: false, noCodec2: "libcodec2.so.1.0 is not there" },
    say: (one) => said.push(one),
  });
  const packets = Array.from({ length: 30 }, (_, i) =>
    stream.capture(Instant(i * FRAME_MICROS), new Int16Array(FRAME_SAMPLES), 1),
  ).flat();
  stream.end();
  expect(said).toContainEqual({ ev: "note", text: "no Codec2 (libcodec2.so.1.0 is not there): its tier is opus 6k 60 ms" });
  expect(made.at(-1)).toMatchObject({ bitrate: 6_000, units: 3 });
  // 600 ms of speech, 60 ms a packet.
  expect(packets).toHaveLength(10);
});
