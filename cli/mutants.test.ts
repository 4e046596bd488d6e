/** The matrix of mutations and who catches each: a sample of it; `midcall mutants --matrix` makes all of it. */
import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { ALL_MUTATIONS } from "../scenarios/mutations.ts";
import { corpus } from "./corpus.ts";
import { openLaboratory } from "./laboratory.ts";
import { matrix, readMatrix, rowsOf, SURVIVES, searchTimes, table } from "./mutant-matrix.ts";
import { inOrder, type Precedent } from "./mutant-order.ts";
import { soundness, type Trial, tryMutation } from "./mutants.ts";
import { DEFAULT_SEED } from "./seed.ts";

const trials: readonly Trial[] = [
  ...CATALOGUE.map((scenario) => ({ scenario, seed: DEFAULT_SEED })),
  ...corpus().map(({ file, seed, scenario }) => ({ scenario: { ...scenario(), name: file }, seed })),
];
const BASE = { ...(trials[0] as Trial).scenario, twin: null, tags: [] };
const never = new AbortController().signal;
const laboratory = openLaboratory();
const sound = soundness(laboratory, never);
afterAll(() => laboratory.close());

const GOLDEN = readMatrix(readFileSync(new URL("../reports/golden/mutants.txt", import.meta.url), "utf8"));

it("the matrix under reports/golden has every mutation of the catalogue, and all are caught", () => {
  // A line may be missing of the twin of a case alone, which cli/twins.test.ts holds to breaking it.
  const twins = new Set(CATALOGUE.map(({ twin }) => twin?.mutation));
  const lines = new Map(GOLDEN.map((row) => [row.mutation, row]));
  expect(ALL_MUTATIONS.flatMap(({ name }) => (lines.has(name) || twins.has(name) ? [] : [name]))).toEqual([]);
  const known = new Map(ALL_MUTATIONS.map(({ name, file }) => [name, file]));
  expect(GOLDEN.filter((row) => known.get(row.mutation) !== row.file)).toEqual([]);
  expect(GOLDEN.filter((row) => row.oracle === SURVIVES)).toEqual([]);
});

/** chosen: every twenty-fifth, of nearly every file of the catalogue. */
const SAMPLE = GOLDEN.filter(
  (row) => row.oracle !== SURVIVES && trials.some(({ scenario }) => scenario.name === row.case),
).filter((_, i) => i % 25 === 7);

it.each(SAMPLE)("$mutation is caught in $case by $oracle", async ({ mutation: name, case: where, oracle }) => {
  const mutation = ALL_MUTATIONS.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`${name} is not in the catalogue`);
  const own = trials.filter(({ scenario }) => scenario.name === where);
  const { caught } = await tryMutation(mutation, own, sound, never);
  expect(caught).toMatchObject({ case: where, oracle });
});

it("a matrix that is read says what was written, keeps what was not tried, and the table counts what survives", () => {
  const [one, two, three] = ALL_MUTATIONS;
  if (one === undefined || two === undefined || three === undefined) throw new Error("the catalogue is empty");
  const caught = { case: "baseline", oracle: "media-flows", seed: 1, ms: 1_500, processorMs: 400, runs: 2 };
  const outcomes = [
    { mutation: one, caught, runs: 2 },
    { mutation: two, caught: undefined, runs: 9 },
  ];
  const before = {
    mutation: three.name,
    file: three.file,
    oracle: "settles",
    case: "blackout",
    seconds: "3.0",
    processor: "",
    of: "",
  };
  const lines = [before, { ...before, mutation: "gone" }, { ...before, mutation: two.name }];
  const rows = rowsOf(ALL_MUTATIONS, outcomes, lines, ({ caught: by }) => (by === undefined ? "" : "0badcafe"));
  expect(rows).toEqual([
    {
      mutation: one.name,
      file: one.file,
      oracle: "media-flows",
      case: "baseline",
      seconds: "1.5",
      processor: "0.4",
      of: "0badcafe",
    },
    { mutation: two.name, file: two.file, oracle: SURVIVES, case: "", seconds: "", processor: "", of: "" },
    before,
  ]);
  expect(readMatrix(matrix(rows))).toEqual(rows);
  expect(table(outcomes)).toEqual(
    expect.arrayContaining([
      "1 of 2 caught",
      "search: median 1.50 s, longest 1.50 s",
      "of a processor: median 0.40 s, longest 0.40 s",
    ]),
  );
  expect(searchTimes([])).toBeUndefined();
  // Who caught it before, tried first, confirms the line and leaves the time of the search.
  const confirmed = { mutation: three, caught: { ...caught, case: "blackout", ms: 200, runs: 1 }, runs: 1 };
  expect(rowsOf(ALL_MUTATIONS, [confirmed], [before])).toEqual([{ ...before, oracle: "media-flows" }]);
});

it("the cases whose twin a mutation is are tried first, then the cases with the tags of its module", () => {
  const mutation = ALL_MUTATIONS.find((one) => one.name === "stale-update-applied");
  if (mutation === undefined) throw new Error("the catalogue lacks stale-update-applied");
  const order = inOrder(mutation, trials).map(({ scenario }) => scenario);
  const own = trials.filter(({ scenario }) => scenario.twin?.mutation === mutation.name).length;
  expect(own).toBeGreaterThan(1);
  expect(order.map(({ twin }) => twin?.mutation === mutation.name).lastIndexOf(true)).toBe(own - 1);
  expect(order[own]?.tags).toContain("nat");
  expect(order).toHaveLength(trials.length);
});

it("who caught another mutation of the module, of the room, of anything is tried before who caught none; a mutation's own line is no help", () => {
  const mutation = ALL_MUTATIONS.find(({ file }) => file === "impl/wire/stun.ts");
  if (mutation === undefined) throw new Error("the catalogue lacks a mutation of stun");
  const alike = trials.map((trial, i) => ({
    ...trial,
    scenario: { ...trial.scenario, name: `case ${i}`, tags: [], twin: null, duration: 1 },
  }));
  const line = (at: number, file: string, name = "another"): Precedent => ({ mutation: name, file, case: `case ${at}` });
  const lines = [
    ...[line(3, "impl/core/call.ts"), line(5, "impl/wire/pcp.ts"), line(7, mutation.file)],
    line(9, mutation.file, mutation.name),
  ];
  const order = inOrder(mutation, alike, lines).map(({ scenario }) => scenario.name);
  expect(order.slice(0, 3)).toEqual(["case 7", "case 5", "case 3"]);
  expect(order.indexOf("case 9")).toBe(
    inOrder(mutation, alike, lines.slice(0, 3)).findIndex(({ scenario }) => scenario.name === "case 9"),
  );
});

it("of trials alike, the one that costs less comes first", () => {
  const mutation = ALL_MUTATIONS[0];
  if (mutation === undefined) throw new Error("the catalogue is empty");
  const lengths = [60, 5, 20].map((s, i) => ({ scenario: { ...BASE, name: `case ${i}`, duration: s * 1e6 }, seed: 1 }));
  expect(inOrder(mutation, lengths).map(({ scenario }) => scenario.name)).toEqual(["case 1", "case 2", "case 0"]);
});

it("a matrix of before a column was there can be read", () => {
  const text = "mutation  module  oracle  case  seconds  of\na-bug  impl/core/call.ts  settles  blackout  3.0  0badcafe\n";
  const row = { mutation: "a-bug", file: "impl/core/call.ts", oracle: "settles", case: "blackout" };
  expect(readMatrix(text)).toEqual([{ ...row, seconds: "3.0", processor: "", of: "0badcafe" }]);
});
