import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EXIT } from "./exit.ts";
import { midcallProcess } from "./recorded-terminal.fixture.ts";
import { catalogue, chooseScenarios } from "./scenario-choice.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-choice-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

/** A user's file outside of the repository, as docs/contract.md shows it. */
const MINE = `
import { expectConnect, scenario } from "midcall";

const seconds: number = 5;
export default scenario({
  name: "mine",
  asks: "Does it connect?",
  duration: \`\${seconds}s\`,
  parties: { alice: {}, bob: {}, r1: { role: "relay" } },
  expect: [expectConnect()],
});
`;

test("a TypeScript file anywhere may import midcall and run", async () => {
  await put("mine.ts", MINE);
  const said = await midcallProcess(folder, ["run", "./mine.ts", "--codec", "sized", "--crypto", "null", "--json"]);
  expect(said.err).toBe("mine sim seed 0x1");
  expect(said.code).toBe(EXIT.held);
  expect(JSON.parse(said.out)).toMatchObject({ scenario: "mine", verdict: "held" });
});

test("every scenario of the catalogue reads back from its JSON as itself", async () => {
  const all = await catalogue();
  for (const scenario of all) await put(`${scenario.name}.json`, JSON.stringify(scenario));
  expect(
    await chooseScenarios(
      all.map((scenario) => `${scenario.name}.json`),
      folder,
    ),
  ).toEqual(all);
});

test("WAV paths in a file are relative to it", async () => {
  const [baseline] = await chooseScenarios(["baseline"], folder);
  await put(
    "own.json",
    JSON.stringify({ ...baseline, calls: baseline?.calls.map((call) => ({ ...call, callerSays: "voice.wav" })) }),
  );
  const [own] = await chooseScenarios([join(folder, "own.json")], "/");
  expect(own?.calls[0]?.callerSays).toBe(join(folder, "voice.wav"));
});

test.each<[file: string, text: string, says: RegExp]>([
  ["empty.ts", "export const a = 1;", /empty\.ts exports no scenario; want: import/],
  ["syntax.ts", "export default {", /syntax\.ts: /],
  ["import.ts", 'import "./absent.ts";', /import\.ts: .*absent/],
  ["throws.ts", 'throw new Error("two\\nlines");', /throws\.ts: two lines; mend the file/],
  ["wrong.ts", MINE.replace("parties:", "partys:"), /wrong\.ts: .*partys/],
  ["text.json", "hello", /text\.json: .*JSON/],
  ["key.json", '{"name":"x","asks":"?","parties":{},"nonsense":1}', /key\.json: .*nonsense/],
  ["list.json", "[]", /list\.json: /],
])("%s is a usage error that names the file and the place", async (file, text, says) => {
  await put(file, text);
  const said = await midcallProcess(folder, ["run", file]);
  expect(said.err).toMatch(says);
  expect(said.err).not.toContain("\n");
  expect(said.code).toBe(EXIT.usage);
});

test("two scenarios of one name do not share a command line, one given twice runs once", async () => {
  const [baseline] = await chooseScenarios(["baseline"], folder);
  await put("other.json", JSON.stringify({ ...baseline, asks: "Another question?" }));
  await expect(chooseScenarios(["baseline", "other.json"], folder)).rejects.toMatchObject({ code: "usage" });
  expect(await chooseScenarios(["baseline", "baseline"], folder)).toEqual([baseline]);
});

test("what a scenario speaks must be there", async () => {
  await put("mine.ts", MINE);
  const said = await midcallProcess(folder, ["run", "mine.ts", "--set", "calls.0.callerSays=absent.wav"]);
  expect(said.err).toMatch(/absent\.wav/);
  expect(said.code).toBe(EXIT.usage);
});
