/**
 * Results in the Common Test Report Format (https://ctrf.io, a working draft before 1.0): one test a run. `inconclusive` is
 * `other`, with our own word as `rawStatus`. A run has no calendar time (its clock is virtual), so `start` is 0 and `stop` the wall
 * time all runs took; a caller that knows when it began says so.
 */
import { asJson } from "./escape.ts";
import type { Verdict } from "./result.ts";
import { type Assessed, notHeld, replayCommand, reproBlock } from "./wording.ts";

const STATUS: Readonly<Record<Verdict, "passed" | "failed" | "other">> = {
  held: "passed",
  broken: "failed",
  crashed: "failed",
  inconclusive: "other",
};

/** A CTRF document. `startedAt`: milliseconds since the epoch, 0 when nobody knows. */
export function ctrf(runs: readonly Assessed[], startedAt = 0): string {
  const tests = runs.map(({ result, scenario }) => ({
    name: result.scenario,
    status: STATUS[result.verdict],
    rawStatus: result.verdict,
    duration: Math.round(result.wallMs),
    suite: ["midcall", result.lab],
    tags: scenario.tags,
    ...(result.verdict === "held"
      ? {}
      : { message: result.culprit?.sentence ?? result.cause, trace: reproBlock(result).join("\n") }),
    parameters: { seed: result.seed, lab: result.lab, codec: result.codec, crypto: result.crypto },
    steps: result.oracles.map((one) => ({ name: `${one.name}: ${one.detail}`, status: STATUS[one.verdict] })),
    attachments: [{ name: "report", contentType: "text/html", path: `${result.dir}/report.html` }],
    extra: {
      hash: result.hash,
      virtualMs: result.virtualMs,
      replay: replayCommand(result),
      notHeld: notHeld(result).map((one) => one.name),
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
