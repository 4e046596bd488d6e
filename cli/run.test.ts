import { appendFile, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resultSchema } from "../reports/result.ts";
import { EXIT } from "./exit.ts";
import { midcall, type Said } from "./recorded-terminal.fixture.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-run-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const FAST = ["--codec", "sized", "--crypto", "null"];
const run = (...words: string[]): Promise<Said> => midcall(folder, ["run", ...words, ...FAST]);
const read = (path: string): Promise<string> => readFile(join(folder, path), "utf8");

test("a run leaves its folder, and says on standard output where the report is", async () => {
  const said = await run("baseline", "--seed", "0x2A");
  expect(said.code).toBe(EXIT.held);
  expect(said.out).toContain("report: out/baseline/sim-0x2a/report.html");
  expect(said.err).toBe("");
  expect((await readdir(join(folder, "out/baseline/sim-0x2a"))).sort()).toEqual(
    expect.arrayContaining(["junit.xml", "report.html", "result.json", "run.ndjson", "scenario.json", "summary.md"]),
  );
  const result = resultSchema.parse(JSON.parse(await read("out/latest/result.json")));
  expect(result).toMatchObject({ scenario: "baseline", lab: "sim", seed: "0x2a", verdict: "held", dir: "out/baseline/sim-0x2a" });
  expect(await readlink(join(folder, "out/latest"))).toBe("baseline/sim-0x2a");
});

test("the same run again has the same log, in a folder of its own", async () => {
  await run("relay-restart");
  const before = await read("out/relay-restart/sim-0x1/run.ndjson");
  const again = await run("relay-restart");
  expect(again.out).toContain("out/relay-restart/sim-0x1-2/report.html");
  expect(await read("out/relay-restart/sim-0x1-2/run.ndjson")).toBe(before);
  expect(await read("out/relay-restart/sim-0x1/run.ndjson")).toBe(before);
});

test("with real Opus and real cryptography, what each party heard is in the folder", async () => {
  const said = await midcall(folder, ["run", "relay-restart"]);
  expect(said.code).toBe(EXIT.held);
  expect((await readdir(join(folder, "out/latest/audio"))).sort()).toEqual(["alice.wav", "bob.wav"]);
});

test("--json prints result.json: an object for one run, an array for several", async () => {
  const one = await run("baseline", "--json");
  expect(JSON.parse(one.out)).toEqual(JSON.parse(await read("out/latest/result.json")));
  const several = await run("baseline", "--json", "--repeat", "3", "--seed", "7");
  const results: { seed: string; hash: string }[] = JSON.parse(several.out);
  expect(results.map((result) => result.seed)).toEqual(["0x7", "0x8", "0x9"]);
  expect(new Set(results.map((result) => result.hash)).size).toBe(3);
});

test("a tag means every scenario that carries it, and a scenario named twice runs once", async () => {
  const listed: { name: string; tags: string[] }[] = JSON.parse((await midcall(folder, ["list", "--json"])).out);
  const quick = listed.filter((row) => row.tags.includes("quick")).map((row) => row.name);
  const said = await run("quick", quick[0] ?? "", "--json");
  expect(JSON.parse(said.out).map((result: { scenario: string }) => result.scenario)).toEqual(quick);
});

test("a broken promise exits with 1 and prints how to see it again", async () => {
  const said = await run("relay-restart", "--set", "expect.2.within=1ms");
  expect(said.code).toBe(EXIT.broken);
  expect(said.out).toMatch(/FAIL relay-restart {2}oracle=media-recovers .*seed 0x1 {2}commit/);
  expect(said.out).toContain("replay: npx midcall replay out/relay-restart/sim-0x1/scenario.json");
});

test("a fault that left no trace makes the run inconclusive, which exits with 3", async () => {
  const silent = {
    when: { after: { match: { ev: "call", state: "resuming" }, nth: 1, delay: 0 } },
    for: null,
    kind: "kill",
    target: "r1",
  };
  const said = await run("baseline", "--set", `faults=[${JSON.stringify(silent)}]`);
  expect(said.err).toBe("");
  expect(said.code).toBe(EXIT.inconclusive);
});

test("the twin of a scenario is broken, says with which bug it ran, and has a folder of its own", async () => {
  const said = await run("relay-restart", "--twin", "--json");
  expect(said.code).toBe(EXIT.broken);
  const result = JSON.parse(said.out);
  expect(result).toMatchObject({
    verdict: "broken",
    sabotage: "sign-of-life-ignored",
    dir: "out/relay-restart/sim-twin-0x1",
  });
  // The product itself is untouched: the next run in this process holds.
  expect((await run("relay-restart")).code).toBe(EXIT.held);
  expect((await midcall(folder, ["replay", "out/relay-restart/sim-twin-0x1"])).code).toBe(EXIT.held);
});

