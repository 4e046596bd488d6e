/** What forward error correction costs the processor: protecting and recovering one frame, beside sealing and opening one in the same run. */
import { type FecScheme, nameOfScheme } from "../impl/base/fec-scheme.ts";
import { Stream } from "../impl/base/random.ts";
import { FRAME_MICROS, FRAME_SAMPLES } from "../impl/core/codec.ts";
import type { BlockCodes } from "../impl/core/fec/block-code.ts";
import { Protector } from "../impl/core/fec/protector.ts";
import { Recoverer } from "../impl/core/fec/recoverer.ts";
import type { SourcePacket } from "../impl/core/fec/source-packet.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { loadRaptorQ } from "../impl/io/raptorq.ts";
import { BENCHED_SCHEMES, benchedPackets } from "./bench-fec.ts";
import { hourGrowth } from "./hour-growth.ts";
import { median, processorUs } from "./processor-time.ts";

export type FecCost = {
  readonly scheme: string;
  /** Processor time of one frame, both sides, microseconds; median of the rounds. */
  readonly frameUs: number;
  /** Against sealing and opening one packet of the same octets (node:crypto), timed in turn with it. */
  readonly floorRatio: number;
  /** Share of one core that one stream of 50 frames a second takes, percent. */
  readonly streamPercent: number;
  /** Octets more after an hour than after five minutes, both sides; null for schemes that stand for no kind of their own. */
  readonly hourBytes: number | null;
};

/** chosen: 40 s of speech a round, so that a round is some ten milliseconds, and a median that one disturbance does not move. */
const FRAMES = 2_000;
const ROUNDS = 9;
/** Lost on the way, so that decoding has work to do. */
const LOSS = 0.1;

/** One scheme of every kind goes through an hour: the others of a kind differ in numbers alone. */
const HOURS: ReadonlySet<string> = new Set([
  "xor 4x3",
  "red 2",
  "rs 4+4 x3",
  "rs 3+3 x2 aboard",
  "rlc 10 at 88 %",
  "raptorq 5+5",
]);

/** An hour through one scheme at LOSS; frames come again and again, so that nothing but the scheme's own state is kept. */
export function fecHourGrowth(scheme: FecScheme, packets: readonly SourcePacket[], codes: BlockCodes): number {
  const draw = new Stream(1, "bench fec hour");
  const [protector, recoverer] = [new Protector(scheme, codes), new Recoverer(codes)];
  return hourGrowth((seq) => {
    const packet = { ...(packets[seq % packets.length] as SourcePacket), seq, timestamp: seq * FRAME_SAMPLES };
    const { payload, codec, repairs } = protector.protect(packet);
    if (!draw.nextChance(LOSS)) recoverer.source({ ...packet, payload, codec });
    for (const repair of repairs) if (!draw.nextChance(LOSS)) recoverer.repair(repair);
  });
}

/** A figure for each of `schemes` but `none`; an hour through some of them takes longer than all the rest. */
export function benchFecCost(schemes: readonly FecScheme[] = BENCHED_SCHEMES, hours = true): readonly FecCost[] {
  const codes = new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()] as const]);
  const packets = benchedPackets(FRAMES);
  const cipher = nodeCrypto.cipher(new Uint8Array(32).fill(3));
  const [nonce, associated] = [new Uint8Array(12), new Uint8Array(14)];
  const floor = (): void => {
    for (const { payload } of packets) cipher.open(nonce, associated, cipher.seal(nonce, associated, payload));
  };
  return schemes
    .filter((scheme) => scheme.scheme !== "none")
    .map((scheme) => {
      const work = (): void => {
        const draw = new Stream(1, "bench fec cost");
        const protector = new Protector(scheme, codes);
        const recoverer = new Recoverer(codes);
        for (const packet of packets) {
          const { payload, codec, repairs } = protector.protect(packet);
          if (!draw.nextChance(LOSS)) recoverer.source({ ...packet, payload, codec });
          for (const repair of repairs) if (!draw.nextChance(LOSS)) recoverer.repair(repair);
        }
      };
      work();
      floor();
      const rounds = Array.from({ length: ROUNDS }, () => ({ work: processorUs(work), floor: processorUs(floor) }));
      const frameUs = median(rounds.map((round) => round.work)) / FRAMES;
      return {
        scheme: nameOfScheme(scheme),
        frameUs,
        floorRatio: median(rounds.map((round) => round.work / round.floor)),
        streamPercent: (frameUs / FRAME_MICROS) * 100,
        hourBytes: hours && HOURS.has(nameOfScheme(scheme)) ? fecHourGrowth(scheme, packets, codes) : null,
      };
    });
}
