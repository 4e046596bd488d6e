/**
 * The normal distribution cut at two sigma, by its inverse: one uniform draw in, one value out. The table is made with
 * + - * / alone, which IEEE 754 fixes to the last bit; `Math.exp` and `Math.log` differ between engines and would differ between runs.
 */

/** Cells of the inverse's table. chosen: between them the values are then right to 0.0001 sigma. */
const CELLS = 1_024;
/** Slices of the integral behind the table. chosen: four for each cell. */
const SLICES = 4_096;
const CUT = 2;

/** e^-y for y in 0..2 by its series; 30 terms leave less than 1e-22. */
const expNegative = (y: number): number => {
  let [sum, term] = [1, 1];
  for (let k = 1; k <= 30; k++) {
    term *= -y / k;
    sum += term;
  }
  return sum;
};

const inverse: Float64Array = (() => {
  const width = (2 * CUT) / SLICES;
  const reached = new Float64Array(SLICES + 1);
  for (let i = 0; i < SLICES; i++) {
    const x = -CUT + (i + 0.5) * width;
    reached[i + 1] = (reached[i] as number) + expNegative((x * x) / 2);
  }
  const table = new Float64Array(CELLS + 1);
  const total = reached[SLICES] as number;
  let slice = 0;
  for (let k = 0; k <= CELLS; k++) {
    const target = (total * k) / CELLS;
    while (slice < SLICES - 1 && (reached[slice + 1] as number) < target) slice++;
    const [low, high] = [reached[slice] as number, reached[slice + 1] as number];
    table[k] = (-CUT + (slice + (target - low) / (high - low)) * width) / CUT;
  }
  return table;
})();

/**
 * Value of the cut normal distribution at probability `unit` (0..1), in -1..1 where 1 stands for the cut (two sigma).
 * Monotonic in `unit`; 0.5 gives the middle.
 */
export function truncatedNormal(unit: number): number {
  const place = unit * CELLS;
  const cell = Math.min(CELLS - 1, Math.floor(place));
  const low = inverse[cell] as number;
  return low + (place - cell) * ((inverse[cell + 1] as number) - low);
}
