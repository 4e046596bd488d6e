/**
 * Gilbert-Elliott parameters from what people know of a link: how much is lost and how long a burst is.
 * Gilbert 1960, Elliott 1963; the same parameters as `tc netem loss gemodel p r 1-h 1-k`.
 */
import type { LinkModel } from "./expanded.ts";

type BurstModel = NonNullable<LinkModel["burst"]>;

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * The simple Gilbert model (nothing lost in the good state, everything in the bad one) that loses `loss` of all packets
 * (0..1, below 1) in bursts of `meanLength` packets on average (at least 1): r = 1/B, p = r L / (1 - L), to six decimals.
 * RangeError where no such model exists: p would exceed 1.
 */
export function gilbert(loss: number, meanLength: number): BurstModel {
  const r = 1 / meanLength;
  const p = (r * loss) / (1 - loss);
  if (!(loss >= 0 && loss < 1 && meanLength >= 1 && p <= 1)) {
    throw new RangeError(`gilbert: no model loses ${loss} of all packets in bursts of ${meanLength} on average`);
  }
  return { p: rounded(p), r: rounded(r), lossGood: 0, lossBad: 1 };
}

/** Share of packets lost in the long run. */
export function meanLoss(model: BurstModel): number {
  const bad = model.p + model.r === 0 ? 0 : model.p / (model.p + model.r);
  return (1 - bad) * model.lossGood + bad * model.lossBad;
}
