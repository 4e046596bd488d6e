/**
 * How fast the virtual-time laboratory is on this machine, and whether its memory stays flat: one relayed two-party call,
 * with sized codec and null crypto, and with real Opus and real cryptography. The floor is the kernel alone: as many events as
 * the run had, doing nothing.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Instant } from "../impl/base/units.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { Kernel } from "../sim/kernel.ts";
import { type Engines, type LabOutcome, runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { loadSpeech } from "./speech.ts";

export type Speed = {
  readonly codec: "real" | "sized";
  readonly crypto: "real" | "null";
  readonly virtualS: number;
  /** Median of the rounds. */
  readonly wallS: number;
  /** Virtual seconds a wall second. */
  readonly timesRealTime: number;
  /** The same by processor time of the simulating thread: what an idle machine gives, on a busy one. */
  readonly cpuS: number;
  readonly timesRealTimeCpu: number;
  readonly events: number;
  readonly logBytes: number;
  readonly rounds: number;
  /** Processor seconds of the kernel alone with as many empty events, and how many times that the run took. */
  readonly floorS: number;
  readonly timesFloor: number;
};

export type Memory = {
  readonly virtualS: number;
  readonly wallS: number;
  /** Live heap after garbage collection, at minute 5 and at the end. */
  readonly heapAtMinute5: number;
  readonly heapAtEnd: number;
  readonly growthRatio: number;
};

export type SimBench = { readonly speed: readonly Speed[]; readonly memory: Memory };

/** chosen: long enough that start-up is noise, short enough for three rounds of real Opus. */
const SPEED_SECONDS = { sized: 600, real: 60 } as const;
const HOUR_SECONDS = 3_600;
const MINUTE_5 = 300_000_000;

/** `baseline` is the scenario that is measured, stretched. Rejects between two rounds once `signal` is aborted. */
export async function benchSim(baseline: Scenario, stage: (name: string) => void, signal: AbortSignal): Promise<SimBench> {
  const speed: Speed[] = [];
  stage("sized codec, null crypto");
  speed.push(
    await measure(stretched(baseline, SPEED_SECONDS.sized), 5, signal, async () => ({ codec: sizedCodec, crypto: nullCrypto })),
  );
  stage("real Opus, real crypto");
  // An engine a round: its coders are prepared in advance and a run never lets the event loop turn.
  speed.push(
    await measure(stretched(baseline, SPEED_SECONDS.real), 3, signal, async () => ({
      codec: await loadOpusWasm(),
      crypto: nodeCrypto,
    })),
  );
  stage("an hour, for its memory");
  await breathe(signal);
  return { speed, memory: await measureMemory(stretched(baseline, HOUR_SECONDS)) };
}

/** `scenario` lasting `seconds`, its calls to the end. */
const stretched = (scenario: Scenario, seconds: number): Scenario => ({
  ...scenario,
  duration: seconds * 1_000_000,
  calls: scenario.calls.map((call) => ({ ...call, hangUpAt: null })),
  faults: [],
});

/** A simulation holds this thread: here it hears a signal. */
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

async function measure(scenario: Scenario, rounds: number, signal: AbortSignal, prepare: () => Promise<Engines>): Promise<Speed> {
  const speech = await loadSpeech(scenario);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let logBytes = 0;
  let outcome: LabOutcome | undefined;
  let engines = await prepare();
  // Round 0 warms the compiler and is not counted.
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) engines = await prepare();
    await breathe(signal);
    logBytes = 0;
    const onLine = (line: string): void => {
      logBytes += line.length + 1;
    };
    const began = performance.now();
    const cpuBegan = cpuSeconds();
    outcome = runSim({ scenario, seed: 1, keep: false, speech, onLine }, engines);
    if (round > 0) {
      times.push((performance.now() - began) / 1_000);
      cpuTimes.push(cpuSeconds() - cpuBegan);
    }
    if (outcome.crashed !== undefined) throw new Error(`the run that is measured crashed: ${outcome.crashed}`);
  }
  const events = outcome?.events ?? 0;
  const virtualS = (outcome?.virtualMs ?? 0) / 1_000;
  const wallS = median(times);
  const cpuS = median(cpuTimes);
  const floorS = median(Array.from({ length: 5 }, () => emptyKernel(events)));
  return {
    codec: engines.codec.mode,
    crypto: engines.crypto.mode,
    virtualS,
    wallS,
    timesRealTime: virtualS / wallS,
    cpuS,
    timesRealTimeCpu: virtualS / cpuS,
    events,
    logBytes,
    rounds,
    floorS,
    timesFloor: cpuS / floorS,
  };
}

/** Events of a round of the floor at least. chosen: some 50 ms, where processor time is counted in steps of up to 4 ms. */
const FLOOR_EVENTS = 1_000_000;

/** Seconds for `events` empty events, a queue of 64 pending at any time as in a two-party call; measured on many more when they are few. */
function emptyKernel(events: number): number {
  const kernel = new Kernel();
  const measured = Math.max(events, FLOOR_EVENTS);
  let left = measured;
  const again = (): void => {
    if (left-- > 0) kernel.post(Instant(kernel.now + 1_000), again);
  };
  for (let i = 0; i < 64; i++) kernel.post(Instant(i), again);
  const began = cpuSeconds();
  kernel.run(Instant(measured * 1_000 + 64));
  return ((cpuSeconds() - began) * events) / measured;
}

/** Processor time of this thread so far; garbage collection on other threads is not in it. */
function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

async function measureMemory(scenario: Scenario): Promise<Memory> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const live = (): number => {
    collect();
    return process.memoryUsage().heapUsed + process.memoryUsage().external;
  };
  let atMinute5 = 0;
  let atEnd = 0;
  const began = performance.now();
  runSim(
    {
      scenario,
      seed: 1,
      keep: false,
      onLine: (_line, record) => {
        if (atMinute5 === 0 && record.t >= MINUTE_5) atMinute5 = live();
        // The last statistics while the call is still up: later lines belong to hanging up.
        if (record.t >= scenario.duration - 1_000_000 && record.t < scenario.duration && record.ev === "stats") atEnd = live();
      },
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  return {
    virtualS: scenario.duration / 1_000_000,
    wallS: (performance.now() - began) / 1_000,
    heapAtMinute5: atMinute5,
    heapAtEnd: atEnd,
    growthRatio: atEnd / atMinute5 - 1,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};
