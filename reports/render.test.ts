import fc from "fast-check";
import { expect, test } from "vitest";
import { create } from "xmlbuilder2";
import type { Scenario } from "../scenarios/expanded.ts";
import { ctrf } from "./ctrf.ts";
import { annotations, stepSummary } from "./github.ts";
import { assess, render } from "./index.ts";
import { junit } from "./junit.ts";
import { aCallLog, aRelayRestart, aScenario, KILL, type LogBuilder, RESTART_EXPECT, randomLoss, s } from "./log-builder.ts";
import { ansi, pretty } from "./pretty.ts";
import type { Result } from "./result.ts";
import { code, oneLine, text } from "./summary.ts";
import type { Assessed } from "./wording.ts";

const facts = {
  hash: "d72a8f833b172303",
  versions: { midcall: "0.1.0", node: "v24.21.0", commit: "1a2b3c4" },
  codec: "sized",
  crypto: "null",
  lab: "sim",
  seed: "0x2a",
  virtualMs: 21_000,
  wallMs: 12,
  dir: "out/relay-restart/sim-0x2a",
} as const;

const assessed = (log: LogBuilder, scenario: Scenario, more: Partial<Result> = {}): Assessed => ({
  scenario,
  result: { ...assess({ ...facts, scenario, records: log.records() }), ...more },
});
const held = assessed(aRelayRestart(), aScenario({ faults: [KILL], expect: RESTART_EXPECT }));
const harder = aScenario({ faults: [KILL], expect: [{ oracle: "media-recovers", within: 210_000, from: "heal" }] });
const broken = assessed(aRelayRestart(), harder);
const inconclusive = assessed(aCallLog(), aScenario({ faults: [KILL] }));
const crashed = assessed(aCallLog().say(s(30), "lab", { ev: "end", reason: "crashed", detail: "negative time" }), aScenario());
const all = [held, broken, inconclusive, crashed];

test("the four runs these tests print are of the four verdicts", () => {
  expect(all.map(({ result }) => result.verdict)).toEqual(["held", "broken", "inconclusive", "crashed"]);
});

const NASTY = `<script>alert("1")</script> & 'x' ]]> \u0007 |\n # *b* \`c\` %0A`;
const nasty = assessed(aRelayRestart(), aScenario({ ...harder, asks: NASTY, name: NASTY }), {
  dir: NASTY,
  cause: NASTY,
  seed: NASTY,
});

test("the summary of a broken run says what, why and how to see it again, in that order", async () => {
  await expect(render(broken.result, broken.scenario, aRelayRestart().records()).get("summary.md") ?? "").toMatchFileSnapshot(
    "./golden/relay-restart-broken.summary.txt",
  );
});

test("Markdown shows any text unchanged: nothing in it begins markup, a table cell or a tag", () => {
  expect(text(NASTY)).not.toMatch(/(?<!\\)[<>|*`#\n]/);
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(text(value).replace(/\\(.)/gs, "$1")).toBe(oneLine(value));
      const fence = /^`+/.exec(code(value))?.[0] ?? "";
      expect(code(value).slice(fence.length, -fence.length)).not.toContain(fence);
    }),
    { seed: 1, numRuns: 300 },
  );
});

/** `run` under another name. */
const called = (name: string, { scenario, result }: Assessed): Assessed => ({
  scenario: { ...scenario, name },
  result: { ...result, scenario: name },
});
const fourScenarios = all.map((run) => called(`case-${run.result.verdict}`, run));
/** `run` with a seed for each of `seeds`. */
const seeded = (run: Assessed, ...seeds: string[]): Assessed[] =>
  seeds.map((seed) => ({ ...run, result: { ...run.result, seed, dir: `out/relay-restart/sim-${seed}` } }));

type JUnitCase = Record<string, string> & { readonly properties: { readonly property: Record<string, string>[] } };
const junitCases = (runs: readonly Assessed[]): JUnitCase[] => {
  const { testsuites } = create(junit(runs)).toObject() as { testsuites: { testsuite: { testcase: JUnitCase | JUnitCase[] } } };
  return [testsuites.testsuite.testcase].flat();
};

test("JUnit: one testcase a scenario; broken fails, crashed errs, inconclusive is skipped, held is bare", () => {
  const document = create(junit(fourScenarios)).toObject() as { testsuites: Record<string, unknown> };
  expect(document.testsuites).toMatchObject({
    "@tests": "4",
    "@failures": "1",
    "@errors": "1",
    "@skipped": "1",
    "@time": "0.048",
  });
  const cases = junitCases(fourScenarios);
  expect(cases.map((one) => one["@name"])).toEqual(["case-held", "case-broken", "case-inconclusive", "case-crashed"]);
  expect(cases.map((one) => ["failure", "error", "skipped"].filter((name) => name in one))).toEqual([
    [],
    ["failure"],
    ["skipped"],
    ["error"],
  ]);
  expect(JSON.stringify(cases[1])).toContain("alice 220 ms (limit 210 ms from the heal)");
  expect(JSON.stringify(cases[1])).toContain("npx midcall replay out/relay-restart/sim-0x2a/scenario.json");
  expect(Object.fromEntries(cases[0]?.properties.property.map((one) => [one["@name"], one["@value"]]) ?? [])).toMatchObject({
    runs: "1",
    seed: "0x2a",
    lab: "sim",
    virtual_seconds: "21.000",
    hash: "d72a8f833b172303",
  });
});

