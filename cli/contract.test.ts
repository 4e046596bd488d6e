import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogRecord } from "../impl/base/record.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

/** docs/contract.md is what scripts are written against: it is held to the command and to a run's own files. */
const root = join(import.meta.dirname, "..");
let folder = "";
let contract = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-contract-"));
  contract = await readFile(join(root, "docs/contract.md"), "utf8");
  await midcall(folder, ["run", "relay-restart", "--codec", "sized", "--crypto", "null"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The text of contract.md that concerns a command: its table row, its headed section, and its indented synopses. */
const about = (command: string): string => {
  const rows = contract
    .split("\n")
    .filter(
      (line) => line.includes(`\`midcall ${command} `) || line.startsWith(`    midcall ${command} `) || /^ {8,}/.test(line),
    );
  const sections = contract.split(/^#+ /m).filter((section) => section.split("\n")[0]?.includes(`midcall ${command}`));
  return [...rows, ...sections].join("\n");
};
const optionsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option)),
];

describe("contract.md", () => {
  const COMMANDS = [
    "list",
    "run",
    "replay",
    "report",
    "compare",
    "parity",
    "reproduce",
    "explore",
    "shrink",
    "mutants",
    "reproduce",
    "bench",
    "relay",
    "client",
    "doctor",
  ];

  test.each(COMMANDS)("names every option of midcall %s", async (command) => {
    const help = (await midcall(folder, [command, "--help"])).out;
    const options = optionsIn(help.split("Options:")[1]?.split("Example")[0] ?? "").filter((option) => option !== "--help");
    for (const option of options) expect(about(command), option).toContain(option);
  });

  test("names no option that no command has", async () => {
    const commands = [...COMMANDS, "reproduce", "dashboards up", "dashboards check"].map((words) => words.split(" "));
    const helps = await Promise.all(commands.map(async (words) => (await midcall(folder, [...words, "--help"])).out));
    const known = new Set(optionsIn(helps.join("\n")));
    expect(optionsIn(contract).filter((option) => !known.has(option))).toEqual([]);
  });

  test("shows every field that a result has at its top and in its measurements, and none that it does not", async () => {
    const result: { measurements: Record<string, Record<string, object> | object[]> } = JSON.parse(
      await readFile(join(folder, "out/latest/result.json"), "utf8"),
    );
    const shown = contract.split("## result.json")[1]?.split("\n## ")[0] ?? "";
    const isNamed = (key: string): void => expect(shown, key).toMatch(new RegExp(`"${key}"|\\*\\*${key}\\*\\*|\`${key}\``));
    for (const key of Object.keys(result)) isNamed(key);
    for (const [group, value] of Object.entries(result.measurements)) {
      isNamed(group);
      for (const one of Object.values(value).flat().slice(0, 1)) for (const key of Object.keys(one)) isNamed(key);
    }
    const fields = [...(shown.split("- A **gap**")[0] ?? "").matchAll(/"([a-zA-Z]+)"/g)].map(([, name]) => name ?? "");
    const text = JSON.stringify(result);
    const values = ["relay", "held", "midcall", "node", "commit", "path", "candidate", "atMs"]; // of a path there is none in this run
    expect(fields.filter((name) => !text.includes(`"${name}"`) && !values.includes(name))).toEqual([]);
  });
});

test("a log's instants never go back within a party, it begins with `run` and closes with `end`, and its kinds are those of record.ts", async () => {
  const records = (await readFile(join(folder, "out/latest/run.ndjson"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line): LogRecord => JSON.parse(line));
  const last = new Map<string, number>();
  for (const { who, t } of records) {
    expect(t).toBeGreaterThanOrEqual(last.get(who) ?? 0);
    last.set(who, t);
  }
  expect([records[0]?.ev, records.at(-1)?.ev]).toEqual(["run", "end"]);
  const source = await readFile(join(root, "impl/base/record.ts"), "utf8");
  for (const ev of new Set(records.map((record) => record.ev))) expect(source).toContain(`readonly ev: "${ev}"`);
});
