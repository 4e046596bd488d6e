import { expect, test } from "vitest";
import type { Scenario } from "../scenarios/expanded.ts";
import { assess } from "./index.ts";
import { aCallLog, aRelayRestart, aScenario, KILL, type LogBuilder, RESTART_EXPECT } from "./log-builder.ts";
import { isWithin, type ParityRow, parityRows, parityTable, withoutTroubled } from "./parity.ts";
import type { Recovery, Result } from "./result.ts";

const facts = {
  hash: "",
  versions: { midcall: "", node: "", commit: "" },
  codec: "sized",
  crypto: "null",
  ...{ lab: "sim", seed: "0x1", dir: "", virtualMs: 21_000, wallMs: 0 },
} as const;
const resultOf = (log: LogBuilder, scenario: Scenario): Result => assess({ ...facts, scenario, records: log.records() });
const killed = aScenario({ faults: [KILL], expect: RESTART_EXPECT });
const one = resultOf(aRelayRestart(), killed);
const later = (ms: number | null): Result => ({
  ...one,
  measurements: {
    ...one.measurements,
    recovery: one.measurements.recovery.map((entry) => ({
      ...entry,
      fromHealMs: ms === null ? null : (entry.fromHealMs ?? 0) + ms,
    })),
  },
});
const recovery = (rows: readonly ParityRow[]): ParityRow => rows.find(({ figure }) => figure.startsWith("recovery")) as ParityRow;

test("a laboratory agrees with itself in every figure", () => {
  const rows = parityRows(killed, [one, one], [one, one]);
  expect(rows.map(({ figure }) => figure)).toEqual([
    "held",
    "recovery from kill r1",
    "longest gap",
    "concealment",
    "mouth to ear",
  ]);
  expect(rows.every(isWithin)).toBe(true);
  expect(parityTable(rows, "netns").join("\n")).not.toContain("NO");
});

test("a recovery may differ by 30 ms or a fifth of the model's, whichever is more", () => {
  const fast = recovery(parityRows(killed, [one], [one])).sim ?? 0;
  const allowed = Math.max(30, fast / 5);
  expect(isWithin(recovery(parityRows(killed, [one], [later(allowed - 1)])))).toBe(true);
  const beyond = parityRows(killed, [one], [later(allowed + 1)]);
  expect(isWithin(recovery(beyond))).toBe(false);
  expect(parityTable(beyond, "netns").join("\n")).toContain("NO");
});

test("few runs may differ by what the middle of so many does by chance, which many runs of the model tell", () => {
  const spread = [-20, 0, 20].map(later);
  const toleranceOf = (sim: Result[], real: Result[], model?: Result[]): number =>
    recovery(parityRows(killed, sim, real, model)).tolerance ?? 0;
  const alone = toleranceOf([one], [one]);
  // The standard deviation of the three is 20 ms.
  expect(toleranceOf([one], [one], spread) - alone).toBeCloseTo(2 * Math.sqrt(Math.PI / 2) * 20 * Math.SQRT2, 6);
  const eight = Array.from({ length: 8 }, () => one);
  expect(toleranceOf(eight, eight, spread) - alone).toBeCloseTo(2 * Math.sqrt(Math.PI / 2) * 20 * 0.5, 6);
  expect(toleranceOf([one], [one, later(20)])).toBe(alone);
  expect(toleranceOf([one], [one], [later(null), later(null)])).toBe(alone);
});

test("the middle of the seeds counts: one run that never recovers is an accident, most of them are a finding", () => {
  expect(isWithin(recovery(parityRows(killed, [one, one, one], [one, later(null), one])))).toBe(true);
  const never = recovery(parityRows(killed, [one, one, one], [later(null), later(null), one]));
  expect(never.real).toBeNull();
  expect(isWithin(never)).toBe(false);
  expect(isWithin(recovery(parityRows(killed, [later(null)], [later(null)])))).toBe(true);
});

test("two parties of whom one is worse off are one figure of a run, whose middle is no chance between them", () => {
  const apart = (byMs: number): Result => ({
    ...one,
    measurements: {
      ...one.measurements,
      recovery: [0, 1_450].map((ms) => ({ ...(one.measurements.recovery[0] as Recovery), fromHealMs: 280 + ms + byMs })),
    },
  });
  const rows = parityRows(killed, [-20, 0, 20].map(apart), [-20, 10, 21].map(apart));
  expect(recovery(rows)).toMatchObject({ sim: 1_005, real: 1_015 });
});

test("gaps are held to two frames, concealment to two points, verdicts to the run", () => {
  const worse = (by: { gap?: number; concealed?: number }): Result => ({
    ...one,
    measurements: {
      ...one.measurements,
      audio: Object.fromEntries(
        Object.entries(one.measurements.audio).map(([party, audio]) => [
          party,
          {
            ...audio,
            longestGapMs: audio.longestGapMs + (by.gap ?? 0),
            concealmentRatio: audio.concealmentRatio + (by.concealed ?? 0),
          },
        ]),
      ),
    },
  });
  const failing = (real: Result): string[] =>
    parityRows(killed, [one], [real])
      .filter((row) => !isWithin(row))
      .map(({ figure }) => figure);
  expect(failing(worse({ gap: 40, concealed: 0.019 }))).toEqual([]);
  expect(failing(worse({ gap: 60 }))).toEqual(["longest gap"]);
  expect(failing(worse({ concealed: 0.021 }))).toEqual(["concealment"]);
  expect(failing({ ...one, verdict: "inconclusive" })).toEqual(["held"]);
});

test("an impairment that stays is not recovered from: its figure is told, and held to nothing", () => {
  const lossy = aScenario({
    faults: [
      {
        kind: "impair",
        target: "alice",
        interface: "eth0",
        direction: "up",
        link: { loss: 0.3 },
        when: { at: 5_000_000 },
        for: null,
      },
    ],
  });
  const row = recovery(parityRows(lossy, [later(0)], [later(5_000)]));
  expect(row).toMatchObject({ figure: "recovery from impair alice eth0 up", tolerance: null });
  expect(isWithin(row)).toBe(true);
});

test("a case without audio has its verdicts", () => {
  const silent = resultOf(aCallLog(), aScenario());
  const mute = { ...silent, measurements: { ...silent.measurements, audio: {} } };
  expect(parityRows(aScenario(), [mute], [mute]).map(({ figure }) => figure)).toEqual(["held"]);
});

test("a seed whose real run was inconclusive is left out of both columns, and told", () => {
  const troubled: Result = { ...later(null), verdict: "inconclusive", seed: "0x2" };
  const found = withoutTroubled([one, later(10), one], [one, troubled, later(20)]);
  expect(found).toEqual({ sim: [one, one], real: [one, later(20)], leftOut: ["0x2"] });
  expect(withoutTroubled([one], [later(null)]).leftOut).toEqual([]);
});