test("JUnit and CTRF: many seeds are one test, whose message says which broke and whose trace shows them again", () => {
  const runs = [...seeded(held, "0x1", "0x3", "0x5"), ...seeded(broken, "0x2", "0x4")];
  const cases = junitCases(runs);
  expect(cases).toHaveLength(1);
  const [one] = cases;
  expect(one?.["@time"]).toBe("0.060");
  const failure = one?.failure as unknown as Record<string, string>;
  expect(failure["@message"]).toContain(
    "2 of 5 runs broken: seeds 0x2, 0x4. Replay: npx midcall replay out/relay-restart/sim-0x2/",
  );
  const { results } = JSON.parse(ctrf(runs));
  expect(results.tests).toHaveLength(1);
  expect(results.tests[0].message).toBe(failure["@message"]);
  for (const trace of [failure["#"], results.tests[0].trace]) {
    expect(trace).toContain("5 runs, by seed\nbroken: 0x2 0x4\nheld: 0x1 0x3 0x5\n");
    for (const seed of ["0x2", "0x4"])
      expect(trace).toContain(`replay: npx midcall replay out/relay-restart/sim-${seed}/scenario.json`);
    expect(trace.match(/^FAIL relay-restart /gm)).toHaveLength(2);
  }
  // What a reader needs of each run, held or not: its seed, hash, folder and every oracle.
  for (const seed of ["0x1", "0x2", "0x3", "0x4", "0x5"])
    expect(one?.["system-out"]).toMatch(
      new RegExp(`: sim, seed ${seed}, .* hash d72a8f833b172303, out/relay-restart/sim-${seed}\n`),
    );
  expect(one?.["system-out"]?.match(/ {2}media-recovers {2}/g)).toHaveLength(5);
  expect(results.tests[0].steps.map((step: { status: string }) => step.status).join()).toBe("passed,passed,passed,failed,failed");
  expect(results.tests[0].extra.runs[3]).toMatchObject({ seed: "0x2", verdict: "broken", notHeld: ["media-recovers"] });
});

test("JUnit: laboratories are told apart, and the worst verdict of a scenario is the test's", () => {
  const docker = { ...held, result: { ...held.result, lab: "docker" as const } };
  const printed = junit([held, inconclusive, docker, broken]);
  expect([...printed.matchAll(/<testsuite name="([^"]+)" tests="1" failures="(\d)"/g)].map(([, ...found]) => found)).toEqual([
    ["midcall.sim", "1"],
    ["midcall.docker", "0"],
  ]);
  expect(printed).toContain("1 of 3 runs broken: seed 0x2a.");
  expect(junit([held, inconclusive])).toContain("<skipped ");
});

test("JUnit: hundreds that broke are a message of one line and ten repro blocks, and every seed is named", () => {
  const seeds = Array.from({ length: 300 }, (_, index) => `0x${(index + 1).toString(16)}`);
  const failure = junitCases(seeded(broken, ...seeds))[0]?.failure as unknown as Record<string, string>;
  expect(failure["@message"]).toContain(
    "300 of 300 runs broken: seeds 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xa and 290 more.",
  );
  expect(failure["#"]?.match(/^FAIL /gm)).toHaveLength(10);
  expect(failure["#"]).toContain(`broken: ${seeds.join(" ")}\n`);
  expect(failure["#"]).toContain("290 more runs did not hold");
});

test("JUnit is well-formed whatever a name or a cause holds", () => {
  const printed = junit([nasty]);
  expect(printed).not.toContain("<script>");
  expect(printed).not.toContain("\u0007");
  expect(create(printed).end()).toContain("&lt;script&gt;alert");
});

test("CTRF: every scenario is a test, and inconclusive is other with its own word", () => {
  const { results } = JSON.parse(ctrf(fourScenarios, 1_000));
  expect(results.summary).toEqual({
    tests: 4,
    passed: 1,
    failed: 2,
    skipped: 0,
    pending: 0,
    other: 1,
    start: 1_000,
    stop: 1_048,
  });
  expect(results.tests.map((one: { status: string; rawStatus: string }) => `${one.status} ${one.rawStatus}`)).toEqual([
    "passed held",
    "failed broken",
    "other inconclusive",
    "failed crashed",
  ]);
});

test("GitHub: one annotation per distinct oracle, worst first, repeated ones counted, everything escaped", () => {
  const lines = annotations([held, broken, { ...broken, result: { ...broken.result, seed: "0x2b" } }, inconclusive, crashed]);
  expect(lines.map((line) => line.slice(0, line.indexOf("::", 2)))).toEqual([
    "::error title=relay-restart%3A nothing-crashed crashed",
    "::error title=relay-restart%3A media-recovers broken",
    "::warning title=relay-restart%3A faults-left-a-trace inconclusive",
  ]);
  expect(lines[1]).toContain("%0Aand in 1 more runs");
  for (const line of annotations([nasty])) expect(line).not.toContain("\n");
});

