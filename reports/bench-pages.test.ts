import { expect, test } from "vitest";
import { standaloneSvg } from "./drawing.ts";
import { ADDED, BOUND, type GridFigure, gridCsv, gridRecommendation, recommendedTable, WIRES } from "./fec-grid.ts";
import { gridPage } from "./fec-grid-page.ts";
import { type JitterFigure, jitterCsv, jitterPage, jitterRecommendation } from "./jitter-page.ts";

const figure = (link: string, scheme: string, wireKbps: number, missing: readonly number[]): GridFigure => ({
  ...{ link, scheme, wireKbps, missing },
  range: missing.map((one) => [one, one] as const),
});
const HOSTILE = `<script>alert("x")</script>&'`;
const rows = (link: string): readonly GridFigure[] => [
  figure(link, "none", 60, [0.2, 0.2, 0.2, 0.2]),
  figure(link, "red 1", 86, [0.04, 0.04, 0.04, 0.04]),
  figure(link, "rlc 10 at 88 %", 86.4, [0.06, 0.03, 0.009, 0.009]),
  figure(link, "red 2", 112, [0.008, 0.008, 0.0089, 0.0089]),
  figure(link, HOSTILE, 300, [0, 0, 0, 0]),
  figure(link, BOUND, 86, [0.03, 0.01, 0, 0]),
];
const LINK = "loss 20 %, burst 1, jitter 20 ms";
const grid = [...rows(LINK), ...rows("loss 20 %, burst 4, jitter 20 ms"), ...rows(`outage ${HOSTILE}`)];

test("a recommendation leaves least missing within its wire rate and delay, never names the bound, and takes the cheaper of equals", () => {
  const of = (scheme: string | null, added: number): string | undefined =>
    gridRecommendation(rows(LINK), { scheme, added })?.scheme;
  expect(of("none", 200)).toBe("none");
  expect([60, 100, 200].map((added) => of("red 1", added))).toEqual(["red 1", "rlc 10 at 88 %", "rlc 10 at 88 %"]);
  // 0.89 % and 0.9 % are one to a hundredth of a point.
  expect([60, 200].map((added) => of("red 2", added))).toEqual(["red 2", "rlc 10 at 88 %"]);
  expect(of(null, 60)).toBe(HOSTILE);
  expect(
    recommendedTable(grid)
      .split("\n")
      .filter((line) => line.startsWith(LINK)).length,
  ).toBe(WIRES.length);
});

test("the grid's page has a map for every budget, each link's recommendation and both drawings, and no script", () => {
  const { html, drawings } = gridPage(grid);
  expect(drawings.size).toBe(2 * 3);
  expect(html.match(/class="glance /g)?.length).toBe(WIRES.length * ADDED.length);
  expect(html.match(/<svg /g)?.length).toBe(drawings.size);
  expect(html).toContain('<span class="best">rlc 10 at 88 %</span>: 0.90 % missing at 200 ms');
  expect(html).not.toContain("<script");
  for (const svg of drawings.values()) {
    expect(svg).not.toContain("<script");
    expect(standaloneSvg(svg)).toContain("prefers-color-scheme: dark");
  }
});

test("the same figures give the same page, octet for octet, and no name on it stands twice", () => {
  const { html } = gridPage(grid);
  expect(gridPage(grid).html).toBe(html);
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

const jitter = (condition: string, buffer: string, delayMs: number, concealed: number): JitterFigure => ({
  ...{ condition, buffer, delayMs, concealed, concealedRange: [concealed, concealed] },
  ...{
    delayP95Ms: delayMs,
    targetMs: delayMs,
    lost: 10,
    unavoidable: 5,
    late: 0,
    events: 1,
    interruptions: 0,
    inserted: 0,
    removed: 0,
  },
  ...{ lsdDb: 1, stoi: Number.NaN, neteq: { concealed: 6, delayMs: 40 } },
});

test("of jitter buffers the better estimated score is recommended: delay that nobody notices is nothing against concealment", () => {
  const [short, long, late] = [jitter("a", "ema", 20, 3), jitter("a", "neteq", 60, 1), jitter("a", "slow", 500, 0.5)];
  expect(jitterRecommendation([short, long, late])).toBe(long);
  expect(jitterRecommendation([])).toBeUndefined();
});

test("the page of jitter buffers shows every condition once and escapes all names; a number that is none stays empty", () => {
  const figures = [jitter("10 %", "neteq", 30, 4), jitter("10 %", HOSTILE, 50, 9), jitter(HOSTILE, "neteq", 30, 4)];
  const { html, drawings } = jitterPage(figures);
  expect(drawings.size).toBe(2);
  expect(html).not.toMatch(/<script|NaN/);
  const [head, first] = jitterCsv(figures).split("\r\n");
  expect(first?.split(",").length).toBe(head?.split(",").length);
  expect(jitterCsv(figures)).not.toContain("NaN");
});

test("CSV keeps names with quotes as one field", () =>
  expect(gridCsv([figure('a "b"', "none", 1, [0, 0, 0, 0])])).toContain('"a ""b""","none",1.000,60,'));
