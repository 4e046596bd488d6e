/** Every number on the pages of comparisons and in the frames of the live page comes from result.json or run.ndjson: here they are worked out again from those, the plain way. */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instantsOf, type LogRecord } from "../impl/base/record.ts";
import { readLog } from "../reports/read-log.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { frameOf } from "./live/frame.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

const FAST = ["--codec", "sized", "--crypto", "null"];
let folder = "";
let [before, after] = [{}, {}] as [Result, Result];
let scenario = {} as Scenario;
let records: readonly LogRecord[] = [];
const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(folder, ...path), "utf8"));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-numbers-"));
  await midcall(folder, ["run", "relay-restart", "--repeat", "2", ...FAST]);
  await midcall(folder, ["run", "burst-loss", "--repeat", "7", "--out", "neteq", ...FAST]);
  await midcall(folder, ["run", "burst-loss", "--repeat", "7", "--out", "ema", "--set", "jitterBuffer=ema", ...FAST]);
  const run = ["out", "relay-restart"];
  before = (await json(...run, "sim-0x1", "result.json")) as Result;
  after = (await json(...run, "sim-0x2", "result.json")) as Result;
  scenario = (await json(...run, "sim-0x1", "scenario.json")) as Scenario;
  records = readLog(await readFile(join(folder, ...run, "sim-0x1", "run.ndjson"), "utf8")).records;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const unescaped = (text: string): string =>
  text
    .replace(/<[^>]*>/g, "")
    .replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'" })[name] ?? "");
