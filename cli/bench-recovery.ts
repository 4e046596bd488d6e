/** How long a call stays silent after its relay is back: in the simulator over many seeds, and between real processes on loopback. */
import { assess } from "../reports/index.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { runSim } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { LINK_DELAY_MS, runLoopback } from "./loopback.ts";

export type Recovery = {
  readonly where: "sim" | "real processes over loopback QUIC";
  /** From the relay's return to the first of 10 consecutive source frames played. */
  readonly medianMs: number;
  readonly worstMs: number;
  /** One for each party and run. */
  readonly samples: number;
  /** Between client and relay. */
  readonly rttMs: number;
};

/** chosen: enough for a worst case of phase between probe, frame and return; two real runs are a minute and a half. */
const SEEDS = 100;
const REAL_RUNS = 2;

/** Rejects soon after `signal` is aborted, with every process of its own ended. */
export async function benchRecovery(
  restart: Scenario,
  stage: (name: string) => void,
  signal: AbortSignal,
): Promise<readonly Recovery[]> {
  stage(`relay-restart, ${SEEDS} seeds`);
  const simulated = Array.from({ length: SEEDS }, (_, seed) => healsOf(simulate(restart, seed + 1))).flat();
  const real: number[] = [];
  for (let i = 0; i < REAL_RUNS; i++) {
    stage(`relay-restart between real processes, ${i + 1} of ${REAL_RUNS}`);
    real.push(...healsOf((await runLoopback(signal)).result));
  }
  const delay = restart.parties[restart.calls[0]?.caller ?? ""]?.interfaces;
  const [first] = Object.values(delay ?? {});
  const simRttMs = ((first?.up.delay ?? 0) + (first?.down.delay ?? 0)) / 1_000;
  return [figures("sim", simulated, simRttMs), figures("real processes over loopback QUIC", real, 2 * LINK_DELAY_MS)];
}

function simulate(scenario: Scenario, seed: number): Result {
  const { records, hash, virtualMs } = runSim({ scenario, seed }, { codec: sizedCodec, crypto: nullCrypto });
  const versions = { midcall: "", node: process.version, commit: "" };
  return assess({
    scenario,
    records,
    hash,
    virtualMs,
    versions,
    codec: "sized",
    crypto: "null",
    lab: "sim",
    seed: `${seed}`,
    wallMs: 0,
    dir: "",
  });
}

/** Every party's time, which counts as for ever when it never came back. */
const healsOf = (result: Result): number[] =>
  result.measurements.recovery.map((one) => one.fromHealMs ?? Number.POSITIVE_INFINITY);

function figures(where: Recovery["where"], values: readonly number[], rttMs: number): Recovery {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    where,
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    worstMs: sorted.at(-1) ?? Number.NaN,
    samples: sorted.length,
    rttMs,
  };
}
