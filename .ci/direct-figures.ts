/**
 * What direct paths reach, measured: `node .ci/direct-figures.ts --lab sim --runs 5` runs the cases below and prints their figures as the table of
 * docs/direct-paths.md; `--from FOLDER` reads runs that are there already (`midcall run NAME --out FOLDER`), `--case NAME` takes that case alone. In netns as root, on
 * an idle machine; runs with which that did not keep up are told and left out. Runs that did not hold are left in the folder that is named at the end.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Result } from "../reports/result.ts";

/** Case, what happens, and the longest gap that is allowed, milliseconds, 95 of 100 parties. */
const CASES: readonly (readonly [string, string, number])[] = [
  ["direct-nat-rebind", "both NATs rebind by port, direct path", 60],
  ["relayed-nat-rebind", "both NATs rebind by port, relay path", 60],
  ["direct-nat-renumber", "both NATs' addresses change, direct path", 150],
  ["relayed-nat-renumber", "both NATs' addresses change, relay path", 150],
  ["roam-make-before-break", "roam, make before break", 20],
  ["roam-wifi-to-cellular", "roam, abrupt", 300],
  ["roam-both-at-once", "both roam at once, abrupt", 300],
  ["v4-to-v6", "IPv4 is lost, IPv6 is there", 200],
  ["direct-black-hole", "the direct path dies without a word", 700],
  ["direct-black-hole-one-way", "one direction of it does", 700],
  ["v6-dies-mid-call", "IPv6 dies without a word, relay path", 700],
  ["v4-dies-mid-call", "IPv4 dies without a word, relay path", 700],
  ["v6-dies-one-way", "what is sent by IPv6 vanishes, relay path", 700],
  ["v6-dies-under-both", "IPv6 dies without a word under the direct path and the relay's", 700],
];

const { values } = parseArgs({
  options: {
    ...{ lab: { type: "string", default: "sim" }, runs: { type: "string", default: "5" } },
    ...{ from: { type: "string" }, case: { type: "string", multiple: true } },
  },
});
const { lab, runs } = values;
const folder = values.from ?? mkdtempSync(join(tmpdir(), "midcall-figures-"));

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;

function row([name, what, most]: (typeof CASES)[number]): string | undefined {
  if (values.from === undefined) {
    const command = ["cli/midcall.mjs", "run", name, "--lab", lab, "--repeat", runs, "--out", folder];
    spawnSync(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"] });
  }
  const ran = (readdirSync(folder).includes(name) ? readdirSync(join(folder, name)) : [])
    .filter((one) => one.startsWith(`${lab}-0x`) && existsSync(join(folder, name, one, "result.json")))
    .map((one) => [one, JSON.parse(readFileSync(join(folder, name, one, "result.json"), "utf8")) as Result] as const);
  const results = ran.flatMap(([run, one]) => {
    if (one.verdict === "held") {
      if (values.from === undefined) rmSync(join(folder, name, run), { recursive: true });
      return [one];
    }
    const why = one.oracles.filter(({ verdict }) => verdict !== "held").map((oracle) => `${oracle.name}: ${oracle.detail}`);
    process.stderr.write(`${name} ${run} ${one.verdict}: ${why.join("; ")}\n`);
    return one.verdict === "inconclusive" ? [] : [one];
  });
  if (results.length === 0) return undefined;
  const gaps = results
    .flatMap((one) => Object.values(one.measurements.audio).map(({ longestGapMs }) => longestGapMs))
    .sort((a, b) => a - b);
  const stale = results.flatMap((one) => Object.values(one.measurements.generations).map(({ appliedStale }) => appliedStale));
  const direct = results.flatMap((one) =>
    Object.values(one.measurements.path).flatMap((steps) => {
      const found = steps.find(({ path }) => path === "direct");
      return found === undefined ? [] : [found.atMs - (steps[0]?.atMs ?? 0)];
    }),
  );
  const after =
    direct.length === 0
      ? ""
      : Math.round(
          quantile(
            direct.sort((a, b) => a - b),
            0.95,
          ),
        ).toString();
  const figures = [0.5, 0.95, 1].map((q) => quantile(gaps, q)).join(" / ");
  const sum = stale.reduce((a, b) => a + b, 0);
  return `| ${name} | ${what} | ${lab} | ${results.length} | ${figures} | ${most} | ${after} | ${sum} |`;
}

process.stdout.write(
  [
    "| case | what happens | lab | runs | longest gap of a party, ms: median / p95 / most | at most (p95) | direct after, ms (p95) | stale applied |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...CASES.filter(([name]) => values.case?.includes(name) ?? true).flatMap((one) => row(one) ?? []),
    "",
  ].join("\n"),
);
if (values.from === undefined) process.stderr.write(`${folder}\n`);
