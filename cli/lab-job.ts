/** One run from scenario to folder: engines, simulation, verdict, files. Runs in the laboratory's thread. */
import type { CodecEngine } from "../impl/core/codec.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { loadOpusWasm, type OpusWasmEngine } from "../impl/io/opus-wasm.ts";
import { wavBytes } from "../impl/io/wav.ts";
import { assess, render } from "../reports/index.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import type { LabJob, LabReport } from "./laboratory.ts";
import { writeFiles } from "./run-folder.ts";
import { formatSeed } from "./seed.ts";
import { loadSpeech } from "./speech.ts";
import { version } from "./version.ts";

/** Result of a sabotaged run: CONTRACT's fields and the mutation it ran with. */
export type SabotagedResult = Result & { readonly sabotage: string };

/** chosen: progress is for people, who read about ten lines a second. */
const PROGRESS_EVERY_MS = 100;
/** A report that listens to every line would slow the run: the clock is looked at every so many. */
const LINES_A_LOOK = 256;

/** Runs `job`, fills its folder, and reports. Rejects when the lab throws: a bug of midcall that left no log. */
export async function runJob(job: LabJob, progress: (virtualMs: number) => void = () => undefined): Promise<LabReport> {
  const { scenario, seed } = job;
  const real = job.codec === "real";
  const [codec, speech] = await Promise.all([
    real ? opus(scenario) : (sizedCodec satisfies CodecEngine),
    real ? loadSpeech(scenario) : new Map<string, Int16Array>(),
  ]);
  const began = performance.now();
  let lines = 0;
  let told = began;
  const outcome = runSim(
    {
      scenario,
      seed,
      wav: real,
      speech,
      onLine: (_line, record) => {
        if (++lines % LINES_A_LOOK !== 0) return;
        const now = performance.now();
        if (now - told < PROGRESS_EVERY_MS) return;
        told = now;
        progress(record.t / 1_000);
      },
    },
    { codec, crypto: job.crypto === "real" ? nodeCrypto : nullCrypto },
  );
  const wallMs = Math.round(performance.now() - began);
  if (job.folder !== null) {
    // Before anything is judged, so that a bug in judging or rendering leaves what is needed to find it.
    const evidence = new Map([
      ["run.ndjson", outcome.lines.map((line) => `${line}\n`).join("")],
      ["scenario.json", `${JSON.stringify(scenario, null, 2)}\n`],
    ]);
    await writeFiles(job.folder, evidence);
  }
  const assessed = assess({
    scenario,
    records: outcome.records,
    hash: outcome.hash,
    versions: { midcall: version(), node: process.version, commit: job.commit },
    codec: job.codec,
    crypto: job.crypto,
    lab: "sim",
    seed: formatSeed(seed),
    virtualMs: outcome.virtualMs,
    wallMs,
    dir: job.dir,
    ...(outcome.crashed === undefined ? {} : { crashed: outcome.crashed }),
  });
  const result = job.sabotage === null ? assessed : ({ ...assessed, sabotage: job.sabotage } satisfies SabotagedResult);
  if (job.folder !== null) {
    const files = new Map<string, string | Uint8Array>([
      ...render(result, scenario, outcome.records),
      ["result.json", `${JSON.stringify(result, null, 2)}\n`],
      ...[...outcome.audio].map(([party, pcm]) => [`audio/${party}.wav`, wavBytes(pcm)] as const),
    ]);
    await writeFiles(job.folder, files);
  }
  return { result, lines: job.wantLines ? outcome.lines : [] };
}

let engine: { readonly opus: OpusWasmEngine; readonly coders: number } | undefined;

/** Opus with enough coders for every call and every restart of `scenario`; kept from job to job. */
async function opus(scenario: Scenario): Promise<OpusWasmEngine> {
  const coders = Object.keys(scenario.parties).length * (scenario.calls.length + scenario.faults.length + 1);
  if (engine === undefined || engine.coders < coders) {
    engine = { opus: await loadOpusWasm({ encoders: coders, decoders: coders }), coders };
  }
  await engine.opus.refilled();
  return engine.opus;
}
