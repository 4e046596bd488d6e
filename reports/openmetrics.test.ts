import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogRecord, Saying } from "../impl/base/record.ts";
import { openMetrics, runLabel } from "./openmetrics.ts";
import { buildResult, type Result } from "./result.ts";

const STARTED = Date.UTC(2026, 0, 2, 3, 4, 5, 600);
const result: Result = buildResult(
  {
    scenario: "case",
    lab: "sim",
    seed: "0x1",
    hash: "0",
    versions: { midcall: "0", node: "0", commit: "abc" },
    codec: "sized",
    crypto: "null",
    jitterBuffer: "neteq",
    virtualMs: 3_000,
    wallMs: 1,
    dir: "out/case/sim-0x1-2",
  },
  { verdict: "held", cause: "", oracles: [] },
  [],
  { audio: {}, recovery: [], generations: {}, signal: {}, path: {}, network: {} },
);
const at = (seconds: number, who: string, saying: Saying): LogRecord => ({ t: seconds * 1e6, who, ...saying });
const LOG: readonly LogRecord[] = [
  at(0, "a", { ev: "process", state: "started" }),
  at(0.4, "net", { ev: "drop", where: "a/up", cause: "loss", bytes: 100 }),
  at(1, "a", { ev: "registration", state: "registered", supervisors: 0 }),
  at(1.2, "a", { ev: "registration", state: "reconnecting", supervisors: 1, delayMs: 0 }),
  at(1.9, "a", { ev: "registration", state: "registered", supervisors: 0 }),
  at(2.5, "net", { ev: "drop", where: "b/up", cause: "loss", bytes: 50 }),
  at(60, "a", { ev: "process", state: "exited" }),
];
const lines = openMetrics(LOG, result, STARTED).split("\n");
/** Values of a series by seconds of the run. */
const series = (head: string): readonly (readonly [number, number])[] =>
  lines
    .filter((line) => line.startsWith(`${head} `))
    .map((line) =>
      line
        .slice(head.length + 1)
        .split(" ")
        .map(Number),
    )
    .map(([value = Number.NaN, stamp = Number.NaN]) => [Math.round(stamp * 1e3 - STARTED) / 1e3, value]);
const RUN = 'run="case/sim-0x1-2"';

test("what only grows is 0 from the run's start on, however late it began to grow", () => {
  expect(series(`midcall_dropped_bytes_total{${RUN},link="b/up",cause="loss"}`)).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 50],
    [60, 50],
  ]);
});

test("a state is there from the first that is said of it, and seconds in which nothing was logged are left out", () => {
  const state = series(`midcall_client_registration_state{${RUN},party="a",state="registered"}`);
  expect(state).toEqual(
    [
      [1, 1],
      [2, 1],
      [3, 1],
      [60, 1],
    ].map(([t, value]) => [t, t === 60 ? 0 : value]),
  );
});

test("a histogram's buckets are cumulative, end with +Inf, and stand together for each instant", () => {
  const family = lines.filter((line) => line.startsWith("midcall_client_outage_seconds"));
  const last = family.slice(-17);
  expect(last.map((line) => /le="([^"]+)"/.exec(line)?.[1])).toEqual([
    "0.05",
    "0.1",
    "0.2",
    "0.3",
    "0.5",
    "0.75",
    "1.0",
    "2.0",
    "3.0",
    "5.0",
    "10.0",
    "20.0",
    "30.0",
    "60.0",
    "+Inf",
    undefined,
    undefined,
  ]);
  expect(last.map((line) => line.split(" ").at(-2))).toEqual([..."00000111111111", "1", "0.7", "1"]);
  expect(new Set(last.map((line) => line.split(" ").at(-1))).size).toBe(1);
});

test("each metric is one block of type, unit, help and its series, each series in the order of time, and the text ends", () => {
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
  const blocks = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
  expect(new Set(blocks).size).toBe(blocks.length);
  expect(lines).toContain("# TYPE midcall_dropped_bytes counter");
  expect(lines).toContain("# UNIT midcall_dropped_bytes bytes");
  const newest = new Map<string, number>();
  for (const line of lines.filter((one) => one !== "" && !one.startsWith("#"))) {
    const [, head = "", stamp = ""] = /^(.*) \S+ (\S+)$/.exec(line) ?? [];
    expect(Number(stamp), line).toBeGreaterThan(newest.get(head) ?? 0);
    newest.set(head, Number(stamp));
  }
});

test("whatever a party is called stays one label on one line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (who) => {
      const text = openMetrics([at(0, who, { ev: "process", state: "started" })], result, STARTED);
      const line = text.split("\n").find((one) => one.startsWith("midcall_process_up"));
      const [, label = ""] =
        /^midcall_process_up\{run="[^"]*",party="((?:[^"\\\n]|\\["\\n])*)"\} 1 \d+\.\d{3}$/s.exec(line ?? "") ?? [];
      const read = label.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
      expect(read).toBe(who.slice(0, 120).toWellFormed());
    }),
    { seed: 8, numRuns: 300 },
  );
});

test("a run is called after its scenario and its folder; without a folder after its laboratory and seed", () => {
  expect(runLabel(result)).toBe("case/sim-0x1-2");
  expect(runLabel({ ...result, dir: "C:\\out\\case\\sim-0x1" })).toBe("case/sim-0x1");
  expect(runLabel({ ...result, dir: "." })).toBe("case/sim-0x1");
});
