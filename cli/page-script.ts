/**
 * The scripts of the pages: ECharts as it is published, and modules of this project, as text to be put into a page, with the hash by which the page's
 * content security policy lets them run. A checkout strips the types on the spot, a package holds them compiled; nothing is bundled, so a page's modules
 * import nothing but types and each other, and are put one after the other.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import type { PageScript } from "../reports/page-shell.ts";
import { MODULE_EXTENSION } from "./version.ts";

/** The timeline, for every page that has one. */
export const PLOT: readonly string[] = ["../reports/page/plot-layout", "../reports/page/lane-shapes", "../reports/page/plot"];

/** The scripts of report.html. */
export const reportScripts = (): Promise<readonly PageScript[]> => scriptsOf([...PLOT, "../reports/page/report"]);

/** The script of campaign.html, whose drawings are made already. */
export const campaignScripts = async (): Promise<readonly PageScript[]> => [
  allowed(await plainScript("../reports/page/campaign")),
];

const made = new Map<string, Promise<readonly PageScript[]>>();

/** ECharts, and one script of `modules`, paths from this file without extension, each after those it imports. Read once. */
export function scriptsOf(modules: readonly string[]): Promise<readonly PageScript[]> {
  const key = modules.join(" ");
  let scripts = made.get(key);
  if (scripts === undefined) {
    scripts = Promise.all([charts(), Promise.all(modules.map(plainScript))]).then(([library, texts]) => [
      allowed(library),
      allowed(texts.join("\n")),
    ]);
    made.set(key, scripts);
  }
  return scripts;
}

const charts = (): Promise<string> => readFile(createRequire(import.meta.url).resolve("echarts/dist/echarts.min.js"), "utf8");

async function plainScript(path: string): Promise<string> {
  const text = await readFile(new URL(`${path}${MODULE_EXTENSION}`, import.meta.url), "utf8");
  return withoutModules(MODULE_EXTENSION === ".ts" ? stripped(text) : text);
}

/** Node.js warns that this is experimental; it is the same that loads every other module of a checkout. */
function stripped(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The text without imports (of modules put before it) and without the word export. */
const withoutModules = (text: string): string =>
  text
    .replace(/^import\s[^;]*;[ \t]*$/gm, "")
    .replace(/^export \{\};?[ \t]*$/gm, "")
    .replace(/^export (?=(async )?(function|const|class)\b)/gm, "");

function allowed(text: string): PageScript {
  if (/<\/script/i.test(text)) throw new Error("a page's script holds the end of its own element");
  return { text, allowedBy: `'sha256-${createHash("sha256").update(text).digest("base64")}'` };
}
