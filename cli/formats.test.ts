/** What other programs read is of the shape they read, whatever the run is about: CTRF by its own schema, JUnit by XML Schema, annotations by GitHub's grammar. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { validate } from "ctrf";
import { expect, test } from "vitest";
import { validateXML } from "xmllint-wasm";
import { compareCampaigns } from "../reports/campaign-comparison.ts";
import { compare, comparisonMarkdown } from "../reports/comparison.ts";
import { campaignsPage, runsPage } from "../reports/comparison-html.ts";
import { campaignsMarkdown } from "../reports/comparison-words.ts";
import { ctrf } from "../reports/ctrf.ts";
import { annotations, stepSummary } from "../reports/github.ts";
import { render } from "../reports/index.ts";
import { junit } from "../reports/junit.ts";
import { measure } from "../reports/measure.ts";
import { openMetrics } from "../reports/openmetrics.ts";
import { pretty } from "../reports/pretty.ts";
import type { Result } from "../reports/result.ts";
import { strips } from "../reports/summary.ts";
import { reproBlock } from "../reports/wording.ts";
import { HOSTILE, hostileRun, MARKUP } from "./hostile-run.fixture.ts";
import { livePage } from "./live/page-text.ts";
import { noticing } from "./notices.ts";

const hostile = hostileRun();
const plain = hostileRun("alice");
const verdicts: readonly Result["verdict"][] = ["held", "broken", "inconclusive", "crashed"];
/** Each verdict of each, as scenarios of their own; and runs of two seeds and two verdicts that are one scenario. */
const all = [plain, hostile].flatMap((run) => [
  ...verdicts.map((verdict) => ({ ...run, result: { ...run.result, verdict, scenario: `${verdict} ${run.result.scenario}` } })),
  ...(["held", "broken"] as const).map((verdict) => ({
    ...run,
    result: { ...run.result, verdict, seed: `0x${verdict.length}` },
  })),
]);

