/** RaptorQ: the contract of block codes, and what is its own: symbol sizes, and failure with exactly as many symbols as were lost. */
import { describe, expect, it } from "vitest";
import { blockCodeContract, blockOf, broken } from "../core/fec/block-code.contract.ts";
import { schemeContract } from "../core/fec/scheme.contract.ts";
import { loadRaptorQ } from "./raptorq.ts";

const raptorq = loadRaptorQ();

// One repair symbol beyond the lost ones: fails once in 20,000 blocks; with none beyond, once in 200 (RFC 6330 section 5.8: about 1 in 256).
blockCodeContract(raptorq, { surplus: 1 });
schemeContract({ scheme: "raptorq", source: 5, repair: 5, interleave: 1, leaves: "at-once" }, new Map([["raptorq", raptorq]]), {
  surplus: 1,
});

describe("RaptorQ", () => {
  it("pads symbols to multiples of 8 from 64 octets on, and refuses others", () => {
    expect([1, 63, 64, 65, 72, 100].map(raptorq.symbolBytes)).toEqual([64, 64, 64, 72, 72, 104]);
    for (const size of [16, 63, 65]) expect(() => raptorq.encode([new Uint8Array(size)], 1)).toThrow(RangeError);
  });

  it("recovers from exactly as many repair symbols as were lost, but for one block in a hundred at most", () => {
    let failures = 0;
    for (let seed = 0; seed < 500; seed++) {
      const block = blockOf(raptorq, 5 + (seed % 20), 64, seed);
      const { source, left } = broken(block, raptorq.encode(block, 5), { lost: 5, repairLost: 0, seed });
      const found = raptorq.decode(source, left);
      if (found === undefined) failures++;
      else expect(found).toEqual(block);
    }
    expect(failures).toBeLessThanOrEqual(5);
  });
});
