/**
 * How soon the 45 pairs of the nine NATs meet on a real kernel: `node .ci/matrix-figures.ts --runs 10`, as root on an idle machine, runs the matrix of
 * `cli/netns-direct.test.ts` with as many seeds and prints a line for each run, and what all of them came to (docs/direct-paths.md).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Met, met, natMatrix } from "../cli/nat-matrix.fixture.ts";
import { runNetns } from "../netns/lab.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });
/** chosen: as in the test. */
const { scenario, meetings } = natMatrix(500_000);

const quantile = (values: readonly number[], q: number): number =>
  Math.round(values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? Number.NaN);
const spread = (values: readonly number[]): string => [0.5, 0.95, 1].map((q) => quantile(values, q)).join(" / ");

type Outcome = Met & { readonly isRight: boolean };
const directOf = (of: readonly Outcome[]): number[] => of.flatMap(({ directAfterMs }) => directAfterMs ?? []);
const line = (what: string, of: readonly Outcome[], seconds: number): string =>
  `| ${what} | ${of.filter(({ isRight }) => isRight).length} of ${of.length} | ${spread(directOf(of))} | ${spread(of.map(({ heardAfterMs }) => heardAfterMs))} | ${seconds.toFixed(1)} |\n`;

process.stdout.write(
  "| seed | pairs on the path of theory | direct after, ms: median / p95 / most | heard after, ms: median / p95 / most | seconds |\n| --- | --- | --- | --- | --- |\n",
);
const all: Outcome[] = [];
let longest = 0;
for (let seed = 1; seed <= Number(values.runs); seed++) {
  const folder = mkdtempSync(join(tmpdir(), "midcall-matrix-"));
  const began = performance.now();
  const { records } = await runNetns({ scenario, seed, folder, speech: new Map() });
  const seconds = (performance.now() - began) / 1_000;
  rmSync(folder, { recursive: true });
  const outcomes = meetings.map((one) => {
    const outcome = met(records, one);
    const isRight = outcome.paths.every((path) => path === one.path);
    if (!isRight) process.stderr.write(`seed ${seed}: ${one.name}: ${outcome.paths.join(", ")}, and theory says ${one.path}\n`);
    if ((outcome.directAfterMs ?? 0) > 225)
      process.stderr.write(`seed ${seed}: ${one.name}: direct after ${outcome.directAfterMs} ms\n`);
    if (outcome.heardAfterMs > 100) process.stderr.write(`seed ${seed}: ${one.name}: heard after ${outcome.heardAfterMs} ms\n`);
    return { ...outcome, isRight };
  });
  process.stdout.write(line(`${seed}`, outcomes, seconds));
  all.push(...outcomes);
  longest = Math.max(longest, seconds);
}
process.stdout.write(line("all", all, longest));
