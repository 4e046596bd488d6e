/** Percentiles and rounding, the same everywhere a figure is printed. */

/** `value` to `digits` decimal places. */
export const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** Nearest-rank percentile (`share` 0..1) to three decimals; null of an empty list. The list is not altered. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return rounded(sorted[rank - 1] ?? 0, 3);
}
