/**
 * RaptorQ (RFC 6330) by npm `raptorq` (cberner/raptorq compiled to WebAssembly) as a block code. Source symbol i is a frame, so nothing is sent
 * twice. The library takes symbols of 64 octets or more in multiples of 8 and traps below
 * that (1.7.24), so contents are padded up. RFC 6330 is subject to IPR statements (docs/libraries.md); Reed-Solomon is not.
 * The module is a bundler's: it is imported by its file's name and given its WebAssembly here.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Decoder, Encoder, initSync } from "raptorq/raptorq.js";
import { type BlockCode, wantBlock } from "../core/fec/block-code.ts";

/** Least symbol size: the library's default sub-symbols of 8 octets times its alignment of 8. */
const LEAST_SYMBOL = 64;
/** RFC 6330 section 4.3's alignment in the library's defaults. */
const ALIGNMENT = 8;
/** FEC payload ID in front of each of the library's symbols: block number and encoding symbol ID (RFC 6330 section 3.2). */
const ID_BYTES = 4;

let isReady = false;

/**
 * The ID the library gives the first repair symbol of a block of so many source symbols. RFC 6330 section 5.3.1 wants the number of source
 * symbols, 1.7.24 gives that of the padded block (cberner/raptorq#164), so it is asked.
 */
const firstRepair: number[] = [];
function firstRepairId(count: number): number {
  const known = firstRepair[count];
  if (known !== undefined) return known;
  const encoder = Encoder.with_defaults(new Uint8Array(LEAST_SYMBOL * count), LEAST_SYMBOL);
  const symbol = encoder.encode(1)[count] as Uint8Array;
  encoder.free();
  const id = ((symbol[1] as number) << 16) | ((symbol[2] as number) << 8) | (symbol[3] as number);
  firstRepair[count] = id;
  return id;
}

/** Prepares the library; any number of calls. */
export function loadRaptorQ(): BlockCode {
  if (!isReady) {
    initSync(readFileSync(createRequire(import.meta.url).resolve("raptorq/raptorq_bg.wasm")));
    isReady = true;
  }
  return RAPTORQ;
}

const RAPTORQ: BlockCode = {
  name: "raptorq",
  most: { source: 64, repair: 64 },
  symbolBytes: (longest) => Math.max(LEAST_SYMBOL, Math.ceil(longest / ALIGNMENT) * ALIGNMENT),
  encode(source, repair) {
    const size = wantBlock(RAPTORQ, source, repair);
    const block = new Uint8Array(size * source.length);
    for (const [i, symbol] of source.entries()) block.set(symbol, i * size);
    const encoder = Encoder.with_defaults(block, size);
    const symbols = encoder.encode(repair).slice(source.length);
    encoder.free();
    return symbols.map((symbol) => symbol.slice(ID_BYTES));
  },
  decode(source, repair) {
    const size = (source.find((symbol) => symbol !== undefined) ?? repair.values().next().value)?.length;
    if (size === undefined) return undefined;
    const count = source.length;
    const decoder = Decoder.with_defaults(BigInt(size * count), size);
    let whole: Uint8Array | undefined;
    const add = (id: number, symbol: Uint8Array): void => {
      if (whole !== undefined) return;
      const packet = new Uint8Array(ID_BYTES + size);
      packet[2] = id >>> 8;
      packet[3] = id;
      packet.set(symbol, ID_BYTES);
      whole = decoder.decode(packet);
    };
    for (const [i, symbol] of source.entries()) if (symbol !== undefined) add(i, symbol);
    for (const [index, symbol] of repair) add(firstRepairId(count) + index, symbol);
    decoder.free();
    const found = whole;
    if (found === undefined) return undefined;
    return source.map((symbol, i) => symbol ?? found.slice(i * size, (i + 1) * size));
  },
};
