/** One run from scenario to folder: engines, simulation, verdict, files. Runs in the laboratory's thread. */
import type { LogRecord } from "../impl/base/record.ts";
import type { CodecEngine } from "../impl/core/codec.ts";
import { DEFAULT_FEC } from "../impl/core/media-stream.ts";
import type { MetricsPort } from "../impl/io/metrics-port.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { loadOpusWasm, type OpusWasmEngine } from "../impl/io/opus-wasm.ts";
import { loadRnnoise } from "../impl/io/rnnoise.ts";
import { wavBytes } from "../impl/io/wav.ts";
import type { NetnsOutcome, NetnsRun } from "../netns/lab.ts";
import { assess } from "../reports/assess.ts";
import { openMetrics, runLabel } from "../reports/openmetrics.ts";
import { probesHit } from "../reports/probes.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { type Engines, type LabOutcome, openSim, runSim, type SimSession } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { openGrowingLog } from "./growing-log.ts";
import type { LabJob, LabReport } from "./laboratory.ts";
import { noticing } from "./notices.ts";
import { machineTrouble } from "./process-party.ts";
import { writeFiles } from "./run-folder.ts";
import { formatSeed } from "./seed.ts";
import type { HostPort } from "./socket-address.ts";
import { loadSpeech } from "./speech.ts";
import { version } from "./version.ts";

/** CONTRACT's fields, the mutation of a sabotaged run, and the link driver of one on a real kernel. */
export type LabResult = Result & { readonly sabotage?: string; readonly linkDriver?: string };

/** What a laboratory gives, whichever it is. */
type Outcome = Omit<LabOutcome, "events" | "captures" | "taps"> &
  Partial<Pick<LabOutcome, "captures" | "taps"> & Pick<NetnsOutcome, "driver" | "stderr" | "scenario">>;

/** Who watches a run. */
export type Watch = {
  readonly signal: AbortSignal;
  progress?(virtualMs: number): void;
  notice?(lines: readonly string[]): void;
} & Pick<NetnsRun, "onReady">;

/** chosen: progress is for people, who read about ten lines a second. */
const PROGRESS_EVERY_MS = 100;
/** A report that listens to every line would slow a simulation: the clock is looked at every so many. A real run says little. */
const LINES_A_LOOK = { sim: 256, netns: 1, docker: 1 } as const;

/** Runs `job`, fills its folder, and reports. Rejects when the lab throws: a bug of midcall that left no log; CliError when the machine lacks something. */
export async function runJob(job: LabJob, watch: Watch): Promise<LabReport> {
  const { seed } = job;
  const began = performance.now();
  let lines = 0;
  let told = began;
  const live = job.metrics === undefined ? undefined : await openLiveMetrics(job, job.metrics);
  const growing = job.folder !== null && (job.live === true || job.lab !== "sim") ? openGrowingLog(job.folder) : undefined;
  const notices = watch.notice === undefined ? undefined : noticing();
  const onLine = (line: string, record: LogRecord): void => {
    live?.read(record);
    growing?.write(line);
    const noticed = notices?.(record) ?? [];
    if (noticed.length > 0) watch.notice?.(noticed);
    if (watch.progress === undefined || ++lines % LINES_A_LOOK[job.lab] !== 0) return;
    const now = performance.now();
    if (now - told < PROGRESS_EVERY_MS) return;
    told = now;
    watch.progress(record.t / 1_000);
  };
  let outcome: Outcome;
  try {
    outcome =
      job.lab === "sim" ? await simulate(job, onLine) : await (await import("./real-lab.ts")).runReal(job, { ...watch, onLine });
  } finally {
    growing?.close();
    await live?.close();
  }
  const scenario = outcome.scenario ?? job.scenario;
  const wallMs = Math.round(performance.now() - began);
  // A simulation is over long before its time is: it is taken to end now, because Prometheus refuses nothing so much as the future.
  const lastMs = outcome.records.reduce((latest, record) => Math.max(latest, record.t / 1e3), 0);
  const startedAt = new Date(Date.now() - Math.ceil(lastMs));
  if (job.folder !== null) {
    // In the order of its instants now, and in place of what came as it came.
    await growing?.discard();
    // Before anything is judged, so that a bug in judging or rendering leaves what is needed to find it.
    const evidence = new Map([
      ["run.ndjson", outcome.lines.map((line) => `${line}\n`).join("")],
      ["scenario.json", `${JSON.stringify(scenario, null, 2)}\n`],
    ]);
    await writeFiles(job.folder, evidence);
  }
  const assessed = assess({
    ...(job.folder === null ? {} : { speech: await speechOf(job, outcome, scenario) }),
    scenario,
    records: outcome.records,
    hash: outcome.hash,
    versions: { midcall: version(), node: process.version, commit: job.commit },
    codec: job.codec,
    crypto: job.crypto,
    lab: job.lab,
    seed: formatSeed(seed),
    virtualMs: outcome.virtualMs,
    wallMs,
    startedAt: startedAt.toISOString(),
    dir: job.dir,
    ...(outcome.crashed === undefined ? {} : { crashed: outcome.crashed }),
  });
  const result: LabResult = {
    ...assessed,
    ...(job.sabotage === null ? {} : { sabotage: job.sabotage }),
    ...(outcome.driver === undefined ? {} : { linkDriver: outcome.driver }),
  };
  if (job.folder !== null) {
    // Only now: the pages' charts take a second to load, and a campaign writes none.
    const [{ render }, { pageExtras }] = await Promise.all([import("../reports/index.ts"), import("./page-extras.ts")]);
    const files = new Map<string, string | Uint8Array>([
      ...render(result, scenario, outcome.records, await pageExtras(result, scenario, job.folder, outcome.audio)),
      ["result.json", `${JSON.stringify(result, null, 2)}\n`],
      ["metrics.om", openMetrics(outcome.records, result, startedAt.getTime())],
      ...[...outcome.audio].map(([party, pcm]) => [`audio/${party}.wav`, wavBytes(pcm)] as const),
      ...[...(outcome.captures ?? [])].map(
        ([name, parts]) => [`capture/${name.replace("/", "-")}.pcapng`, Buffer.concat(parts)] as const,
      ),
      ...[...(outcome.stderr ?? [])].map(([party, text]) => [`stderr/${party}.txt`, `${text}\n`] as const),
    ]);
    await writeFiles(job.folder, files);
  }
  return {
    result,
    lines: job.wantLines ? outcome.lines : [],
    probes: job.wantProbes === true ? probesHit(outcome.records, scenario) : [],
  };
}

