/** Where a figure of all seeds lies, told from the seeds that ran. Both intervals are exact or nearly so for few runs, and draw nothing by chance. */

export type Interval = readonly [low: number, high: number];

/** chosen: of twenty intervals one is wrong. */
export const LEVEL = 0.95;
/** The 97.5th percentile of the normal distribution, for LEVEL. */
const Z = 1.959964;

/**
 * The share of all seeds, of `hits` among `n` that ran: the score interval (Wilson, Probable inference, the law of succession, and statistical
 * inference, JASA 22, 1927), which stays within 0..1 and has a width where nothing was hit.
 */
export function shareInterval(hits: number, n: number): Interval {
  if (n === 0) return [0, 1];
  const share = hits / n;
  const centre = share + Z ** 2 / (2 * n);
  const reach = Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  const scale = 1 + Z ** 2 / n;
  return [hits === 0 ? 0 : Math.max(0, (centre - reach) / scale), hits === n ? 1 : Math.min(1, (centre + reach) / scale)];
}

/**
 * The median of all seeds, from values in ascending order (infinity where something never ended): between two of the values themselves, as many steps from either
 * end as LEVEL allows (David and Nagaraja, Order Statistics, 3rd edition, 2003, section 7.1). Null for fewer than six, with which no two say that much.
 */
export function medianInterval(ascending: readonly number[]): Interval | null {
  const n = ascending.length;
  // Steps from either end: the most for which no more than half of what LEVEL leaves lies beyond. Terms of the binomial of one half, as logarithms.
  let term = n * Math.log(0.5);
  let beyond = Math.exp(term);
  let steps = -1;
  while (beyond <= (1 - LEVEL) / 2 && steps < n) {
    steps++;
    term += Math.log(n - steps) - Math.log(steps + 1);
    beyond += Math.exp(term);
  }
  const [low, high] = [ascending[steps], ascending[n - 1 - steps]];
  return steps < 0 || low === undefined || high === undefined ? null : [low, high];
}
