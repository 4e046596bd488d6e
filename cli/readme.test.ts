/**
 * The README's tour is what a reader gets: every `$ ` line in virtual time runs, in the order of the page and in one folder, and what the page shows below it is
 * what the command says. `vitest -u` writes what it says now into the page. The call in three terminals is in launch.test.ts.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ManyCommands, manyCommands } from "./many-commands.fixture.ts";

const README = join(import.meta.dirname, "../README.md");
/** What needs a real kernel, containers or terminals of its own, and where it is tested. */
const ELSEWHERE: ReadonlyMap<RegExp, string> = new Map([
  [/^run relay-restart --lab netns$/, "netns-catalogue.test.ts"],
  [/^run relay-restart --lab docker$/, "docker-lab.test.ts"],
  [/^dashboards up out\/latest$/, "dashboards-up.test.ts"],
  [/^(relay|client .*)$/, "launch.test.ts"],
]);

let folder = "";
let commands: ManyCommands;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-readme-"));
  commands = manyCommands(folder);
});
afterAll(async () => {
  await commands.close();
  await rm(folder, { recursive: true, force: true });
});

/** Lines without what no two runs have in common: wall time, the commit. */
const masked = (line: string): string => line.replace(/ in \d+\.\d\d s$/, " in 0.00 s").replace(/ commit \S+$/, " commit 0");

/** Whether `said` is what is `shown`, in which a line of dots stands for any lines. */
function isAsShown(shown: readonly string[], said: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return said.length === 0;
  if (first.trim() === "...") return said.some((_, i) => isAsShown(rest, said.slice(i))) || rest.length === 0;
  return said[0] !== undefined && masked(first) === masked(said[0]) && isAsShown(rest, said.slice(1));
}

test("dots stand for any lines, wall time and commit are not compared, and nothing else is left out", () => {
  const said = ["held  in 1.25 s", "a", "b", "FAIL  commit 12-dirty"];
  expect(isAsShown(["held  in 0.63 s", "...", "FAIL  commit 34"], said)).toBe(true);
  expect(isAsShown(["held  in 0.63 s", "  ..."], said)).toBe(true);
  expect(isAsShown(["held  in 0.63 s", "a", "FAIL  commit 34"], said)).toBe(false);
  expect(isAsShown(["held  in 0.63 s", "...", "c"], said)).toBe(false);
  expect(isAsShown(said.slice(0, 3), said)).toBe(false);
  expect(isAsShown(said, said.slice(0, 3))).toBe(false);
});

test("every command of the tour says what the page shows", async () => {
  const page = await readFile(README, "utf8");
  let ran = 0;
  // A `$ ` line, and the indented lines below it up to the next or to the end of the block.
  const parts = page.split(/^( {4}\$ .*\n(?: {4}(?!\$ ).*\n)*)/m);
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 0) continue;
    const [line = "", ...shown] = part
      .trimEnd()
      .split("\n")
      .map((one) => one.slice(4));
    const command = /^\$ npx midcall (.*)$/.exec(line)?.[1];
    expect(command, line).toBeDefined();
    if (command === undefined || [...ELSEWHERE.keys()].some((one) => one.test(command.replace(/ \\$/, "")))) continue;
    const said = await commands.run(command.split(" "));
    expect(said.err.split("\n").filter((one) => one.startsWith("midcall:"))).toEqual([]);
    expect([command, said.code]).toEqual([command, command.includes("--twin") ? 1 : 0]);
    const lines = said.out.split("\n").filter((one) => one !== "");
    ran++;
    if (shown.length > 0 && !isAsShown(shown, lines)) parts[index] = [line, ...lines].map((one) => `    ${one}\n`).join("");
  }
  expect(ran).toBeGreaterThan(6);
  await expect(parts.join("")).toMatchFileSnapshot(README);
});

test("the scenario that the page shows runs and holds", async () => {
  const source = /^```ts\n(\/\/ (\S+)\n.*?)^```$/ms.exec(await readFile(README, "utf8"));
  const [, text = "", name = ""] = source ?? [];
  await writeFile(join(folder, name), text);
  const said = await commands.run(["run", `./${name}`]);
  expect(said.err.split("\n").filter((one) => one.startsWith("midcall:"))).toEqual([]);
  expect(said.code, said.out).toBe(0);
});
