/**
 * Packets that are not as they should be, in the middle of a call: each is counted and dropped, or understood, and the voice goes on. Two tables: what anybody on the path can
 * do, and what only a peer can (its packets are authentic), where everything behind the seal has to stand it: real Opus, Reed-Solomon, RaptorQ.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { RefusalReason, Saying } from "../impl/base/record.ts";
import { Instant } from "../impl/base/units.ts";
import { tone } from "../impl/core/audio-source.ts";
import { type CodecEngine, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import { putRepairPacket, type RepairPacket } from "../impl/core/fec/repair-packet.ts";
import { DEFAULT_FEC, MediaStream } from "../impl/core/media-stream.ts";
import { Sealer } from "../impl/core/packet-protection.ts";
import { textOctets } from "../impl/core/transcript.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { loadRaptorQ } from "../impl/io/raptorq.ts";
import { CODEC_CODEC2_1200, CODEC_LADEN, CODEC_REDUNDANT, CODEC_SLIDING } from "../impl/wire/media-header.ts";
import { nullCrypto } from "../sim/null-crypto.ts";

const KEY = new Uint8Array(32).fill(1);
const derived = (label: string): Uint8Array => nullCrypto.derive(KEY, new Uint8Array(0), textOctets(label), 32);

let opus: CodecEngine;
/** Two seconds of a tone, encoded. */
let frames: readonly Uint8Array[];
beforeAll(async () => {
  opus = await loadOpusWasm({ encoders: 1, decoders: 1 });
  const [encoder, source] = [opus.encoder(GOOD), tone(300)];
  frames = Array.from({ length: 100 }, () => encoder.encode(source.next()));
  encoder.free();
});

type Wire = {
  /** Sealed as a peer would. */
  readonly media: Sealer;
  readonly repair: Sealer;
  readonly comfort: Sealer;
  readonly report: Sealer;
  /** What it sealed so far, and the next timestamp. */
  readonly sent: readonly Uint8Array[];
  timestamp: number;
  /** Hands one over now. */
  take(packet: Uint8Array): RefusalReason | undefined;
};

type Heard = {
  readonly said: readonly Saying[];
  readonly late: Readonly<Record<string, number>>;
  readonly refused: readonly RefusalReason[];
};

/** A second of voice, then `disturb`, then two more seconds; `late`: kinds of the last second's ticks. `first`: the first packet number; `later`: a second after `disturb`. */
function call(
  disturb: (wire: Wire) => readonly (RefusalReason | undefined)[],
  first = 0,
  later: (wire: Wire) => void = () => {},
): Heard {
  const said: Saying[] = [];
  const receiver = new MediaStream({
    ...{ call: "c", crypto: nullCrypto, codec: opus, settings: GOOD, jitterBuffer: "neteq", peerFec: [], peerCodecs: [] },
    ...{ fec: { ...DEFAULT_FEC, codes: new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()]]) }, peerSends: undefined },
    ...{ keys: { send: new Uint8Array(32).fill(2), receive: KEY, sendId: "b", receiveId: "a" } },
    ...{ voice: { tier: "good", adaptsFec: true }, say: (one: Saying) => said.push(one) },
  });
  const sent: Uint8Array[] = [];
  let now = 0;
  const wire: Wire = {
    media: new Sealer(nullCrypto, KEY, first),
    repair: new Sealer(nullCrypto, derived("midcall repair v1")),
    comfort: new Sealer(nullCrypto, derived("midcall comfort v1")),
    report: new Sealer(nullCrypto, derived("midcall report v1")),
    sent,
    timestamp: 0,
    take: (packet) => receiver.receive(Instant(now), packet),
  };
  const kinds: Record<string, number> = {};
  let refused: readonly RefusalReason[] = [];
  const playing = (): string => String((receiver.view() as { readonly playing: string }).playing);
  for (let tick = 0; tick < 150; tick++) {
    now = tick * FRAME_MICROS;
    if (tick === 50) refused = disturb(wire).filter((reason) => reason !== undefined);
    if (tick === 100) later(wire);
    const payload = frames[tick % frames.length] as Uint8Array;
    const { packet } = wire.media.seal({ channel: 1, timestamp: wire.timestamp, payload });
    wire.timestamp += FRAME_SAMPLES;
    sent.push(packet);
    expect(wire.take(packet)).toBeUndefined();
    now += 1_000;
    receiver.playout(Instant(now));
    if (tick >= 100) kinds[playing()] = (kinds[playing()] ?? 0) + 1;
  }
  receiver.end();
  return { said, late: kinds, refused };
}

