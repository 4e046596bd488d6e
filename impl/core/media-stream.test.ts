/** Two media streams with a wire between them that a test cuts: forward error correction from the microphone to the loudspeaker. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FecScheme, NO_FEC, nameOfScheme } from "../base/fec-scheme.ts";
import type { RefusalReason, Saying } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import { CODEC_REDUNDANT, isParity, parseMediaHeader } from "../wire/media-header.ts";
import { type CodecEngine, FRAME_MICROS, FRAME_SAMPLES, GOOD } from "./codec.ts";
import type { CallKeys } from "./key-agreement.ts";
import { capabilities, DEFAULT_FEC, MediaStream } from "./media-stream.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { Sealer } from "./packet-protection.ts";
import { DEFAULT_VOICE } from "./voice/options.ts";

/** Carries one number a frame and has no redundancy of its own. */
const counting: CodecEngine = {
  name: "counting",
  mode: "sized",
  encoder: () => ({ encode: (pcm) => new Uint8Array(20 + ((pcm[0] ?? 0) % 7)).fill((pcm[0] ?? 0) & 255), free: () => {} }),
  decoder: () => ({
    decode: (packet) => new Int16Array(FRAME_SAMPLES).fill(packet[0] ?? 0),
    recover: () => undefined,
    conceal: () => new Int16Array(FRAME_SAMPLES).fill(-1),
    free: () => {},
  }),
};

const [ONE, TWO] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const A: CallKeys = { send: ONE, receive: TWO, sendId: "a", receiveId: "b" };
const B: CallKeys = { send: TWO, receive: ONE, sendId: "b", receiveId: "a" };

type Ends = { readonly sender: MediaStream; readonly receiver: MediaStream; readonly said: Saying[] };

/** A sender with `scheme` and a receiver that told what it can make use of, or says nothing of it. */
function ends(scheme: FecScheme, tells: boolean): Ends {
  const said: Saying[] = [];
  const common = {
    call: "c",
    crypto: nobleCrypto,
    codec: counting,
    settings: GOOD,
    jitterBuffer: "ema",
    voice: DEFAULT_VOICE,
    peerCodecs: [],
  } as const;
  const mine = { scheme, codes: DEFAULT_FEC.codes };
  const peerFec = tells ? capabilities(DEFAULT_FEC).fec : [];
  const sender = new MediaStream({ ...common, keys: A, fec: mine, peerFec, peerSends: undefined, say: () => {} });
  const peerSends = tells ? capabilities(mine).sends : undefined;
  const receiver = new MediaStream({
    ...common,
    keys: B,
    fec: DEFAULT_FEC,
    peerFec: [],
    peerSends,
    say: (one) => said.push(one),
  });
  return { sender, receiver, said };
}

type Heard = {
  readonly played: readonly (number | undefined)[];
  readonly packets: readonly Uint8Array[];
  readonly refused: readonly RefusalReason[];
};

/** Sends `count` frames 20 ms apart; `carry` says what becomes of the n-th packet on the wire, which takes 10 ms. */
function talk(
  { sender, receiver }: Ends,
  count: number,
  carry: (packet: Uint8Array, n: number) => Uint8Array | undefined,
): Heard {
  const packets: Uint8Array[] = [];
  const played: (number | undefined)[] = [];
  const refused: RefusalReason[] = [];
  for (let i = 0; i < count; i++) {
    const now = i * FRAME_MICROS;
    for (const packet of sender.capture(Instant(now), new Int16Array(FRAME_SAMPLES).fill(i + 1), 7)) {
      const carried = carry(packet, packets.length);
      packets.push(packet);
      const reason = carried && receiver.receive(Instant(now + 10_000), carried);
      if (reason !== undefined) refused.push(reason);
    }
    played.push(receiver.playout(Instant(now + 15_000))?.[0]);
  }
  return { played, packets, refused };
}

const SCHEMES: readonly FecScheme[] = [
  { scheme: "red", depth: 2 },
  { scheme: "xor", protects: "rows", length: 4, rows: 1 },
  { scheme: "red", depth: 2, apart: 3 },
  { scheme: "rs", source: 4, repair: 2, interleave: 2, leaves: "at-once" },
  { scheme: "rs", source: 4, repair: 2, interleave: 2, leaves: "aboard" },
];

