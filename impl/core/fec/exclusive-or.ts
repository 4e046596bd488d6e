/** One repair symbol, the exclusive or of its sources: one lost symbol comes back (RFC 8627's parity, on whatever frames it is laid over). */
import { type BlockCode, wantBlock } from "./block-code.ts";
import { addMultiple } from "./galois.ts";

/** One lost symbol of a block comes back. */
export const EXCLUSIVE_OR: BlockCode = {
  name: "xor",
  most: { source: 64, repair: 1 },
  symbolBytes: (longest) => longest,
  encode(source, repair) {
    const out = new Uint8Array(wantBlock(EXCLUSIVE_OR, source, repair));
    for (const symbol of source) addMultiple(out, symbol, 1);
    return [out];
  },
  decode(source, repair) {
    const parity = repair.get(0);
    const lost = source.reduce((count, symbol) => count + (symbol === undefined ? 1 : 0), 0);
    if (lost > 1 || (lost === 1 && parity === undefined)) return undefined;
    const sum = parity?.slice() ?? new Uint8Array(0);
    if (lost === 1) for (const symbol of source) if (symbol !== undefined) addMultiple(sum, symbol, 1);
    return source.map((symbol) => symbol ?? sum);
  },
};
