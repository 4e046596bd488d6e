/**
 * `midcall bench fec`: every scheme over the same losses. Random losses are drawn packet by packet, media and repair alike; bursts
 * (Gilbert-Elliott, RingRTC's profiles too) last for time, a step every 20 ms, so that every scheme meets the very same ones however many packets it
 * sends. What comes back is counted by the real protector and recoverer on frames of Opus' sizes. Left
 * out: jitter (a frame that comes back within the scheme's hold counts as in time, which scheme.contract.ts proves) and congestion control.
 */
import { type FecScheme, nameOfScheme } from "../impl/base/fec-scheme.ts";
import { Stream } from "../impl/base/random.ts";
import { FRAME_MICROS, FRAME_SAMPLES, GOOD } from "../impl/core/codec.ts";
import { TAG_BYTES } from "../impl/core/crypto.ts";
import type { BlockCodes } from "../impl/core/fec/block-code.ts";
import { Protector } from "../impl/core/fec/protector.ts";
import { Recoverer } from "../impl/core/fec/recoverer.ts";
import { holdOf } from "../impl/core/fec/scheme.ts";
import type { SourcePacket } from "../impl/core/fec/source-packet.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import { loadRaptorQ } from "../impl/io/raptorq.ts";
import { CODEC_OPUS, MINI_HEADER_BYTES } from "../impl/wire/media-header.ts";
import type { LinkModel } from "../scenarios/expanded.ts";
import { gilbert } from "../scenarios/gilbert.ts";
import { lossOf, moveChain, startChain } from "../scenarios/impairment/gilbert-elliott.ts";
import { PROFILES } from "../scenarios/profiles.ts";
import { DATAGRAM_OVERHEAD, SHORT_OVERHEAD } from "../sim/quic/packet.ts";
import { sizedCodec } from "../sim/sized-codec.ts";

/** The losses of one link, direction from sender to relay: independent ones of packets, and a Gilbert-Elliott chain stepped every 20 ms. */
export type LossTrace = { readonly name: string } & Pick<LinkModel, "loss" | "burst">;

/** One scheme on one trace. */
export type FecFigure = {
  readonly trace: string;
  readonly scheme: string;
  /** Share of packets lost on the wire, media and repair, 0..1. */
  readonly lossRatio: number;
  /** Share of frames that neither came nor came back, 0..1. */
  readonly residualRatio: number;
  /** Longest run of such frames. */
  readonly longestGapMs: number;
  /** How much longer the receiver holds every frame. */
  readonly holdMs: number;
  /** On an IPv4 link, every header counted. */
  readonly wireKbps: number;
  /** Above the plain stream's. */
  readonly overheadRatio: number;
};

/** UDP and IPv4 headers (RFC 768, RFC 791), QUIC's packet and datagram frame (sim/quic), a mini header and its tag. */
export const HEADERS: number = 8 + 20 + SHORT_OVERHEAD + DATAGRAM_OVERHEAD + MINI_HEADER_BYTES + TAG_BYTES;
/** chosen: 3 minutes of speech for a figure; at 10 % lost its standard error is 0.3 % of what is lost, in bursts of four 0.6 %. */
const SEEDS = 3;
const FRAMES = 3_000;

type Leaves = (FecScheme & { scheme: "rs" })["leaves"];
const rs = (source: number, repair: number, interleave = 1, leaves: Leaves = "at-once"): FecScheme => ({
  scheme: "rs",
  source,
  repair,
  interleave,
  leaves,
});

/** What is compared, cheap ones first. */
export const BENCHED_SCHEMES: readonly FecScheme[] = [
  { scheme: "none" },
  { scheme: "xor", protects: "rows", length: 4, rows: 1 },
  { scheme: "xor", protects: "columns", length: 4, rows: 3 },
  { scheme: "xor", protects: "both", length: 4, rows: 3 },
  rs(5, 2),
  rs(4, 2, 3),
  { scheme: "red", depth: 1 },
  { scheme: "red", depth: 2 },
  { scheme: "red", depth: 3 },
  { scheme: "red", depth: 4 },
  rs(5, 5),
  rs(4, 4, 3),
  rs(5, 5, 1, "spread"),
  { scheme: "rlc", window: 10, percent: 88 },
  { scheme: "rlc", window: 10, percent: 150 },
  { scheme: "red", depth: 1, apart: 8 },
  { scheme: "red", depth: 2, apart: 5 },
  rs(5, 3, 1, "aboard"),
  rs(3, 2, 3, "aboard"),
  rs(5, 5, 1, "aboard"),
  rs(3, 3, 2, "aboard"),
  rs(2, 2, 4, "aboard"),
  rs(3, 6, 2, "aboard"),
  rs(10, 10),
  { scheme: "raptorq", source: 5, repair: 5, interleave: 1, leaves: "at-once" },
  { scheme: "raptorq", source: 10, repair: 10, interleave: 1, leaves: "at-once" },
];

