/**
 * Documents tell the truth: every command block of the guides runs, in the order of their documents, in one folder that has the files they
 * show, and ends as it says (`# exits with 1`).
 */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ManyCommands, manyCommands } from "./many-commands.fixture.ts";

const DOCS = join(import.meta.dirname, "../docs");
const GUIDES = ["guide.md", "reading-a-report.md", "extending.md", "writing-scenarios.md", "ci.md"];
/** What is no command of ours, and where it is tested. */
const ELSEWHERE = new Map([["npm ci", "CI itself begins with it"]]);

let folder = "";
let commands: ManyCommands;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-docs-"));
  commands = manyCommands(folder);
});
afterAll(async () => {
  await commands.close();
  await rm(folder, { recursive: true, force: true });
});

/** Fenced blocks: their language and their lines. */
const blocksOf = (text: string): { readonly language: string; readonly body: string }[] =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", body = ""]) => ({ language, body }));

/** What ran already: a run that two guides begin with is made once. */
const ran = new Set<string>();

test.each(GUIDES)(
  "every block of docs/%s runs",
  async (guide) => {
    let checked = 0;
    for (const { language, body } of blocksOf(await readFile(join(DOCS, guide), "utf8"))) {
      // Steps of a service, which ci.test.ts runs, and a piece of a file.
      if (language === "yaml" || (language === "ts" && !body.includes("import "))) continue;
      if (language === "ts") {
        const name = /^\/\/ (\S+)\n/.exec(body)?.[1];
        expect(name, `a file that is shown has its name in its first line: ${body}`).toBeDefined();
        await writeFile(join(folder, name ?? ""), body);
        continue;
      }
      expect(language).toBe("sh");
      for (const line of body.trim().split("\n")) {
        const [command = "", says = ""] = line.split(" # ");
        checked++;
        if (ELSEWHERE.has(command) || ran.has(line)) continue;
        expect(command).toMatch(/^npx midcall /);
        const said = await commands.run(command.split(" ").slice(2));
        const wanted = Number(/^exits with (\d)$/.exec(says)?.[1] ?? 0);
        const trouble = said.err.includes("midcall:") || said.code > 1 ? said.err : "";
        expect(`${command}: ${said.code} ${trouble}`).toBe(`${command}: ${wanted} `);
        ran.add(line);
      }
    }
    expect(checked).toBeGreaterThan(0);
  },
  300_000,
);

test("pictures that documents show are there, and small", async () => {
  let shown = 0;
  for (const name of (await readdir(DOCS)).filter((one) => one.endsWith(".md")))
    for (const [, path = ""] of (await readFile(join(DOCS, name), "utf8")).matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
      expect((await stat(join(DOCS, path))).size, path).toBeLessThan(250_000);
      shown++;
    }
  expect(shown).toBeGreaterThan(5);
});

test("links between documents lead somewhere", async () => {
  for (const name of (await readdir(DOCS)).filter((one) => one.endsWith(".md")))
    for (const [, path = ""] of (await readFile(join(DOCS, name), "utf8")).matchAll(/(?<!!)\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      await expect(
        stat(join(DOCS, path)).then(
          () => "there",
          () => `docs/${name}: ${path} is not there`,
        ),
      ).resolves.toBe("there");
});
