/** What discontinuous transmission saves and what it costs, on the two sides of a conversation, with the real codec and every header counted. */
import { beforeAll, describe, expect, test } from "vitest";
import { Instant } from "../impl/base/units.ts";
import { loop } from "../impl/core/audio-source.ts";
import { type CodecEngine, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import { DEFAULT_FEC, MediaStream } from "../impl/core/media-stream.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { kindOf } from "../impl/wire/media-header.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { DATAGRAM_OVERHEAD, SHORT_OVERHEAD } from "../sim/quic/packet.ts";
import { TURNS, turns } from "../sim/turns.ts";
import { speechPath } from "./speech.ts";

/** UDP and IPv4 (RFC 768, RFC 791), QUIC's packet and datagram frame. */
const HEADERS = 8 + 20 + SHORT_OVERHEAD + DATAGRAM_OVERHEAD;
/** The whole loop of the conversation, after the 300 ms that teach the noise floor. */
const TICKS = 1_000;
const [ONE, TWO] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

let opus: CodecEngine;
const said = new Map<string, Int16Array>();
beforeAll(async () => {
  opus = await loadOpusWasm({ encoders: 4, decoders: 4 });
  for (const [name, side] of TURNS) said.set(name, turns(side, await readWav(speechPath(side))));
});

type Leaving = { readonly octets: number; readonly spoken: ReadonlySet<number>; readonly noise: number };

/** One side's microphone: octets on the wire, and the frames whose audio is in a packet. */
function leaving(pcm: Int16Array, dtx: boolean, peerCodecs: readonly string[] = ["comfort-noise"]): Leaving {
  const stream = new MediaStream({
    ...{ call: "c", crypto: nullCrypto, codec: opus, settings: GOOD, jitterBuffer: "neteq", fec: DEFAULT_FEC, peerFec: [] },
    ...{ peerSends: undefined, peerCodecs, voice: { tier: "good", adaptsFec: false, dtx } },
    ...{ keys: { send: ONE, receive: TWO, sendId: "a", receiveId: "b" }, say: () => {} },
  });
  const source = loop(pcm);
  const spoken = new Set<number>();
  let [octets, noise] = [0, 0];
  for (let tick = 0; tick < TICKS; tick++) {
    for (const packet of stream.capture(Instant(tick * FRAME_MICROS), source.next(), 1)) {
      octets += packet.length + HEADERS;
      if (kindOf(packet) === "comfort") noise++;
      else spoken.add(tick);
    }
  }
  stream.end();
  return { octets, spoken, noise };
}

/** Frames that somebody would miss: louder than -45 dBFS, which is 17 dB over the room. */
function loud(pcm: Int16Array): readonly boolean[] {
  return Array.from({ length: TICKS }, (_, i) => {
    const frame = pcm.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES);
    return Math.sqrt(frame.reduce((sum, x) => sum + x * x, 0) / FRAME_SAMPLES) > 184;
  });
}

describe("discontinuous transmission", () => {
  test("halves what a conversation of two takes on the wire, headers and all", () => {
    const [all, dtx] = [false, true].map((on) => [...said.values()].reduce((sum, pcm) => sum + leaving(pcm, on).octets, 0)) as [
      number,
      number,
    ];
    expect(dtx / all).toBeLessThanOrEqual(0.5);
    expect(dtx / all).toBeGreaterThan(0.3); // less would mean that words are missing
  });

  test("clips no word: every loud frame is sent, and so is the frame each onset begins in", () => {
    for (const pcm of said.values()) {
      const { spoken } = leaving(pcm, true);
      const heard = loud(pcm);
      const onsets = heard.flatMap((is, i) => (is && heard[i - 1] !== true ? [i] : []));
      expect(onsets.length).toBeGreaterThan(5);
      expect(heard.flatMap((is, i) => (is && !spoken.has(i) ? [i] : []))).toEqual([]);
    }
  });

  test("a peer of before it is sent every frame and no noise", () => {
    for (const pcm of said.values()) {
      const { spoken, noise } = leaving(pcm, true, []);
      expect(spoken.size).toBe(TICKS);
      expect(noise).toBe(0);
    }
  });
});
