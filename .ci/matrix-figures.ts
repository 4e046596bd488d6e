/**
 * How soon the 45 pairs of the nine NATs meet on a real kernel: `node .ci/matrix-figures.ts --runs 10`, as root on an idle machine, runs the matrix of
 * `cli/netns-direct.test.ts` with as many seeds and prints a line for each run, and what all of them came to (docs/direct-paths.md). Calls whose parties had to wait for
 * a processor are told and left out.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { heldUp, type Met, met, natMatrix } from "../cli/nat-matrix.fixture.ts";
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

/** Two and a half round trips and 100 ms, and two round trips, milliseconds. */
const [DIRECT_MS, HEARD_MS] = [225, 100];
const tell = (seed: number, who: string, what: string): void => void process.stderr.write(`seed ${seed}: ${who}: ${what}\n`);

process.stdout.write(
  "| seed | pairs on the path of theory | direct after, ms: median / p95 / most | heard after, ms: median / p95 / most | seconds |\n| --- | --- | --- | --- | --- |\n",
);
const all: Outcome[] = [];
let longest = 0;
for (let seed = 1; seed <= Number(values.runs); seed++) {
  const folder = mkdtempSync(join(tmpdir(), "midcall-matrix-"));
  const began = performance.now();
  const { records, crashed } = await runNetns({ scenario, seed, folder, speech: new Map() });
  const seconds = (performance.now() - began) / 1_000;
  rmSync(folder, { recursive: true });
  if (crashed !== undefined) tell(seed, "the run", crashed);
  const outcomes = meetings.flatMap((one) => {
    const held = heldUp(records, one, ["r1"]); // the laboratory's own thread gives orders, and no call waits for it
    if (held !== undefined) {
      tell(seed, one.name, `${held.who} got no processor for ${Math.round(held.waited / 1_000)} ms`);
      return [];
    }
    const outcome = met(records, one);
    const isRight = outcome.paths.every((path) => path === one.path);
    if (!isRight) tell(seed, one.name, `${outcome.paths.join(", ")}, and theory says ${one.path}`);
    if ((outcome.directAfterMs ?? 0) > DIRECT_MS) tell(seed, one.name, `direct after ${outcome.directAfterMs} ms`);
    if (outcome.heardAfterMs > HEARD_MS) tell(seed, one.name, `heard after ${outcome.heardAfterMs} ms`);
    return [{ ...outcome, isRight }];
  });
  process.stdout.write(line(`${seed}`, outcomes, seconds));
  all.push(...outcomes);
  longest = Math.max(longest, seconds);
}
process.stdout.write(line("all", all, longest));