/** What a run in virtual time is made of. */
type SimJob = Pick<LabJob, "scenario" | "seed" | "codec" | "crypto" | "capture"> & Partial<Pick<LabJob, "folder" | "wantLines">>;
type OnLine = (line: string, record: LogRecord) => void;

const simulate = async (job: SimJob, onLine: OnLine): Promise<LabOutcome> => runSim(...(await simulation(job, onLine)));

/** A run in virtual time that waits at its beginning, to be looked into. */
export const openSimulation = async (job: SimJob, onLine: OnLine): Promise<SimSession> =>
  openSim(...(await simulation(job, onLine)), true);

async function simulation(job: SimJob, onLine: OnLine): Promise<Parameters<typeof runSim>> {
  const { scenario, seed } = job;
  const real = job.codec === "real";
  const [codec, speech] = await Promise.all([
    real ? opus(scenario) : (sizedCodec satisfies CodecEngine),
    real ? loadSpeech(scenario) : new Map<string, Int16Array>(),
  ]);
  return [
    {
      ...{ scenario, seed, wav: real, speech, onLine, capture: job.capture === true },
      keep: job.folder !== null || job.wantLines === true ? true : "records",
    },
    {
      codec,
      ...codec2For(real),
      crypto: job.crypto === "real" ? nodeCrypto : nullCrypto,
      ...(await codesFor(scenario)),
      ...(await noiseRemoverFor(scenario)),
    },
  ];
}

/** The real Codec2 gives other samples every time (impl/io/codec2.ts), so a run that decodes is without it. */
const codec2For = (real: boolean): Pick<Engines, "noCodec2"> =>
  real ? { noCodec2: "a run in virtual time must be repeatable, and the library is not" } : {};

/** RaptorQ where a client sends with it: the other codes are always there. */
async function codesFor(scenario: Scenario): Promise<Pick<Engines, "codes">> {
  if (!Object.values(scenario.parties).some((party) => party.fec?.scheme === "raptorq")) return {};
  const { loadRaptorQ } = await import("../impl/io/raptorq.ts");
  return { codes: new Map([...DEFAULT_FEC.codes, ["raptorq", loadRaptorQ()]]) };
}

/** How far what was heard is from the same speech without loss; in a run that leaves something behind, because it takes as long as the run. */
async function speechOf(job: LabJob, { taps, records }: Outcome, scenario: Scenario): Promise<NonNullable<Result["speech"]>> {
  if (job.codec === "sized") return { absent: "the sized codec has no audio" };
  if (taps === undefined || engine === undefined)
    return { absent: `${job.lab}: parties are processes of their own, and what their encoders made is not kept` };
  await engine.opus.refilled();
  const { compareSpeech } = await import("./speech-comparison.ts");
  return { parties: compareSpeech(records, scenario, taps, engine.opus) };
}

/** RNNoise where a client removes noise, whatever the codec: what it leaves decides what is sent. */
async function noiseRemoverFor(scenario: Scenario): Promise<Pick<Engines, "noiseRemover">> {
  if (!Object.values(scenario.parties).some((party) => party.denoise === true)) return {};
  return { noiseRemover: await loadRnnoise() };
}

let engine: { readonly opus: OpusWasmEngine; readonly coders: number } | undefined;

/** Opus with enough coders for every call and every restart of `scenario`; kept from job to job. */
async function opus(scenario: Scenario): Promise<OpusWasmEngine> {
  const tiers = Object.values(scenario.parties).some((party) => party.tier !== undefined) ? 3 : 1;
  const coders = tiers * Object.keys(scenario.parties).length * (scenario.calls.length + scenario.faults.length + 1);
  if (engine === undefined || engine.coders < coders) {
    engine = { opus: await loadOpusWasm({ encoders: coders, decoders: coders }), coders };
  }
  await engine.opus.refilled();
  return engine.opus;
}

/** The metrics of all parties, faults and network of a run while it lasts, named as its metrics.om will be. */
async function openLiveMetrics({ scenario, lab, seed, dir }: LabJob, at: HostPort): Promise<MetricsPort> {
  const { openMetricsPort } = await import("../impl/io/metrics-port.ts");
  const run = runLabel({ scenario: scenario.name, lab, seed: formatSeed(seed), dir });
  const sources = ["process", "relay", "client", "laboratory"] as const;
  return machineTrouble(() => openMetricsPort({ ...at, sources, labels: { run } }));
}
