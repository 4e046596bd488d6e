/**
 * `midcall bench fec --grid`: which scheme, for this link, at this budget. Every scheme over the same links (loss x burst x jitter, outages, the profiles of ITU-T G.1050), with the
 * real protector and recoverer and every header counted. A frame counts as there when it, or what gives it back, has come by its time to be played: `added` milliseconds after the
 * earliest it could come. So jitter and waiting for repair draw on the same budget, as they do in a jitter buffer, and no buffer with that delay plays more. With `lbrr` the codec's own
 * redundancy counts too: at the same bit rate every frame of speech repeats the one before it, more coarsely. Left out: congestion control.
 */
import { type FecScheme, nameOfScheme } from "../impl/base/fec-scheme.ts";
import { Stream } from "../impl/base/random.ts";
import { type Decoder, FRAME_MICROS } from "../impl/core/codec.ts";
import type { BlockCodes } from "../impl/core/fec/block-code.ts";
import { Protector } from "../impl/core/fec/protector.ts";
import { Recoverer } from "../impl/core/fec/recoverer.ts";
import type { SourcePacket } from "../impl/core/fec/source-packet.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import { loadRaptorQ } from "../impl/io/raptorq.ts";
import { ADDED, BOUND, BUDGET, type GridFigure } from "../reports/fec-grid.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { BENCHED_SCHEMES, benchedPackets, HEADERS } from "./bench-fec.ts";
import { leastMissing } from "./fec-bound.ts";
import { G1050 } from "./g1050.ts";

/** One packet's fate when sent at `micros`: microseconds beyond the earliest, or negative for lost. Asked in order of sending; a new one for each run. */
export type Fate = (micros: number) => number;
export type GridLink = { readonly name: string; readonly start: (seed: number) => Fate };

/** Loss in bursts of time (a Gilbert chain stepped every 20 ms, so that schemes that send more packets meet the same bursts) and an exponential extra delay. */
export function gridLink(loss: number, burst: number, jitterMs: number): GridLink {
  const leave = 1 / burst;
  const enter = burst === 1 ? loss : Math.min(1, (leave * loss) / (1 - loss));
  return {
    name: `loss ${Math.round(100 * loss)} %, burst ${burst}, jitter ${jitterMs} ms`,
    start: (seed) => {
      const name = `fec grid/${loss}/${burst}/${jitterMs}`;
      const [drops, waits] = [new Stream(seed, `${name}/drops`), new Stream(seed, `${name}/waits`)];
      let [slot, isBad] = [-1, false];
      return (micros) => {
        for (const now = Math.floor(micros / FRAME_MICROS); burst > 1 && slot < now; slot++)
          isBad = isBad ? !drops.nextChance(leave) : drops.nextChance(enter);
        const isLost = burst > 1 ? isBad : drops.nextChance(loss);
        const wait = jitterMs === 0 ? 0 : -jitterMs * 1_000 * Math.log(1 - waits.nextUnit());
        return isLost ? -1 : Math.round(wait);
      };
    },
  };
}

/** Nothing comes for `ms` every five seconds. */
export const outage = (ms: number): GridLink => ({
  name: `outage of ${ms} ms every 5 s`,
  start: (seed) => {
    const phase = new Stream(seed, `fec grid/outage/${ms}`).nextBelow(5_000_000);
    return (micros) => ((micros + phase) % 5_000_000 < ms * 1_000 ? -1 : 0);
  },
});

const LOSSES = [0, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7];
export const GRID: readonly GridLink[] = [
  ...LOSSES.flatMap((loss) => [1, 4, 8].flatMap((burst) => [0, 20, 50].map((jitter) => gridLink(loss, burst, jitter)))).filter(
    // Without loss there are no bursts.
    ({ name }) => !/^loss 0 %, burst [48]/.test(name),
  ),
  ...[100, 250, 500, 1_000].map(outage),
  ...G1050,
];

/** A scheme, and whether the codec's own redundancy comes with it. */
export type GridScheme = { readonly fec: FecScheme; readonly lbrr: boolean };
const plain = (fec: FecScheme): GridScheme => ({ fec, lbrr: false });
const withLbrr = (fec: FecScheme): GridScheme => ({ fec, lbrr: true });
/** `red 1`, `red 1 + lbrr`, `lbrr`. */
export const gridName = ({ fec, lbrr }: GridScheme): string =>
  lbrr ? (fec.scheme === "none" ? "lbrr" : `${nameOfScheme(fec)} + lbrr`) : nameOfScheme(fec);

/** As `bench fec`, blocks and copies cut to 200 ms and RED-1's wire rate, and what is best of them with LBRR. */
export const GRID_SCHEMES: readonly GridScheme[] = [
  ...BENCHED_SCHEMES.map(plain),
  ...([6, 8] as const).map((source) =>
    plain({ scheme: "rs", source, repair: source === 6 ? 4 : 5, interleave: 1, leaves: "aboard" }),
  ),
  plain({ scheme: "red", depth: 1, apart: 10 }),
  withLbrr({ scheme: "none" }),
  withLbrr({ scheme: "red", depth: 1 }),
  withLbrr({ scheme: "red", depth: 1, apart: 10 }),
  withLbrr({ scheme: "rlc", window: 10, percent: 88 }),
];
export type GridRun = {
  readonly links?: readonly GridLink[];
  readonly schemes?: readonly GridScheme[];
  readonly seeds?: number;
  readonly frames?: number;
};