const ringrtc = (name: string): LossTrace => {
  const profile = PROFILES.get(name);
  if (profile === undefined) throw new RangeError(`profile: there is no ${name}`);
  return { name, loss: profile.up.loss, burst: profile.up.burst };
};

/** Random loss, bursts, and RingRTC's call simulator without its delays. */
export const BENCHED_TRACES: readonly LossTrace[] = [
  ...[0.01, 0.05, 0.1, 0.2, 0.3].map((loss): LossTrace => ({ name: `random ${loss * 100} %`, loss, burst: null })),
  ...(
    [
      [0.05, 3],
      [0.1, 4],
      [0.2, 4],
      [0.3, 8],
    ] as const
  ).map(([loss, length]): LossTrace => ({ name: `bursts of ${length}, ${loss * 100} %`, loss: 0, burst: gilbert(loss, length) })),
  ...["ringrtc-moderate", "ringrtc-international", "ringrtc-spiky-loss", "ringrtc-bursty-loss"].map(ringrtc),
];

/** `tick` moves on by 20 ms, `isLost` draws for one packet; its own state for every run. */
function losing(trace: LossTrace, seed: number): { tick(): void; isLost(): boolean } {
  const [packets, states] = [new Stream(seed, `bench fec/${trace.name}`), new Stream(seed, `bench fec/${trace.name}/state`)];
  const chain = trace.burst === null ? undefined : startChain(trace.burst);
  let slot = 0;
  return {
    tick: () => {
      if (chain !== undefined) moveChain(chain, slot++, (n) => states.at(n) / 2 ** 32);
    },
    isLost: () => {
      const ratio = chain === undefined ? 0 : lossOf(chain);
      return packets.nextChance(1 - (1 - trace.loss) * (1 - ratio));
    },
  };
}

/** Frames of a stream: sizes of Opus at 24 kbit/s, contents nobody looks at. `lbrr`: they repeat the frame before them where libopus would. */
export function benchedPackets(count: number, lbrr = false): readonly SourcePacket[] {
  const encoder = sizedCodec.encoder(lbrr ? { ...GOOD, fec: true, expectedLossPercent: 20 } : GOOD);
  const pcm = new Int16Array(FRAME_SAMPLES);
  return Array.from({ length: count }, (_, seq) => ({
    seq,
    timestamp: seq * FRAME_SAMPLES,
    codec: CODEC_OPUS,
    frames: 1,
    payload: encoder.encode(pcm),
  }));
}

/** All schemes on all traces, in that order within each trace. The same figures on every machine. */
export function compareSchemes(
  schemes: readonly FecScheme[] = BENCHED_SCHEMES,
  traces: readonly LossTrace[] = BENCHED_TRACES,
): readonly FecFigure[] {
  const codes: BlockCodes = new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()]]);
  // A tail that is not lost completes the last blocks and is not counted.
  const packets = benchedPackets(FRAMES + 64);
  const plain = packets.slice(0, FRAMES).reduce((sum, { payload }) => sum + payload.length + HEADERS, 0);
  return traces.flatMap((trace) => schemes.map((scheme) => figureOf({ scheme, trace, codes, packets, plain })));
}