/** The cells of the rows of a page's tables below the heading `title`. */
function rowsOf(html: string, title: string): string[][] {
  const section = html.split(new RegExp(`<h2[^>]*>${title}</h2>`))[1]?.split("</section>")[0] ?? "";
  return [...section.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)]
    .map(([, row = ""]) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) => unescaped(cell)))
    .slice(1);
}
/** A cell's number: milliseconds, shares as shares, counts; undefined when it says a word. */
function numberIn(cell: string): number | undefined {
  const [, sign = "", digits = "", unit = ""] = /^([+−]?)(\d[\d.]*)(?: (ms|s|%))?$/.exec(cell) ?? [];
  if (digits === "") return undefined;
  return (sign === "−" ? -1 : 1) * Number(digits) * (unit === "s" ? 1_000 : unit === "%" ? 0.01 : 1);
}
/** The value of result.json at `path`. */
const at = (result: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((one, key) => (one as Record<string, unknown> | undefined)?.[key], result);

test("two runs side by side: each cell is the value of that run's result.json, each change their difference", async () => {
  await midcall(folder, ["compare", "out/relay-restart/sim-0x1", "out/relay-restart/sim-0x2", "--html", "runs.html"]);
  const html = await readFile(join(folder, "runs.html"), "utf8");
  let compared = 0;
  for (const [title, group] of [
    ["Audio", "audio"],
    ["Signalling", "signal"],
    ["Candidate updates", "generations"],
    ["Traffic", "network"],
  ] as const)
    for (const [name = "", ...cells] of rowsOf(html, title)) {
      const [party = "", ...rest] = name.split(" ");
      const path = ["measurements", group, party, ...rest.join(" ").split(".")];
      const values = [before, after].map((result) => at(result, path) as number);
      expect(
        values.every((value) => typeof value === "number"),
        name,
      ).toBe(true);
      const [first = 0, second = 0] = values;
      // A page has four significant digits at least of milliseconds, hundredths of a per cent, hundredths of MOS.
      for (const [i, value] of [first, second, second - first].entries())
        expect(
          Math.abs((numberIn(cells[i] === "" ? "0" : (cells[i] ?? "")) ?? Number.NaN) - value),
          `${name}: ${cells[i]}`,
        ).toBeLessThanOrEqual(
          Math.max(
            0.0051,
            Math.abs(value) >= 10_000 ? Math.abs(value) * 0.001 : 0.051 * Number(name.endsWith("Ms") || name.includes("Ms.")),
          ),
        );
      compared++;
    }
  expect(compared).toBeGreaterThan(10);
});

test("two campaigns: medians, counts and verdicts are those of their runs", async () => {
  await midcall(folder, ["compare", "neteq", "ema", "--html", "campaigns.html"]);
  const html = await readFile(join(folder, "campaigns.html"), "utf8");
  const resultsOf = async (name: string): Promise<Result[]> => {
    const runs = (await readdir(join(folder, name, "burst-loss"))).filter((one) => one.startsWith("sim-"));
    return Promise.all(runs.map(async (one) => (await json(name, "burst-loss", one, "result.json")) as Result));
  };
  const sides = await Promise.all(["neteq", "ema"].map(resultsOf));
  expect(sides.map((side) => side.length)).toEqual([7, 7]);
  const verdicts = sides.map((side) =>
    [...Map.groupBy(side, ({ verdict }) => verdict)].map(([verdict, all]) => `${all.length} ${verdict}`).join(", "),
  );
  expect(rowsOf(html, "Verdicts")).toEqual([["burst-loss", "sim", ...verdicts]]);
  let compared = 0;
  for (const [name = "", ...cells] of rowsOf(html, "burst-loss, sim")) {
    const [party = "", field = ""] = name.split(" ");
    if (
      !["longestGapMs", "totalGapMs", "gapCount", "mos", "framesConcealed", "framesRecovered", "mouthToEarMs.p50"].includes(field)
    )
      continue;
    const medians = sides.map((side) => {
      const values = side.map((result) => at(result, ["measurements", "audio", party, ...field.split(".")]) as number);
      return values.sort((a, b) => a - b)[3] ?? Number.NaN;
    });
    for (const [i, median] of medians.entries()) {
      expect(cells[i]).toMatch(/ \(7\)$/);
      expect(numberIn(cells[i]?.replace(/ \(7\)$/, "") ?? "")).toBeCloseTo(median, median >= 100 ? 0 : 1);
    }
    compared++;
  }
  expect(compared).toBeGreaterThan(4);
});

test("a campaign: worst, median and interval of a case, verdicts, and every run's row are those of the runs' result.json", async () => {
  const html = await readFile(join(folder, "neteq", "campaigns", "run-0x1", "campaign.html"), "utf8");
  const runs = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7].map(async (seed) => (await json("neteq", "burst-loss", `sim-0x${seed}`, "result.json")) as Result),
  );
  const parties = ["alice", "bob"];
  const worstOf = (field: string): number[] =>
    runs.map((result) =>
      Math.max(...parties.map((party) => at(result, ["measurements", "audio", party, ...field.split(".")]) as number)),
    );
  const [cells = []] = rowsOf(html, "Cases");
  const [name, verdict, counts, recovery = "", gap = "", concealed = "", cause] = cells;
  const heldRuns = runs.filter((one) => one.verdict === "held").length;
  const bad = runs.find((one) => one.verdict !== "held");
  expect([name, verdict]).toEqual(["burst-loss", bad === undefined ? "✓ held" : `✗ ${bad.verdict}`]);
  expect(counts).toContain(`${heldRuns} of 7 held`);
  expect(cause).toBe((bad ?? runs[0])?.culprit?.sentence ?? (bad ?? runs[0])?.cause);
  const healed = runs.map((one) => Math.max(...one.measurements.recovery.map(({ fromHealMs }) => fromHealMs ?? Number.NaN)));
  for (const [cell, values, digits] of [
    [recovery, healed, 0],
    [gap, worstOf("longestGapMs"), 0],
    [concealed, worstOf("concealmentRatio"), 3],
  ] as const) {
    const sorted = values.toSorted((a, b) => a - b);
    // Of seven runs the interval that holds the median with 95 % confidence is from the smallest to the largest.
    const [, worst = "", median = "", low = "", high = ""] = /^(.*?) median (.*?) \((.*?) to (.*?)\)$/.exec(cell) ?? [];
    for (const [text, i] of [
      [worst, 6],
      [median, 3],
      [low, 0],
      [high, 6],
    ] as const)
      expect(numberIn(text), `${cell}: ${text}`).toBeCloseTo(sorted[i] ?? Number.NaN, digits);
  }
  const rows = rowsOf(html.replace(/<summary><h2 id="runs">/, '<h2 id="runs">'), "Runs");
  expect(rows).toHaveLength(7);
  for (const [, seed, told, , longest = "", share = "", delay = "", mos = ""] of rows) {
    const i = runs.findIndex((one) => one.seed === seed);
    expect(told).toContain(runs[i]?.verdict);
    expect(numberIn(longest)).toBe(worstOf("longestGapMs")[i]);
    expect(numberIn(share)).toBeCloseTo(worstOf("concealmentRatio")[i] ?? Number.NaN, 4);
    expect(numberIn(delay)).toBeCloseTo(worstOf("mouthToEarMs.p50")[i] ?? Number.NaN, 0);
    const scores = parties.map((party) => at(runs[i], ["measurements", "audio", party, "mos"]) as number);
    expect(Number(mos)).toBeCloseTo(Math.min(...scores), 2);
    // The link leads to the run's report.
    const href = new RegExp(`href="([^"]*)">${seed}<`).exec(html)?.[1] ?? "";
    expect((await stat(join(folder, "neteq", "campaigns", "run-0x1", decodeURIComponent(href)))).isFile()).toBe(true);
  }
  // Every point of the drawings is a run with its figure.
  for (const [i, seed] of runs.map((one) => one.seed).entries())
    expect(html).toContain(`burst-loss, seed ${seed}: ${worstOf("longestGapMs")[i]} ms, ${runs[i]?.verdict}`);
});