describe("media streams with forward error correction", () => {
  it.each(SCHEMES.map((scheme) => [nameOfScheme(scheme), scheme] as const))(
    "what %s gives back is played in its place, under its name, and nothing is made up",
    (_, scheme) => {
      const pair = ends(scheme, true);
      let media = 0;
      // Every eighth media packet is lost: each scheme can bring that back.
      const { played, refused } = talk(pair, 200, (packet) =>
        !isParity(packet) && ++media % 8 === 5 && media < 180 ? undefined : packet,
      );
      pair.receiver.end();
      const heard = played.filter((one) => one !== undefined);
      expect(refused).toEqual([]);
      expect(heard.length).toBeGreaterThan(180);
      expect(heard).toEqual(heard.map((_, i) => (i + 1) & 255));
      const recovered = pair.said.flatMap((one) => (one.ev === "media-played" && one.kind === "recovered" ? [one] : []));
      expect(new Set(recovered.map((one) => one.by))).toEqual(new Set([scheme.scheme]));
      expect(recovered.reduce((sum, one) => sum + one.n, 0)).toBeGreaterThanOrEqual(21);
      expect(pair.said.findLast((one) => one.ev === "fec")).toMatchObject({ scheme: "none", givenBack: 22 });
      // Statistics of packets speak of packets: what was given back never came.
      expect(pair.said.findLast((one) => one.ev === "stats")).toMatchObject({
        packetsLost: 22,
        packetsReceived: 178,
        concealedSamples: 0,
      });
    },
  );

  it("a lost burst within the power of RED is whole again, one beyond it leaves a gap of the rest", () => {
    for (const [burst, gap] of [
      [2, 0],
      [3, 1],
    ] as const) {
      const { played } = talk(ends({ scheme: "red", depth: 2 }, true), 100, (packet, n) =>
        n >= 50 && n < 50 + burst ? undefined : packet,
      );
      expect(played.filter((one) => one === -1).length).toBe(gap);
    }
  });

  it("a peer that says nothing of it is sent plain packets only, octet for octet those of a sender without", () => {
    for (const scheme of SCHEMES) {
      const { packets, played } = talk(ends(scheme, false), 60, (packet) => packet);
      expect(packets).toEqual(talk(ends(NO_FEC, true), 60, (packet) => packet).packets);
      expect(packets.every((one) => parseMediaHeader(one)?.kind === "speech")).toBe(true);
      expect(played.filter((one) => one !== undefined).length).toBeGreaterThan(50);
    }
  });

  it("a call without any says nothing of it in the log", () => {
    const pair = ends(NO_FEC, true);
    talk(pair, 120, (packet) => packet);
    pair.receiver.end();
    expect(pair.said.some((one) => one.ev === "stats")).toBe(true);
    expect(pair.said.some((one) => one.ev === "fec")).toBe(false);
  });

  it("repair that was altered, cut or sent again is refused and counted, and the call goes on", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 255 }), fc.boolean(), (where, flip, cut) => {
        const pair = ends({ scheme: "rs", source: 4, repair: 2, interleave: 2, leaves: "at-once" }, true);
        const { played, refused, packets } = talk(pair, 60, (packet) => {
          if (!isParity(packet)) return packet;
          if (cut) return packet.subarray(0, where % packet.length);
          const altered = packet.slice();
          // Not the channel, which relays change.
          const at = where % packet.length === 1 ? 2 : where % packet.length;
          altered[at] = (altered[at] as number) ^ flip;
          return altered;
        });
        expect(refused.length).toBe(packets.filter(isParity).length);
        expect(played.filter((one) => one === -1)).toEqual([]);
        // The first has a full header.
        const again = packets.find(isParity) as Uint8Array;
        expect(pair.receiver.receive(Instant(2_000_000), again)).toBeUndefined();
        expect(pair.receiver.receive(Instant(2_000_000), again)).toBe("replayed");
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  it("media and repair of one number are sealed with different keys", () => {
    const { sender, receiver } = ends({ scheme: "rs", source: 1, repair: 1, interleave: 1, leaves: "at-once" }, true);
    const [media, repair] = sender.capture(Instant(0), new Int16Array(FRAME_SAMPLES).fill(1), 7) as [Uint8Array, Uint8Array];
    for (const [from, to] of [
      [media, repair],
      [repair, media],
    ] as const) {
      const disguised = from.slice();
      disguised[0] = ((disguised[0] as number) & 0b1100_1111) | ((to[0] as number) & 0b0011_0000);
      expect(receiver.receive(Instant(0), disguised)).toBe("unauthentic");
    }
    expect(receiver.receive(Instant(0), media)).toBeUndefined();
    expect(receiver.receive(Instant(0), repair)).toBeUndefined();
  });

  it("a redundant payload that is none is refused, and the next packet is taken", () => {
    const { receiver } = ends({ scheme: "red", depth: 1 }, true);
    const sealer = new Sealer(nobleCrypto, A.send);
    const seal = (payload: Uint8Array): Uint8Array =>
      sealer.seal({ channel: 7, timestamp: sealer.next * FRAME_SAMPLES, payload, codec: CODEC_REDUNDANT }).packet;
    for (const octets of [[], [1], [1, 1], [1, 1, 0, 0], [1, 1, 8, 9, 5], [CODEC_REDUNDANT << 4, 0, 5]]) {
      expect(receiver.receive(Instant(0), seal(Uint8Array.from(octets)))).toBe("malformed");
    }
    expect(receiver.receive(Instant(0), seal(Uint8Array.of(1, 0, 5)))).toBeUndefined();
  });

  it("the delay a scheme needs is there before its first packet is", () => {
    const scheme: FecScheme = { scheme: "rs", source: 4, repair: 4, interleave: 2, leaves: "at-once" };
    const first = (tells: boolean): number =>
      talk(ends(tells ? scheme : NO_FEC, true), 60, (packet) => packet).played.findIndex((one) => one !== undefined);
    // Hold of 6 packets, less the 40 ms there are anyway.
    expect(first(true) - first(false)).toBe(4);
  });
});