/** chosen: five seeds of half a minute: at 10 % missing the standard error of a figure is 0.35 points. */
const SEEDS = 5;
const FRAMES = 1_500;
/** Frames sent beyond those that count, so that the last blocks are completed. */
const TAIL = 64;

/** Every scheme on every link. The same figures on every machine. `stage` hears which link is at work. */
export function fecGrid(
  { links = GRID, schemes = GRID_SCHEMES, seeds = SEEDS, frames = FRAMES }: GridRun = {},
  stage: (name: string) => void = () => {},
): readonly GridFigure[] {
  const codes: BlockCodes = new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()]]);
  const packets = { plain: benchedPackets(frames + TAIL), lbrr: benchedPackets(frames + TAIL, true) };
  const rates = (octets: number): number => octets / ((seeds * frames * FRAME_MICROS) / 8_000);
  return links.flatMap((link) => {
    stage(link.name);
    const own = schemes.map((scheme): GridFigure => {
      const sent = scheme.lbrr ? packets.lbrr : packets.plain;
      const runs = Array.from({ length: seeds }, (_, i) =>
        runOf({ scheme, fate: link.start(i + 1), codes, packets: sent, frames }),
      );
      return figureOf(link.name, gridName(scheme), rates(runs.reduce((sum, one) => sum + one.octets, 0)), runs);
    });
    const [none, limit] = ["none", BUDGET.scheme].map((name) => own.find((one) => one.scheme === name)?.wireKbps);
    if (none === undefined || limit === undefined) return own;
    const spare = (limit - none) / (none - rates(HEADERS * seeds * frames));
    const bounds = Array.from({ length: seeds }, (_, i) => boundOf(link.start(i + 1), frames, spare));
    return [...own, figureOf(link.name, BOUND, limit, bounds)];
  });
}

type Missing = { readonly missing: readonly number[] };

function figureOf(link: string, scheme: string, wireKbps: number, runs: readonly Missing[]): GridFigure {
  const missing = ADDED.map((_, k) => runs.map((one) => one.missing[k] ?? 0));
  return {
    ...{ link, scheme, wireKbps },
    missing: missing.map((one) => one.reduce((sum, share) => sum + share, 0) / runs.length),
    range: missing.map((one) => [Math.min(...one), Math.max(...one)]),
  };
}

/** What is missing under every code that sends a packet a frame with `spare` frames' worth of octets beside it. */
function boundOf(fate: Fate, frames: number, spare: number): Missing {
  const arrivals = Float64Array.from({ length: frames + TAIL }, (_, n) => {
    const wait = fate(n * FRAME_MICROS);
    return wait < 0 ? Number.POSITIVE_INFINITY : n * FRAME_MICROS + wait;
  });
  return { missing: ADDED.map((added) => leastMissing({ arrivals, spare, added: added * 1_000, frames })) };
}

function runOf(run: {
  readonly scheme: GridScheme;
  readonly fate: Fate;
  readonly codes: BlockCodes;
  readonly packets: readonly SourcePacket[];
  readonly frames: number;
}): Missing & { readonly octets: number } {
  const { scheme, fate, codes, packets, frames } = run;
  const [protector, recoverer] = [new Protector(scheme.fec, codes), new Recoverer(codes)];
  const arrivals: { readonly at: number; readonly packet?: SourcePacket; readonly repair?: Uint8Array }[] = [];
  let octets = 0;
  for (const [tick, packet] of packets.entries()) {
    const sent = tick * FRAME_MICROS;
    const { payload, codec, repairs } = protector.protect(packet);
    for (const one of [{ packet: { ...packet, payload, codec } }, ...repairs.map((repair) => ({ repair }))]) {
      if (tick < frames) octets += ("repair" in one ? one.repair.length : payload.length) + HEADERS;
      const wait = fate(sent);
      if (wait >= 0) arrivals.push({ at: sent + wait, ...one });
    }
  }
  arrivals.sort((a, b) => a.at - b.at);
  const there = new Float64Array(packets.length).fill(Number.POSITIVE_INFINITY);
  const comes = (seq: number, at: number): void => {
    there[seq] = Math.min(there[seq] as number, at);
    const before = scheme.lbrr && repeats(packets[seq]) ? seq - 1 : -1;
    if (before >= 0) there[before] = Math.min(there[before] as number, at);
  };
  for (const { at, packet, repair } of arrivals) {
    const got = packet !== undefined ? recoverer.source(packet) : recoverer.repair(repair as Uint8Array);
    if (!got.ok) throw new Error(`${gridName(scheme)}: its own packet is ${got.reason}`);
    if (packet !== undefined) comes(packet.seq, at);
    for (const { seq } of got.recovered) comes(seq, at);
  }
  const missing = ADDED.map((added) => {
    let late = 0;
    for (let seq = 0; seq < frames; seq++) if ((there[seq] as number) > seq * FRAME_MICROS + added * 1_000) late++;
    return late / frames;
  });
  return { octets, missing };
}

const decoder: Decoder = sizedCodec.decoder();
const repeats = (packet: SourcePacket | undefined): boolean =>
  packet !== undefined && (decoder.repeats?.(packet.payload) ?? false);
