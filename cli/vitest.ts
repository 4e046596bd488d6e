/**
 * `midcall/vitest`: scenarios inside a user's own tests. `chaos` runs one by the `midcall` command, in a process of its own, because that brings the
 * Node.js it needs and leaves the tests theirs; matchers judge what came of it, and fail with what it takes to see the same again.
 */
import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Result } from "../reports/result.ts";
import { reproBlock } from "../reports/wording.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { parseTime } from "../scenarios/time.ts";

/** How a scenario is run; what is not given is as on the command line. */
export type ChaosOptions = {
  readonly lab?: "sim" | "netns" | "docker";
  readonly seed?: number;
  /** Changes of the scenario: `{ "faults.0.for": "5s" }`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  readonly codec?: "real" | "sized";
  readonly crypto?: "real" | "null";
  /** Run the scenario's sabotaged twin. */
  readonly twin?: boolean;
  /** Folder that run folders are made in, relative to the working directory. Default: `out`. */
  readonly out?: string;
};

/** A finished run: the object of its result.json. `report`: the path of its page. */
export type ChaosRun = Result & { readonly report: string };

/** `toRecoverWithin` asks for everybody and every fault unless told otherwise. */
export type RecoveryOptions = { readonly from?: "fault" | "heal"; readonly party?: string; readonly fault?: number };

/** What `expect(run)` can be asked. Times as scenarios write them: `500ms`, `2s`. */
export type ChaosMatchers<R = unknown> = {
  /** Every promise of the scenario held. */
  toHold(): R;
  /** Media was back within `time` of every fault (default: of its heal). */
  toRecoverWithin(time: string, options?: RecoveryOptions): R;
  /** No party applied a candidate generation that was not newer, and those that came late were refused. */
  toKeepGenerationsOrdered(): R;
};

declare module "vitest" {
  // The parameters of the declaration that this is merged with.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends ChaosMatchers<R> {}
}

/** The executable, from the sources and from the compiled package alike. */
const EXECUTABLE = [
  resolve(import.meta.dirname, "midcall.mjs"),
  fileURLToPath(new URL("../../cli/midcall.mjs", import.meta.url)),
];

/**
 * Runs `scenario`: a name of the catalogue, a file, or a scenario made by `scenario()`. Rejects when it cannot be run (usage, a machine that lacks
 * something, a bug of midcall); a run that is broken is no rejection but something to expect.
 */
export async function chaos(scenario: string | Scenario, options: ChaosOptions = {}): Promise<ChaosRun> {
  const words = ["run", await wordFor(scenario), "--json"];
  const { set = {}, twin, ...rest } = options;
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) words.push(`--${name}`, String(value));
  for (const [place, value] of Object.entries(set)) words.push("--set", `${place}=${value}`);
  if (twin === true) words.push("--twin");
  const { out, err } = await midcall(words);
  let result: Result;
  try {
    result = JSON.parse(out) as Result;
  } catch {
    throw new Error(err.trim() === "" ? `midcall ${words.join(" ")} said nothing` : err.trim());
  }
  return { ...result, report: join(result.dir, "report.html") };
}

async function wordFor(scenario: string | Scenario): Promise<string> {
  if (typeof scenario === "string") return scenario;
  const folder = await mkdtemp(join(tmpdir(), "midcall-scenario-"));
  const file = join(folder, `${scenario.name}.json`);
  await writeFile(file, JSON.stringify(scenario));
  return file;
}

async function midcall(words: readonly string[]): Promise<{ readonly out: string; readonly err: string }> {
  const { existsSync } = await import("node:fs");
  const program = EXECUTABLE.find((one) => existsSync(one)) ?? "";
  return new Promise((done) => {
    execFile(process.execPath, [program, ...words], { maxBuffer: 1 << 26 }, (_, out, err) => done({ out, err }));
  });
}

/** What a failing matcher says: what was wanted, how to see it again, and where the report is. */
const told = (run: ChaosRun, wanted: string) => (): string =>
  [wanted, "", ...reproBlock(run), `report: ${relative(process.cwd(), resolve(run.report))}`].join("\n");

const limited = (time: string): number => {
  const micros = parseTime(time);
  if (micros === undefined) throw new RangeError(`toRecoverWithin: ${time} is no time; want one like 500ms or 2s`);
  return micros / 1_000;
};

expect.extend({
  toHold(run: ChaosRun) {
    return {
      pass: run.verdict === "held",
      message: told(run, `wanted ${run.scenario} ${this.isNot ? "not " : ""}to hold: ${run.cause}`),
    };
  },
  toRecoverWithin(run: ChaosRun, time: string, { from = "heal", party, fault }: RecoveryOptions = {}) {
    const limit = limited(time);
    const asked = run.measurements.recovery.filter(
      (one) => (party === undefined || one.party === party) && (fault === undefined || one.fault === fault),
    );
    const late = asked.filter((one) => {
      const ms = from === "heal" ? one.fromHealMs : one.fromFaultMs;
      return ms === null || ms > limit;
    });
    const words = asked.map(
      (one) =>
        `${one.party} ${(from === "heal" ? one.fromHealMs : one.fromFaultMs) ?? "never"} ms after the ${from} of fault ${one.fault}`,
    );
    return {
      // Nobody to ask is no recovery.
      pass: asked.length > 0 && late.length === 0,
      message: told(
        run,
        `wanted media ${this.isNot ? "not " : ""}back within ${time}: ${words.join(", ") || "no fault and party that this asks for"}`,
      ),
    };
  },
  toKeepGenerationsOrdered(run: ChaosRun) {
    const stale = Object.entries(run.measurements.generations).filter(([, one]) => one.appliedStale > 0);
    return {
      pass: stale.length === 0,
      message: told(
        run,
        `wanted candidate generations ${this.isNot ? "out of" : "in"} order: ${stale.map(([party, one]) => `${party} applied ${one.appliedStale} stale`).join(", ") || "none stale was applied"}`,
      ),
    };
  },
});