/** Frames of 20 ms that alice was played, of each kind, as the log told up to `until`. */
function playedBy(until: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const record of records)
    if (record.ev === "media-played" && record.who === "alice" && record.t <= until)
      counts[record.kind] = (counts[record.kind] ?? 0) + instantsOf(record).length;
  return counts;
}

test.each([4, 6, 9.5, 14])(
  "the live page after %d s: lanes, curves, faults, flows and log are those of the log so far",
  (seconds) => {
    const now = seconds * 1e6;
    const frame = frameOf(scenario, records, now, false);
    // As far as the log goes, which is told a second of frames at a time.
    expect(frame.at).toBeLessThanOrEqual(now);
    expect(frame.at).toBeGreaterThan(now - 1e6);
    const sofar = records.filter(({ t }) => t <= now);
    // The fault lasts from 5 s to 8 s.
    expect(frame.active.map(({ label }) => label)).toEqual(now > 5e6 && now < 8e6 ? ["kill r1"] : []);
    const strip = frame.plot.lanes.find((lane) => lane.party === "alice" && lane.isAudio);
    const counted: Record<string, number> = {};
    for (const [from, to, kind] of strip?.bars ?? []) counted[kind] = (counted[kind] ?? 0) + Math.round((to - from) / 20_000);
    const told = playedBy(now);
    expect(counted.source).toBe(told.source);
    expect(counted.concealed ?? 0).toBe(told.concealed ?? 0);
    // Round trips and the mouth-to-ear delay, of the same records.
    const curve = (group: string, name: string): readonly (readonly [number, number | null])[] =>
      frame.plot.curves.find((one) => one.name === group)?.curves.find((one) => one.party === "alice" && one.name === name)
        ?.points ?? [];
    const trips = sofar.flatMap((one) =>
      one.who === "alice" && one.ev === "session-stats" ? [[one.t, 1_000 * one.currentRoundTripTime]] : [],
    );
    expect(curve("round trip", "to the relay").map(([t, ms]) => [t, Math.round(ms ?? -1)])).toEqual(
      trips.map(([t = 0, ms = 0]) => [t, Math.round(ms)]),
    );
    expect(trips.length).toBeGreaterThan(0);
    // Captured at bob's microphone, played at alice's loudspeaker: by packet number.
    const captured = new Map(
      sofar.flatMap((one) =>
        one.ev === "media-sent" && one.who === "bob"
          ? instantsOf(one).map((instant, i): [number, number] => [one.seq + i, instant])
          : [],
      ),
    );
    // A frame is whole 20 ms after its beginning, and Opus looks 6.5 ms ahead. Frames whose sending is not told yet are not known.
    const delays = sofar.flatMap((one) =>
      one.ev === "media-played" &&
      one.who === "alice" &&
      (one.kind === "source" || one.kind === "recovered") &&
      one.seq !== undefined
        ? instantsOf(one).flatMap((instant, i) => {
            const said = captured.get((one.seq ?? 0) + i);
            return said === undefined ? [] : [{ instant, ms: (instant - said) / 1e3 + 26.5 }];
          })
        : [],
    );
    const points = curve("mouth to ear", "median").filter(([, ms]) => ms !== null);
    expect(points.length).toBeGreaterThan(2);
    for (const [middle, ms] of points) {
      const bucket = delays
        .filter(({ instant }) => Math.floor(instant / 500_000) === Math.floor(middle / 500_000))
        .map((one) => one.ms);
      expect(ms).toBeCloseTo(bucket.sort((x, y) => x - y)[bucket.length >> 1] ?? Number.NaN, 2);
    }
    for (const [t] of frame.log) expect(t).toBeLessThanOrEqual(now);
  },
);