test("GitHub: ten annotations of a kind at most, and a summary below 1 MiB", () => {
  const many = Array.from({ length: 3_000 }, (_, i) => ({
    ...broken,
    result: { ...broken.result, scenario: `case-${i}`, cause: "ä".repeat(400) },
  }));
  expect(annotations(many)).toHaveLength(10);
  expect(new TextEncoder().encode(stepSummary(many)).length).toBeLessThan(1_048_576);
  expect(stepSummary(many)).toContain("left out");
  expect(stepSummary(all)).toContain("npx midcall replay");
});

test("terminal: verdict, oracles, and the block to reproduce only what did not hold", () => {
  expect(pretty(held).join("\n")).not.toContain("replay:");
  expect(pretty(broken)).toEqual(
    expect.arrayContaining([
      "FAIL relay-restart  oracle=media-recovers  t=8.210 s  seed 0x2a  commit 1a2b3c4",
      "  t=5.000s kill r1",
      "replay: npx midcall replay out/relay-restart/sim-0x2a/scenario.json",
      "report: out/relay-restart/sim-0x2a/report.html",
    ]),
  );
  expect(pretty(nasty, ansi).join("").replaceAll("\u{1b}[", "")).not.toContain("\u0007");
});

const page = ({ result, scenario }: Assessed, log: LogBuilder): string =>
  render(result, scenario, log.records()).get("report.html") ?? "";

test("the page says verdict, cause and replay before anything else, and draws every lane with its words", () => {
  const html = page(broken, aRelayRestart());
  const order = [
    "</span> broken</p>",
    "media-recovers is broken: alice 220 ms",
    "npx midcall replay",
    "<svg",
    '<h2 id="oracles">',
  ];
  const places = order.map((words) => html.indexOf(words));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
  for (const title of [
    "fault 0: kill r1, applied 5.000 s, undone 8.000 s",
    "r1 process: killed, 5.000 s to 8.000 s (3000 ms)",
    "alice registration: reconnecting",
    "alice call: resuming",
    "bob sends by: relay: relay candidate",
    "alice hears bob: concealed, 5.100 s to 5.300 s (200 ms)",
    "alice hears bob: gap, 5.100 s to 8.220 s (3120 ms)",
    "bob messages: sent CallResume",
    "✗ media-recovers, 8.210 s",
  ])
    expect(html).toContain(`<title>${title}`);
});

test("the page fetches nothing, runs nothing and leaves no trace of how it was drawn", () => {
  const html = page(broken, aRelayRestart());
  expect(html).toContain("default-src 'none'");
  expect(html.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|<script|<link|@import|url\((?!#part-c\d\))|src=/);
  expect(html).not.toMatch(/ecmeta|zr\d+-cls|NaN|undefined/);
});

test("the same run gives the same page every time", () => {
  expect(page(broken, aRelayRestart())).toBe(page(broken, aRelayRestart()));
});

test("the page shows when the machine did not keep up, and has no place for it when it did", () => {
  const log = aRelayRestart().say(s(6), "net", { ev: "stall", micros: 480_000, cpuMicros: 1_000 });
  expect(page(broken, log)).toContain("net got no processor for 479 ms: 5.520 s to 6.000 s");
  expect(page(broken, aRelayRestart())).not.toContain("stalls");
});

test("the page shows any text as text", () => {
  const log = aRelayRestart().say(s(6), "alice", { ev: "call", call: NASTY, state: "ended", peer: NASTY, reason: NASTY });
  log.say(s(6), "alice", { ev: "signal", dir: "sent", type: NASTY, session: 1 });
  const html = page(nasty, log);
  expect(html).not.toContain("<script");
  expect(html).not.toContain("\u0007");
  expect(html).toContain("&lt;script&gt;alert");
});

test("ten minutes of a torn call stay below 5 MB", () => {
  const long = aScenario({ duration: s(600) });
  const torn = (name: string): { readonly spells: ReturnType<typeof randomLoss> } => ({
    spells: randomLoss(0.3, s(10), s(590), name),
  });
  const log = aCallLog(long, { alice: torn("a"), bob: torn("b") });
  for (let i = 0; i < 6_000; i++) {
    log.say(s(i / 10), "alice", { ev: "signal", dir: "sent", type: "MediaPathReport", session: 1 });
    log.say(s(i / 10), "net", { ev: "drop", where: `link ${i}`, cause: "loss", bytes: 90 });
  }
  expect(page(assessed(log, long), log).length).toBeLessThan(2_000_000);
});

test("an empty log still makes a page", () => {
  const scenario = aScenario();
  const result = assess({ ...facts, scenario, records: [] });
  expect(render(result, scenario, []).get("report.html")).toContain("midcall itself failed: the log has no end");
});
