/** `midcall replay` of everything that the commands write: each artefact is taken, made again and compared. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../exit.ts";
import { midcall } from "../recorded-terminal.fixture.ts";
import { artefactsIn } from "./artefact.ts";

const FAST = ["--codec", "sized", "--crypto", "null"];
let folder = "";
const replay = (...words: string[]): ReturnType<typeof midcall> => midcall(folder, ["replay", ...words]);
const read = (path: string): Promise<string> => readFile(join(folder, path), "utf8");
const write = (path: string, text: string): Promise<void> => writeFile(join(folder, path), text);

/** What `run` prints of a broken run, and `--json` of it. */
let block = "";
let results = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-replay-"));
  const said = await midcall(folder, ["run", "baseline", "--set", "expect.0.within=1ms", ...FAST]);
  block = said.out.slice(said.out.indexOf("FAIL "));
  results = (await midcall(folder, ["run", "baseline", "--json", "--repeat", "2", ...FAST])).out;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("midcall replay", () => {
  it("takes a run by its folder and by any file in it", async () => {
    const said = await replay("out/baseline/sim-0x1/summary.md");
    expect(said.out, said.err).toMatch(/^broken {2}baseline {2}sim {2}seed 0x1\n {2}hash [0-9a-f]{16}: the same$/);
    expect(said.code).toBe(EXIT.held);
    for (const file of ["run.ndjson", "result.json", "report.html", "scenario.json", ""]) {
      const word = join("out/baseline/sim-0x1", file);
      expect(await artefactsIn(word, folder)).toEqual([{ is: "run", word }]);
    }
  });

  it("takes a folder of runs, and what --json printed of them, one after the other", async () => {
    expect((await artefactsIn("out", folder)).map(({ word }) => word)).toEqual(
      ["sim-0x1", "sim-0x1-2", "sim-0x2"].map((run) => `out/baseline/${run}`),
    );
    await write("results.json", results);
    const two = await replay("results.json", "--json");
    expect(JSON.parse(two.out)).toMatchObject([
      { same: true, verdict: "held" },
      { same: true, verdict: "held" },
    ]);
  });

  it("takes the violations of a campaign", async () => {
    const violations = [{ scenario: "baseline", seed: "0x1", verdict: "broken", dir: "out/baseline/sim-0x1" }];
    await write("campaign.json", JSON.stringify({ scenarios: ["baseline"], violations }, null, 2));
    expect((await replay("campaign.json")).out).toContain(": the same");
    await write("campaign.json", JSON.stringify({ scenarios: ["baseline"], violations: [] }));
    const none = await replay("campaign.json");
    expect([none.code, none.err]).toEqual([
      EXIT.usage,
      "midcall: campaign.json: the campaign found no violation; want one that did",
    ]);
  });

  it("takes a repro block wherever it is, by the folder it names or, without that, by its scenario and seed", async () => {
    await write("repro.txt", block);
    expect((await replay("repro.txt")).out).toMatch(/^broken {2}baseline .*\n {2}hash [0-9a-f]{16}: the same$/);
    await write("mail.txt", `They say:\n${block.replaceAll("out/baseline", "elsewhere/baseline")}`);
    const said = await replay("mail.txt");
    // The catalogue's own case promises what it can keep.
    expect(said.out).toMatch(/^held {2}baseline {2}sim {2}seed 0x1\n {2}call-connects: NOT broken again \(alice .*\)\n/);
    expect(said.out).toMatch(/is not here: run as baseline is at commit \S+; the block is of commit \S+$/);
    await write("mail.txt", block.replaceAll("baseline", "of-another-house"));
    expect((await replay("mail.txt")).err).toMatch(
      /its scenario, of-another-house, is neither in the catalogue nor in the corpus; want/,
    );
  });

  it("takes a log without its folder, and shows the first record that differs", async () => {
    await mkdir(join(folder, "mailed"));
    await cp(join(folder, "out/baseline/sim-0x2/run.ndjson"), join(folder, "mailed/run.ndjson"));
    const same = await replay("mailed/run.ndjson");
    expect(same.out).toMatch(/^held {2}baseline {2}sim {2}seed 0x2\n {2}hash [0-9a-f]{16}: the same\n/);
    expect(same.code).toBe(EXIT.held);
    const lines = (await read("mailed/run.ndjson")).split("\n");
    const other = (lines[6] ?? "").replace(/"t":\d+/, '"t":1');
    await write("mailed/run.ndjson", lines.with(6, other).join("\n"));
    const changed = await replay("mailed/run.ndjson");
    expect(changed.code).toBe(EXIT.crashed);
    expect(changed.out).toMatch(/: NOT the same, the recorded log is another\n {2}first difference, line 7:\n/);
    expect(changed.out).toContain(`    recorded  ${other}\n    replayed  ${lines[6]}`);
    await write("mailed/netns.ndjson", lines.with(0, (lines[0] ?? "").replace('"lab":"sim"', '"lab":"netns"')).join("\n"));
    expect((await replay("mailed/netns.ndjson")).err).toMatch(
      /a log of netns comes out otherwise every time; want its run's folder/,
    );
  });

  it("looks for the call of a client's own log as reproduce does", async () => {
    const own = (await read("out/baseline/sim-0x2/run.ndjson")).split("\n").filter((line) => line.includes('"who":"alice"'));
    await write("client.log", own.join("\n"));
    const said = await replay("client.log");
    expect(said.err).toContain("client.log: a recording tells what was heard and not what was done to the network");
    expect(said.err).toContain("no gap of 100 ms or more in it, so there is nothing to show again");
    expect(said.code).toBe(EXIT.inconclusive);
  });

  it("takes a matrix of mutations and says which line is not as it was, and what is not here any more", async () => {
    const head = "mutation  module  oracle  case  seconds";
    const row = (mutation: string, oracle: string, where: string): string =>
      `${mutation}  impl/core/x.ts  ${oracle}  ${where}  1.0`;
    await write(
      "matrix.txt",
      `${[head, row("share-signature-unchecked", "refused", "relay-in-the-middle"), row("gone", "settles", "baseline")].join("\n")}\n`,
    );
    const said = await replay("matrix.txt");
    expect(said.out).toBe("1 of 2 mutations of matrix.txt are caught as recorded\n  gone: there is no such mutation here");
    expect(said.code).toBe(EXIT.broken);
    const json = [{ mutation: "share-signature-unchecked", caught: { case: "baseline", oracle: "refused", seed: "0x1" } }];
    await write("mutants.json", JSON.stringify(json));
    expect((await replay("mutants.json")).out).toContain(
      "share-signature-unchecked: NOT caught by baseline again, refused was recorded",
    );
  });

  it("says of figures that they are measured anew, and of what is nothing of ours what it wants", async () => {
    await write("bench.json", JSON.stringify({ schema: "midcall/bench-fec@1", node: "v24", commit: "x" }, null, 2));
    expect((await replay("bench.json")).err).toMatch(/figures of a machine are measured, .*; want midcall bench fec --json, and/);
    await write("torn.json", '{ "schema": "midcall/');
    expect((await replay("torn.json")).err).toMatch(/^midcall: torn\.json: it is neither JSON nor a log; want/);
    await mkdir(join(folder, "empty"));
    expect((await replay("empty")).err).toMatch(/empty: there is no run and no scenario in it; want/);
  });
});
