/** What is published beside the code is current. To write it anew: `MIDCALL_WRITE=1 npx vitest run scenarios/published.test.ts`. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as index from "./index.ts";
import { scenarioJsonSchema } from "./language.ts";
import { withTables } from "./reference-tables.ts";

const schemaFile = new URL("./scenario.schema.json", import.meta.url);
const guideFile = new URL("../docs/writing-scenarios.md", import.meta.url);
const isWriting = process.env.MIDCALL_WRITE === "1";
/** Writes a file as the linter wants it. */
const write = (file: URL, text: string): void => {
  writeFileSync(file, text);
  execFileSync("npx", ["biome", "check", "--write", fileURLToPath(file)]);
};

test("scenario.schema.json is the schema of the language", () => {
  if (isWriting) write(schemaFile, `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  expect(JSON.parse(readFileSync(schemaFile, "utf8"))).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
});

/** Without the padding a formatter gives to tables and the empty lines around them. */
const unpadded = (markdown: string): string =>
  markdown
    .replace(/ +/g, " ")
    .replace(/-{3,}/g, "---")
    .replace(/\n{2,}/g, "\n");

test("the guide's tables are those of the catalogues", () => {
  const guide = readFileSync(guideFile, "utf8");
  if (isWriting) write(guideFile, withTables(guide));
  expect(unpadded(readFileSync(guideFile, "utf8"))).toBe(unpadded(withTables(guide)));
});

test("the guide's example is a scenario", () => {
  const example = /```ts\n(\/\/ my-case\.ts[^`]*)```/.exec(readFileSync(guideFile, "utf8"))?.[1] ?? "";
  const words = /import \{ (.*) \} from "midcall";/.exec(example)?.[1]?.split(", ") ?? [];
  const body = example.replace(/^import .*$/m, "").replace("export default", "return");
  const front = new Map<string, unknown>(Object.entries(index));
  const made: unknown = new Function(...words, body)(...words.map((word) => front.get(word)));
  expect(index.parseScenario(made)).toEqual({ ok: true, scenario: made });
  expect(made).toMatchObject({ name: "train-and-restart", nats: { "alice-cgnat": {} } });
});

test("a guide without its marks is refused", () => expect(() => withTables("# Guide\n")).toThrow(RangeError));