/** Octets that a terminal obeys: everything below a space but tab and line feed, DEL, C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

test("the run is an attack: its party, fault, reason, message and scenario are called by it", () => {
  expect(Object.keys(hostile.scenario.parties)).toContain(HOSTILE);
  expect(JSON.stringify(hostile.records).split("owned").length).toBeGreaterThan(100);
  expect(HOSTILE).toMatch(CONTROLS);
});

test("ctrf: what is written is what the format's own schema asks for, and a document that is not is refused", () => {
  const text = ctrf(all, 1_000);
  const { valid, errors } = validate(JSON.parse(text));
  expect(errors).toEqual([]);
  expect(valid).toBe(true);
  expect(validate({ ...JSON.parse(text), results: {} }).valid).toBe(false);
  expect(text).not.toMatch(CONTROLS);
  expect(
    JSON.parse(text).results.tests.map(({ suite, steps }: { suite: string[]; steps: unknown[] }) => [...suite, steps.length]),
  ).toEqual([1, 1, 1, 1, 2, 1, 1, 1, 1, 2].map((runs) => ["midcall", "sim", runs]));
  expect(text).toContain(JSON.stringify(MARKUP).slice(1, -1));
});

test("junit: every verdict is valid by the schema, and a document that is not is refused", async () => {
  const schema = [{ fileName: "junit.xsd", contents: await readFile(join(import.meta.dirname, "../reports/junit.xsd"), "utf8") }];
  const check = async (contents: string): Promise<string> => {
    const { valid, rawOutput } = await validateXML({ xml: [{ fileName: "junit.xml", contents }], schema });
    return valid ? "" : rawOutput;
  };
  const text = junit(all);
  expect(await check(text)).toBe("");
  expect(text).toContain('tests="10" failures="4"');
  expect(await check(text.replace("<testcase ", "<testcase color='red' "))).not.toBe("");
  expect(text).not.toMatch(CONTROLS);
  expect(text).not.toContain("<img");
  expect(text).toContain("&lt;img src=x onerror=");
});

test("annotations: each is one workflow command with GitHub's own escapes, and no line begins another", () => {
  const lines = annotations(all);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    expect(line).toMatch(/^::(error|warning) title=[^:,\r\n]+::[^\r\n]+$/);
    expect(line).not.toMatch(CONTROLS);
    // Every per cent sign begins an escape.
    expect(line.replace(/%(25|0A|3A|2C)/g, "")).not.toContain("%");
  }
  expect(lines.join()).toContain("onerror=");
});

/** Markdown without what is code or escaped: what could still be markup. */
const bare = (markdown: string): string =>
  markdown
    .replace(/^```[\s\S]*?^```$/gm, "")
    .replace(/(`+)[\s\S]*?[^`]\1(?!`)/g, "")
    .replace(/\\./g, "");

test("summary.md and the step summary: the party is text, in tables of as many columns as their heads", () => {
  const lanes = strips(measure(hostile.records, hostile.scenario), hostile.result);
  const pages = [
    render(hostile.result, hostile.scenario, hostile.records).get("summary.md") ?? "",
    stepSummary(all, () => lanes),
    comparisonMarkdown(compare(plain.result, hostile.result), true),
    campaignsMarkdown(
      compareCampaigns({ name: HOSTILE, results: [plain.result] }, { name: HOSTILE, results: [hostile.result] }),
      true,
    ),
  ];
  for (const markdown of pages) {
    expect(bare(markdown)).not.toMatch(/<img|<\/script/);
    expect(markdown).not.toMatch(CONTROLS);
    expect(markdown).not.toMatch(/^::/m);
    const cells = (line: string): number => line.replace(/\\./g, "").split("|").length;
    for (const [table] of markdown.matchAll(/(?:^\|.*\n)+/gm)) {
      const counts = table.trimEnd().split("\n").map(cells);
      expect(new Set(counts).size, table).toBe(1);
    }
  }
  expect(pages[0]).toContain("onerror=");
});

test("a campaign of thousands that broke stays below GitHub's limit, lanes and all", () => {
  const lanes = strips(measure(plain.records, plain.scenario), plain.result);
  const many = Array.from({ length: 5_000 }, (_, i) => ({
    ...plain,
    result: { ...plain.result, seed: `0x${i.toString(16)}`, verdict: "broken" as const },
  }));
  const text = stepSummary(many, () => lanes);
  expect(new TextEncoder().encode(text).length).toBeLessThan(1_048_576);
  expect(text).toContain("left out: too long for a step summary");
});

test("terminal: verdicts, notices and comparisons are lines that nothing ends or colours but midcall", () => {
  const notice = noticing();
  const lines = [...pretty(hostile), ...hostile.records.flatMap((record) => notice(record))];
  expect(lines.join("")).toContain("onerror=");
  for (const line of pretty(hostile)) expect(line).not.toMatch(/[\r\n]/);
  for (const line of lines) expect(line).not.toMatch(/^::/);
});

test("the repro block, which shrink, explore and a failing test of a user's print, is lines that control no terminal", () => {
  const lines = reproBlock(hostile.result);
  expect(lines.join("")).toContain("onerror=");
  for (const line of lines) {
    expect(line).not.toMatch(CONTROLS);
    expect(line).not.toMatch(/[\r\n\u202e]|^::/);
  }
});

test("the live page: what is known before the run is text and data, and no script ends early", async () => {
  const { scenario } = hostile;
  const html = await livePage({ ...{ scenario, lab: "netns", inject: async () => undefined } } as unknown as Parameters<
    typeof livePage
  >[0]);
  const bodies = [...html.matchAll(/<script type="([^"]+)"[^>]*>(.*?)<\/script>/gs)];
  expect(html.split("</script>")).toHaveLength(bodies.length + 1);
  const markup = html.replace(/<script .*?<\/script>/gs, "");
  expect(markup).not.toContain("<img");
  expect(markup).toContain("&lt;img src=x onerror=");
  expect(markup).not.toMatch(CONTROLS);
  const start = bodies.find(([, type]) => type === "application/json")?.[2] ?? "";
  expect(JSON.parse(start).scenario).toBe(scenario.name);
  const buttons = [...html.matchAll(/ data-fault="([^"]*)"/g)].map(([, text = ""]) => text);
  expect(buttons.some((text) => text.includes("&lt;img src=x onerror="))).toBe(true);
});

test("pages of comparisons: the party is text", () => {
  const pages = [
    runsPage(plain, hostile),
    campaignsPage(
      compareCampaigns(
        { name: HOSTILE, results: Array.from({ length: 6 }, () => plain.result) },
        { name: HOSTILE, results: Array.from({ length: 6 }, () => hostile.result) },
      ),
    ),
  ];
  for (const html of pages) {
    expect(html).not.toMatch(/<img|<script/);
    expect(html).toContain("&lt;img src=x onerror=");
    expect(html).not.toMatch(CONTROLS);
  }
});

test("metrics.om: a label keeps the name, quoted as OpenMetrics quotes, on one line", () => {
  const text = openMetrics(hostile.records, hostile.result, 1_700_000_000_000);
  const quoted = HOSTILE.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
  expect(text).toContain(`fault="1: rebind ${quoted}"`);
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE|UNIT|EOF)|[a-z_]+\{([a-z_]+="([^"\\]|\\[\\n"])*",?)+\} \S+ \d+\.\d{3}$)/);
});
