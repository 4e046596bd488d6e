import { describe, expect, it, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import { broken, held } from "./finding.ts";
import { judge } from "./judge.ts";
import { aCallLog, aScenario, s } from "./log-builder.ts";
import { excused, type Stall, stallsOf } from "./machine.ts";
import { measure } from "./measure.ts";

const END = s(20);
const stall = (to: number, ms: number, more: { readonly who?: string; readonly cpuMs?: number } = {}): LogRecord => ({
  ...{ t: to, who: more.who ?? "net", ev: "stall" as const },
  ...{ micros: ms * 1_000, cpuMicros: (more.cpuMs ?? 0) * 1_000 },
});
const WAITED: Stall = { who: "net", from: s(9), to: s(9.5), waited: 500_000 };

describe("stalls in which a thread was kept waiting", () => {
  it("are those it did not compute in", () => {
    expect(stallsOf([stall(s(5), 300, { cpuMs: 50 })], END)).toEqual([{ who: "net", from: s(4.7), to: s(5), waited: 250_000 }]);
    expect(stallsOf([stall(s(5), 300, { cpuMs: 200 })], END)).toEqual([]);
  });
  it("are not those of a process that a fault held still, and end with the scenario", () => {
    const held: LogRecord[] = [
      { t: s(4), who: "r1", ev: "process", state: "paused" },
      { t: s(5), who: "r1", ev: "process", state: "resumed" },
    ];
    expect(stallsOf([...held, stall(s(5.01), 1_000, { who: "r1" })], END)).toEqual([]);
    expect(stallsOf([...held, stall(s(5.01), 1_000, { who: "alice" })], END)).toHaveLength(1);
    expect(stallsOf([...held, stall(s(7), 1_000, { who: "r1" })], END)).toHaveLength(1);
    expect(stallsOf([stall(s(21), 900)], END)).toEqual([]);
  });
  it("are those of the laboratory only where it was late to do something", () => {
    const late: LogRecord = {
      t: s(4.9),
      who: "lab",
      ev: "fault",
      fault: 0,
      state: "applied",
      kind: "kill",
      target: "r1",
      label: "kill r1",
    };
    expect(stallsOf([late, stall(s(5), 300, { who: "lab" })], END)).toHaveLength(1);
    expect(stallsOf([late, stall(s(6), 300, { who: "lab" })], END)).toEqual([]);
    const resumed: LogRecord = { t: s(5.9), who: "bob", ev: "process", state: "resumed" };
    expect(stallsOf([late, resumed, stall(s(5.9), 300, { who: "lab" })], END)).toHaveLength(1);
    expect(stallsOf([late, resumed, stall(s(6), 300, { who: "lab" })], END)).toEqual([]);
    expect(stallsOf([late, { ...resumed, state: "killed" }, stall(s(5.9), 300, { who: "lab" })], END)).toEqual([]);
  });
});

describe("a broken promise", () => {
  test.for([
    ["at the time of a stall", "longest-gap", s(9.2), [WAITED], "inconclusive"],
    ["five seconds from it", "longest-gap", s(14.5), [WAITED], "inconclusive"],
    ["long after it", "longest-gap", s(14.6), [WAITED], "broken"],
    ["long before it", "longest-gap", s(3.9), [WAITED], "broken"],
    ["that no instant is known of", "concealment", undefined, [WAITED], "inconclusive"],
    [
      "that no instant is known of, beside too short a stall",
      "concealment",
      undefined,
      [{ ...WAITED, waited: 399_999 }],
      "broken",
    ],
    ["beside several short stalls", "longest-gap", s(9), Array(4).fill({ ...WAITED, waited: 50_000 }), "inconclusive"],
    ["beside one that is too short", "longest-gap", s(9), [{ ...WAITED, waited: 199_999 }], "broken"],
    ["that no stall excuses", "no-nonce-reuse", s(9.2), [WAITED], "broken"],
    ["without a stall", "longest-gap", s(9.2), [], "broken"],
  ] as const)("%s", ([, oracle, at, stalls, verdict]) => {
    expect(excused(oracle, broken("alice 900 ms", at), stalls, END).verdict).toBe(verdict);
  });

  it("that awaits packets hangs on a long stall in all the time that they had, also of one after the scenario's end", () => {
    const long = { ...WAITED, waited: 1_000_000 };
    const verdict = (one: Stall, awaited: number | undefined): string =>
      excused("everything-freed", { ...broken("r1 still holds 1 calls", s(45)), ...(awaited && { awaited }) }, [one], END)
        .verdict;
    expect(verdict(long, s(36))).toBe("inconclusive");
    expect(verdict(long, undefined)).toBe("broken");
    expect(verdict(long, s(35))).toBe("broken");
    expect(verdict({ ...long, waited: 999_999 }, s(36))).toBe("broken");
    expect(verdict({ ...long, who: "lab" }, s(36))).toBe("broken");
    expect(verdict({ ...long, from: s(21), to: s(22) }, s(36))).toBe("inconclusive");
  });

  it.for([
    ["by no more than a thread waited just then", [{ at: s(9.4), by: 40_000 }], "inconclusive"],
    ["by more", [{ at: s(9.4), by: 90_000 }], "broken"],
    ["at another time", [{ at: s(11), by: 40_000 }], "broken"],
    [
      "once just then and once at another time",
      [
        { at: s(9.4), by: 40_000 },
        { at: s(11), by: 40_000 },
      ],
      "broken",
    ],
  ] as const)("of a few frames, missed %s", ([, misses, verdict]) => {
    const short = [{ ...WAITED, who: "alice", from: s(9), to: s(9.08), waited: 80_000 }];
    const finding = { ...broken("alice 100 ms", misses[0].at), misses };
    expect(excused("longest-gap", finding, short, END).verdict).toBe(verdict);
    // The laboratory's thread is none that sound passes.
    expect(excused("longest-gap", finding, [{ ...WAITED, ...short[0], who: "lab" }], END).verdict).toBe("broken");
  });

  it.for([
    ["than parties and links waited in all of the run", 97_000, ["bob", "net"], "inconclusive"],
    ["than they waited", 210_000, ["bob", "net"], "broken"],
    ["than the laboratory's thread waited", 97_000, ["lab"], "broken"],
  ] as const)("of a share of the run, of which no more was missing %s", ([, excess, waiting, verdict]) => {
    const stalls = waiting.map((who, i) => ({ ...WAITED, who, from: s(2 + 7 * i), to: s(2.1 + 7 * i), waited: 100_000 }));
    expect(excused("concealment", { ...broken("alice 1.93 %"), excess }, stalls, END).verdict).toBe(verdict);
  });

  it("says which part of the machine was late, by how much and when", () => {
    const { detail, brief } = excused(
      "longest-gap",
      broken("alice 900 ms", s(9)),
      [WAITED, { ...WAITED, who: "bob", waited: 60_000 }],
      END,
    );
    expect(brief).toBe("the machine did not keep up: net got no processor for 500 ms at 9.000 s, 560 ms in 2 stalls");
    expect(detail).toBe(`alice 900 ms; ${brief}`);
  });
});

it("a promise that was kept all the same is kept", () => {
  expect(excused("longest-gap", held("alice 40 ms"), [WAITED], END)).toEqual(held("alice 40 ms"));
});

it("a run whose only trouble is the machine's is inconclusive, and its cause says so", () => {
  const scenario = aScenario({ expect: [{ oracle: "no-interruption" }] });
  const silence = { spells: [{ from: s(9), to: s(9.5), kind: "silence" as const }] };
  const log = (): ReturnType<typeof aCallLog> => aCallLog(scenario, { alice: silence });
  expect(judge(measure(log().records(), scenario)).verdict).toBe("broken");
  const records = log().say(s(9.5), "net", { ev: "stall", micros: 500_000, cpuMicros: 1_000 }).records();
  const { verdict, cause } = judge(measure(records, scenario));
  expect(verdict).toBe("inconclusive");
  expect(cause).toContain(
    "no-interruption could not be judged: the machine did not keep up: net got no processor for 499 ms at 9.000 s",
  );
});

it.for([
  ["a relay's session and call where the link emulator stood still for long", "r1", {}, 6_500, "inconclusive"],
  ["the same where it stood still for a moment", "r1", {}, 900, "broken"],
  ["a relay's supervisor, which ends by itself", "r1", { supervisors: 1 }, 6_500, "broken"],
  ["what a client holds, who lets go by itself", "alice", {}, 6_500, "broken"],
] as const)("everything-freed says of %s: held by %s", ([, who, more, ms, verdict]) => {
  const records = aCallLog()
    .say(s(16), "net", { ev: "stall", micros: ms * 1_000, cpuMicros: 1_000 })
    .say(s(47), who, { ev: "held", sessions: 1, calls: 1, supervisors: 0, ...more })
    .records();
  const { oracles } = judge(measure(records, aScenario()));
  expect(oracles.find(({ name }) => name === "everything-freed")?.verdict).toBe(verdict);
});

it("a gap of five frames where three are allowed is the machine's where it held a party up for as long, and every other gap is somebody's", () => {
  const scenario = aScenario({ expect: [{ oracle: "longest-gap", max: s(0.06) }] });
  const silence = (from: number) => ({ from: s(from), to: s(from + 0.1), kind: "silence" as const });
  const log = (...spells: ReturnType<typeof silence>[]): LogRecord[] =>
    aCallLog(scenario, { alice: { spells } }).say(s(9.05), "alice", { ev: "stall", micros: 80_000, cpuMicros: 1_000 }).records();
  const verdict = (records: LogRecord[]): string | undefined => judge(measure(records, scenario)).oracles[0]?.verdict;
  expect(verdict(log(silence(9)))).toBe("inconclusive");
  expect(verdict(log(silence(9), silence(12)))).toBe("broken");
});

it("a run of frames that is too short was cut where its longest ended", () => {
  const scenario = aScenario({ expect: [{ oracle: "media-flows", frames: 800 }] });
  const silence = { spells: [{ from: s(12), to: s(12.2), kind: "silence" as const }] };
  const { oracles } = judge(measure(aCallLog(scenario, { alice: silence }).records(), scenario));
  expect(oracles[0]).toMatchObject({ name: "media-flows", verdict: "broken", atMs: 12_000 });
});