test("junit, github and ctrf are documents of all runs on standard output", async () => {
  const junit = await run("baseline", "--repeat", "2", "--reporter", "junit");
  expect(junit.out.match(/<testcase /g)).toHaveLength(1);
  expect(junit.out.match(/held: sim, seed 0x[12],/g)).toHaveLength(2);
  const ctrf = await run("baseline", "--reporter", "ctrf");
  expect(JSON.parse(ctrf.out)).toMatchObject({ reportFormat: "CTRF", results: { summary: { tests: 1, passed: 1 } } });
  const github = await run("relay-restart", "--set", "expect.2.within=1ms", "--reporter", "github");
  expect(github.out).toMatch(/^::error title=relay-restart/);
});

test("an interrupted run exits with 130 and leaves no folder", async () => {
  const controller = new AbortController();
  const running = midcall(folder, ["run", "baseline", "--set", "duration=1h", "--out", "runs", ...FAST], controller.signal);
  while ((await readdir(join(folder, "runs/baseline")).catch(() => [])).length === 0) await new Promise(setImmediate);
  controller.abort();
  expect((await running).code).toBe(EXIT.interrupted);
  expect(await readdir(join(folder, "runs/baseline"))).toEqual([]);
});

test("of several runs the finished ones have their page when the others are interrupted, and it says so", async () => {
  const controller = new AbortController();
  const out = "cut-short";
  const words = ["run", "baseline", "--set", "duration=8s", "--repeat", "500", "--out", out, "--reporter", "junit=cut.xml"];
  const running = midcall(folder, [...words, ...FAST], controller.signal);
  while ((await readdir(join(folder, out, "baseline")).catch(() => [])).length < 3) await new Promise(setImmediate);
  controller.abort();
  const said = await running;
  expect(said.code).toBe(EXIT.interrupted);
  const [, page = "", done] = /^campaign: (\S+) \(interrupted after (\d+) of 500 runs\)$/m.exec(said.out) ?? [];
  const { runs, interrupted } = JSON.parse(await readFile(join(folder, page, "../campaign.json"), "utf8"));
  expect(runs).toHaveLength(Number(done));
  expect(runs.length).toBeGreaterThan(1);
  expect(interrupted).toEqual({ of: 500 });
  // Of the one under way nothing is left, and no report of all runs says that these were all.
  expect(await readdir(join(folder, out, "baseline"))).toHaveLength(runs.length);
  expect(await readFile(join(folder, page), "utf8")).toContain(`<strong>Interrupted</strong> after ${done} of 500`);
  await expect(readFile(join(folder, "cut.xml"))).rejects.toThrow("ENOENT");
});

test("replay finds the same hash, from the folder and from its scenario.json", async () => {
  await run("relay-restart", "--seed", "5");
  for (const word of ["out/latest", "out/latest/scenario.json", "out/relay-restart/sim-0x5"]) {
    const said = await midcall(folder, ["replay", word]);
    expect(said.code).toBe(EXIT.held);
    expect(said.out).toContain("the same");
  }
  const said = await midcall(folder, ["replay", "out/latest", "--json"]);
  expect(JSON.parse(said.out)).toMatchObject({ same: true, verdict: "held" });
});

test("replay of another log exits with 4 and shows the first line that differs", async () => {
  await run("baseline");
  const lines = (await read("out/latest/run.ndjson")).split("\n");
  const other = (lines[4] ?? "").replace(/"t":\d+/, '"t":1');
  await writeFile(join(folder, "out/latest/run.ndjson"), lines.with(4, other).join("\n"));
  const said = await midcall(folder, ["replay", "out/latest"]);
  expect(said.code).toBe(EXIT.crashed);
  expect(said.out).toContain("first difference, line 5:");
  expect(said.out).toContain(`recorded  ${other}`);
  expect(said.out).toContain(`replayed  ${lines[4]}`);
});

test("replay of a scenario without its run makes it twice and compares the two", async () => {
  await run("baseline");
  await mkdir(join(folder, "alone"));
  await writeFile(join(folder, "alone/scenario.json"), await read("out/latest/scenario.json"));
  const said = await midcall(folder, ["replay", "alone/scenario.json"]);
  expect(said.code).toBe(EXIT.held);
  expect(said.out).toMatch(/the same/);
});

test("report judges a log again, and writes only into an empty folder", async () => {
  await run("baseline");
  const said = await midcall(folder, ["report", "out/latest", "--out", "page"]);
  expect(said.code).toBe(EXIT.held);
  expect(said.out).toBe((await read("out/latest/summary.md")).trimEnd());
  for (const page of ["report.html", "summary.md", "result.json", "junit.xml"]) {
    expect(await read(`page/${page}`)).toBe(await read(`out/latest/${page}`));
  }
  expect((await midcall(folder, ["report", "out/latest", "--out", "page"])).code).toBe(EXIT.usage);
  await appendFile(join(folder, "out/latest/run.ndjson"), "nonsense\n");
  expect((await midcall(folder, ["report", "out/latest"])).err).toMatch(/line \d+ of run.ndjson: not JSON/);
});
