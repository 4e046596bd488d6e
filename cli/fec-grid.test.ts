/** Which scheme for which link: the committed table of a reduced grid, and what must be true of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  ADDED,
  BOUND,
  type GridFigure,
  gridCsv,
  gridRecommendation,
  gridTable,
  recommendedLine,
  WIRES,
} from "../reports/fec-grid.ts";
import { gridInThreads } from "./bench-grid.ts";
import { fecGrid, GRID, GRID_SCHEMES, gridLink, gridName, outage } from "./fec-grid.ts";
import { G1050 } from "./g1050.ts";

const GOLDEN = new URL("../reports/golden/fec-grid.txt", import.meta.url);
const links = [
  ...[0, 0.1, 0.2].flatMap((loss) => [0, 20].map((jitter) => gridLink(loss, 1, jitter))),
  gridLink(0.2, 4, 0),
  outage(250),
  ...G1050.filter(({ name }) => name.endsWith("D") || name.endsWith("G")),
];
const figures = fecGrid({ links, seeds: 2, frames: 1_500 });
const rows = Map.groupBy(figures, (one) => one.link);

test("the committed table is what the schemes do (MIDCALL_WRITE=1 writes it anew)", () => {
  const table = gridTable(figures);
  if (process.env.MIDCALL_WRITE === "1") writeFileSync(GOLDEN, table);
  expect(table).toBe(readFileSync(GOLDEN, "utf8"));
});

test("the same seeds give the same figures", () => {
  const some = { links: links.slice(2, 3), schemes: GRID_SCHEMES.slice(0, 3), seeds: 2, frames: 200 };
  expect(fecGrid(some)).toEqual(fecGrid(some));
});

test("in threads, which end with it, the figures are the same and in the order that was asked for", async () => {
  const names = [outage(100).name, gridLink(0.01, 1, 0).name];
  const done: string[] = [];
  const watch = { threads: 2, signal: new AbortController().signal, done: (link: string) => void done.push(link) };
  const found = await gridInThreads<GridFigure>({ bench: "fec", seeds: 1 }, names, watch);
  expect(found).toEqual(fecGrid({ links: [outage(100), gridLink(0.01, 1, 0)], seeds: 1 }));
  expect(done.toSorted()).toEqual(names.toSorted());
  await expect(gridInThreads({ bench: "fec" }, names, { ...watch, signal: AbortSignal.abort() })).rejects.toThrow("interrupted");
  await expect(gridInThreads({ bench: "jitter" }, ["no such link"], watch)).rejects.toThrow("no such link");
});

test("what the whole grid recommends is committed (`bench fec --grid --out DIR` writes it): a line of it made again is the same", async () => {
  const link = outage(250).name;
  const committed = readFileSync(new URL("../reports/golden/fec-grid-recommended.txt", import.meta.url), "utf8").split("\n");
  const again = await gridInThreads<GridFigure>({ bench: "fec" }, [link], {
    threads: 1,
    signal: new AbortController().signal,
    done: () => undefined,
  });
  const lines = WIRES.map((wire) => recommendedLine(link, again, wire));
  expect(committed.filter((line) => line.startsWith(link))).toEqual(lines);
  for (const { name } of GRID) expect(committed.filter((line) => line.startsWith(`${name} `)).length, name).toBe(WIRES.length);
});

test("the grid is whole: nine losses, three bursts, three jitters, four outages, eight profiles", () => {
  expect(GRID.length).toBe(3 + 8 * 9 + 4 + 8);
  expect(new Set(GRID.map(({ name }) => name)).size).toBe(GRID.length);
});

test("every link has one recommendation, within RED-1's wire rate, and more time never loses more", () => {
  for (const own of rows.values()) {
    const best = gridRecommendation(own);
    const red = own.find(({ scheme }) => scheme === "red 1");
    expect(best?.wireKbps).toBeLessThanOrEqual((red?.wireKbps ?? 0) * 1.01);
    for (const { missing } of own) expect(missing).toEqual(missing.toSorted((a, b) => b - a));
  }
});

test("without protection and jitter as much is missing as the link loses, at every delay", () => {
  const plain = rows.get("loss 20 %, burst 1, jitter 0 ms")?.find(({ scheme }) => scheme === "none");
  for (const share of plain?.missing ?? []) expect(Math.abs(share - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 3_000));
});

test("at RED-1's wire rate and 200 ms, without the codec's own redundancy, less than 0.3 % is missing at 10 % random loss, 1 % at 20 %, 5 % at 20 % in bursts of four", () => {
  // Five minutes of speech a link: at 20 % the standard error of the loss itself is 0.33 points.
  const links = [gridLink(0.1, 1, 0), gridLink(0.2, 1, 0), gridLink(0.2, 4, 0)];
  const wanted = ["none", "red 1", "rlc 10 at 88 %", "red 1 apart 10"];
  const all = GRID_SCHEMES.map((scheme) => ({ scheme, name: gridName(scheme) })).filter(({ name }) => wanted.includes(name));
  const long = fecGrid({ links, schemes: all.map(({ scheme }) => scheme), seeds: 3, frames: 5_000 });
  const missing = links.map(({ name }) => {
    const own = long.filter(({ link }) => link === name);
    const best = gridRecommendation(own);
    const bound = own.find(({ scheme }) => scheme === BOUND)?.missing[ADDED.indexOf(200)] ?? 1;
    expect(best?.missing[ADDED.indexOf(200)]).toBeGreaterThanOrEqual(bound);
    return best?.missing[ADDED.indexOf(200)] ?? 1;
  });
  expect(missing[0]).toBeLessThan(0.003);
  expect(missing[1]).toBeLessThan(0.01);
  expect(missing[2]).toBeLessThan(0.05);
});

test("nothing that sends a packet a frame at RED-1's wire rate leaves less than the bound, on any link at any delay", () => {
  for (const own of rows.values()) {
    const bound = own.find(({ scheme }) => scheme === BOUND);
    for (const one of own) {
      if (one.wireKbps > (bound?.wireKbps ?? 0) || !/^(red|rlc|none$)/.test(one.scheme) || one.scheme.includes("lbrr")) continue;
      for (const [k, share] of one.missing.entries()) expect(share).toBeGreaterThanOrEqual((bound?.missing[k] ?? 1) - 1e-9);
    }
  }
});

test("as CSV there is a line for each link, scheme and delay", () => {
  const lines = gridCsv(figures).trimEnd().split("\r\n");
  expect(lines.length).toBe(1 + figures.length * ADDED.length);
  expect(new Set(lines.map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).length))).toEqual(new Set([7]));
});
