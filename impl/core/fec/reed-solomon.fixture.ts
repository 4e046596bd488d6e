/**
 * Reed-Solomon as one would explain it: products by shifting and reducing, the whole generator matrix (identity above Cauchy), any rows of it
 * inverted, nothing looked up and nothing left out. Slow; the fast one must agree with it.
 */

/** Product in GF(256) modulo 0x11d, bit by bit. */
export function plainMultiply(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bit = 0; bit < 8; bit++) {
    if (b & (1 << bit)) product ^= shifted;
    shifted <<= 1;
    if (shifted & 0x100) shifted ^= 0x11d;
  }
  return product;
}

/** The one number whose product with `a` is 1, by trying them all. */
export function plainInverse(a: number): number {
  for (let b = 1; b < 256; b++) if (plainMultiply(a, b) === 1) return b;
  throw new RangeError(`a: want 1..255, got ${a}`);
}

const identityRow = (of: number, index: number): number[] => Array.from({ length: of }, (_, i) => (i === index ? 1 : 0));
const cauchyRow = (of: number, row: number): number[] => Array.from({ length: of }, (_, c) => plainInverse((128 + row) ^ c));

const times = (row: readonly number[], symbols: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array((symbols[0] as Uint8Array).length);
  for (const [i, symbol] of symbols.entries()) {
    for (let at = 0; at < out.length; at++) {
      out[at] = (out[at] as number) ^ plainMultiply(row[i] as number, symbol[at] as number);
    }
  }
  return out;
};

export const plainEncode = (source: readonly Uint8Array[], repair: number): readonly Uint8Array[] =>
  Array.from({ length: repair }, (_, row) => times(cauchyRow(source.length, row), source));

/** The block from as many rows of the generator matrix as it has symbols. */
export function plainDecode(
  source: readonly (Uint8Array | undefined)[],
  repair: ReadonlyMap<number, Uint8Array>,
): readonly Uint8Array[] | undefined {
  const of = source.length;
  const known = [
    ...source.flatMap((symbol, i) => (symbol === undefined ? [] : [{ row: identityRow(of, i), symbol }])),
    ...[...repair].map(([index, symbol]) => ({ row: cauchyRow(of, index), symbol })),
  ].slice(0, of);
  if (known.length < of) return undefined;
  const inverted = invert(known.map(({ row }) => row));
  return inverted?.map((row) =>
    times(
      row,
      known.map(({ symbol }) => symbol),
    ),
  );
}

/** The inverse matrix, with exchanges of rows; undefined when there is none. */
function invert(matrix: readonly (readonly number[])[]): readonly (readonly number[])[] | undefined {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...identityRow(size, i)]);
  for (let column = 0; column < size; column++) {
    const found = work.findIndex((row, i) => i >= column && row[column] !== 0);
    if (found < 0) return undefined;
    const pivot = work[found] as number[];
    work[found] = work[column] as number[];
    work[column] = pivot;
    const factor = plainInverse(pivot[column] as number);
    for (let i = 0; i < pivot.length; i++) pivot[i] = plainMultiply(pivot[i] as number, factor);
    for (const [i, row] of work.entries()) {
      const share = row[column] as number;
      if (i === column || share === 0) continue;
      for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) ^ plainMultiply(pivot[j] as number, share);
    }
  }
  return work.map((row) => row.slice(size));
}
