/**
 * Systematic Reed-Solomon erasure code over GF(256) from a Cauchy matrix (Bloemer et al., "An XOR-Based Erasure-Resilient Coding Scheme",
 * 1995, section 2): repair symbol r is the sum of source symbols c times 1 / (x_r + y_c) with x_r = 128 + r and y_c = c. Every square part of a
 * Cauchy matrix is invertible, so any lost symbols come back from as many repair symbols. Coefficients do not depend on the
 * block's length, so a block may be cut short. A slow readable twin: reed-solomon.fixture.ts.
 */
import { type BlockCode, wantBlock } from "./block-code.ts";
import { addMultiple, inverse, multiply, scale } from "./galois.ts";

/** x_0: source columns are below it, repair rows from it on, and both fit in an octet. */
const FIRST_ROW = 128;

/** chosen: 64 frames of 20 ms are more than a second, which no conversation waits for; the field would allow 128 of each. */
const MOST = { source: 64, repair: 64 } as const;

const coefficient = (row: number, column: number): number => inverse((FIRST_ROW + row) ^ column);

/** Any `n` lost source symbols come back from any `n` repair symbols. */
export const REED_SOLOMON: BlockCode = {
  name: "rs",
  most: MOST,
  symbolBytes: (longest) => longest,
  encode(source, repair) {
    const size = wantBlock(REED_SOLOMON, source, repair);
    return Array.from({ length: repair }, (_, row) => {
      const out = new Uint8Array(size);
      for (const [column, symbol] of source.entries()) addMultiple(out, symbol, coefficient(row, column));
      return out;
    });
  },
  decode(source, repair) {
    const lost = source.flatMap((symbol, column) => (symbol === undefined ? [column] : []));
    const rows = [...repair.keys()].slice(0, lost.length);
    if (rows.length < lost.length) return undefined;
    const found = solve(
      rows.map((row) => lost.map((column) => coefficient(row, column))),
      rows.map((row) => without(source, row, repair.get(row) as Uint8Array)),
    );
    return source.map((symbol, column) => symbol ?? (found[lost.indexOf(column)] as Uint8Array));
  },
};

/** What repair symbol `row` says about the lost symbols alone. */
function without(source: readonly (Uint8Array | undefined)[], row: number, repair: Uint8Array): Uint8Array {
  const out = repair.slice();
  for (const [column, symbol] of source.entries()) {
    if (symbol !== undefined) addMultiple(out, symbol, coefficient(row, column));
  }
  return out;
}

/** Gauss-Jordan on a matrix all of whose square parts are invertible, so that no row ever needs to be exchanged. Works in place. */
function solve(matrix: number[][], right: readonly Uint8Array[]): readonly Uint8Array[] {
  for (const [pivot, row] of matrix.entries()) {
    const symbol = right[pivot] as Uint8Array;
    const factor = inverse(row[pivot] as number);
    for (let i = pivot; i < row.length; i++) row[i] = multiply(row[i] as number, factor);
    scale(symbol, factor);
    for (const [index, other] of matrix.entries()) {
      const share = other[pivot] as number;
      if (index === pivot || share === 0) continue;
      for (let i = pivot; i < row.length; i++) other[i] = (other[i] as number) ^ multiply(row[i] as number, share);
      addMultiple(right[index] as Uint8Array, symbol, share);
    }
  }
  return right;
}