const stats = (heard: Heard): Extract<Saying, { ev: "stats" }> =>
  heard.said.findLast((one) => one.ev === "stats") as Extract<Saying, { ev: "stats" }>;
const goesOn = (heard: Heard): void => expect(heard.late).toEqual({ source: 50 });

describe("what anybody on the path can do", () => {
  const cases: readonly (readonly [string, (wire: Wire) => readonly (RefusalReason | undefined)[], readonly RefusalReason[]])[] =
    [
      ["nothing at all", ({ take }) => [take(new Uint8Array(0))], ["malformed"]],
      [
        "truncated",
        ({ take, sent }) => [4, 12, 20, 27].map((length) => take((sent[0] as Uint8Array).subarray(0, length))),
        ["malformed", "malformed", "malformed", "malformed"],
      ],
      [
        "truncated by one octet",
        ({ take, media, timestamp }) => [
          take(media.seal({ channel: 1, timestamp, payload: new Uint8Array(40) }).packet.slice(0, -1)),
        ],
        ["unauthentic"],
      ],
      ["64 kB long", ({ take }) => [take(new Uint8Array(65_535).fill(0x80))], ["malformed"]],
      [
        "a full header and 60 kB",
        ({ take, sent }) => {
          const long = new Uint8Array(60_000);
          long.set(sent[0] as Uint8Array);
          long[7] = 200;
          return [take(long)];
        },
        ["unauthentic"],
      ],
      ["sent again", ({ take, sent }) => [take(sent[10] as Uint8Array), take(sent[49] as Uint8Array)], ["replayed", "replayed"]],
    ];
  test.each(cases)("%s: refused with its reason, and the voice goes on", (_, disturb, reasons) => {
    const heard = call(disturb);
    expect(heard.refused).toEqual(reasons);
    goesOn(heard);
    expect(stats(heard).concealmentEvents).toBeLessThanOrEqual(1);
  });
});

/** A repair packet about the last eight packets, as Reed-Solomon or RaptorQ, with a symbol of `length` octets. */
const repairOf = (code: RepairPacket["code"], length: number, more: Partial<RepairPacket> = {}): Uint8Array =>
  putRepairPacket({
    ...{
      code,
      hold: 8,
      source: 8,
      stride: 1,
      index: 0,
      codec: 0,
      frames: 1,
      first24: 42,
      time24: 42,
      symbol: new Uint8Array(length),
    },
    ...more,
  });

