/**
 * Documents tell the truth: every command block of the guides runs, in the order of its document, in a folder of the document's own that has the files it
 * shows, and ends as it says (`# exits with 1`).
 */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { midcall, midcallProcess } from "./recorded-terminal.fixture.ts";

const DOCS = join(import.meta.dirname, "../docs");
const GUIDES = ["guide.md", "reading-a-report.md", "extending.md"];
/** What is no command of ours, and where it is tested. */
const ELSEWHERE = new Map([["npm ci", "CI itself begins with it"]]);

let folder = "";
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Fenced blocks: their language and their lines. */
const blocksOf = (text: string): { readonly language: string; readonly body: string }[] =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", body = ""]) => ({ language, body }));

test.each(GUIDES)(
  "every block of docs/%s runs",
  async (guide) => {
    folder = await mkdtemp(join(tmpdir(), "midcall-docs-"));
    // A guide may speak of the run before: there is one.
    if (guide === "extending.md") await midcall(folder, ["run", "baseline", "--codec", "sized"]);
    const blocks = blocksOf(await readFile(join(DOCS, guide), "utf8"));
    let ran = 0;
    for (const { language, body } of blocks) {
      if (language === "ts") {
        const name = /^\/\/ (\S+)\n/.exec(body)?.[1];
        expect(name, `a file that is shown has its name in its first line: ${body}`).toBeDefined();
        await writeFile(join(folder, name ?? ""), body);
        continue;
      }
      expect(language).toBe("sh");
      for (const line of body.trim().split("\n")) {
        const [command = "", says = ""] = line.split(" # ");
        if (ELSEWHERE.has(command)) continue;
        expect(command).toMatch(/^npx midcall /);
        const words = command.split(" ").slice(2);
        // A file of the user's is loaded by Node.js itself, as it is for them.
        const said = words.some((word) => word.startsWith("./"))
          ? await midcallProcess(folder, words)
          : await midcall(folder, words);
        const wanted = Number(/^exits with (\d)$/.exec(says)?.[1] ?? 0);
        const trouble = said.err.includes("midcall:") || said.code > 1 ? said.err : "";
        expect(`${command}: ${said.code} ${trouble}`).toBe(`${command}: ${wanted} `);
        ran++;
      }
    }
    expect(ran).toBeGreaterThan(3);
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
