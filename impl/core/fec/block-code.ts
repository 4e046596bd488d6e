/**
 * The seam of the erasure codes: `source` symbols of one size give `repair` symbols of the same size, and enough of both give the lost
 * ones back. Codes know nothing of frames, packets or time. Contract: block-code.contract.ts.
 */

/** Names of the codes; the wire number of each is its index (repair-packet.ts). */
export const BLOCK_CODES = ["xor", "rs", "raptorq"] as const;
export type BlockCodeName = (typeof BLOCK_CODES)[number];

export type BlockCode = {
  readonly name: BlockCodeName;
  /** Most source and most repair symbols of one block. */
  readonly most: { readonly source: number; readonly repair: number };
  /** The symbol size for contents of `longest` octets: at least that, and one the code can work with. */
  symbolBytes(longest: number): number;
  /**
   * Repair symbols 0 .. repair-1 of a block, each the size of the source symbols, owned by the caller. RangeError for more symbols than
   * `most` or none, or for sizes that differ or that `symbolBytes` would not give.
   */
  encode(source: readonly Uint8Array[], repair: number): readonly Uint8Array[];
  /**
   * The whole block, owned by the caller (received symbols are handed back as they are); undefined where what there is does not determine
   * it. Symbols all have the size `symbolBytes` gives; anything else about the contents is the peer's, and never throws. `repair`: index to symbol.
   */
  decode(source: readonly (Uint8Array | undefined)[], repair: ReadonlyMap<number, Uint8Array>): readonly Uint8Array[] | undefined;
};

/** The codes a party has, by name. */
export type BlockCodes = ReadonlyMap<BlockCodeName, BlockCode>;

/** The caller's-misuse checks that every code makes; the size of the symbols. */
export function wantBlock(code: BlockCode, source: readonly Uint8Array[], repair: number): number {
  const { most } = code;
  if (!(source.length >= 1 && source.length <= most.source)) {
    throw new RangeError(`source: want 1..${most.source} symbols, got ${source.length}`);
  }
  if (!(Number.isInteger(repair) && repair >= 1 && repair <= most.repair)) {
    throw new RangeError(`repair: want 1..${most.repair} symbols, got ${repair}`);
  }
  const size = (source[0] as Uint8Array).length;
  const other = source.find((symbol) => symbol.length !== size);
  if (other !== undefined) throw new RangeError(`source: want symbols of one size, got ${size} and ${other.length} octets`);
  if (code.symbolBytes(size) !== size) {
    throw new RangeError(`source: want symbols of a size ${code.name} can work with, got ${size} octets`);
  }
  return size;
}