describe("what only a peer can do", () => {
  /** Media with this payload and codec, sealed and taken. */
  const media =
    (payload: Uint8Array, codec: number, units = 1) =>
    (wire: Wire): readonly (RefusalReason | undefined)[] => {
      const { packet } = wire.media.seal({ channel: 1, timestamp: wire.timestamp, payload, codec, frames: units });
      wire.timestamp += units * FRAME_SAMPLES;
      return [wire.take(packet)];
    };
  const repair =
    (...payloads: readonly Uint8Array[]) =>
    (wire: Wire): readonly (RefusalReason | undefined)[] =>
      payloads.map((payload) =>
        wire.take(wire.repair.seal({ channel: 1, timestamp: wire.repair.next * FRAME_SAMPLES, payload, kind: "parity" }).packet),
      );
  const noise = new Uint8Array(1_200).map((_, i) => (i * 197 + 31) & 255);

  test.each([
    ["nothing", new Uint8Array(0), 0],
    ["1,200 octets of noise for Opus", noise, 0],
    ["a codec nobody has", noise.subarray(0, 12), 9],
    ["Codec2 where there is none", noise.subarray(0, 12), CODEC_CODEC2_1200],
  ] as const)("%s: one frame is missing at most, counted as discarded or played as it is", (_, payload, codec) => {
    const heard = call(media(payload, codec));
    goesOn(heard);
    expect(stats(heard).concealmentEvents).toBeLessThanOrEqual(1);
    expect(stats(heard).concealedSamples).toBeLessThanOrEqual(3 * FRAME_SAMPLES);
  });

  test.each([
    ["copies that are none", noise.subarray(0, 3), CODEC_REDUNDANT],
    ["copies within copies", Uint8Array.of(CODEC_REDUNDANT << 4, 0, 5), CODEC_REDUNDANT],
    ["pieces aboard that are none", noise.subarray(0, 2), CODEC_LADEN],
    ["sums of nothing", Uint8Array.of(0, 0x11), CODEC_SLIDING],
  ] as const)("%s: malformed, and the voice goes on", (_, payload, codec) => {
    const heard = call(media(payload, codec));
    expect(heard.refused).toEqual(["malformed"]);
    goesOn(heard);
  });

  test("repair symbols of a wrong length reach no code: the WebAssembly of RaptorQ would trap on them, and never be of use again", () => {
    const wrong = [1, 7, 63, 65, 66, 71, 1_001];
    const heard = call(repair(...wrong.map((length) => repairOf("raptorq", length))));
    expect(heard.refused).toEqual(wrong.map(() => "malformed"));
    goesOn(heard);
  });

  test.each(["rs", "raptorq", "xor"] as const)(
    "symbols of %s that differ in length within a block, more of them than there are, blocks without end",
    (code) => {
      const size = 128;
      const heard = call((wire) => {
        const reasons = [
          ...repair(repairOf(code, size, { first24: 44 }), repairOf(code, size + 64, { first24: 44 }))(wire),
          ...repair(...[200, 255].map((index) => repairOf(code, size, { first24: 44, index })))(wire),
        ];
        // Blocks that can never be complete: their number is bounded.
        for (let first24 = 60; first24 < 700; first24++) repair(repairOf(code, size, { first24 }))(wire);
        return reasons;
      });
      expect(heard.refused).toEqual(["malformed", "malformed", "malformed"]);
      goesOn(heard);
    },
  );

  test("descriptions of noise and reports that are none are malformed", () => {
    const heard = call(({ take, comfort, report, timestamp }) => [
      take(comfort.seal({ channel: 1, timestamp, payload: Uint8Array.of(200, 0), kind: "comfort" }).packet),
      take(comfort.seal({ channel: 1, timestamp, payload: new Uint8Array(0), kind: "comfort" }).packet),
      take(report.seal({ channel: 1, timestamp: 0, payload: noise.subarray(0, 10), kind: "report" }).packet),
    ]);
    expect(heard.refused).toEqual(["malformed", "malformed", "malformed"]);
    goesOn(heard);
  });

  test("packets that come a second late, the last one first, are discarded and counted, and nothing else is missing", () => {
    const held: Uint8Array[] = [];
    const heard = call(
      (wire) => {
        for (let i = 0; i < 5; i++, wire.timestamp += FRAME_SAMPLES)
          held.push(wire.media.seal({ channel: 1, timestamp: wire.timestamp, payload: frames[i] as Uint8Array }).packet);
        return [];
      },
      0,
      (wire) => expect(held.toReversed().map((packet) => wire.take(packet))).toEqual(held.map(() => undefined)),
    );
    goesOn(heard);
    expect(stats(heard)).toMatchObject({ packetsLost: 0, packetsDiscarded: 5, lateDiscarded: 5 });
    expect(stats(heard).concealedSamples).toBeLessThanOrEqual(6 * FRAME_SAMPLES);
  });

  test.each([2 ** 16 - 60, 2 ** 32 - 60, 2 ** 24 - 60])("packet numbers that pass their wrap (from %i) lose nothing", (first) => {
    const heard = call(() => [], first);
    goesOn(heard);
    expect(stats(heard)).toMatchObject({ packetsLost: 0, packetsDiscarded: 0, concealmentEvents: 0 });
  });

  test.each([
    ["forward by ten minutes", 600 * 48_000],
    ["back to zero, as after a restart", 0],
  ] as const)("a clock that jumps %s: the voice is back within 200 ms", (_, by) => {
    const heard = call((wire) => {
      wire.timestamp = by === 0 ? 0 : wire.timestamp + by;
      return [];
    });
    goesOn(heard);
    expect(stats(heard).concealedSamples).toBeLessThanOrEqual(10 * FRAME_SAMPLES);
  });
});
