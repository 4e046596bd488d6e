/** The matrix of mutations and who catches each: a sample of it; `midcall mutants --matrix` makes all of it. */
import { afterAll, expect, it } from "vitest";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import { ALL_MUTATIONS } from "../scenarios/mutations.ts";
import { corpus } from "./corpus.ts";
import { openLaboratory } from "./laboratory.ts";
import { matrix, readMatrix, searchTimes, table } from "./mutant-matrix.ts";
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

/** From most files of the catalogue. */
const SAMPLE: readonly (readonly [mutation: string, scenario: string, oracle: string])[] = [
  ["no-media-after-reconnect", "relay-restart", "media-recovers"],
  ["both-are-callers", "signal-hang-up-during-outage.0x1.json", "ended-with"],
  ["caller-not-set-up", "blackout", "call-connects"],
  ["keys-from-own-view", "baseline", "media-flows"],
  ["timestamp-cut-short", "relay-restart", "media-recovers"],
];

it.each(SAMPLE)("%s is caught in %s by %s", async (name, where, oracle) => {
  const mutation = ALL_MUTATIONS.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`${name} is not in the catalogue`);
  const own = trials.filter(({ scenario }) => scenario.name === where);
  const { caught } = await tryMutation(mutation, own, sound, never);
  expect(caught).toMatchObject({ case: where, oracle });
});

it("a matrix that is read says what was written, and the table counts what survives", () => {
  const [one, two] = ALL_MUTATIONS;
  if (one === undefined || two === undefined) throw new Error("the catalogue is empty");
  const caught = { case: "baseline", oracle: "media-flows", seed: 1, ms: 1_500, runs: 2 };
  const outcomes = [
    { mutation: one, caught, runs: 2 },
    { mutation: two, caught: undefined, runs: 9 },
  ];
  expect(readMatrix(matrix(outcomes))).toEqual([
    { mutation: one.name, file: one.file, oracle: "media-flows", case: "baseline" },
    { mutation: two.name, file: two.file, oracle: "SURVIVES", case: "" },
  ]);
  expect(table(outcomes)).toEqual(expect.arrayContaining(["1 of 2 caught", "search: median 1.50 s, longest 1.50 s"]));
  expect(searchTimes([])).toBeUndefined();
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