function figureOf(run: {
  readonly scheme: FecScheme;
  readonly trace: LossTrace;
  readonly codes: BlockCodes;
  readonly packets: readonly SourcePacket[];
  readonly plain: number;
}): FecFigure {
  const { scheme, trace, codes, packets, plain } = run;
  let [sent, lost, octets, missing, longest] = [0, 0, 0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const losses = losing(trace, seed);
    const protector = new Protector(scheme, codes);
    const recoverer = new Recoverer(codes);
    const here = new Uint8Array(packets.length);
    for (const [tick, packet] of packets.entries()) {
      losses.tick();
      const { payload, codec, repairs } = protector.protect(packet);
      const counts = tick < FRAMES;
      const arrives = (length: number): boolean => {
        if (!counts) return true;
        sent++;
        octets += length + HEADERS;
        const gone = losses.isLost();
        if (gone) lost++;
        return !gone;
      };
      if (arrives(payload.length)) {
        const received = recoverer.source({ ...packet, payload, codec });
        if (!received.ok) throw new Error(`${nameOfScheme(scheme)}: its own packet is ${received.reason}`);
        here[tick] = 1;
        for (const { seq } of received.recovered) here[seq] = 1;
      }
      for (const repair of repairs) {
        if (!arrives(repair.length)) continue;
        const repaired = recoverer.repair(repair);
        if (!repaired.ok) throw new Error(`${nameOfScheme(scheme)}: its own repair is ${repaired.reason}`);
        for (const { seq } of repaired.recovered) here[seq] = 1;
      }
    }
    let gap = 0;
    for (let i = 0; i < FRAMES; i++) {
      gap = here[i] === 1 ? 0 : gap + 1;
      if (gap > 0) missing++;
      longest = Math.max(longest, gap);
    }
  }
  const seconds = (SEEDS * FRAMES * FRAME_MICROS) / 1e6;
  return {
    trace: trace.name,
    scheme: nameOfScheme(scheme),
    lossRatio: lost / sent,
    residualRatio: missing / (SEEDS * FRAMES),
    longestGapMs: (longest * FRAME_MICROS) / 1_000,
    holdMs: (holdOf(scheme) * FRAME_MICROS) / 1_000,
    wireKbps: (octets * 8) / seconds / 1_000,
    overheadRatio: octets / (SEEDS * plain) - 1,
  };
}

/** What a recommendation may cost. chosen: twice the plain stream, and 200 ms, beyond which G.107 counts delay against a call. */
const BUDGET = { overheadRatio: 1, holdMs: 200 } as const;

/** Of the schemes within the budget the one that leaves the least missing; of equals the cheaper, then the quicker one. */
export function recommended(figures: readonly FecFigure[]): FecFigure | undefined {
  return figures
    .filter((one) => one.overheadRatio <= BUDGET.overheadRatio && one.holdMs <= BUDGET.holdMs)
    .toSorted((a, b) => a.residualRatio - b.residualRatio || a.overheadRatio - b.overheadRatio || a.holdMs - b.holdMs)[0];
}

/** The table as text: a block for each trace, and under it the scheme recommended within the budget. */
export function fecTable(figures: readonly FecFigure[]): string {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;
  const lines: string[] = [
    `Opus ${GOOD.bitrate / 1_000} kbit/s, 20 ms, ${(SEEDS * FRAMES * FRAME_MICROS) / 1e6} s of speech a line; all headers from IPv4 up.`,
    "Bursts last for time (a step every 20 ms): what is sent at once is lost at once. Random loss takes single packets.",
    "missing: frames that neither came nor came back. hold: how much longer every frame is held. Opus' own redundancy and concealment come on top.",
  ];
  for (const [trace, rows] of Map.groupBy(figures, (one) => one.trace)) {
    lines.push(
      "",
      trace,
      `  ${"scheme".padEnd(16)} ${"lost".padStart(8)} ${"missing".padStart(8)} ${"longest".padStart(8)} ${"hold".padStart(7)} ${"wire".padStart(12)} ${"more".padStart(6)}`,
    );
    for (const one of rows) {
      const [gap, hold] = [`${one.longestGapMs} ms`, `${one.holdMs} ms`];
      const [wire, more] = [`${one.wireKbps.toFixed(1)} kbit/s`, `${(100 * one.overheadRatio).toFixed(0)} %`];
      lines.push(
        `  ${one.scheme.padEnd(16)} ${percent(one.lossRatio).padStart(8)} ${percent(one.residualRatio).padStart(8)} ${gap.padStart(8)} ${hold.padStart(7)} ${wire.padStart(12)} ${more.padStart(6)}`,
      );
    }
    const best = recommended(rows);
    if (best !== undefined)
      lines.push(
        `  within ${100 * BUDGET.overheadRatio} % more and ${BUDGET.holdMs} ms: ${best.scheme}, ${percent(best.residualRatio)} missing`,
      );
  }
  return `${lines.join("\n")}\n`;
}
