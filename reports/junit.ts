/**
 * Results as JUnit XML, the de-facto format of CI systems (https://github.com/testmoapp/junitxml). One testcase a run, in one
 * suite a scenario. `broken` is a `failure` (the thing under test did not do what was asked) and `crashed` an `error` (the
 * tool failed). `inconclusive` is `skipped` with its reason, as NUnit's Inconclusive is in JUnit reports: no verdict was reached, and
 * readers that know three outcomes file that with tests that said nothing. The process's exit code still tells it from success.
 */
import { create } from "xmlbuilder2";
import type { Result } from "./result.ts";
import { type Assessed, howItRan, notHeld, replayCommand, reproBlock } from "./wording.ts";

/** A JUnit document of any number of runs. `time` is wall time in seconds; virtual time is a property. */
export function junit(runs: readonly Assessed[]): string {
  const root = create({ version: "1.0", encoding: "UTF-8", invalidCharReplacement: "\u{fffd}" }).ele("testsuites", {
    name: "midcall",
    ...counts(runs),
  });
  for (const [name, members] of Map.groupBy(runs, (run) => run.result.scenario)) {
    const suite = root.ele("testsuite", { name, ...counts(members) });
    for (const { result } of members) testcase(suite, result);
  }
  // XML lets C1 through, and a terminal may obey it; a carriage return that is not escaped is read as the end of a line.
  return `${root
    .end({ prettyPrint: true })
    .replace(/\r/g, "&#xD;")
    .replace(/[\u007f-\u009f]/g, "\u{fffd}")}\n`;
}

type Element = ReturnType<ReturnType<typeof create>["ele"]>;

function testcase(suite: Element, result: Result): void {
  const one = suite.ele("testcase", {
    name: result.scenario,
    classname: `midcall.${result.lab}`,
    time: seconds(result.wallMs),
  });
  const properties = one.ele("properties");
  for (const [name, value] of [
    ["scenario", result.scenario],
    ["lab", result.lab],
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
  const message = `${result.culprit === undefined ? "" : `${result.culprit.sentence} `}${result.cause} Seed ${result.seed}. Replay: ${replayCommand(result)}`;
  const type = notHeld(result)[0]?.name ?? "none";
  if (result.verdict === "broken") one.ele("failure", { message, type }).txt(body(result));
  if (result.verdict === "crashed") one.ele("error", { message, type }).txt(body(result));
  if (result.verdict === "inconclusive") one.ele("skipped", { message });
  one
    .ele("system-out")
    .txt([howItRan(result), ...result.oracles.map((oracle) => `${oracle.verdict}  ${oracle.name}  ${oracle.detail}`)].join("\n"));
}

const body = (result: Result): string =>
  [...reproBlock(result), ...notHeld(result).map((one) => `${one.name} ${one.verdict}: ${one.detail}`)].join("\n");

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

function counts(runs: readonly Assessed[]): Readonly<Record<string, string>> {
  const of = (verdict: Result["verdict"]): string => String(runs.filter((run) => run.result.verdict === verdict).length);
  return {
    tests: String(runs.length),
    failures: of("broken"),
    errors: of("crashed"),
    skipped: of("inconclusive"),
    time: seconds(runs.reduce((sum, run) => sum + run.result.wallMs, 0)),
  };
}
