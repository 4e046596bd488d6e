/**
 * Results as JUnit XML, the de-facto format of CI systems (https://github.com/testmoapp/junitxml). One testcase a scenario, in one
 * suite a laboratory; the runs of its seeds are in its output. `broken` is a `failure` (the thing under test did not do what was asked) and
 * `crashed` an `error` (the tool failed). `inconclusive` is `skipped` with its reason, as NUnit's Inconclusive is in JUnit reports: no verdict was
 * reached, and readers that know three outcomes file that with tests that said nothing. The process's exit code still tells it from success.
 */
import { create } from "xmlbuilder2";
import { message, type TestCase, testCases, trace } from "./test-cases.ts";
import { type Assessed, howItRan, notHeld, replayCommand } from "./wording.ts";

/** A JUnit document of any number of runs. `time` is wall time in seconds; virtual time is a property. */
export function junit(runs: readonly Assessed[]): string {
  const all = testCases(runs);
  const root = create({ version: "1.0", encoding: "UTF-8", invalidCharReplacement: "\u{fffd}" }).ele("testsuites", {
    name: "midcall",
    ...counts(all),
  });
  for (const [lab, members] of Map.groupBy(all, (one) => one.lab)) {
    const suite = root.ele("testsuite", { name: `midcall.${lab}`, ...counts(members) });
    for (const one of members) testcase(suite, one);
  }
  // XML lets C1 through, and a terminal may obey it; a carriage return that is not escaped is read as the end of a line.
  return `${root
    .end({ prettyPrint: true })
    .replace(/\r/g, "&#xD;")
    .replace(/[\u007f-\u009f]/g, "\u{fffd}")}\n`;
}

type Element = ReturnType<ReturnType<typeof create>["ele"]>;

function testcase(suite: Element, test: TestCase): void {
  const { result } = test.example;
  const one = suite.ele("testcase", { name: test.scenario, classname: `midcall.${test.lab}`, time: seconds(test.wallMs) });
  const properties = one.ele("properties");
  // Of a run, from `seed` on: that of the run which speaks for the scenario.
  for (const [name, value] of [
    ["scenario", test.scenario],
    ["lab", test.lab],
    ["runs", String(test.runs.length)],
    ["seed", result.seed],
    ["virtual_seconds", seconds(result.virtualMs)],
    ["hash", result.hash],
    ["codec", result.codec],
    ["crypto", result.crypto],
    ["commit", result.versions.commit],
    ["replay", replayCommand(result)],
    ["attachment", `${result.dir}/report.html`],
  ] as const)
    properties.ele("property", { name, value });
  const type = notHeld(result)[0]?.name ?? "none";
  if (test.verdict === "broken") one.ele("failure", { message: message(test), type }).txt(trace(test));
  if (test.verdict === "crashed") one.ele("error", { message: message(test), type }).txt(trace(test));
  if (test.verdict === "inconclusive") one.ele("skipped", { message: message(test) });
  one.ele("system-out").txt(test.runs.map(output).join("\n\n"));
}

/** What a run was and what each oracle said of it. */
const output = ({ result }: Assessed): string =>
  [
    `${result.verdict}: ${howItRan(result)}, hash ${result.hash}, ${result.dir}`,
    ...result.oracles.map((oracle) => `${oracle.verdict}  ${oracle.name}  ${oracle.detail}`),
  ].join("\n");

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

function counts(tests: readonly TestCase[]): Readonly<Record<string, string>> {
  const of = (verdict: TestCase["verdict"]): string => String(tests.filter((one) => one.verdict === verdict).length);
  return {
    tests: String(tests.length),
    failures: of("broken"),
    errors: of("crashed"),
    skipped: of("inconclusive"),
    time: seconds(tests.reduce((sum, one) => sum + one.wallMs, 0)),
  };
}
