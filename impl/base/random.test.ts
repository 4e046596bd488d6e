import { describe, expect, it } from "vitest";
import { randomness, Stream } from "./random.ts";

describe("keyed randomness", () => {
  it("the same seed, name and position give the same draw, in any order of reading", () => {
    const forward = new Stream(42, "loss");
    const drawn = Array.from({ length: 8 }, () => forward.nextUint32());
    const jumping = new Stream(42, "loss");
    expect([7, 0, 3, 5].map((at) => jumping.at(at))).toEqual([7, 0, 3, 5].map((at) => drawn[at]));
  });

  it("streams of other names or seeds share nothing visible: correlation below 0.05 and no equal draws", () => {
    const n = 4_000;
    for (const [a, b] of [
      [new Stream(1, "loss"), new Stream(1, "jitter")],
      [new Stream(1, "loss"), new Stream(2, "loss")],
      [new Stream(0, "a"), new Stream(2 ** 32, "a")],
    ] as const) {
      let [sum, same] = [0, 0];
      for (let i = 0; i < n; i++) {
        if (a.at(i) === b.at(i)) same++;
        sum += (a.at(i) / 2 ** 32 - 0.5) * (b.at(i) / 2 ** 32 - 0.5) * 12;
      }
      expect(same).toBe(0);
      expect(Math.abs(sum / n)).toBeLessThan(0.05);
    }
  });

  it("draws fill 0..1 evenly: chi-square over 64 cells within the 99.9 % quantile (103.4)", () => {
    for (const name of ["loss", "x", "quic/alice/1"]) {
      const cells = new Array<number>(64).fill(0);
      const stream = randomness(7).stream(name);
      const n = 64_000;
      for (let i = 0; i < n; i++) {
        const cell = Math.floor(stream.nextUnit() * 64);
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      const chi = cells.reduce((sum, count) => sum + (count - n / 64) ** 2 / (n / 64), 0);
      expect(chi).toBeLessThan(103.4);
    }
  });

  it("refuses a seed that is not a whole number >= 0, naming it", () => {
    expect(() => randomness(-1)).toThrow(/seed.*-1/);
    expect(() => randomness(1.5)).toThrow(/seed.*1\.5/);
  });
});
