/** The matrix of mutations and who catches each: a sample of it; `midcall mutants --matrix` makes all of it. */
import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { ALL_MUTATIONS } from "../scenarios/mutations.ts";
import { corpus } from "./corpus.ts";
import { openLaboratory } from "./laboratory.ts";
import { matrix, readMatrix, rowsOf, SURVIVES, searchTimes, table } from "./mutant-matrix.ts";
import { inOrder, soundness, type Trial, tryMutation } from "./mutants.ts";
import { DEFAULT_SEED } from "./seed.ts";

const trials: readonly Trial[] = [
  ...CATALOGUE.map((scenario) => ({ scenario, seed: DEFAULT_SEED })),
  ...corpus().map(({ file, seed, scenario }) => ({ scenario: { ...scenario(), name: file }, seed })),
];
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
  const caught = { case: "baseline", oracle: "media-flows", seed: 1, ms: 1_500, runs: 2 };
  const outcomes = [
    { mutation: one, caught, runs: 2 },
    { mutation: two, caught: undefined, runs: 9 },
  ];
  const before = { mutation: three.name, file: three.file, oracle: "settles", case: "blackout", seconds: "3.0", of: "" };
  const lines = [before, { ...before, mutation: "gone" }, { ...before, mutation: two.name }];
  const rows = rowsOf(ALL_MUTATIONS, outcomes, lines, ({ caught: by }) => (by === undefined ? "" : "0badcafe"));
  expect(rows).toEqual([
    { mutation: one.name, file: one.file, oracle: "media-flows", case: "baseline", seconds: "1.5", of: "0badcafe" },
    { mutation: two.name, file: two.file, oracle: SURVIVES, case: "", seconds: "", of: "" },
    before,
  ]);
  expect(readMatrix(matrix(rows))).toEqual(rows);
  expect(table(outcomes)).toEqual(expect.arrayContaining(["1 of 2 caught", "search: median 1.50 s, longest 1.50 s"]));
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
