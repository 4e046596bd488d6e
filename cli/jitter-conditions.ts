/**
 * The conditions of `midcall bench jitter`: what the network does to 50 packets a second, and what Chromium's NetEq made of the same.
 * NetEq's figures: headless Chromium 156 receiving Opus at 24 kbit/s through a UDP relay on loopback, 30 s after 4 s of warm-up, one seed
 * (one percentage point is noise), by concealedSamples / totalSamplesReceived and jitterBufferDelay / jitterBufferEmittedCount. Left out:
 * its rows with RED, which is not the jitter buffer's doing.
 */
import { Stream } from "../impl/base/random.ts";
import { FRAME_MICROS } from "../impl/core/codec.ts";

export type Condition = {
  readonly name: string;
  /** What the encoder is told to expect, percent; in-band FEC where libopus then sends it; undefined: none at all. */
  readonly declaredLossPercent?: number;
  /** Per packet: microseconds on the way; -1: lost. */
  readonly delays: (seed: number, packets: number) => Float64Array;
  /** Concealed percent and mean delay in milliseconds. */
  readonly neteq?: { readonly concealed: number; readonly delayMs: number };
};

/** Time on the way without jitter. It cancels out: nothing here depends on absolute delay. */
const BASE = 20_000;

type Impairment = {
  /** Share lost, 0..1. */
  readonly loss?: number;
  /** Mean length of a loss in packets (simple Gilbert); 1: independent. */
  readonly burst?: number;
  /** Mean of an exponential extra delay, microseconds. */
  readonly jitter?: number;
  /** Packets never overtake: a later one waits behind an earlier one. */
  readonly keepsOrder?: boolean;
};

export function impaired({ loss = 0, burst = 1, jitter = 0, keepsOrder = false }: Impairment): Condition["delays"] {
  const leave = 1 / burst;
  const enter = burst === 1 ? loss : (leave * loss) / (1 - loss);
  return (seed, packets) => {
    const [drops, waits] = [new Stream(seed, "drops"), new Stream(seed, "waits")];
    const out = new Float64Array(packets);
    let isBad = false;
    let newest = 0;
    for (let i = 0; i < packets; i++) {
      isBad = isBad && burst > 1 ? !drops.nextChance(leave) : drops.nextChance(enter);
      const extra = jitter === 0 ? 0 : -jitter * Math.log(1 - waits.nextUnit());
      const sent = i * FRAME_MICROS;
      const arrives = keepsOrder ? Math.max(newest, sent + BASE + extra) : sent + BASE + extra;
      if (!isBad) newest = arrives;
      out[i] = isBad ? -1 : Math.round(arrives - sent);
    }
    return out;
  };
}

/** Everything waits 100 ms for the radio now and then, about every five seconds, and comes at once. */
const held: Condition["delays"] = (seed, packets) => {
  const [spikes, waits] = [new Stream(seed, "spikes"), new Stream(seed, "waits")];
  let until = 0;
  return Float64Array.from({ length: packets }, (_, i) => {
    const sent = i * FRAME_MICROS;
    if (spikes.nextChance(1 / 250)) until = sent + BASE + 100_000;
    return Math.round(Math.max(until - sent, BASE - 3_000 * Math.log(1 - waits.nextUnit())));
  });
};

/** The path is 100 ms slower for ten seconds of every twenty. */
const rerouted: Condition["delays"] = (_, packets) =>
  Float64Array.from({ length: packets }, (__, i) => BASE + (i % 1_000 < 500 ? 0 : 100_000));

const chromium = (concealed: number, delayMs: number): NonNullable<Condition["neteq"]> => ({ concealed, delayMs });

/** Chromium tells its encoder the loss it measures, at most 20 %; so do these. */
export const CONDITIONS: readonly Condition[] = [
  { name: "no loss", declaredLossPercent: 0, delays: impaired({}), neteq: chromium(0, 28) },
  { name: "loss 5.3 %", declaredLossPercent: 5, delays: impaired({ loss: 0.053 }), neteq: chromium(5.1, 36) },
  { name: "loss 10.9 %", delays: impaired({ loss: 0.109 }), neteq: chromium(10.6, 17) },
  { name: "loss 10.9 %, LBRR", declaredLossPercent: 11, delays: impaired({ loss: 0.109 }), neteq: chromium(3.5, 39) },
  { name: "loss 19.7 %", delays: impaired({ loss: 0.197 }), neteq: chromium(19.2, 18) },
  { name: "loss 19.7 %, LBRR", declaredLossPercent: 20, delays: impaired({ loss: 0.197 }), neteq: chromium(8, 36) },
  { name: "loss 29.9 %", delays: impaired({ loss: 0.299 }), neteq: chromium(28.9, 22) },
  { name: "loss 29.9 %, LBRR", declaredLossPercent: 20, delays: impaired({ loss: 0.299 }), neteq: chromium(12.6, 32) },
  { name: "loss 48.9 %, LBRR", declaredLossPercent: 20, delays: impaired({ loss: 0.489 }), neteq: chromium(26.1, 28) },
  { name: "loss 21.3 % in fours", delays: impaired({ loss: 0.213, burst: 4 }), neteq: chromium(21, 17) },
  {
    name: "loss 21.3 % in fours, LBRR",
    declaredLossPercent: 20,
    delays: impaired({ loss: 0.213, burst: 4 }),
    neteq: chromium(17.1, 29),
  },
  { name: "jitter 20 ms", declaredLossPercent: 0, delays: impaired({ jitter: 20_000 }), neteq: chromium(0.24, 124) },
  { name: "jitter 50 ms", declaredLossPercent: 0, delays: impaired({ jitter: 50_000 }), neteq: chromium(0.89, 187) },
  {
    name: "loss 11.7 % in fours, jitter 20 ms, LBRR",
    declaredLossPercent: 12,
    delays: impaired({ loss: 0.117, burst: 4, jitter: 20_000 }),
    neteq: chromium(9.7, 80),
  },
  { name: "jitter 20 ms, LBRR", declaredLossPercent: 10, delays: impaired({ jitter: 20_000 }) },
  { name: "jitter 20 ms in order", delays: impaired({ jitter: 20_000, keepsOrder: true }) },
  { name: "jitter 50 ms in order", delays: impaired({ jitter: 50_000, keepsOrder: true }) },
  { name: "held 100 ms every 5 s", delays: held },
  { name: "100 ms slower for 10 s of 20", delays: rerouted },
];
