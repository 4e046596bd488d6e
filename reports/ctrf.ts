/**
 * Results in the Common Test Report Format (https://ctrf.io, a working draft before 1.0): one test a scenario, as the format's "logical test case"
 * is; each run is a step, and `extra.runs` keeps its facts. Runs with other seeds are no retries: none is repeated because another failed. `inconclusive` is
 * `other`, with our own word as `rawStatus`. A run has no calendar time (its clock is virtual), so `start` is 0 and `stop` the wall
 * time all runs took; a caller that knows when it began says so.
 */
import { asJson } from "./escape.ts";
import type { Verdict } from "./result.ts";
import { message, testCases, trace } from "./test-cases.ts";
import { type Assessed, notHeld, replayCommand } from "./wording.ts";

const STATUS: Readonly<Record<Verdict, "passed" | "failed" | "other">> = {
  held: "passed",
  broken: "failed",
  crashed: "failed",
  inconclusive: "other",
};

/** A CTRF document. `startedAt`: milliseconds since the epoch, 0 when nobody knows. */
export function ctrf(runs: readonly Assessed[], startedAt = 0): string {
  const tests = testCases(runs).map((test) => ({
    name: test.scenario,
    status: STATUS[test.verdict],
    rawStatus: test.verdict,
    duration: Math.round(test.wallMs),
    suite: ["midcall", test.lab],
    tags: test.example.scenario.tags,
    ...(test.verdict === "held" ? {} : { message: message(test), trace: trace(test) }),
    parameters: {
      seeds: test.runs.map(({ result }) => result.seed),
      lab: test.lab,
      codec: test.example.result.codec,
      crypto: test.example.result.crypto,
    },
    steps: test.runs.map(({ result }) => ({
      name: `seed ${result.seed}: ${result.culprit?.sentence ?? result.cause}`,
      status: STATUS[result.verdict],
      extra: { oracles: result.oracles.map(({ name, verdict, detail }) => ({ name, verdict, detail })) },
    })),
    attachments: [{ name: "report", contentType: "text/html", path: `${test.example.result.dir}/report.html` }],
    extra: {
      runs: test.runs.map(({ result }) => ({
        seed: result.seed,
        verdict: result.verdict,
        hash: result.hash,
        virtualMs: result.virtualMs,
        wallMs: result.wallMs,
        replay: replayCommand(result),
        report: `${result.dir}/report.html`,
        notHeld: notHeld(result).map((one) => one.name),
      })),
    },
  }));
  const count = (status: string): number => tests.filter((test) => test.status === status).length;
  const took = tests.reduce((sum, test) => sum + test.duration, 0);
  const first = runs[0]?.result;
  return `${asJson({
    reportFormat: "CTRF",
    specVersion: "0.0.0",
    results: {
      tool: { name: "midcall", ...(first === undefined ? {} : { version: first.versions.midcall }) },
      summary: {
        tests: tests.length,
        passed: count("passed"),
        failed: count("failed"),
        skipped: 0,
        pending: 0,
        other: count("other"),
        start: startedAt,
        stop: startedAt + took,
      },
      tests,
      ...(first === undefined ? {} : { environment: { commit: first.versions.commit } }),
    },
  })}\n`;
}
