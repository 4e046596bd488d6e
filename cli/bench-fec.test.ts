/** The table of `midcall bench fec` is the committed one, and what it says about the schemes is so. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { BENCHED_SCHEMES, BENCHED_TRACES, compareSchemes, fecTable, recommended } from "./bench-fec.ts";

const GOLDEN = new URL("../reports/golden/fec-schemes.txt", import.meta.url);
const figures = compareSchemes();
const at = (trace: string, scheme: string): number =>
  figures.find((one) => one.trace === trace && one.scheme === scheme)?.residualRatio ?? Number.NaN;

it("the committed table is what the schemes do (MIDCALL_WRITE=1 writes it anew)", () => {
  const table = fecTable(figures);
  if (process.env.MIDCALL_WRITE === "1") writeFileSync(GOLDEN, table);
  expect(table).toBe(readFileSync(GOLDEN, "utf8"));
});

it("there is a figure for every scheme and trace, and a recommendation for every trace", () => {
  expect(figures.length).toBe(BENCHED_SCHEMES.length * BENCHED_TRACES.length);
  for (const rows of Map.groupBy(figures, (one) => one.trace).values()) expect(recommended(rows)).toBeDefined();
});

it("RED of depth d leaves p to the power of d + 1 of random loss, within what chance allows", () => {
  for (const depth of [0, 1, 2, 3]) {
    const want = 0.3 ** (depth + 1);
    // 9,000 frames; losses of neighbours go together, which at worst makes the spread d + 1 times that of independent ones.
    const spread = (depth + 1) * Math.sqrt((want * (1 - want)) / 9_000);
    const got = at("random 30 %", depth === 0 ? "none" : `red ${depth}`);
    expect(Math.abs(got - want)).toBeLessThan(4 * spread);
  }
});

it("at the wire rate of RED-1 there is better: blocks for random loss, a copy further away for bursts", () => {
  const wire = (scheme: string): number => figures.find((one) => one.scheme === scheme)?.wireKbps ?? Number.NaN;
  for (const scheme of ["rs 5+3 aboard", "red 1 apart 8"]) expect(wire(scheme)).toBeLessThan(1.01 * wire("red 1"));
  expect(at("random 10 %", "rs 5+3 aboard")).toBeLessThan(at("random 10 %", "red 1"));
  expect(at("bursts of 4, 20 %", "red 1 apart 8")).toBeLessThan(at("bursts of 4, 20 %", "red 1") / 2);
});
