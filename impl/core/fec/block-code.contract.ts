/** What every erasure code promises, as one suite: `blockCodeContract` is called by the test of each code. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stream } from "../../base/random.ts";
import type { BlockCode } from "./block-code.ts";

export type BlockCodePromises = {
  /** Repair symbols beyond the lost ones with which recovery is certain enough to be promised: 0 for codes that waste nothing. */
  readonly surplus: number;
};

const RUNS = { seed: 4, numRuns: 150 } as const;

/** A block of `count` symbols of random octets, at least `length` long. */
export const blockOf = (code: BlockCode, count: number, length: number, seed: number): readonly Uint8Array[] => {
  const draw = new Stream(seed, "block");
  return Array.from({ length: count }, () => draw.nextBytes(code.symbolBytes(length)));
};

/** Loses `lost` symbols of the block and `repairLost` of its repair symbols, at places drawn from `seed`. */
export function broken(
  block: readonly Uint8Array[],
  repair: readonly Uint8Array[],
  losses: { readonly lost: number; readonly repairLost: number; readonly seed: number },
): { readonly source: readonly (Uint8Array | undefined)[]; readonly left: ReadonlyMap<number, Uint8Array> } {
  const draw = new Stream(losses.seed, "broken");
  const pick = (of: number, count: number): ReadonlySet<number> => {
    const places = Array.from({ length: of }, (_, i) => i);
    for (let i = of - 1; i > 0; i--) {
      const j = draw.nextBelow(i + 1);
      [places[i], places[j]] = [places[j] as number, places[i] as number];
    }
    return new Set(places.slice(0, count));
  };
  const gone = pick(block.length, losses.lost);
  const goneRepair = pick(repair.length, losses.repairLost);
  return {
    source: block.map((symbol, i) => (gone.has(i) ? undefined : symbol)),
    left: new Map([...repair.entries()].filter(([i]) => !goneRepair.has(i))),
  };
}

const shape = (code: BlockCode): fc.Arbitrary<{ count: number; repair: number; length: number; seed: number }> =>
  fc.record({
    count: fc.integer({ min: 1, max: Math.min(24, code.most.source) }),
    repair: fc.integer({ min: 1, max: Math.min(24, code.most.repair) }),
    length: fc.integer({ min: 1, max: 120 }),
    seed: fc.nat(),
  });

export function blockCodeContract(code: BlockCode, { surplus }: BlockCodePromises): void {
  describe(`block code ${code.name}`, () => {
    it("gives back any lost symbols, octet for octet, from as many repair symbols (and the surplus it asks for)", () => {
      let recovered = 0;
      fc.assert(
        fc.property(shape(code), fc.nat(), ({ count, repair, length, seed }, how) => {
          const block = blockOf(code, count, length, seed);
          const symbols = code.encode(block, repair);
          expect(symbols.map((one) => one.length)).toEqual(new Array(repair).fill(block[0]?.length));
          const most = Math.min(count, repair - surplus);
          if (most < 1) return;
          const lost = 1 + (how % most);
          const { source, left } = broken(block, symbols, { lost, repairLost: repair - surplus - lost, seed });
          expect(code.decode(source, left)).toEqual(block);
          recovered++;
        }),
        RUNS,
      );
      if (surplus < code.most.repair) expect(recovered).toBeGreaterThan(RUNS.numRuns / 4);
    });

    it("says undefined when fewer repair symbols are left than are lost", () => {
      fc.assert(
        fc.property(shape(code), ({ count, repair, length, seed }) => {
          const block = blockOf(code, count, length, seed);
          const symbols = code.encode(block, repair);
          const lost = Math.min(count, repair);
          const { source, left } = broken(block, symbols, { lost, repairLost: repair - lost + 1, seed });
          expect(code.decode(source, left)).toBeUndefined();
        }),
        RUNS,
      );
    });

    it("leaves a whole block as it is", () => {
      const block = blockOf(code, 5, 30, 1);
      expect(code.decode(block, new Map())).toEqual(block);
    });

    it("never throws on symbols that are not of one block, and invents nothing of another size", () => {
      fc.assert(
        fc.property(shape(code), fc.nat(), ({ count, repair, length, seed }, other) => {
          const block = blockOf(code, count, length, seed);
          const strangers = blockOf(code, repair, length, other);
          const lost = Math.min(count, repair);
          const { source, left } = broken(block, strangers, { lost, repairLost: 0, seed });
          for (const symbol of code.decode(source, left) ?? []) expect(symbol.length).toBe(block[0]?.length);
        }),
        RUNS,
      );
    });

    it("refuses blocks it cannot work with, by RangeError", () => {
      const [a, b] = blockOf(code, 2, 30, 1) as [Uint8Array, Uint8Array];
      expect(() => code.encode([], 1)).toThrow(RangeError);
      expect(() => code.encode([a, b.slice(1)], 1)).toThrow(RangeError);
      expect(() => code.encode([a, b], 0)).toThrow(RangeError);
      expect(() => code.encode([a, b], code.most.repair + 1)).toThrow(RangeError);
      expect(() => code.encode(new Array<Uint8Array>(code.most.source + 1).fill(a), 1)).toThrow(RangeError);
    });
  });
}
